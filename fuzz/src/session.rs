//! A whole session in which both sides are hostile and clever, and a hook does as it likes.

use std::sync::LazyLock;

use stratus_protocols::InterfaceId;
use stratus_proxy_core::{Direction, EVENT_QUEUE_CAP, MAX_MESSAGE_LEN, Side};

use crate::input::Input;
use crate::model::message;
use crate::pair::Pair;
use crate::script::{Answer, Own};
use crate::speech::say;

/// Things that happen in one execution.
const MAX_STEPS: usize = 400;
/// An execution that begins with this may flood the client's queue, which takes long.
const MAY_FLOOD: &[u8] = b"\xf1ood";

/// Plays one session.
///
/// # Panics
/// On a finding.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let first = input.byte();
    let mut pair = Pair::new(first & 1 == 0, usize::from(first >> 4 == 1));
    match first >> 1 & 7 {
        0 => {}
        1 => pair.refuse(),
        _ => set_up(&mut pair),
    }
    let mut flood = if data.starts_with(MAY_FLOOD) { EVENT_QUEUE_CAP + (4 << 20) } else { 0 };
    for _ in 0..MAX_STEPS {
        if input.is_empty() {
            break;
        }
        step(&mut pair, &mut input, &mut flood);
    }
    pair.finish();
}

/// The `wl_shm` that [`set_up`] makes.
const SHM: u32 = 4;

/// The globals that a session starts with.
const GLOBALS: [InterfaceId; 12] = [
    InterfaceId::WlCompositor,
    InterfaceId::WlShm,
    InterfaceId::WlSeat,
    InterfaceId::XdgWmBase,
    InterfaceId::WlDataDeviceManager,
    InterfaceId::WlOutput,
    InterfaceId::ZwpLinuxDmabufV1,
    InterfaceId::WpDrmLeaseDeviceV1,
    InterfaceId::ZwpTabletManagerV2,
    InterfaceId::WlFixes,
    InterfaceId::ZwpPrimarySelectionDeviceManagerV1,
    InterfaceId::WpPresentation,
];

/// The bytes of a string argument.
fn text(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u32 + 1).to_ne_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes.push(0);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn with_body(sender: u32, opcode: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = message(sender, opcode, &[]);
    bytes[6..8].copy_from_slice(&(8 + body.len() as u16).to_ne_bytes());
    bytes.extend(body);
    bytes
}

/// The client's registry, globals in it, and the client's objects for those that it gets to see:
/// registry 2, then from 3 on in the order of [`GLOBALS`], without the hidden one.
pub(crate) fn set_up(pair: &mut Pair) {
    static BYTES: LazyLock<(Vec<u8>, Vec<u8>)> = LazyLock::new(|| {
        let (mut globals, mut binds) = (Vec::new(), Vec::new());
        let mut id = 3u32;
        for (name, interface) in (1u32..).zip(GLOBALS) {
            let name = name.to_ne_bytes();
            let version = interface.version().to_ne_bytes();
            let body = [&name[..], &text(interface.name()), &version].concat();
            globals.extend(with_body(2, 0, &body));
            if interface != InterfaceId::WpDrmLeaseDeviceV1 {
                binds.extend(with_body(2, 0, &[&body[..], &id.to_ne_bytes()].concat()));
                id += 1;
            }
        }
        (globals, binds)
    });
    pair.write(Side::Client, &message(1, 1, &[2]), Vec::new());
    pair.receive_all(Side::Client);
    pair.write(Side::Compositor, &BYTES.0, Vec::new());
    pair.receive_all(Side::Compositor);
    pair.write(Side::Client, &BYTES.1, Vec::new());
    pair.receive_all(Side::Client);
    pair.transmit_all(Side::Client);
    pair.transmit_all(Side::Compositor);
}

fn side(bit: u8) -> Side {
    if bit & 1 == 0 { Side::Client } else { Side::Compositor }
}

fn step(pair: &mut Pair, input: &mut Input<'_>, flood: &mut u64) {
    let op = input.byte();
    match op & 15 {
        kind @ 0..=8 => {
            let from = if kind < 5 { Side::Client } else { Side::Compositor };
            let said = say(from, &pair.model, &mut pair.maker, input);
            pair.write(from, &said.bytes, said.fds);
            pair.receive_all(from);
        }
        // It stays in the socket.
        9 => {
            let said = say(side(op >> 4), &pair.model, &mut pair.maker, input);
            pair.write(side(op >> 4), &said.bytes, said.fds);
        }
        10 => {
            let most = 1 + input.below(64);
            pair.receive(side(op >> 4), most);
        }
        11 => {
            let room = input.byte();
            let room = if room == 255 { 1 << 20 } else { usize::from(room) };
            pair.transmit(side(op >> 4), room);
        }
        12 => pair.transmit_all(side(op >> 4)),
        13 => pair.plan(Answer::read(input)),
        14 => {
            let count = input.byte() & 3;
            let own = (0..count).map(|_| {
                let event = input.byte() & 1 == 0;
                let direction = if event { Direction::Event } else { Direction::Request };
                (direction, Own::read(input))
            });
            let own = own.collect();
            pair.inject(own);
        }
        _ => seldom(pair, op >> 4, input, flood),
    }
}

fn seldom(pair: &mut Pair, what: u8, input: &mut Input<'_>, flood: &mut u64) {
    match what {
        0..=5 => pair.check_objects(),
        6 => pair.observe(true),
        7 => pair.observe(false),
        8 => pair.close(Side::Client),
        9 => pair.close(Side::Compositor),
        10 => pair.deafen(Side::Client),
        11 => pair.deafen(Side::Compositor),
        12 => pair.lose_fds(side(input.byte())),
        13 => pair.take_unwanted(),
        // Much at once: until the compositor is behind with fds, or the client with bytes.
        14 => {
            for _ in 0..input.byte() & 63 {
                let id = pair.model.objects.next(Side::Client);
                let fd = pair.maker.make().into_iter().collect();
                pair.write(Side::Client, &message(SHM, 0, &[id, 4096]), fd);
                pair.receive_all(Side::Client);
            }
        }
        _ => {
            // Deleting an id that is none changes nothing, whatever stands behind the id.
            let len =
                (1usize << (10 + input.byte() % 14)).min(usize::try_from(*flood).unwrap_or(0));
            *flood -= len as u64;
            let event = with_body(1, 1, &vec![0; MAX_MESSAGE_LEN - 8]);
            let from = side(input.byte());
            pair.write(from, &event.repeat(len / event.len()), Vec::new());
            pair.receive_all(from);
        }
    }
}
