//! A player's inputs: as bytes of any kind, and through the queue in front of the game.

use bytes::BytesMut;
use stratus_frame::input::{Input as Did, InputEvent, PadState, TouchPhase, WheelSource};
use stratus_frame::{MonoTime, Size};
use stratus_stream_core::input::{Inputs, encode};
use stratus_stream_core::input_queue::InputQueue;

use crate::input::Input;

/// Inputs that are good or nearly so, cut anywhere.
pub(super) fn run(input: &mut Input<'_>) {
    let mut id = 0;
    let mut bytes = BytesMut::new();
    let mut made = Vec::new();
    for _ in 0..input.byte() {
        id += 1 + u64::from(input.byte() & 3);
        let did = Did { id, time: MonoTime::from_nanos(input.word().into()), event: event(input) };
        encode(&did, &mut bytes);
        made.push(did);
        if input.is_empty() {
            break;
        }
    }
    through(&made, input);
    if input.byte() & 1 == 1 && !bytes.is_empty() {
        let at = input.below(bytes.len());
        bytes[at] ^= input.byte();
        // Anything may follow from that, but for every way to cut it the same.
        let whole = read(&bytes, &[255]);
        assert_eq!(read(&bytes, input.bytes(8)), whole);
    } else {
        assert_eq!(read(&bytes, input.bytes(8)), (made, None), "what was written is read");
    }
}

fn event(input: &mut Input<'_>) -> InputEvent {
    let int = |input: &mut Input<'_>| input.number().cast_signed();
    let point = |input: &mut Input<'_>| {
        let (x, y) = (u32::from(input.byte()), u32::from(input.byte()));
        stratus_frame::input::PicturePoint { x, y, size: Size::new(256, 256) }
    };
    match input.byte() % 9 {
        0 | 1 => {
            InputEvent::Key { code: 1 + u16::from(input.byte()), pressed: input.byte() & 1 == 1 }
        }
        2 => InputEvent::PointerAt(point(input)),
        3 => InputEvent::PointerBy { dx: int(input), dy: int(input) },
        4 => {
            let finger = input.byte() & 1 == 1;
            let source = if finger { WheelSource::Finger } else { WheelSource::Wheel };
            InputEvent::Wheel { dx: int(input), dy: int(input), source }
        }
        5 | 6 => {
            let slot = u32::from(input.byte() & 3);
            let phase = match input.byte() & 7 {
                0 => TouchPhase::Down(point(input)),
                1 => TouchPhase::Up,
                2 => TouchPhase::Cancel,
                _ => TouchPhase::Motion(point(input)),
            };
            InputEvent::Touch { slot, phase }
        }
        7 => InputEvent::Gamepad(PadState {
            pad: input.byte() & 3,
            connected: input.byte() & 7 > 0,
            buttons: u32::from(input.byte() & 3),
            axes: [input.word() as i16; 4],
            triggers: [7, 8],
        }),
        _ => InputEvent::Release,
    }
}

fn read(bytes: &[u8], cuts: &[u8]) -> (Vec<Did>, Option<String>) {
    let mut inputs = Inputs::default();
    let mut all = Vec::new();
    let mut rest = bytes;
    let mut cuts = cuts.iter().cycle();
    while !rest.is_empty() {
        let n = 1 + usize::from(*cuts.next().unwrap_or(&255));
        let (head, tail) = rest.split_at(n.min(rest.len()));
        inputs.handle_bytes(head);
        rest = tail;
        loop {
            match inputs.poll() {
                Ok(Some(did)) => all.push(did),
                Ok(None) => break,
                Err(e) => return (all, Some(e.to_string())),
            }
        }
    }
    (all, None)
}

/// What a game sees of inputs, whatever is merged: the sum of all motion, the last place, and all
/// else one by one.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    /// Presses and what else must not be lost, with where motion stood then.
    discrete: Vec<(InputEvent, (i64, i64))>,
    moved: (i64, i64),
    fingers: [Option<TouchPhase>; 4],
    newest: u64,
}

impl Seen {
    fn see(&mut self, did: &Did) {
        assert!(did.id > self.newest, "ids rise");
        self.newest = did.id;
        match &did.event {
            InputEvent::PointerBy { dx, dy } => {
                self.moved.0 += i64::from(*dx);
                self.moved.1 += i64::from(*dy);
            }
            InputEvent::PointerAt(_) | InputEvent::Wheel { .. } | InputEvent::Gamepad(_) => {}
            InputEvent::Touch { slot, phase: phase @ TouchPhase::Motion(_) } => {
                self.fingers[*slot as usize & 3] = Some(*phase);
            }
            other => self.discrete.push((other.clone(), self.moved)),
        }
    }
}

/// The queue loses nothing, keeps the order, and takes no more at once than it says.
fn through(made: &[Did], input: &mut Input<'_>) {
    let mut queue = InputQueue::default();
    let (mut direct, mut late) = (Seen::default(), Seen::default());
    let mut now = 1_000_000_000;
    for did in made {
        // A sum that saturates is not the sum; games take no such motion either.
        if matches!(did.event, InputEvent::PointerBy { dx, dy } if dx.unsigned_abs().max(dy.unsigned_abs()) > 1 << 20)
        {
            continue;
        }
        direct.see(did);
        queue.handle_input(did.clone());
        now += u64::from(input.byte()) * 1000;
        for _ in 0..input.byte() & 3 {
            let Some(did) = queue.poll(MonoTime::from_nanos(now)) else { break };
            late.see(&did);
        }
    }
    while let Some(due) = queue.poll_timeout() {
        let did = queue.poll(due).expect("the next is due");
        late.see(&did);
    }
    assert_eq!(late, direct);
}
