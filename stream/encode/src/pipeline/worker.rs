//! The loop of the encoder's thread.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use stratus_frame::{Arrival, EncodedFrame, Frame, FrameId, MonoTime, Size, Slot, Stamps};

use super::policy::{Outlook, Policy};
use super::{Open, PipelineConfig, PipelineError, Shared, Sink};
use crate::convert::{ConvertError, Converter};
use crate::encoder::{AccessUnit, Coding, EncodeError, Encoder, EncoderConfig, SizeLimit};

/// What is known of the picture that the converter holds.
#[derive(Clone, Copy)]
struct Shown {
    stamps: Stamps,
    newest_input: u64,
    torn: bool,
}

/// What belongs to the encoder's thread.
pub(super) struct Worker<S> {
    slot: Slot,
    config: PipelineConfig,
    sink: S,
    open: Open,
    shared: Arc<Shared>,
    policy: Policy,
    converter: Converter,
    shown: Option<Shown>,
    encoder: Option<Box<dyn Encoder>>,
    bitrate: u64,
    last: Option<FrameId>,
    /// The trouble told last, so that a game that repeats it sixty times a second is told of once.
    told: Option<PipelineError>,
}

impl<S: Sink> Worker<S> {
    pub(super) fn new(
        slot: Slot,
        config: PipelineConfig,
        sink: S,
        open: Open,
        shared: Arc<Shared>,
    ) -> Self {
        let policy = Policy::new(config.fps, config.still_after, config.refinements);
        let bitrate = config.bitrate;
        Self {
            slot,
            config,
            sink,
            open,
            shared,
            policy,
            converter: Converter::new(),
            shown: None,
            encoder: None,
            bitrate,
            last: None,
            told: None,
        }
    }

    pub(super) fn run(mut self) -> Result<(), PipelineError> {
        tracing::debug!(config = ?self.config, "the encoder's thread starts");
        let result = self.work();
        if let Err(error) = &result {
            tracing::error!(%error, "the encoder's thread ends");
        }
        result
    }

    fn work(&mut self) -> Result<(), PipelineError> {
        loop {
            if self.shared.stop.load(Ordering::Acquire) {
                return Ok(());
            }
            self.take_wishes();
            let outlook = self.outlook();
            let plan = self.policy.poll(outlook);
            match self.slot.wait(plan.accept, plan.wait) {
                Arrival::Frame(frame) => self.handle_frame(frame)?,
                Arrival::Nudged => {}
                Arrival::TimedOut => {
                    // Requests and the sink may have changed while this thread slept, but not in
                    // a way that makes the planned picture wrong: those changes nudge.
                    if let (Some(coding), Some(shown)) = (plan.otherwise, self.shown) {
                        let mut stamps = shown.stamps;
                        // A difference is a commit on its way still, which found the sink busy.
                        if coding != Coding::Delta {
                            stamps.convert_start = MonoTime::UNSET;
                            stamps.convert_end = MonoTime::UNSET;
                        }
                        self.encode(coding, Shown { stamps, ..shown })?;
                    }
                }
                Arrival::Closed => return Ok(()),
            }
        }
    }

    fn take_wishes(&mut self) {
        if self.shared.keyframe.swap(false, Ordering::AcqRel) {
            self.policy.handle_keyframe_request();
        }
        self.take_rate();
        let bitrate = self.shared.bitrate.swap(0, Ordering::AcqRel);
        if bitrate != 0 {
            self.bitrate = bitrate;
            if let Some(encoder) = &mut self.encoder {
                encoder.set_bitrate(bitrate);
                tracing::debug!(bitrate = encoder.bitrate(), "bitrate set");
            }
        }
    }

    /// Encodes for another rate from now on, if one was asked for.
    fn take_rate(&mut self) {
        let fps = self.shared.fps.swap(0, Ordering::AcqRel);
        if fps == 0 || fps == self.config.fps {
            return;
        }
        self.config.fps = fps;
        self.policy.set_fps(fps);
        // What a new one makes first is a keyframe; the policy is to count on that.
        self.encoder = None;
        self.policy.handle_keyframe_request();
    }

    fn outlook(&self) -> Outlook {
        Outlook { now: MonoTime::now(), viewers: self.sink.viewers(), ready: self.sink.ready() }
    }

    fn handle_frame(&mut self, frame: Frame) -> Result<(), PipelineError> {
        self.shared.stats(|s| s.taken += 1);
        if let Err(error) = self.check_size(frame.size) {
            self.shared.stats(|s| s.refused += 1);
            self.policy.handle_refused();
            // The next frame's damage is what changed since this one, which was not converted.
            self.converter.distrust();
            self.tell(PipelineError::Refused(error));
            return Ok(());
        }
        let known = self.converter.picture().is_some_and(|p| p.size() == frame.size);
        if known && frame.damage.is_empty() && !self.converter.is_distrusted() {
            self.shared.stats(|s| s.empty += 1);
            return Ok(());
        }
        let Some(shown) = self.convert(frame) else { return Ok(()) };
        self.shown = Some(shown);
        self.policy.handle_picture(shown.stamps.convert_end);
        self.take_wishes();
        match self.policy.coding_of_picture(self.outlook()) {
            Some(coding) => self.encode(coding, shown),
            None => Ok(()),
        }
    }

    fn check_size(&self, size: Size) -> Result<(), EncodeError> {
        let max = self.config.max_size;
        if size.is_empty() {
            Err(EncodeError::EmptySize { size })
        } else if size.width > max.width || size.height > max.height {
            Err(EncodeError::TooLarge { size, limit: SizeLimit::Configured(max) })
        } else {
            Ok(())
        }
    }

    /// Converts a frame and lets its buffer go. `None` if that failed; the session goes on.
    fn convert(&mut self, frame: Frame) -> Option<Shown> {
        let Frame { id, mut stamps, newest_input, size, damage, pixels, torn, hold } = frame;
        stamps.convert_start = MonoTime::now();
        let converter = &mut self.converter;
        let mut converted = Ok(0);
        let read = pixels.read_changed(&damage, &mut |view| {
            converted = if view.size == size {
                converter.convert(view, &damage)
            } else {
                Err(ConvertError::BadView { size, stride: view.stride, len: view.data.len() })
            };
        });
        let torn = torn.load(Ordering::Acquire);
        // Before anything else: the game may be waiting for its buffer.
        drop(hold);
        drop(pixels);
        stamps.convert_end = MonoTime::now();
        if torn {
            // What was read beyond the damage of the next frame would stay.
            self.converter.distrust();
            self.shared.stats(|s| s.torn += 1);
        }
        if let Err(error) = read {
            self.converter.distrust();
            self.shared.stats(|s| s.truncated += 1);
            tracing::warn!(?id, %error, "frame dropped");
            return None;
        }
        match converted {
            Ok(rows) => {
                tracing::trace!(?id, rows, torn, "converted");
                self.shared.stats(|s| s.rows += u64::from(rows));
                Some(Shown { stamps, newest_input, torn })
            }
            Err(error) => {
                self.converter.distrust();
                self.shared.stats(|s| s.refused += 1);
                self.tell(PipelineError::Convert(error));
                None
            }
        }
    }

    /// Encodes the converter's picture and delivers it.
    fn encode(&mut self, coding: Coding, shown: Shown) -> Result<(), PipelineError> {
        let unit = match self.encode_unit(coding) {
            Ok(unit) => unit,
            Err(error) if error.is_about_size() => {
                self.shared.stats(|s| s.refused += 1);
                self.policy.handle_refused();
                self.tell(PipelineError::Refused(error));
                return Ok(());
            }
            Err(error) => return self.give_up(error),
        };
        if let Some(slow) = self.config.slow {
            std::thread::sleep(slow);
        }
        let now = MonoTime::now();
        self.policy.handle_encoded(coding, unit.keyframe, now);
        let id = FrameId(self.last.map_or(1, |last| last.0 + 1));
        let depends_on = if unit.keyframe { None } else { self.last };
        self.last = Some(id);
        let (codec, size) = match &self.encoder {
            Some(encoder) => (encoder.codec(), encoder.size()),
            // Cannot be: it has just made `unit`.
            None => return Ok(()),
        };
        let stamps = Stamps { encoded: now, ..shown.stamps };
        let Shown { newest_input, torn, .. } = shown;
        let data = unit.data;
        let frame = EncodedFrame { id, depends_on, stamps, newest_input, size, codec, torn, data };
        self.count(coding, &frame);
        self.told = None;
        self.sink.deliver(frame);
        Ok(())
    }

    /// Encodes the converter's picture; if the encoder fails, on a new one. A second failure in a
    /// row is final.
    fn encode_unit(&mut self, coding: Coding) -> Result<AccessUnit, EncodeError> {
        let error = match self.try_encode(coding) {
            Err(error) if !error.is_about_size() => error,
            other => return other,
        };
        tracing::warn!(%error, "the encoder failed; opening a new one");
        self.shared.stats(|s| s.failures += 1);
        self.encoder = None;
        self.try_encode(Coding::Keyframe)
    }

    fn try_encode(&mut self, coding: Coding) -> Result<AccessUnit, EncodeError> {
        let Some(picture) = self.converter.picture_mut() else {
            return Err(EncodeError::EmptySize { size: Size::default() });
        };
        let size = picture.size();
        if self.encoder.as_ref().is_some_and(|e| e.size() != size) {
            self.encoder = None;
        }
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            none => {
                let PipelineConfig { fps, threads, .. } = self.config;
                let config = EncoderConfig { size, fps, bitrate: self.bitrate, threads };
                let opened = none.insert((self.open)(config)?);
                tracing::info!(encoder = opened.name(), %size, fps, "encoder opened");
                self.shared.stats(|s| s.opened += 1);
                opened
            }
        };
        encoder.encode(picture, coding)
    }

    fn count(&self, coding: Coding, frame: &EncodedFrame) {
        let repeat = frame.is_repeat();
        let bytes = frame.data.len();
        tracing::trace!(id = ?frame.id, bytes, keyframe = frame.is_keyframe(), repeat, "encoded");
        self.shared.stats(|s| {
            s.delivered += 1;
            s.keyframes += u64::from(frame.is_keyframe());
            s.repeats += u64::from(repeat);
            s.refinements += u64::from(coding == Coding::Refinement);
            s.bytes += bytes as u64;
        });
    }

    /// Tells of trouble after which the session goes on.
    fn tell(&mut self, error: PipelineError) {
        if self.told.as_ref() != Some(&error) {
            tracing::warn!(%error, "the session goes on");
            self.sink.failed(&error);
            self.told = Some(error.clone());
        }
        self.shared.stats(|s| s.last_error = Some(error));
    }

    /// Tells of the trouble that ends the thread.
    fn give_up(&mut self, error: EncodeError) -> Result<(), PipelineError> {
        let error = PipelineError::Encoder(error);
        self.shared.stats(|s| {
            s.failures += 1;
            s.last_error = Some(error.clone());
        });
        self.sink.failed(&error);
        Err(error)
    }
}
