//! What the capture counts.

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use stratus_frame::Size;

use crate::times::Times;

/// One number that anyone may read while the capture runs.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// The number now.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, n: u64) {
        self.0.store(n, Ordering::Relaxed);
    }
}

/// The path of a window's frames to the encoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Path {
    /// The buffer that the window committed goes to the encoder as it is.
    #[default]
    Direct,
    /// Composed, because subsurfaces are mapped.
    Subsurfaces,
    /// Composed, because a popup is open.
    Popup,
    /// Composed, because a dialog stands over the window.
    Dialog,
    /// Composed, because the buffer is cropped, scaled, turned, translucent or has margins.
    Scaled,
    /// Composed, because encoders do not take the buffer's format.
    Format,
}

impl Path {
    const ALL: [Self; 6] =
        [Self::Direct, Self::Subsurfaces, Self::Popup, Self::Dialog, Self::Scaled, Self::Format];
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Direct => "its own buffers, as they are",
            Self::Subsurfaces => "composed, because it has subsurfaces",
            Self::Popup => "composed, because a popup is open",
            Self::Dialog => "composed, because a dialog is open",
            Self::Scaled => "composed, because its buffer is cropped, scaled, turned or framed",
            Self::Format => "composed, because of its buffer's pixel format",
        })
    }
}

/// Counts of one session, since its start unless a field says "now".
#[derive(Debug, Default)]
pub struct CaptureStats {
    /// `wl_surface.commit` requests, of all surfaces.
    pub commits: Counter,
    /// Frames put into the mailbox.
    pub handed: Counter,
    /// Of these, frames composed of several surfaces.
    pub composed: Counter,
    /// Pixels that were composed for them, each counted once a frame.
    pub composed_pixels: Counter,
    /// Frames that a newer one replaced before the encoder fetched them.
    pub replaced: Counter,
    /// Frames taken back because another window became the main one.
    pub retracted: Counter,
    /// Frames that came back because the encoder is gone.
    pub refused: Counter,
    /// Waiting frames copied into memory of ours, to give the game its buffer back.
    pub copied_out: Counter,
    /// `wl_buffer.release` events withheld because of a hold, each delivered later unless the
    /// buffer was destroyed meanwhile.
    pub withheld: Counter,
    /// How many of those left the game without a buffer until a frame had been read.
    pub starved: Counter,
    /// Holds ended at their deadline while the encoder still read; the frame is marked torn.
    pub forced: Counter,
    /// Reads that met memory which the game had cut off.
    pub truncated: Counter,
    /// Reads given up because the GPU had not finished drawing.
    pub unfinished: Counter,
    /// Reads of dmabufs that neither a mapping nor a driver shows.
    pub unread: Counter,
    /// Buffers of which no frame can be made (format, layout, or no memory to be read).
    pub unreadable: Counter,
    /// Pictures of cursors, or of surfaces that may become one, that were committed.
    pub cursors: Counter,
    /// Screens that were asked for while the capture ran, as far as a newer one did not replace them.
    pub resizes: Counter,
    /// Frame callbacks whose end was kept because nobody watched, each delivered later.
    pub kept_callbacks: Counter,
    /// Frame callbacks that were ended before the compositor did, because the size changed.
    pub discharged_callbacks: Counter,
    /// From the end of a frame callback, as the game got it, to its surface's next commit.
    pub done_to_commit: Times,
    /// Holds that live now.
    pub held: Counter,
    /// Clients connected now.
    pub clients: Counter,
    size: Counter,
    path: AtomicU8,
}

impl CaptureStats {
    /// The size of the newest frame in pixels; 0x0 before the first.
    #[must_use]
    pub fn size(&self) -> Size {
        let packed = self.size.value();
        Size::new((packed >> 32) as u32, packed as u32)
    }

    /// Reads that failed, each of which took its frame's damage with it.
    pub fn lost(&self) -> u64 {
        self.truncated.value() + self.unfinished.value() + self.unread.value()
    }

    /// The path that frames of the main window take now.
    #[must_use]
    pub fn path(&self) -> Path {
        Path::ALL.get(usize::from(self.path.load(Ordering::Relaxed))).copied().unwrap_or_default()
    }

    /// Sets it, and gives the one before.
    pub(crate) fn set_path(&self, path: Path) -> Path {
        let before = self.path.swap(path as u8, Ordering::Relaxed);
        Path::ALL.get(usize::from(before)).copied().unwrap_or_default()
    }

    pub(crate) fn set_size(&self, size: Size) {
        self.size.set(u64::from(size.width) << 32 | u64::from(size.height));
    }
}
