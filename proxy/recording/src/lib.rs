//! Recordings: what clients and a compositor said to each other, kept so that it can be said
//! again.
//!
//! A recording holds each message as its sender wrote it, and the memory that clients showed with
//! it. [`Recorder`] is the observer that makes one while a proxy runs, [`Reader`] reads one back,
//! and [`Rerun`] says it again to a hook in memory. The format is described in
//! `docs/recording.md`; `block` and `record` are its two layers.
#![forbid(unsafe_code)]

mod block;
mod content;
mod digest;
mod fact;
mod fds;
mod files;
pub mod live;
mod place;
mod queue;
mod reader;
mod record;
mod recorder;
mod rerun;
mod shown;
mod varint;
mod writer;

pub use block::{MAJOR, MINOR};
pub use digest::Digest;
pub use fact::{Facts, tables_digest};
pub use fds::FdKind;
pub use files::{Files, NoFile};
pub use place::{Place, Taken};
pub use reader::{Ending, Error, Problem, Reader};
pub use record::{EndReason, Record, What};
pub use recorder::{Options, Recorder};
pub use rerun::{CannotRerun, Forwarded, Rerun, Sides};
pub use writer::{CannotRecord, Kept, Recording};
