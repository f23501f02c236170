//! The places where ffmpeg-next's safe interface does not reach: all unsafe code of this crate.
//!
//! Each file wraps one thing in functions that cannot be misused, whatever their arguments.

pub(crate) mod context;
pub(crate) mod frame;
pub(crate) mod hardware;
pub(crate) mod log;
pub(crate) mod output;

use std::sync::Once;

static READY: Once = Once::new();

/// Prepares FFmpeg for this process: its error texts and where its log lines go. Everything that
/// uses FFmpeg calls this first; calls after the first cost next to nothing.
pub(crate) fn prepare() {
    READY.call_once(|| {
        // Infallible in every FFmpeg since 5.0: it only fills ffmpeg-next's table of error texts.
        if let Err(error) = ffmpeg_next::init() {
            tracing::warn!(%error, "FFmpeg could not be prepared");
        }
        log::install();
    });
}
