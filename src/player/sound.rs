//! What a player makes of the sound: it measures it, keeps it in a file, and plays it.

use std::sync::mpsc::{Receiver as Later, channel};

use serde::Serialize;
use stratus_audio::{Receiver, SoundDecoder, SoundError, Speaker};
use stratus_frame::MonoTime;
use stratus_frame::sound::SoundPacket;
use stratus_stream::core::clock::Clock;

use super::files::SoundFile;
use crate::failure::{Failure, chain};

/// The most delays that are kept, to find their middle: ten minutes of sound.
const DELAYS: usize = 120_000;

/// The sound so far.
#[derive(Default)]
pub(crate) struct Sound {
    decoder: Option<SoundDecoder>,
    file: Option<SoundFile>,
    /// A sound card, and what it plays.
    aloud: Option<(Speaker, Receiver)>,
    /// The card while it is being opened, which can take seconds.
    opening: Option<Later<Result<(Speaker, Receiver), SoundError>>>,
    /// Why the file is not written any more.
    broken: Option<Failure>,
    frames: u64,
    peak: f32,
    /// From the stamp of each packet to its arrival, µs.
    delays: Vec<f64>,
}

impl Sound {
    /// Keeps the sound in this file as well.
    pub(super) fn record(&mut self, file: Option<SoundFile>) {
        self.file = file;
    }

    /// Plays the sound on a card of this machine, as soon as there is one.
    pub(crate) fn play_aloud(&mut self) {
        let (opened, opening) = channel();
        let open = move || {
            // Who asked may have gone meanwhile.
            let _ = opened.send(Speaker::open());
        };
        match std::thread::Builder::new().name("sound card".into()).spawn(open) {
            Ok(_) => self.opening = Some(opening),
            Err(e) => tracing::warn!("the sound is not played: {e}"),
        }
    }

    /// A picture with this stamp was decoded at `decoded`, for the sound to be with it.
    pub(crate) fn note_picture(&self, read: MonoTime, decoded: MonoTime) {
        if let Some((_, receiver)) = &self.aloud {
            receiver.note_picture(read, decoded);
        }
    }

    /// Takes the card once it is open.
    fn find_card(&mut self) {
        let Some(Ok(opened)) = self.opening.as_ref().map(Later::try_recv) else { return };
        self.opening = None;
        match opened {
            Ok((speaker, receiver)) => {
                tracing::info!("the sound is played on {}", speaker.name());
                self.aloud = Some((speaker, receiver));
            }
            Err(e) => tracing::warn!("the sound is not played: {}", chain(&e)),
        }
    }

    /// Takes a packet that arrived at `now`.
    pub(crate) fn note(&mut self, packet: SoundPacket, now: MonoTime, clock: &Clock) {
        self.find_card();
        if let Some((_, receiver)) = &mut self.aloud {
            receiver.handle(&packet, now);
        }
        if self.delays.len() < DELAYS {
            let sent = clock.to_local(packet.captured);
            self.delays.push(now.since(sent).as_nanos() as f64 / 1000.0);
        }
        if self.decoder.is_none() {
            match SoundDecoder::new() {
                Ok(decoder) => self.decoder = Some(decoder),
                Err(e) => return tracing::warn!("the sound is not decoded: {}", chain(&e)),
            }
        }
        let Some(decoder) = &mut self.decoder else { return };
        let (frames, peak) = (&mut self.frames, &mut self.peak);
        let (file, broken) = (&mut self.file, &mut self.broken);
        decoder.handle(packet, |stamp, samples| {
            *frames += samples.len() as u64 / 2;
            *peak = samples.iter().fold(*peak, |peak, x| peak.max(x.abs()));
            if let Some(Err(e)) = file.as_mut().map(|file| file.write(stamp, samples)) {
                *broken = Some(e);
                *file = None;
            }
        });
    }

    /// Gives the file back.
    ///
    /// # Errors
    /// A [`Failure`] if it could not be written.
    pub(super) fn take_file(&mut self) -> Result<Option<SoundFile>, Failure> {
        self.broken.take().map_or(Ok(self.file.take()), Err)
    }

    pub(crate) fn report(&self) -> SoundReport {
        let counts = self.decoder.as_ref().map(SoundDecoder::counts).unwrap_or_default();
        let mut delays = self.delays.clone();
        delays.sort_by(f64::total_cmp);
        SoundReport {
            packets: counts.packets,
            recovered: counts.recovered,
            lost: counts.lost,
            late: counts.late,
            seconds: self.frames as f64 / 48_000.0,
            peak: self.peak,
            delay_us: delays.get(delays.len() / 2).copied(),
        }
    }
}

/// The sound in the results.
#[derive(Debug, Serialize)]
pub(crate) struct SoundReport {
    /// Packets that arrived; those that did not and were found in the one behind; those that were
    /// lost; those that came twice or too late.
    packets: u64,
    recovered: u64,
    lost: u64,
    late: u64,
    /// How much sound that was, what was made up among it.
    seconds: f64,
    /// The loudest sample; 1 is full scale.
    peak: f32,
    /// From a packet's first sample to its arrival, in the middle of all.
    delay_us: Option<f64>,
}

impl std::fmt::Display for SoundReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.packets == 0 {
            return f.write_str("none");
        }
        let Self { packets, recovered, lost, seconds, peak, .. } = self;
        write!(f, "{packets} packets ({recovered} recovered, {lost} lost), {seconds:.1} s, ")?;
        write!(f, "peak {peak:.3}, delay {:.1} ms", self.delay_us.unwrap_or_default() / 1000.0)
    }
}
