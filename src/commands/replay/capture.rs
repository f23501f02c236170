//! A recording through the capture, in memory: what it takes, and what it changes.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::Duration;

use stratus_capture::{Capture, CaptureConfig, CaptureStats};
use stratus_frame::{Arrival, Frame, MonoTime, Size, Slot, mailbox};
use stratus_recording::Rerun;

use super::pace::Pace;
use super::picture::{Picture, digest};
use super::stamps::{Batch, StampsFile};
use super::{Recording, ReplayArgs};
use crate::assemble::{HOLD_DEADLINE, facts};
use crate::failure::{Failure, chain};
use crate::options::StreamSize;
use crate::print::print;

/// Replays, prints a line for each frame and the counts at the end.
pub(super) fn run(mut recording: Recording, args: &ReplayArgs) -> Result<ExitCode, Failure> {
    let (post, slot) = mailbox();
    let config = config(&recording, args);
    let capture = Capture::new(&config, post, Waker::noop().clone());
    let stats = capture.stats();
    let mut rerun = Rerun::new(capture, recording.policy());
    let mut encoder = Encoder {
        slot,
        hold_ns: args.hold.saturating_mul(1_000_000),
        reading: VecDeque::new(),
        picture: args.dump_ppm.is_some().then(Picture::default),
        stamps: args.stamps.as_deref().map(StampsFile::create).transpose()?,
        batch: Batch::default(),
    };
    let failed = |e: &dyn std::error::Error| {
        Failure::new("say the recording again", chain(e)).remedy("the recording is damaged")
    };
    let (pace, start) = (Pace::new(args), MonoTime::now().as_nanos());
    let mut violations = 0;
    while let Some(record) = recording.next_record()? {
        std::thread::sleep(pace.until(record.time_ns));
        let (time_ns, now) = (record.time_ns, start + record.time_ns);
        encoder.finish(time_ns);
        rerun.advance(now).map_err(|e| failed(&e))?;
        let said = rerun.handle(&record, now).map_err(|e| failed(&e))?;
        encoder.batch.said(&record, rerun.fed());
        if let Some(violation) = said {
            violations += 1;
            print(format!("violation at {}: {violation}\n", seconds(time_ns)).as_bytes())?;
        }
        encoder.take(time_ns)?;
        rerun.advance(now).map_err(|e| failed(&e))?;
    }
    let mut text = counts(&rerun, &stats);
    match recording.ending() {
        Some(ending) => _ = writeln!(text, "the recording: {ending}"),
        None => _ = writeln!(text, "the recording: read up to --until"),
    }
    print(text.as_bytes())?;
    encoder.stamps.take().map_or(Ok(()), StampsFile::finish)?;
    if let (Some(path), Some(picture)) = (&args.dump_ppm, &encoder.picture) {
        picture.write(path).map_err(|e| Failure::new(format!("write {}", path.display()), e))?;
    }
    Ok(if violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// As when it was recorded, where the recording says so.
pub(super) fn config(recording: &Recording, args: &ReplayArgs) -> CaptureConfig {
    let fact = |name| recording.facts.get(name).map(String::as_str);
    let recorded = fact(facts::SIZE).and_then(|size| size.parse::<StreamSize>().ok());
    let size = args.size.or(recorded).map_or(Size::new(1280, 720), |size| size.0);
    let fps = fact(facts::FPS).and_then(|fps| fps.parse().ok()).unwrap_or(60u32);
    let refresh_mhz = fps.saturating_mul(1000);
    CaptureConfig { refresh_mhz, hold_deadline: HOLD_DEADLINE, ..CaptureConfig::new(size) }
}

/// In place of the encoder: reads each frame for the same time, one after the other.
struct Encoder {
    slot: Slot,
    hold_ns: u64,
    /// The frame being read, and when that is done.
    reading: VecDeque<(u64, Frame)>,
    /// The last frame's, if it is wanted.
    picture: Option<Picture>,
    /// Each frame's moments, if they are wanted.
    stamps: Option<StampsFile>,
    batch: Batch,
}

impl Encoder {
    /// Gives back what is read by now.
    fn finish(&mut self, time_ns: u64) {
        while self.reading.front().is_some_and(|(done, _)| *done <= time_ns) {
            self.reading.pop_front();
        }
    }

    /// Takes the frame that waits, if none is being read.
    fn take(&mut self, time_ns: u64) -> Result<(), Failure> {
        while self.reading.is_empty()
            && let Arrival::Frame(frame) = self.slot.wait(true, Some(Duration::ZERO))
        {
            print(line(&frame, time_ns).as_bytes())?;
            if let Some(stamps) = &mut self.stamps {
                stamps.write(&frame, &self.batch)?;
            }
            if let Some(picture) = &mut self.picture {
                picture.copy(&frame);
            }
            if self.hold_ns > 0 {
                self.reading.push_back((time_ns + self.hold_ns, frame));
            }
        }
        Ok(())
    }
}

fn line(frame: &Frame, time_ns: u64) -> String {
    let mut text = format!("frame {} at {} {} damage", frame.id.0, seconds(time_ns), frame.size);
    let mut rects: Vec<_> = frame.damage.rects().map(|r| [r.x, r.y, r.width, r.height]).collect();
    rects.sort_unstable();
    for [x, y, width, height] in rects {
        let _ = write!(text, " {width}x{height}+{x}+{y}");
    }
    match digest(frame) {
        Some(digest) => _ = write!(text, " picture {digest}"),
        None => text.push_str(" picture unreadable"),
    }
    if frame.torn.load(Ordering::Relaxed) {
        text.push_str(" torn");
    }
    text.push('\n');
    text
}

fn counts(rerun: &Rerun<Capture>, stats: &Arc<CaptureStats>) -> String {
    let mut text = String::new();
    for (client, sides) in rerun.forwarded() {
        for (way, side) in [("requests", sides.requests), ("events", sides.events)] {
            let _ = writeln!(
                text,
                "client {client}: {} {way} in {} bytes with {} fds, digest {}",
                side.messages, side.bytes, side.fds, side.digest
            );
        }
    }
    let _ = writeln!(
        text,
        "{} messages, {} commits, {} frames; {} replaced, {} retracted, {} copied out; \
         {} releases withheld, {} holds forced; {} reads truncated, {} buffers not readable, \
         {} contents missing",
        rerun.messages(),
        stats.commits.value(),
        stats.handed.value(),
        stats.replaced.value(),
        stats.retracted.value(),
        stats.copied_out.value(),
        stats.withheld.value(),
        stats.forced.value(),
        stats.truncated.value(),
        stats.unreadable.value(),
        rerun.missing(),
    );
    text
}

fn seconds(time_ns: u64) -> String {
    format!("{}.{:06}", time_ns / 1_000_000_000, time_ns % 1_000_000_000 / 1000)
}
