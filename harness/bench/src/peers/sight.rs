//! What a contestant's viewer saw: the numbers in decoded pictures, and when each was there.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use stratus_encode::{Decoder, LARGEST_PICTURE};
use stratus_frame::{MonoTime, Size};
use stratus_harness::marker;

/// Shared by who looks and who counts.
#[derive(Clone, Default)]
pub(super) struct Sight(Arc<Mutex<Seen>>);

#[derive(Clone, Default)]
pub(super) struct Seen {
    /// When each number was there first, in nanoseconds of the monotonic clock.
    pub(super) first: HashMap<u32, u64>,
    /// Pictures that could not be decoded or whose number could not be read.
    pub(super) faults: u64,
    /// Why, of the last of them.
    pub(super) why: String,
}

impl Sight {
    /// A picture was there at `at`; `luma` may be any plane that has the marker's brightness.
    pub(super) fn look(&self, luma: &[u8], stride: usize, size: (u32, u32), at: MonoTime) {
        match marker::read(luma, stride, size) {
            Ok(number) => self.note(number, at),
            Err(why) => self.fault(&why),
        }
    }

    /// The same of a picture of bytes B G R X.
    pub(super) fn look_bgrx(&self, bgrx: &[u8], size: (u32, u32), at: MonoTime) {
        match marker::read_bgrx(bgrx, size.0 as usize * 4, size) {
            Ok(number) => self.note(number, at),
            Err(why) => self.fault(&why),
        }
    }

    fn note(&self, number: u32, at: MonoTime) {
        self.with(|seen| {
            seen.first.entry(number).or_insert_with(|| at.as_nanos());
        });
    }

    /// Something was there that could not be read.
    pub(super) fn fault(&self, why: &dyn std::fmt::Display) {
        self.with(|seen| {
            seen.faults += 1;
            seen.why = why.to_string();
        });
    }

    /// How many numbers were seen.
    pub(super) fn count(&self) -> usize {
        self.with(|seen| seen.first.len())
    }

    /// All that was seen.
    pub(super) fn seen(&self) -> Seen {
        self.with(|seen| seen.clone())
    }

    fn with<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An access unit of H.264, in whatever it came in.
pub(super) type Unit = Box<dyn AsRef<[u8]> + Send + Sync>;

/// Starts the decoder, the same for all contestants, on a thread of its own, which ends when the
/// sender is dropped.
///
/// # Errors
/// If there is no decoder or no thread.
pub(super) fn decoding(sight: Sight) -> anyhow::Result<Sender<Unit>> {
    let decoder = Decoder::new(LARGEST_PICTURE)?;
    let (units, incoming) = channel();
    std::thread::Builder::new()
        .name("bench-decode".to_owned())
        .spawn(move || decode(decoder, &incoming, &sight))
        .context("starting the decoder's thread")?;
    Ok(units)
}

fn decode(mut decoder: Decoder, incoming: &Receiver<Unit>, sight: &Sight) {
    for unit in incoming {
        match decoder.decode((*unit).as_ref()) {
            Ok(picture) => {
                // Before the marker is looked for, which no viewer does.
                let at = MonoTime::now();
                let luma = picture.planes.luma;
                let Size { width, height } = luma.size;
                sight.look(luma.data, luma.stride, (width, height), at);
            }
            Err(why) => sight.fault(&why),
        }
    }
}
