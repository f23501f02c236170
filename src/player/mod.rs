//! What receives a session's stream, decodes and measures it: with a window and without.

mod answers;
mod change;
mod cursor;
mod decoding;
mod files;
mod reception;
mod recording;
mod sound;
mod stamps;
mod tally;

pub(crate) use decoding::{Extras, Show};
pub(crate) use files::{Files, Paths};
pub(crate) use reception::{Received, Reception, Rest};
pub(crate) use tally::{Drawn, SpanReport, Tally};
