//! The screen of a session while it runs: who may ask for another, and who then hears of it.
//!
//! Whoever asks, an operator through the control socket or a player through the stream, the wish
//! is checked here once and then told to all: the capture, which tells the games; the compositor's
//! output; the encoder, which follows sizes by itself but not rates; and the server, for those who
//! join later. None of them waits.

use std::fmt;
use std::io::Write;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use stratus_capture::{CaptureControl, Screen};
use stratus_encode::{LARGEST_PICTURE, PipelineHandle, check_x264_size};
use stratus_frame::Size;
use stratus_stream::Publisher;
use stratus_stream::core::message::Resize;
use stratus_trace::{Answer, Command};

use crate::options::{FPS, Settings, StreamSize};
use crate::sway::Output;

/// The command of the control socket.
pub const RESIZE: &str = "resize";

/// A size, and a rate where one is asked for, written `1280x720` or `1280x720@60`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScreenWish {
    /// Pixels.
    pub size: Size,
    /// Frames a second; `None` leaves the rate as it is.
    pub fps: Option<u32>,
}

impl FromStr for ScreenWish {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (size, fps) = match text.split_once('@') {
            Some((size, fps)) => (size, Some(fps)),
            None => (text, None),
        };
        let size = size.parse::<StreamSize>()?.0;
        let fps = fps.map(|text| {
            let digits = text.strip_suffix("Hz").unwrap_or(text);
            digits.parse().ok().filter(|fps| FPS.contains(fps)).ok_or_else(|| {
                format!("the rate must be a whole number from {} to {}", FPS.start(), FPS.end())
            })
        });
        Ok(Self { size, fps: fps.transpose()? })
    }
}

impl fmt::Display for ScreenWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.size.fmt(f)?;
        self.fps.map_or(Ok(()), |fps| write!(f, "@{fps}"))
    }
}

/// The screen, shared by all who ask and all who hear.
#[derive(Clone)]
pub struct Screens(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// The largest picture that the encoder was set up for.
    largest: Size,
    /// Whether there is to be a capture.
    takes_frames: bool,
    capture: OnceLock<CaptureControl>,
    pipeline: OnceLock<PipelineHandle>,
    publisher: OnceLock<Publisher>,
    output: OnceLock<Output>,
}

struct State {
    size: Size,
    fps: u32,
    /// The newest wish of before there was a capture: players join while the compositor starts.
    waiting: Option<ScreenWish>,
}

impl Screens {
    /// The screen that a session starts with.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State { size: settings.size, fps: settings.fps, waiting: None }),
            largest: LARGEST_PICTURE.at_least(settings.size),
            takes_frames: settings.capture,
            capture: OnceLock::new(),
            pipeline: OnceLock::new(),
            publisher: OnceLock::new(),
            output: OnceLock::new(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the screen is now: its size, and frames a second.
    #[must_use]
    pub fn now(&self) -> (Size, u32) {
        let state = self.state();
        (state.size, state.fps)
    }

    /// Who tells the games; nobody watches them yet. After [`Screens::set_stream`], and when the
    /// output can be asked: all are told of the wish that waits for this.
    pub(super) fn set_capture(&self, capture: CaptureControl) {
        capture.set_watched(false);
        // Held before there is a capture, so that no newer wish comes before the one that waits.
        let mut state = self.state();
        // Nobody else sets it, nor the others below.
        let _ = self.0.capture.set(capture);
        // A player may have joined before there was a capture to hear of it, and asked.
        self.tell_watched(&state);
        if let Some(wish) = state.waiting.take()
            && let Err(why) = self.apply(&mut state, wish)
        {
            tracing::warn!("the screen that was asked for cannot be had: {why}");
        }
    }

    pub(super) fn set_stream(&self, pipeline: PipelineHandle, publisher: Publisher) {
        let _ = self.0.pipeline.set(pipeline);
        let _ = self.0.publisher.set(publisher);
    }

    /// The compositor's output, which is to have the same mode.
    pub fn set_output(&self, output: Output) {
        let _ = self.0.output.set(output);
    }

    /// Somebody joined or left: games are slowed down while nobody watches.
    pub(super) fn viewers_changed(&self) {
        self.tell_watched(&self.state());
    }

    /// Tells the capture whether anybody watches. The state is held from the look to the word, so
    /// that the newest look has the last word.
    fn tell_watched(&self, _held: &MutexGuard<'_, State>) {
        if let (Some(capture), Some(publisher)) = (self.0.capture.get(), self.0.publisher.get()) {
            capture.set_watched(publisher.viewers() > 0);
        }
    }

    /// Gives the session another screen.
    ///
    /// # Errors
    /// Why it cannot have this one, for whoever asks.
    pub fn ask(&self, wish: ScreenWish) -> Result<(), String> {
        let Shared { largest, takes_frames, .. } = &*self.0;
        let size = wish.size;
        if size.width > largest.width || size.height > largest.height {
            return Err(format!("{size} is above what this session encodes, {largest}"));
        }
        if !takes_frames {
            return Err("this session takes no frames (--capture off)".into());
        }
        // Held until all heard, so that they hear of two wishes in the same order.
        self.apply(&mut self.state(), wish)
    }

    /// Tells all of a wish; before there is a capture it waits.
    fn apply(&self, state: &mut State, wish: ScreenWish) -> Result<(), String> {
        let Some(capture) = self.0.capture.get() else {
            let fps = wish.fps.or(state.waiting.and_then(|earlier| earlier.fps));
            state.waiting = Some(ScreenWish { fps, ..wish });
            return Ok(());
        };
        let (size, fps) = (wish.size, wish.fps.unwrap_or(state.fps));
        if (state.size, state.fps) == (size, fps) {
            return Ok(());
        }
        let refresh_mhz = self.refresh_mhz(fps);
        capture.resize(Screen { size, refresh_mhz }).map_err(|e| e.to_string())?;
        (state.size, state.fps) = (size, fps);
        if let Some(pipeline) = self.0.pipeline.get() {
            pipeline.set_fps(fps);
        }
        if let Some(publisher) = self.0.publisher.get() {
            publisher.set_screen(size, fps * 1000);
        }
        if let Some(output) = self.0.output.get() {
            output.set(size, fps);
        }
        tracing::info!("the screen is {size} at {fps} frames a second");
        Ok(())
    }

    /// The refresh rate that games are told: that at which the compositor's output ticks.
    #[must_use]
    pub(super) fn refresh_mhz(&self, fps: u32) -> u32 {
        self.0.output.get().map_or(fps * 1000, |output| output.refresh_mhz(fps))
    }

    /// A player asks. What cannot be had is rounded to what can.
    pub(super) fn ask_for_player(&self, resize: Resize) {
        let even = |side: u32, most: u32| side.clamp(16, most) & !1;
        let largest = self.0.largest;
        let size = Size::new(
            even(resize.size.width, largest.width),
            even(resize.size.height, largest.height),
        );
        let fps = (resize.millifps > 0)
            .then(|| (resize.millifps.saturating_add(500) / 1000).clamp(*FPS.start(), *FPS.end()));
        let asked = check_x264_size(size)
            .map_err(|e| e.to_string())
            .and_then(|()| self.ask(ScreenWish { size, fps }));
        if let Err(why) = asked {
            tracing::warn!("a player asks for {}: {why}", resize.size);
        }
    }
}

/// `resize WIDTHxHEIGHT[@HZ]` on the control socket; the connection closes when it is told to all.
impl Command for Screens {
    fn begin(&self, arguments: &str) -> Result<Answer, String> {
        self.ask(arguments.trim().parse()?)?;
        Ok(Box::new(|mut peer| {
            // One that does not listen has what it asked for all the same.
            let _ = peer.flush();
        }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::task::Waker;

    use stratus_capture::{Capture, CaptureConfig};
    use stratus_frame::mailbox;

    use super::*;
    use crate::options::{Capture as Taking, StreamOptions};

    fn screens(capture: Taking) -> Screens {
        let options = StreamOptions { capture: Some(capture), ..StreamOptions::default() };
        Screens::new(&options.settle().unwrap())
    }

    #[test]
    fn a_wish_waits_for_the_capture_and_one_that_nothing_comes_of_is_refused() {
        let wish = |width, fps| ScreenWish { size: Size::new(width, 480), fps };
        let never = screens(Taking::Off).ask(wish(640, None)).unwrap_err();
        assert!(never.contains("takes no frames"), "{never}");

        let screens = screens(Taking::On);
        let start = (Size::new(1280, 720), 60);
        screens.ask(wish(800, Some(30))).unwrap();
        screens.ask(wish(640, None)).unwrap();
        assert!(screens.ask(wish(100_000, None)).unwrap_err().contains("above"));
        assert_eq!(screens.now(), start, "nobody hears of it yet");
        let (post, _slot) = mailbox();
        let capture = Capture::new(&CaptureConfig::new(start.0), post, Waker::noop().clone());
        screens.set_capture(capture.control());
        assert_eq!(screens.now(), (Size::new(640, 480), 30), "the newest of each counts");
        screens.ask(wish(700, None)).unwrap();
        assert_eq!(screens.now(), (Size::new(700, 480), 30), "and from now on at once");
    }

    #[test]
    fn wishes_are_read_or_refused_with_the_reason() {
        let wish = |width, height, fps| ScreenWish { size: Size::new(width, height), fps };
        assert_eq!("1280x720".parse(), Ok(wish(1280, 720, None)));
        assert_eq!("1280x720@144".parse(), Ok(wish(1280, 720, Some(144))));
        assert_eq!("16x16@30Hz".parse(), Ok(wish(16, 16, Some(30))));
        assert_eq!(wish(640, 480, Some(30)).to_string(), "640x480@30");
        for (text, why) in [
            ("1281x720", "odd"),
            ("14x720", "at least 16"),
            ("1280", "WIDTHxHEIGHT"),
            ("1280x720@", "whole number from 1 to 240"),
            ("1280x720@0", "whole number from 1 to 240"),
            ("1280x720@241Hz", "whole number from 1 to 240"),
            ("16384x16384", "above what the encoder takes"),
        ] {
            let error = text.parse::<ScreenWish>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
