//! What a sound card's callback asks for samples.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Adjustable, Async, FixedAsync, Resampler, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};
use stratus_frame::MonoTime;
use stratus_frame::sound::SOUND_RATE;

use super::decode::Block;
use super::order::FOLLOWS;
use super::ring::{NO_PICTURES, Ring};
use super::timing::{Pace, Pacer, difference};
use crate::SoundError;

/// Frames that are converted at once: 2.5 ms of 48 kHz.
const CHUNK: usize = 120;
/// How much earlier than its picture a sound may be; it may be later by as much as it must.
const AHEAD: i64 = 20_000_000;
/// How much longer than it must sound waits for pictures at most.
const PATIENCE: i64 = 150_000_000;
/// Sound that is late by more is not played any more.
const STALE: i64 = 100_000_000;
/// What is left of a level from one frame to the next where sound breaks off: gone in a
/// millisecond, without a click.
const FADE: f32 = 0.92;

/// Plays what a [`Receiver`](super::Receiver) receives. It takes no memory and waits for nobody.
pub struct Playout {
    ring: Arc<Ring>,
    rate: u32,
    resampler: Async<f32>,
    pacer: Pacer,
    /// The block that is played, and how many of its frames were.
    block: Block,
    played: usize,
    /// While something plays: the stamp of what the resampler takes next.
    next: Option<MonoTime>,
    input: Vec<f32>,
    /// What the resampler gave, and how many of its frames are used.
    output: [f32; CHUNK * 2],
    used: usize,
    /// The last frame that was played.
    last: [f32; 2],
    /// From the callback to the ear, as the card says.
    device: Duration,
    before: Option<MonoTime>,
}

/// How long `n` frames last as they are received.
fn frames(n: usize) -> Duration {
    Duration::from_nanos(n as u64 * 1_000_000_000 / u64::from(SOUND_RATE))
}

impl std::fmt::Debug for Playout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Playout").field("rate", &self.rate).field("next", &self.next).finish()
    }
}

impl Playout {
    pub(super) fn new(ring: Arc<Ring>, rate: u32) -> Result<Self, SoundError> {
        let parameters = SincInterpolationParameters::new(64, WindowFunction::BlackmanHarris2)
            .oversampling_factor(128)
            .interpolation(SincInterpolationType::Linear);
        let ratio = f64::from(rate) / f64::from(SOUND_RATE);
        let resampler = Async::new_sinc(ratio, 1.01, &parameters, CHUNK, 2, FixedAsync::Output)?;
        let input = vec![0.0; resampler.input_frames_max() * 2];
        Ok(Self {
            ring,
            rate,
            resampler,
            pacer: Pacer::default(),
            block: Block::default(),
            played: 0,
            next: None,
            input,
            output: [0.0; CHUNK * 2],
            used: CHUNK,
            last: [0.0; 2],
            device: Duration::ZERO,
            before: None,
        })
    }

    /// The card says how long what it is given takes to be heard.
    pub fn set_device_delay(&mut self, delay: Duration) {
        self.device = delay.min(Duration::from_secs(1));
    }

    /// Fills `out`, interleaved stereo, for a card that asks now.
    pub fn fill(&mut self, out: &mut [f32]) {
        self.fill_at(out, MonoTime::now());
    }

    /// The same at `now`.
    pub fn fill_at(&mut self, out: &mut [f32], now: MonoTime) {
        let whole = self.time(out.len() / 2);
        let aim = self.aim(whole);
        self.keep_pace(now, aim);
        for (done, frame) in out.chunks_exact_mut(2).enumerate() {
            if self.used == CHUNK {
                self.render(now.after(self.time(done)), aim);
                self.used = 0;
            }
            frame.copy_from_slice(&self.output[self.used * 2..][..2]);
            self.used += 1;
        }
        self.before = Some(now);
    }

    fn time(&self, frames: usize) -> Duration {
        Duration::from_nanos(frames as u64 * 1_000_000_000 / u64::from(self.rate))
    }

    /// How long after its stamp a sample is to be given to the card, ns.
    fn aim(&self, whole: Duration) -> i64 {
        let load = |n: &std::sync::atomic::AtomicI64| n.load(Ordering::Relaxed);
        // All that the card takes at once must have come.
        let least = load(&self.ring.base) + load(&self.ring.target) + whole.as_nanos() as i64;
        match load(&self.ring.picture) {
            NO_PICTURES => least,
            picture => {
                let with_it = picture - AHEAD - self.device.as_nanos() as i64;
                with_it.clamp(least, least + PATIENCE)
            }
        }
    }

    /// Plays faster or slower, or leaves something out.
    fn keep_pace(&mut self, now: MonoTime, aim: i64) {
        let Some(next) = self.next else { return };
        // What was converted already is played first.
        let waiting = self.time(CHUNK - self.used).as_nanos() as i64;
        let delay = difference(now, next) + waiting;
        self.ring.delay.store(delay + self.device.as_nanos() as i64, Ordering::Relaxed);
        let since = self.before.map_or(0.0, |before| now.since(before).as_secs_f64());
        match self.pacer.update((delay - aim) as f64 / 1e9, since) {
            // More frames out of as many in is slower.
            Pace::Faster(by) => {
                let _ = self.resampler.set_resample_ratio_relative(1.0 - by, true);
            }
            Pace::Jump => self.stop(),
        }
    }

    /// From here on there is silence, until a block is due.
    fn stop(&mut self) {
        self.next = None;
        self.pacer.reset();
        self.resampler.reset();
    }

    /// Converts one more chunk, whose first frame is given to the card at `now`.
    fn render(&mut self, now: MonoTime, aim: i64) {
        if self.next.is_none() && !self.begin(now, aim) {
            return self.fade();
        }
        let needed = self.resampler.input_frames_next();
        let mut have = 0;
        while have < needed && self.follow() {
            let n = (self.block.frames - self.played).min(needed - have);
            let from = &self.block.samples[self.played * 2..][..n * 2];
            self.input[have * 2..][..n * 2].copy_from_slice(from);
            self.played += n;
            have += n;
            self.next = self.next.map(|next| next.after(frames(n)));
        }
        let mut end = match have {
            0 => [0.0; 2],
            n => [self.input[n * 2 - 2], self.input[n * 2 - 1]],
        };
        for frame in self.input[have * 2..needed * 2].chunks_exact_mut(2) {
            end = end.map(|x| x * FADE);
            frame.copy_from_slice(&end);
        }
        let converted = match (
            InterleavedSlice::new(&self.input[..needed * 2], 2, needed),
            InterleavedSlice::new_mut(&mut self.output[..], 2, CHUNK),
        ) {
            (Ok(from), Ok(mut to)) => {
                self.resampler.process_into_buffer(&from, &mut to, None).is_ok()
            }
            _ => false,
        };
        if !converted {
            self.output.fill(0.0);
        }
        self.last = [self.output[CHUNK * 2 - 2], self.output[CHUNK * 2 - 1]];
        if have < needed {
            // Ends in silence are no want: then all that was sent is quiet already.
            if end.iter().any(|x| x.abs() > 1e-3) {
                self.ring.starved.fetch_add(1, Ordering::Relaxed);
            }
            self.stop();
        }
    }

    /// Lets what was heard last fade out.
    fn fade(&mut self) {
        for frame in self.output.chunks_exact_mut(2) {
            self.last = self.last.map(|x| if x.abs() < 1e-6 { 0.0 } else { x * FADE });
            frame.copy_from_slice(&self.last);
        }
    }

    /// Whether there is a frame that follows those before it.
    fn follow(&mut self) -> bool {
        if self.played < self.block.frames {
            return true;
        }
        let Some(next) = self.next else { return false };
        if !self.ring.pop(&mut self.block) {
            self.block.frames = 0;
            self.played = 0;
            return false;
        }
        self.played = 0;
        // Otherwise a silence lies between, and the block waits for its time.
        let off = difference(self.block.stamp, next).unsigned_abs();
        u128::from(off) <= FOLLOWS.as_nanos()
    }

    /// Whether a block is due at `now`; those whose time is over are left out.
    fn begin(&mut self, now: MonoTime, aim: i64) -> bool {
        loop {
            if self.played >= self.block.frames {
                self.played = 0;
                if !self.ring.pop(&mut self.block) {
                    self.block.frames = 0;
                    return false;
                }
            }
            let stamp = self.block.stamp.after(frames(self.played));
            let late = difference(now, stamp) - aim;
            if late < 0 {
                return false;
            }
            if late < STALE {
                self.next = Some(stamp);
                return true;
            }
            self.played = self.block.frames;
        }
    }
}

#[cfg(test)]
#[path = "playout_tests.rs"]
mod tests;
