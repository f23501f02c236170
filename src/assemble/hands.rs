//! The player's input, from the server to the game, and what comes back of it: rumble and what was
//! copied.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stratus_frame::input::{Input, InputEvent, InputMark, MAX_PADS, PadState, TouchPhase};
use stratus_input::{Clipboard, Injector};
use stratus_stream::{Publisher, ServerEvent};

use crate::failure::Failure;
use crate::options::Settings;

/// What gives input to the game. Clones share it. Before [`Hands::reach`] inputs come to nothing,
/// but for what a player tells only once.
#[derive(Clone, Default)]
pub(super) struct Hands(Arc<Mutex<Devices>>);

#[derive(Default)]
struct Devices {
    injector: Option<Injector>,
    clipboard: Option<Clipboard>,
    kept: Kept,
    gestures: Gestures,
}

impl Hands {
    fn lock(&self) -> MutexGuard<'_, Devices> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes keyboard and pointer at the compositor whose socket is `upstream`. When this returns
    /// they are there, so that a game that starts then finds them.
    ///
    /// # Errors
    /// A [`Failure`] if there are no threads for it. A compositor that has no such devices is told
    /// of in the log.
    pub(super) fn reach(
        &self,
        settings: &Settings,
        upstream: &Path,
        mark: InputMark,
        publisher: Publisher,
    ) -> Result<(), Failure> {
        let failed = |e| Failure::new("start the thread of the player's input", e);
        let to_player = publisher.clone();
        let on_rumble = Arc::new(move |rumble| to_player.rumble(rumble));
        let layout = settings.keyboard_layout.clone();
        let injector = Injector::start(upstream.to_owned(), layout, mark, on_rumble);
        let injector = injector.map_err(failed)?;
        let clipboard = if settings.clipboard {
            let on_copy = Arc::new(move |text: String| publisher.set_clipboard(&text));
            Some(Clipboard::start(upstream.to_owned(), on_copy).map_err(failed)?)
        } else {
            None
        };
        self.take(injector, clipboard);
        Ok(())
    }

    /// From now on these have the player's input, and first what was kept for them.
    fn take(&self, injector: Injector, clipboard: Option<Clipboard>) {
        let mut devices = self.lock();
        for input in std::mem::take(&mut devices.kept).inputs() {
            injector.input(input);
        }
        (devices.injector, devices.clipboard) = (Some(injector), clipboard);
    }

    /// Passes on what concerns input.
    pub(super) fn handle(&self, event: &ServerEvent) {
        let Devices { injector, clipboard, kept, gestures } = &mut *self.lock();
        match event {
            ServerEvent::Input { input, .. } => {
                if gestures.is_one(&input.event)
                    && let Some(clipboard) = clipboard
                {
                    clipboard.gesture();
                }
                match injector {
                    Some(injector) => injector.input(input.clone()),
                    None => kept.keep(input),
                }
            }
            ServerEvent::PlayerLeft => {
                (*kept, *gestures) = (Kept::default(), Gestures::default());
                if let Some(clipboard) = clipboard {
                    clipboard.player_left();
                }
                if let Some(injector) = injector {
                    injector.player_left();
                }
            }
            ServerEvent::Clipboard(text) => {
                if let Some(clipboard) = clipboard {
                    clipboard.set(text.clone());
                }
            }
            _ => {}
        }
    }

    /// Lets everything go and takes the devices away, while the compositor is still there.
    pub(super) fn end(&self) {
        let devices = std::mem::take(&mut *self.lock());
        // Outside the lock: their threads end first, and may tell somebody of it.
        drop(devices);
    }
}

/// What a player tells when it comes and not again, until there is somebody to tell.
#[derive(Default)]
struct Kept {
    layout: Option<Input>,
    pads: [Option<Input>; MAX_PADS as usize],
}

impl Kept {
    fn keep(&mut self, input: &Input) {
        match &input.event {
            InputEvent::Layout(_) => self.layout = Some(input.clone()),
            InputEvent::Gamepad(state) => {
                if let Some(pad) = self.pads.get_mut(usize::from(state.pad)) {
                    *pad = Some(input.clone());
                }
            }
            InputEvent::Release => {
                for pad in self.pads.iter_mut().flatten() {
                    if let InputEvent::Gamepad(state) = &mut pad.event {
                        let PadState { pad, connected, .. } = *state;
                        *state = PadState { pad, connected, ..PadState::default() };
                    }
                }
            }
            _ => {}
        }
    }

    /// All of it, in the order in which it came.
    fn inputs(self) -> Vec<Input> {
        let mut inputs: Vec<Input> =
            self.layout.into_iter().chain(self.pads.into_iter().flatten()).collect();
        inputs.sort_unstable_by_key(|input| input.id);
        inputs
    }
}

/// Tells what the player does on purpose, by which it may copy something.
#[derive(Default)]
struct Gestures {
    /// The buttons that each gamepad holds.
    buttons: [u32; MAX_PADS as usize],
}

impl Gestures {
    /// Whether something was pressed: no release, no motion, and of gamepads, whose states come by
    /// themselves while a stick drifts, none that holds what it held before.
    fn is_one(&mut self, event: &InputEvent) -> bool {
        match event {
            InputEvent::Key { pressed, .. } | InputEvent::Button { pressed, .. } => *pressed,
            InputEvent::Touch { phase, .. } => matches!(phase, TouchPhase::Down(_)),
            InputEvent::Gamepad(state) => {
                let Some(held) = self.buttons.get_mut(usize::from(state.pad)) else {
                    return false;
                };
                let now = if state.connected { state.buttons } else { 0 };
                now & !std::mem::replace(held, now) != 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::path::PathBuf;
    use std::time::{Duration, Instant};

    use stratus_frame::input::{Layout, PicturePoint};
    use stratus_frame::{MonoTime, Size};
    use stratus_stream::ViewerId;

    use super::*;

    fn event(id: u64, event: InputEvent) -> ServerEvent {
        let input = Input { id, time: MonoTime::UNSET, event };
        ServerEvent::Input { viewer: ViewerId(1), input }
    }

    fn layout(name: &str) -> InputEvent {
        InputEvent::Layout(name.parse().unwrap())
    }

    fn pad(pad: u8, buttons: u32) -> PadState {
        PadState { pad, connected: true, buttons, ..PadState::default() }
    }

    fn kept(hands: &Hands) -> Vec<(u64, InputEvent)> {
        let kept = std::mem::take(&mut hands.lock().kept);
        kept.inputs().into_iter().map(|input| (input.id, input.event)).collect()
    }

    #[test]
    fn what_is_told_once_waits_for_the_devices() {
        let hands = Hands::default();
        let tell = |events: Vec<InputEvent>| {
            for (id, one) in (1..).zip(events) {
                hands.handle(&event(id, one));
            }
        };
        let key = InputEvent::Key { code: 30, pressed: true };
        let gamepad = |state| InputEvent::Gamepad(state);
        tell(vec![gamepad(pad(2, 1)), layout("us"), gamepad(pad(2, 3)), key.clone(), layout("de")]);
        assert_eq!(kept(&hands), [(3, gamepad(pad(2, 3))), (5, layout("de"))]);
        tell(vec![gamepad(pad(0, 1)), InputEvent::Release]);
        assert_eq!(kept(&hands), [(1, gamepad(pad(0, 0)))], "what was held is let go");
        tell(vec![gamepad(pad(0, 1)), layout("de")]);
        hands.handle(&ServerEvent::PlayerLeft);
        assert_eq!(kept(&hands), [], "the next player's are its own");
        // They have it when they come, also without a compositor.
        tell(vec![layout("de")]);
        let (mark, nowhere) = (InputMark::default(), PathBuf::from("/nonexistent/wayland-0"));
        let injector =
            Injector::start(nowhere, Layout::default(), mark.clone(), Arc::new(|_| {})).unwrap();
        hands.take(injector, None);
        let until = Instant::now() + Duration::from_secs(20);
        while mark.newest() != 1 {
            assert!(Instant::now() < until, "the layout never came");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(kept(&hands), []);
        hands.handle(&event(2, key));
        assert_eq!(kept(&hands), []);
        hands.end();
    }

    #[test]
    fn only_what_is_pressed_may_copy() {
        let mut gestures = Gestures::default();
        let mut is_one = |event: InputEvent| gestures.is_one(&event);
        let at = PicturePoint { x: 1, y: 2, size: Size::new(3, 4) };
        for pressed in [true, false] {
            assert_eq!(is_one(InputEvent::Key { code: 30, pressed }), pressed);
            assert_eq!(is_one(InputEvent::Button { code: 0x110, pressed }), pressed);
        }
        let touch = |phase| InputEvent::Touch { slot: 1, phase };
        assert!(is_one(touch(TouchPhase::Down(at))));
        assert!(!is_one(touch(TouchPhase::Motion(at))));
        assert!(!is_one(touch(TouchPhase::Up)) && !is_one(touch(TouchPhase::Cancel)));
        assert!(!is_one(InputEvent::PointerAt(at)) && !is_one(layout("de")));
        assert!(!is_one(InputEvent::Gamepad(pad(1, 0))), "it is there");
        assert!(is_one(InputEvent::Gamepad(pad(1, 2))));
        let drifts = PadState { axes: [0, 9, 0, 0], ..pad(1, 2) };
        assert!(!is_one(InputEvent::Gamepad(drifts)), "its stick drifts");
        assert!(is_one(InputEvent::Gamepad(pad(0, 2))), "another pad");
        assert!(is_one(InputEvent::Gamepad(pad(1, 3))), "another button");
        assert!(!is_one(InputEvent::Gamepad(pad(1, 1))), "one is let go");
        assert!(!is_one(InputEvent::Gamepad(PadState { connected: false, ..pad(1, 7) })));
        assert!(is_one(InputEvent::Gamepad(pad(1, 1))));
    }
}
