//! One stream of a client: from its bytes to its part of a tick.

use pulseaudio::protocol::stream::BufferAttr;
use pulseaudio::protocol::{ChannelMap, ChannelVolume, Props, SampleSpec};

use super::queue::{Queue, Sizes};
use super::wire::Seek;
use crate::Tick;
use crate::rate::Rate;
use crate::remix::Remix;
use crate::sample;

/// The most that a stream may have waiting, bytes: five seconds of CD quality. PulseAudio takes
/// four times as much; no game needs it, and memory stays bounded.
const MAX_QUEUE: u64 = 1024 * 1024;
/// What is kept waiting of a client that does not say, ms. Who cares for delay says.
const USUAL_TARGET: u64 = 100;
/// What it is asked for at a time, ms.
const USUAL_REQUEST: u64 = 10;
/// How much is taken at once, ms.
const TICK: u64 = 5;

/// What a tick did to a stream, for its client to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It sounds, for the first time or again.
    Started,
    /// It has run dry.
    Underflow,
    /// All that it had was played; the number is that of the command that asked for it.
    Drained(u32),
}

/// Room for what streams are made of on their way; one for all.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    bytes: Vec<u8>,
    samples: Vec<f32>,
    stereo: Vec<f32>,
}

/// A playback stream.
pub(crate) struct Stream {
    pub(crate) owner: u32,
    pub(crate) spec: SampleSpec,
    pub(crate) map: ChannelMap,
    pub(crate) props: Props,
    pub(crate) corked: bool,
    pub(crate) queue: Queue,
    /// The number of the command that waits for all to be played.
    drain: Option<u32>,
    volume: ChannelVolume,
    muted: bool,
    remix: Remix,
    rate: Rate,
    /// Whether it sounded in the last tick.
    sounds: bool,
    /// Whether the rate's filter still holds something that sounded.
    tail: bool,
    /// Bytes played, or not there to be played, since the one last turned into the other.
    pub(crate) playing_for: u64,
    pub(crate) underrun_for: u64,
}

/// Bytes of a frame of `spec`, if a stream may have it.
pub(crate) fn frame_size(spec: &SampleSpec, map: &ChannelMap) -> Option<usize> {
    let valid = (1..=32).contains(&spec.channels)
        && map.num_channels() == spec.channels
        && crate::rate::RATES.contains(&spec.sample_rate);
    sample::width(spec.format).filter(|_| valid).map(|n| n * usize::from(spec.channels))
}

/// What becomes of a client's wishes for its queue (`fix_playback_buffer_attr` of PulseAudio).
pub(crate) fn sizes(attr: &BufferAttr, spec: &SampleSpec, frame: usize) -> Sizes {
    let frame = frame as u64;
    let ms = |n: u64| n * u64::from(spec.sample_rate) / 1000 * frame;
    let wish = |n: u32, usual: u64| if n == u32::MAX { usual } else { u64::from(n) };
    let whole = |n: u64| n / frame * frame;
    let limit = whole(MAX_QUEUE);
    let max = whole(wish(attr.max_length, limit)).clamp(frame, limit);
    let target = wish(attr.target_length, ms(USUAL_TARGET));
    let usual = ms(USUAL_REQUEST).min(target / 4);
    let minreq = whole(wish(attr.minimum_request_length, usual)).clamp(frame, max);
    // What is taken at once, what was asked for, and what will be asked for next.
    let target = whole(target.max(2 * minreq + ms(TICK))).clamp(frame, max);
    let minreq = minreq.min((target - frame).max(frame));
    let full = target + frame - minreq;
    let prebuf = whole(wish(attr.pre_buffering, full)).min(full);
    let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    Sizes { max: size(max), target: size(target), prebuf: size(prebuf), minreq: size(minreq) }
}

/// The wishes as they were granted.
pub(crate) fn granted(sizes: Sizes) -> BufferAttr {
    // None is above MAX_QUEUE.
    let size = |n: usize| n as u32;
    BufferAttr {
        max_length: size(sizes.max),
        target_length: size(sizes.target),
        pre_buffering: size(sizes.prebuf),
        minimum_request_length: size(sizes.minreq),
        fragment_size: 0,
    }
}

impl Stream {
    pub(crate) fn new(
        owner: u32,
        (spec, map): (SampleSpec, ChannelMap),
        sizes: Sizes,
        props: Props,
    ) -> Self {
        Self {
            owner,
            spec,
            map,
            props,
            corked: false,
            queue: Queue::new(sizes, sample::silence(spec.format)),
            drain: None,
            volume: ChannelVolume::norm(spec.channels),
            muted: false,
            remix: Remix::new(&map, spec.channels),
            rate: Rate::from(spec.sample_rate),
            sounds: false,
            tail: false,
            playing_for: 0,
            underrun_for: u64::MAX,
        }
    }

    pub(crate) fn volume(&self) -> (ChannelVolume, bool) {
        (self.volume, self.muted)
    }

    pub(crate) fn set_volume(&mut self, volume: ChannelVolume) {
        self.volume = volume;
        self.remix = Remix::new(&self.map, self.spec.channels).at(&volume);
    }

    pub(crate) fn set_muted(&mut self, muted: bool) {
        self.muted = muted;
    }

    pub(crate) fn set_rate(&mut self, rate: u32) {
        self.spec.sample_rate = rate;
        self.rate = Rate::from(rate);
    }

    /// Whether it has something for the next tick.
    pub(crate) fn is_active(&mut self) -> bool {
        !self.corked && (!self.queue.is_waiting() || self.tail)
    }

    /// Whether time passes in it: it sounds, or it is one in which silence is where nothing was
    /// written. Players take the place of reading for their clock as long as this is so.
    pub(crate) fn is_running(&self) -> bool {
        !self.corked && (self.sounds || self.queue.runs_on())
    }

    /// How long `bytes` of it last, µs.
    pub(crate) fn micros(&self, bytes: usize) -> u64 {
        let frame = frame_size(&self.spec, &self.map).unwrap_or(1);
        (bytes / frame) as u64 * 1_000_000 / u64::from(self.spec.sample_rate)
    }

    /// How much later than it is read a sample is in a tick, µs.
    pub(crate) fn delay_micros(&self) -> u64 {
        self.rate.delay() as u64 * 1_000_000 / 48_000
    }

    /// Writes a piece of a block; says whether it fitted.
    pub(crate) fn write(&mut self, seek: Seek, bytes: &[u8]) -> bool {
        self.queue.write(seek, bytes)
    }

    /// Stops and goes on; a stream that is stopped is silent at once.
    pub(crate) fn cork(&mut self, corked: bool) {
        self.corked = corked;
        if corked {
            self.tail = false;
            self.sounds = false;
        }
    }

    /// Throws away what it has.
    pub(crate) fn flush(&mut self) {
        self.queue.flush();
        self.playing_for = 0;
    }

    /// The command `tag` wants to hear when all is played: now, if that is so already.
    pub(crate) fn drain(&mut self, tag: u32) -> Option<Event> {
        if self.queue.len() == 0 {
            return Some(Event::Drained(tag));
        }
        self.queue.end_prebuffering();
        self.drain = Some(tag);
        None
    }

    /// Adds its part of a tick to `out`.
    pub(crate) fn mix(&mut self, scratch: &mut Scratch, out: &mut Tick) -> [Option<Event>; 2] {
        if !self.is_active() {
            return [None, None];
        }
        let need = self.rate.needs();
        let frame = frame_size(&self.spec, &self.map).unwrap_or(1);
        let Scratch { bytes, samples, stereo } = scratch;
        bytes.clear();
        samples.clear();
        stereo.clear();
        let wanted = need * frame;
        let taken = if self.queue.is_waiting() { 0 } else { self.queue.read(wanted, bytes) };
        let events = self.note(taken, wanted);
        sample::decode(self.spec.format, bytes, samples);
        self.remix.mix(samples, stereo);
        stereo.resize(need * 2, 0.0);
        let mut part = [0.0; crate::TICK_FRAMES * 2];
        self.rate.convert(stereo, &mut part);
        // Half a tick that sounds leaves the rest of it in the filter.
        self.tail = 0 < taken && taken < wanted && self.rate.delay() > 0;
        if !self.muted {
            out.iter_mut().zip(&part).for_each(|(sum, x)| *sum += x);
        }
        events
    }

    /// What the client is to hear if `taken` bytes of those `wanted` were there.
    fn note(&mut self, taken: usize, wanted: usize) -> [Option<Event>; 2] {
        let started = taken > 0 && !self.sounds;
        let played = if self.queue.runs_on() { wanted } else { taken };
        if played > 0 {
            self.playing_for += played as u64;
            self.underrun_for = 0;
        }
        self.sounds |= taken > 0;
        let mut dry = None;
        if taken < wanted {
            let was = std::mem::replace(&mut self.sounds, false);
            if played < wanted {
                self.playing_for = 0;
                self.underrun_for = (wanted - taken) as u64;
            }
            dry = match self.drain.take() {
                Some(tag) => Some(Event::Drained(tag)),
                None => was.then_some(Event::Underflow),
            };
        }
        [started.then_some(Event::Started), dry]
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
