//! What a scripted client does.

use std::path::PathBuf;
use std::time::Duration;

use crate::scene::Motion;

/// The bytes of a poisoned pixel. No frame has its last byte: there all pixels have 0xff.
pub const POISON: [u8; 4] = [0x66, 0x00, 0x99, 0x5a];

/// The pixel format of its buffers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `wl_shm.format.xrgb8888`.
    #[default]
    Xrgb8888,
    /// `wl_shm.format.argb8888`.
    Argb8888,
}

/// When it draws the next frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// When `wl_callback.done` answers the last frame's `wl_surface.frame`.
    FrameCallbacks,
    /// This many times a second. Moments that pass while no buffer is free are skipped.
    Rate(f64),
    /// As soon as a buffer is free.
    Releases,
    /// Once, when its size changes, and once for each key and button that is pressed.
    Presses,
}

/// How buffers are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Buffers {
    /// All out of one pool, for good (foot, SDL).
    #[default]
    OnePool,
    /// Each out of a pool of its own, which is destroyed at once (legal: buffers keep its memory).
    PoolEach,
    /// A new `wl_buffer` for every frame, destroyed when it is released (GTK, vkd3d).
    FreshEachFrame,
    /// Each a dmabuf, or, where the machine makes none, a file in its place.
    Dmabufs,
}

/// Rules to break or to strain. Frames are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trick {
    /// Cuts the pool's memory to nothing right after each commit of these frames, and grows it
    /// again before the next: whoever reads the picture in between meets SIGBUS.
    TruncateAfterCommit {
        /// The first such frame.
        from: u64,
        /// How many.
        frames: u64,
    },
    /// Cuts the pool's memory after this frame for good and draws no more, but stays connected
    /// for the given time.
    TruncateForGood {
        /// The last frame.
        after: u64,
        /// How long it stays.
        stay: Duration,
    },
    /// Destroys each buffer right after its commit, unreleased, and makes a new one, whose id is
    /// then used anew.
    DestroyBuffersEarly,
    /// Grows the pool (`wl_shm_pool.resize`) before this frame and makes its buffers anew behind
    /// the old ones.
    ResizePool {
        /// Before which frame.
        at: u64,
    },
    /// Commits once more without a buffer after each frame.
    EmptyCommits,
    /// Unmaps with `attach(nil)` and maps again before this frame.
    Unmap {
        /// Before which frame.
        at: u64,
    },
    /// Writes bytes that are no message after this frame.
    Garbage {
        /// After which frame.
        after: u64,
    },
    /// Drops the connection after this frame, without a word and with buffers held.
    Vanish {
        /// After which frame.
        after: u64,
    },
    /// Makes a buffer that reaches past its pool before this frame.
    OversizedBuffer {
        /// Before which frame.
        at: u64,
    },
}

/// A script.
#[derive(Clone, Debug)]
pub struct Config {
    /// Width and height in pixels where the compositor states none, or `obey_configure` is off.
    pub size: (u32, u32),
    /// Whether it draws at the size of `xdg_toplevel.configure`.
    pub obey_configure: bool,
    /// Number of buffers.
    pub buffers: usize,
    /// How buffers are made.
    pub kind: Buffers,
    /// Bytes between the end of a row and the start of the next.
    pub row_gap: u32,
    /// Bytes in a pool before its first buffer.
    pub offset: u32,
    /// Pixel format.
    pub format: Format,
    /// When it draws.
    pub pace: Pace,
    /// Commits after which it ends; `u64::MAX` for never.
    pub frames: u64,
    /// What moves.
    pub motion: Motion,
    /// The number in the first marker.
    pub first_number: u32,
    /// How long it waits at the end for outstanding releases.
    pub wait_for_releases: Duration,
    /// Asks for fullscreen by itself.
    pub fullscreen: bool,
    /// Its title and app id.
    pub title: String,
    /// Paints each buffer over with [`POISON`] the moment it is released: whoever reads it after
    /// that shows it.
    pub poison: bool,
    /// A file to write a line a frame to, `NUMBER,NANOSECONDS`: the number in its marker, and when
    /// it was committed, by `CLOCK_MONOTONIC`.
    pub commits: Option<PathBuf>,
    /// A file to write a line to for each frame that answers a key or a button:
    /// `NUMBER,NANOSECONDS,NANOSECONDS`, the second for when that was heard of.
    pub presses: Option<PathBuf>,
    /// Rules to break.
    pub tricks: Vec<Trick>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            size: (640, 480),
            obey_configure: true,
            buffers: 3,
            kind: Buffers::OnePool,
            row_gap: 0,
            offset: 0,
            format: Format::Xrgb8888,
            pace: Pace::FrameCallbacks,
            frames: 60,
            motion: Motion::All,
            first_number: 1,
            wait_for_releases: Duration::from_secs(1),
            fullscreen: false,
            title: "harness".to_owned(),
            poison: false,
            commits: None,
            presses: None,
            tricks: Vec::new(),
        }
    }
}
