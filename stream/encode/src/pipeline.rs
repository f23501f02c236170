//! The encoder's thread: frames out of the mailbox, access units into a sink.
//!
//! ```text
//! Slot --newest frame--> convert --hold dropped--> encode --> Sink::deliver
//! ```
//!
//! - A frame is taken only while the sink would ship it at once; until then it stays in the
//!   mailbox, where a newer one replaces it. After that nothing is dropped: every access unit is
//!   delivered, so each can depend on the one before.
//! - The game's buffer is let go right after the conversion, before the encoder sees the picture.
//! - A frame without damage is not encoded.
//! - Without viewers frames are converted all the same, so that buffers return and the picture is
//!   at hand when someone joins; the first access unit for a viewer is then a keyframe of it.
//! - A keyframe that is asked for while nothing moves is the last picture encoded again.
//! - When the picture has stood still for a moment it is refined, once: by a few access units in
//!   better quality, given up as soon as a new frame comes. They are several because libx264
//!   gives out only bits that its buffer has saved.
//! - Encoding keeps to the configured frame rate on average; a faster game's frames are replaced
//!   in the mailbox.
//! - The encoder follows the size of the frames. If it fails it is opened anew once; if it fails
//!   again the thread ends with the error.

mod policy;
mod worker;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use stratus_frame::{EncodedFrame, Nudge, Size, Slot};

use crate::convert::ConvertError;
use crate::encoder::{EncodeError, Encoder, EncoderConfig, LARGEST_PICTURE};
use crate::x264::{X264, check_x264};
use worker::Worker;

/// How a [`Pipeline`] works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineConfig {
    /// Frames a second that the bitrate is meant for and encoding keeps to on average; a steady
    /// game may be up to a tenth faster.
    pub fps: u32,
    /// Bits a second at the start, held to [`crate::BITRATES`].
    pub bitrate: u64,
    /// Threads that work on one picture; 0 chooses by size and cores.
    pub threads: usize,
    /// Largest picture that is encoded; larger frames are refused with a warning.
    pub max_size: Size,
    /// Time added to every encode, to force overload in tests.
    pub slow: Option<Duration>,
    /// How long the picture must stand still before it is refined.
    pub still_after: Duration,
    /// Access units of a refinement; 0 for none. Each takes the bits of eight ordinary frames at
    /// most.
    pub refinements: u32,
}

impl Default for PipelineConfig {
    fn default() -> Self {
        Self {
            fps: 60,
            bitrate: 12_000_000,
            threads: 0,
            max_size: LARGEST_PICTURE,
            slow: None,
            still_after: Duration::from_millis(150),
            refinements: 4,
        }
    }
}

/// Where access units go. All calls come from the encoder's thread and must not block it.
pub trait Sink: Send {
    /// Whether a frame would be shipped at once. While it says no, whole frames are dropped before
    /// they are encoded; call [`PipelineHandle::wake`] when that ends.
    fn ready(&self) -> bool;

    /// Whether anybody watches. Call [`PipelineHandle::request_keyframe`] for whoever joins.
    fn viewers(&self) -> bool;

    /// Ships a frame. Called for every access unit, in order.
    fn deliver(&mut self, frame: EncodedFrame);

    /// Tells of trouble, each kind once until it changes. If [`PipelineError::is_fatal`] says so,
    /// the thread ends; otherwise it goes on with the next frame.
    fn failed(&mut self, error: &PipelineError) {
        let _ = error;
    }
}

/// What goes wrong in a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PipelineError {
    /// The encoder is missing, or failed twice in a row.
    #[error("no picture can be encoded: {0}")]
    Encoder(#[source] EncodeError),
    /// This frame's size cannot be encoded; another one may.
    #[error("a frame was refused: {0}")]
    Refused(#[source] EncodeError),
    /// This frame could not be converted.
    #[error("a frame was dropped: {0}")]
    Convert(#[source] ConvertError),
    /// The system gave no thread.
    #[error("no thread for the encoder: {0}")]
    Thread(String),
}

impl PipelineError {
    /// Whether the pipeline ends with it.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Encoder(_) | Self::Thread(_))
    }
}

/// Counts since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PipelineStats {
    /// Frames taken out of the mailbox.
    pub taken: u64,
    /// Frames without damage, left at that.
    pub empty: u64,
    /// Rows converted.
    pub rows: u64,
    /// Frames dropped because the game cut their memory off.
    pub truncated: u64,
    /// Frames dropped because they could not be converted or encoded.
    pub refused: u64,
    /// Frames that the game may have drawn over while they were read.
    pub torn: u64,
    /// Access units delivered.
    pub delivered: u64,
    /// Keyframes among them.
    pub keyframes: u64,
    /// Repeats among them: keyframes of a still picture, and refinements.
    pub repeats: u64,
    /// Refinements among them.
    pub refinements: u64,
    /// Bytes of all access units.
    pub bytes: u64,
    /// Encoders opened.
    pub opened: u64,
    /// Times an encoder failed.
    pub failures: u64,
    /// The newest error of any kind.
    pub last_error: Option<PipelineError>,
}

/// What a pipeline's owner and its thread share.
struct Shared {
    keyframe: AtomicBool,
    /// 0 while there is no wish.
    bitrate: AtomicU64,
    /// The same.
    fps: AtomicU32,
    stop: AtomicBool,
    stats: Mutex<PipelineStats>,
}

impl Shared {
    fn stats<R>(&self, change: impl FnOnce(&mut PipelineStats) -> R) -> R {
        change(&mut self.stats.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Steers a running pipeline from any thread; no call blocks.
#[derive(Clone)]
pub struct PipelineHandle {
    shared: Arc<Shared>,
    nudge: Nudge,
}

impl PipelineHandle {
    /// Makes the next access unit a keyframe, at once if there is any picture. Requests that come
    /// before it is made are one.
    pub fn request_keyframe(&self) {
        self.shared.keyframe.store(true, Ordering::Release);
        self.nudge.nudge();
    }

    /// Sets the bits a second from the next frame on, held to [`crate::BITRATES`].
    pub fn set_bitrate(&self, bits_per_second: u64) {
        // 0 is "no wish"; the encoder raises 1 to its least.
        self.shared.bitrate.store(bits_per_second.max(1), Ordering::Release);
    }

    /// Sets the frames a second that encoding keeps to on average from the next frame on. The
    /// encoder is opened anew: it shares out the bits of a second by this.
    pub fn set_fps(&self, fps: u32) {
        self.shared.fps.store(fps.max(1), Ordering::Release);
    }

    /// Tells that the sink became ready or got its first viewer.
    pub fn wake(&self) {
        self.nudge.nudge();
    }

    /// Ends the thread after the frame it is at.
    pub fn stop(&self) {
        self.shared.stop.store(true, Ordering::Release);
        self.nudge.nudge();
    }

    /// Counts since the start.
    #[must_use]
    pub fn stats(&self) -> PipelineStats {
        self.shared.stats(|s| s.clone())
    }
}

impl std::fmt::Debug for PipelineHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PipelineHandle").field(&self.stats()).finish()
    }
}

/// Opens encoders: libx264, or a stand-in in tests.
type Open = Box<dyn FnMut(EncoderConfig) -> Result<Box<dyn Encoder>, EncodeError> + Send>;

/// The encoder's thread.
pub struct Pipeline;

impl Pipeline {
    /// Starts the thread. It ends, with `Ok`, when [`PipelineHandle::stop`] is called or the
    /// mailbox's other end is gone, and with a fatal error when the encoder fails for good; then
    /// the mailbox is closed and frames put into it come straight back.
    ///
    /// # Errors
    /// [`PipelineError::Encoder`] if this FFmpeg has no libx264, [`PipelineError::Thread`].
    pub fn spawn(
        slot: Slot,
        config: PipelineConfig,
        sink: impl Sink + 'static,
    ) -> Result<(PipelineHandle, JoinHandle<Result<(), PipelineError>>), PipelineError> {
        check_x264().map_err(PipelineError::Encoder)?;
        let open = |config| X264::open(config).map(|e| Box::new(e) as Box<dyn Encoder>);
        Self::spawn_with(slot, config, sink, Box::new(open))
    }

    fn spawn_with(
        slot: Slot,
        config: PipelineConfig,
        sink: impl Sink + 'static,
        open: Open,
    ) -> Result<(PipelineHandle, JoinHandle<Result<(), PipelineError>>), PipelineError> {
        let shared = Arc::new(Shared {
            keyframe: AtomicBool::new(false),
            bitrate: AtomicU64::new(0),
            fps: AtomicU32::new(0),
            stop: AtomicBool::new(false),
            stats: Mutex::default(),
        });
        let handle = PipelineHandle { shared: Arc::clone(&shared), nudge: slot.nudge() };
        let worker = Worker::new(slot, config, sink, open, shared);
        let thread = std::thread::Builder::new()
            .name("stratus-encode".to_owned())
            .spawn(|| worker.run())
            .map_err(|e| PipelineError::Thread(e.to_string()))?;
        Ok((handle, thread))
    }
}

#[cfg(test)]
mod test_bench;
#[cfg(test)]
mod tests;
