//! A reader of the mailbox as the encoder is one: it keeps the newest picture, and reads of each
//! frame only what is said to have changed.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use stratus_frame::{Arrival, Damage, Frame, PixelView, Rect, Size, Slot};
use stratus_harness::picture::Picture;

/// What has come out of the mailbox so far.
#[derive(Debug, Default)]
struct State {
    /// Bytes B G R X, rows without gaps.
    bytes: Vec<u8>,
    size: Size,
    /// What is kept was never rightly read.
    distrusted: bool,
    frames: u64,
    /// What a frame should not be.
    complaints: Vec<String>,
}

/// Keeps the newest picture until the capture ends.
pub(crate) struct Kept {
    state: Arc<Mutex<State>>,
    reader: Option<JoinHandle<()>>,
}

impl Kept {
    /// Begins to read.
    pub(crate) fn start(slot: Slot) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let to = Arc::clone(&state);
        let reader = thread::spawn(move || {
            while let Arrival::Frame(frame) = slot.wait(true, None) {
                take(&mut locked(&to), frame);
            }
        });
        Self { state, reader: Some(reader) }
    }

    /// How many frames came.
    pub(crate) fn frames(&self) -> u64 {
        locked(&self.state).frames
    }

    /// The newest picture, if there is one.
    pub(crate) fn picture(&self) -> Option<Picture> {
        let state = locked(&self.state);
        let size = (state.size.width, state.size.height);
        Picture::from_bgrx(&state.bytes, state.size.width as usize * 4, size).ok()
    }

    /// What was wrong with frames since the last call.
    pub(crate) fn complaints(&self) -> Vec<String> {
        std::mem::take(&mut locked(&self.state).complaints)
    }

    /// Waits for the reader, which ends with the capture.
    pub(crate) fn join(mut self) {
        let reader = self.reader.take().expect("joined once");
        reader.join().expect("the reader does not panic");
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take(state: &mut State, frame: Frame) {
    let Frame { id, size, damage, pixels, torn, hold, .. } = frame;
    let mut taken = Err("was never laid open".to_owned());
    let read = pixels.read_changed(&damage, &mut |view| taken = keep(state, &view, size, &damage));
    drop(hold);
    drop(pixels);
    state.frames += 1;
    state.distrusted = torn.load(Ordering::Acquire) || read.is_err() || taken.is_err();
    if let Err(error) = read {
        state.complaints.push(format!("frame {id:?}: {error}"));
    } else if let Err(complaint) = taken {
        state.complaints.push(format!("frame {id:?} {complaint}"));
    }
}

fn keep(
    state: &mut State,
    view: &PixelView<'_>,
    size: Size,
    damage: &Damage,
) -> Result<(), String> {
    if view.size != size || !view.format.is_bgrx() {
        return Err(format!("of {size} is {} in {:?}", view.size, view.format));
    }
    let row = size.width as usize * 4;
    let known = state.size == size && damage.size() == size && !state.distrusted;
    if !known {
        state.size = size;
        state.bytes = vec![0; row * size.height as usize];
    }
    let full = Damage::full(size);
    for rect in if known { damage } else { &full }.rects() {
        let Rect { x, y, width, .. } = rect;
        for y in y..rect.bottom() {
            let (from, to) =
                (y as usize * view.stride + x as usize * 4, y as usize * row + x as usize * 4);
            let len = width as usize * 4;
            state.bytes[to..to + len].copy_from_slice(&view.data[from..from + len]);
        }
    }
    Ok(())
}
