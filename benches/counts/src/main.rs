//! `stratus-counts SCENARIO ROUNDS` plays the same messages again and again through a session in
//! memory, and does nothing else: what callgrind counts for it depends on the code alone.
//! `stratus-bench counts` runs it and compares with `benches/counts.toml`.

mod game;

use std::fs::File;
use std::hint::black_box;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use stratus_protocols::{wl_compositor, wl_display, wl_registry, wl_shm, wl_shm_pool, wl_surface};
use stratus_proxy_core::{ClientId, GlobalPolicy, Hook, PassThrough, Rules, Session, Side};

const DISPLAY: u32 = 1;
const REGISTRY: u32 = 2;
const COMPOSITOR: u32 = 3;
const SHM: u32 = 4;
const SURFACE: u32 = 5;
/// Objects of a round have the ids from here on.
const SCRATCH: u32 = 6;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(scenario), Some(rounds)) = (args.next(), args.next()) else {
        bail!("usage: stratus-counts SCENARIO ROUNDS");
    };
    let rounds: u32 = rounds.parse().context("the number of rounds")?;
    match &*scenario {
        "commit" => return game::play(rounds),
        "picture" => return game::play_and_encode(rounds),
        _ => {}
    }
    let round = Round::of(&scenario)?;
    let mut session = session(&PassThrough);
    set_up(&mut session)?;
    let null = File::open("/dev/null")?;
    let mut fds = Vec::new();
    for _ in 0..rounds {
        for _ in 0..round.fds {
            fds.push(null.try_clone()?.into());
        }
        pass(&mut session, Side::Client, &round.requests, &mut fds, &mut PassThrough)?;
        pass(&mut session, Side::Compositor, &round.events, &mut Vec::new(), &mut PassThrough)?;
    }
    Ok(())
}

/// What both sides say in one round.
struct Round {
    requests: Vec<u8>,
    events: Vec<u8>,
    fds: u32,
}

impl Round {
    fn of(scenario: &str) -> anyhow::Result<Self> {
        let round = match scenario {
            // 32 messages that are no business of the proxy's.
            "forward" => {
                let damage = |n| message(SURFACE, wl_surface::REQ_DAMAGE_OPCODE, &[n, n, 9, 9]);
                Self { requests: (0..32).flat_map(damage).collect(), events: Vec::new(), fds: 0 }
            }
            "sync-1" => Self::of_syncs(1),
            "sync-32" => Self::of_syncs(32),
            // 16 pools, each with its fd, made and destroyed, and a sync.
            "pools" => {
                let ids = SCRATCH..SCRATCH + 16;
                let pool = |id| message(SHM, wl_shm::REQ_CREATE_POOL_OPCODE, &[id, 4096]);
                let destroy = |id| message(id, wl_shm_pool::REQ_DESTROY_OPCODE, &[]);
                let mut requests: Vec<u8> = ids.clone().flat_map(pool).collect();
                requests.extend(ids.clone().flat_map(destroy));
                requests.extend(message(DISPLAY, wl_display::REQ_SYNC_OPCODE, &[ids.end]));
                let mut events: Vec<u8> = ids.clone().flat_map(delete_id).collect();
                events.extend(message(ids.end, 0, &[7]));
                events.extend(delete_id(ids.end));
                Self { requests, events, fds: 16 }
            }
            other => bail!("no scenario {other}: forward, sync-1, sync-32, pools, commit, picture"),
        };
        Ok(round)
    }

    fn of_syncs(batch: u32) -> Self {
        let ids = SCRATCH..SCRATCH + batch;
        let sync = |id| message(DISPLAY, wl_display::REQ_SYNC_OPCODE, &[id]);
        let answer = |id| [message(id, 0, &[7]), delete_id(id)].concat();
        Self {
            requests: ids.clone().flat_map(sync).collect(),
            events: ids.flat_map(answer).collect(),
            fds: 0,
        }
    }
}

fn message(id: u32, opcode: u16, words: &[u32]) -> Vec<u8> {
    let size = 8 + 4 * words.len() as u32;
    let header = [id, size << 16 | u32::from(opcode)];
    header.iter().chain(words).flat_map(|word| word.to_ne_bytes()).collect()
}

fn delete_id(id: u32) -> Vec<u8> {
    message(DISPLAY, wl_display::EVT_DELETE_ID_OPCODE, &[id])
}

/// The words of a string argument.
fn text(text: &str) -> Vec<u32> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    let len = bytes.len() as u32;
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    let words = bytes.chunks_exact(4).map(|w| u32::from_ne_bytes([w[0], w[1], w[2], w[3]]));
    [len].into_iter().chain(words).collect()
}

fn session<H: Hook>(hook: &H) -> Session {
    let rules = Rules::new(&hook.interests(), GlobalPolicy::default());
    Session::new(ClientId(1), Arc::new(rules))
}

/// Offers `globals` (interface, version, id) and binds them.
fn bind_all<H: Hook>(
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

fn set_up(session: &mut Session) -> anyhow::Result<()> {
    let globals = [("wl_compositor", 4, COMPOSITOR), ("wl_shm", 1, SHM)];
    bind_all(session, &globals, &mut PassThrough)?;
    let surface = message(COMPOSITOR, wl_compositor::REQ_CREATE_SURFACE_OPCODE, &[SURFACE]);
    pass(session, Side::Client, &surface, &mut Vec::new(), &mut PassThrough)
}

/// Receives, lets pass, and "sends" to both sides, as the loop around a session does.
fn pass<H: Hook>(
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
