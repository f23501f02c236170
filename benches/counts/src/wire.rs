//! A session in memory: messages made, received, and "sent" to both sides.

use std::hint::black_box;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use stratus_protocols::{wl_display, wl_registry};
use stratus_proxy_core::{ClientId, GlobalPolicy, Hook, Rules, Session, Side};

const DISPLAY: u32 = 1;
const REGISTRY: u32 = 2;

pub(crate) fn message(id: u32, opcode: u16, words: &[u32]) -> Vec<u8> {
    let size = 8 + 4 * words.len() as u32;
    let header = [id, size << 16 | u32::from(opcode)];
    header.iter().chain(words).flat_map(|word| word.to_ne_bytes()).collect()
}

pub(crate) fn delete_id(id: u32) -> Vec<u8> {
    message(DISPLAY, wl_display::EVT_DELETE_ID_OPCODE, &[id])
}

/// The words of a string argument.
pub(crate) fn text(text: &str) -> Vec<u32> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    let len = bytes.len() as u32;
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    let words = bytes.chunks_exact(4).map(|w| u32::from_ne_bytes([w[0], w[1], w[2], w[3]]));
    [len].into_iter().chain(words).collect()
}

pub(crate) fn session<H: Hook>(hook: &H) -> Session {
    let rules = Rules::new(&hook.interests(), GlobalPolicy::default());
    Session::new(ClientId(1), Arc::new(rules))
}

/// Offers `globals` (interface, version, id) and binds them.
pub(crate) fn bind_all<H: Hook>(
    session: &mut Session,
    globals: &[(&str, u32, u32)],
    hook: &mut H,
) -> anyhow::Result<()> {
    let registry = message(DISPLAY, wl_display::REQ_GET_REGISTRY_OPCODE, &[REGISTRY]);
    pass(session, Side::Client, &registry, &mut Vec::new(), hook)?;
    for (name, (interface, version, id)) in (1..).zip(globals) {
        let global = [vec![name], text(interface), vec![*version]].concat();
        let global = message(REGISTRY, wl_registry::EVT_GLOBAL_OPCODE, &global);
        pass(session, Side::Compositor, &global, &mut Vec::new(), hook)?;
        let bind = [vec![name], text(interface), vec![*version, *id]].concat();
        let bind = message(REGISTRY, wl_registry::REQ_BIND_OPCODE, &bind);
        pass(session, Side::Client, &bind, &mut Vec::new(), hook)?;
    }
    Ok(())
}

/// Receives, lets pass, and "sends" to both sides, as the loop around a session does.
pub(crate) fn pass<H: Hook>(
    session: &mut Session,
    from: Side,
    bytes: &[u8],
    fds: &mut Vec<OwnedFd>,
    hook: &mut H,
) -> anyhow::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    session.spare(from)[..bytes.len()].copy_from_slice(bytes);
    session.handle_received(from, bytes.len(), fds, 1, hook)?;
    for to in [Side::Compositor, Side::Client] {
        while let Some(transmit) = session.poll_transmit(to) {
            black_box((transmit.slices(), transmit.fds()));
            let len = transmit.len();
            session.handle_transmitted(to, len);
        }
    }
    Ok(())
}
