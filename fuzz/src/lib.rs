//! Fuzz targets of the cores, and the plain models that they are checked against.
//!
//! Each target is a function from bytes to nothing that panics on a finding. It runs under
//! libFuzzer (`fuzz_targets/`) and, over the kept corpora and seeded mutations of them, as an
//! ordinary test (`tests/corpus.rs`). `README.md` beside this crate tells how to run both.

pub mod capture;
pub mod fds;
pub mod input;
pub mod model;
pub mod mutate;
pub mod pair;
pub mod recording;
pub mod script;
pub mod session;
pub mod speech;
pub mod stream;
pub mod wire;

/// A target.
pub struct Target {
    /// Its name, which is that of its binary and of its corpus too.
    pub name: &'static str,
    /// What it does with one input.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "wire", run: wire::run },
    Target { name: "session", run: session::run },
    Target { name: "capture", run: capture::run },
    Target { name: "stream", run: stream::run },
    Target { name: "recording", run: recording::run },
];
