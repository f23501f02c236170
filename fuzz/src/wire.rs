//! Framing: any bytes, in any splits, into a session.

use stratus_proxy_core::Side;

use crate::input::Input;
use crate::pair::Pair;
use crate::session::set_up;

/// Gives a session the bytes in pieces. The model, which is asked after each, knows no pieces: it
/// gathers bytes until a message is whole.
///
/// # Panics
/// On a finding.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let first = input.byte();
    let from = if first & 1 == 0 { Side::Client } else { Side::Compositor };
    let cuts = input.bytes(usize::from(first >> 1 & 7)).to_vec();
    let fds = usize::from(first >> 4);
    let raw = input.rest();

    let mut pair = Pair::new(false, 0);
    set_up(&mut pair);
    let marked: Vec<_> = (0..fds).map_while(|_| pair.maker.make()).collect();
    pair.write(from, raw, marked);
    let mut at = 0;
    for cut in cuts.iter().cycle().take(raw.len() * cuts.len().min(1)) {
        if at >= raw.len() {
            break;
        }
        // One byte says how much comes in, and how much may go out meanwhile.
        let (inward, outward) = (1 + usize::from(cut & 15), usize::from(cut >> 4));
        pair.receive(from, inward);
        at += inward;
        if outward > 0 {
            pair.transmit(from.other(), outward);
            pair.transmit(from, outward * 3);
        }
    }
    pair.receive_all(from);
    pair.finish();
}
