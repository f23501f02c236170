//! The stream's core: what a peer sends, and what each side makes of it over time.
//!
//! The first byte chooses one part. The models are written after docs/protocol.md.

mod greeting;
mod inputs;
mod links;
mod messages;
mod order;
mod parts;
mod times;
mod viewer;

use crate::input::Input;

/// Plays one part.
///
/// # Panics
/// On a finding.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() % 9 {
        0 | 1 => messages::run(&mut input),
        2 => messages::run_header(&mut input),
        3 => links::run(&mut input),
        4 => greeting::run(&mut input),
        5 => order::run(&mut input),
        6 => viewer::run(&mut input),
        8 => inputs::run(&mut input),
        _ => times::run(&mut input),
    }
}
