//! The window's events, and what each of them does.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use stratus_frame::input::{Input, InputEvent, MAX_INPUT_TEXT, MAX_PADS, PadState, Rumble};
use stratus_frame::{MonoTime, Size};
use winit::application::ApplicationHandler;
use winit::dpi::PhysicalSize;
use winit::event::{
    DeviceEvent, DeviceId, ElementState, Ime, KeyEvent, MouseButton, StartCause, Touch, WindowEvent,
};
use winit::event_loop::{ActiveEventLoop, ControlFlow};
use winit::platform::wayland::{ActiveEventLoopExtWayland, WindowAttributesExtWayland};
use winit::window::{Fullscreen, Window, WindowId};

use crate::clipboard::Clipboard;
use crate::error::WindowError;
use crate::figures::Figures;
use crate::grip::Grip;
use crate::handle::{Handle, Tell, Wish};
use crate::keys::{self, Chord, Key, Keys};
use crate::pads;
use crate::pointer::{self, Fingers, Motion};
use crate::screen::Screen;
use crate::window::Options;

/// A window that is being resized tells its size this often.
const FOLLOW_EVERY: Duration = Duration::from_millis(100);

/// Everything of a window, on the main thread.
pub(crate) struct App {
    options: Options,
    handle: Handle,
    wish: Box<dyn FnMut(Wish)>,
    screen: Option<Screen>,
    wayland: bool,
    clipboard: Clipboard,
    rumbles: Sender<Rumble>,
    keys: Keys,
    motion: Motion,
    fingers: Fingers,
    pads: [PadState; MAX_PADS as usize],
    focused: bool,
    grip: Grip,
    composing: bool,
    last_input: u64,
    /// When the game is to hear of the window's size, and the size it heard of.
    follow: (Option<Instant>, Option<Size>),
    failure: Option<WindowError>,
}

impl App {
    pub(crate) fn new(options: Options, handle: Handle, wish: Box<dyn FnMut(Wish)>) -> Self {
        let clipboard = Clipboard::new(options.clipboard, handle.clone());
        let rumbles = pads::start(handle.clone());
        Self {
            options,
            handle,
            wish,
            screen: None,
            wayland: false,
            clipboard,
            rumbles,
            keys: Keys::default(),
            motion: Motion::default(),
            fingers: Fingers::default(),
            pads: [PadState::default(); MAX_PADS as usize],
            focused: false,
            grip: Grip::default(),
            composing: false,
            last_input: 0,
            follow: (None, None),
            failure: None,
        }
    }

    /// What was counted, after the last event.
    pub(crate) fn finish(self) -> Result<Figures, WindowError> {
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.screen.map(|s| s.figures).unwrap_or_default()),
        }
    }

    fn open(&mut self, events: &ActiveEventLoop) -> Result<Screen, WindowError> {
        self.wayland = events.is_wayland();
        let Size { width, height } = self.options.size;
        let attributes = Window::default_attributes()
            .with_title(self.options.title.clone())
            .with_inner_size(PhysicalSize::new(width, height))
            .with_fullscreen(self.options.fullscreen.then_some(Fullscreen::Borderless(None)))
            // The same names serve as class and instance under X11.
            .with_name("stratus", "stratus");
        let window =
            events.create_window(attributes).map_err(|e| WindowError::Window(e.to_string()))?;
        let how = (self.options.scale, self.options.filter, self.wayland);
        Screen::new(events, Arc::new(window), self.handle.picture.clone(), how)
    }

    fn fail(&mut self, events: &ActiveEventLoop, failure: WindowError) {
        self.failure.get_or_insert(failure);
        events.exit();
    }

    /// Gives an input to the game.
    fn input(&mut self, event: InputEvent) {
        self.last_input += 1;
        let (id, time) = (self.last_input, MonoTime::now());
        if let Some(screen) = &mut self.screen {
            screen.figures.input(id, time);
        }
        (self.wish)(Wish::Input(Input { id, time, event }));
    }

    /// Pixels of a cursor to one of the picture: cursors of Wayland are sized in logical pixels.
    fn cursor_factor(screen: &Screen, wayland: bool) -> f64 {
        let factor = screen.place().map_or(1.0, |place| place.factor());
        if wayland { factor / screen.window.scale_factor() } else { factor }
    }

    fn drawn(&mut self, events: &ActiveEventLoop, result: Result<bool, WindowError>) {
        match result {
            Ok(false) => {}
            Ok(true) => {
                let Some(screen) = &self.screen else { return };
                let factor = Self::cursor_factor(screen, self.wayland);
                self.grip.handle_factor(events, &screen.window, factor);
                self.motion.forget();
            }
            Err(failure) => self.fail(events, failure),
        }
    }

    fn tell(&mut self, events: &ActiveEventLoop, what: Tell) {
        let Some(screen) = &mut self.screen else { return };
        match what {
            Tell::Picture => {
                let result = screen.handle_picture();
                self.drawn(events, result);
            }
            Tell::Cursor(state) => {
                let factor = Self::cursor_factor(screen, self.wayland);
                self.grip.handle_state(state, events, &screen.window, factor);
                self.motion.forget();
            }
            Tell::Notice(notice) => {
                screen.notice = notice;
                screen.handle_change();
            }
            Tell::Overlay(mut lines) => {
                // The window's own figures are made as seldom as the others: each picture that is
                // drawn would pay for the sorting of thousands of samples.
                lines.extend(screen.figures.lines());
                if let Some(shown) = &mut screen.overlay {
                    *shown = lines;
                    screen.handle_change();
                }
            }
            Tell::Title(title) => screen.window.set_title(&title),
            Tell::Copied(text) => self.clipboard.handle_copied(text),
            Tell::Pasted(text) => (self.wish)(Wish::Clipboard(text)),
            Tell::Joined => {
                if let Some(layout) = self.options.layout.clone() {
                    self.input(InputEvent::Layout(layout));
                }
                for state in self.pads.into_iter().filter(|pad| pad.connected) {
                    self.pad(state);
                }
                self.motion.forget();
            }
            Tell::Pad(state) => self.pad(state),
            // Without the pads' thread nothing rumbles, which was said when it did not start.
            Tell::Rumble(rumble) => drop(self.rumbles.send(rumble)),
            Tell::Close => events.exit(),
        }
    }

    fn key(&mut self, events: &ActiveEventLoop, event: &KeyEvent) {
        let Some(code) = keys::code(event.physical_key) else { return };
        match self.keys.handle(code, event.state == ElementState::Pressed) {
            Key::Game { code, pressed } => self.input(InputEvent::Key { code, pressed }),
            Key::Own(chord) => self.chord(events, chord),
            Key::Nothing => {}
        }
    }

    /// Pads are heard of whatever window has the focus, but played with in this one only.
    fn pad(&mut self, state: PadState) {
        let PadState { pad, connected, .. } = state;
        if let Some(kept) = self.pads.get_mut(usize::from(pad)) {
            *kept = state;
        }
        let still = PadState { pad, connected, ..PadState::default() };
        self.input(InputEvent::Gamepad(if self.focused { state } else { still }));
    }

    fn chord(&mut self, events: &ActiveEventLoop, chord: Chord) {
        let Some(screen) = &mut self.screen else { return };
        match chord {
            Chord::Overlay => {
                screen.overlay = match screen.overlay.take() {
                    Some(_) => None,
                    None => Some(Vec::new()),
                };
                let wanted = screen.overlay.is_some();
                screen.handle_change();
                (self.wish)(Wish::Overlay(wanted));
            }
            Chord::Fullscreen => {
                let full = screen.window.fullscreen().is_some();
                screen.window.set_fullscreen((!full).then_some(Fullscreen::Borderless(None)));
            }
            Chord::FreePointer => self.grip.free(screen.window.as_ref()),
            Chord::Give => self.clipboard.give(),
            Chord::Take => self.clipboard.take(),
            Chord::Compose => {
                self.composing = !self.composing;
                screen.window.set_ime_allowed(self.composing);
            }
            Chord::Quit => events.exit(),
        }
    }

    fn text(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let mut end = rest.len().min(MAX_INPUT_TEXT);
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            let (part, after) = rest.split_at(end);
            self.input(InputEvent::Text(part.to_owned()));
            rest = after;
        }
    }

    /// Tells the game where the pointer is, unless it knows that or has the motion instead.
    fn point(&mut self) {
        if self.grip.is_locked() || self.grip.is_left() {
            return;
        }
        let Some(place) = self.screen.as_ref().and_then(Screen::place) else { return };
        if let Some(event) = self.motion.tell(&place) {
            self.input(event);
        }
    }

    fn pressed(&mut self, button: MouseButton, state: ElementState) {
        let Some(screen) = &self.screen else { return };
        let pressed = state == ElementState::Pressed;
        if pressed {
            self.grip.take(screen.window.as_ref());
        }
        // The game's pointer may be elsewhere, though the player's stands still: it was not there
        // yet, or another picture lies under it.
        self.point();
        if let Some(code) = pointer::button(button) {
            self.input(InputEvent::Button { code, pressed });
        }
    }

    fn touched(&mut self, touch: Touch) {
        let Some(place) = self.screen.as_ref().and_then(Screen::place) else { return };
        let at = pointer::point(&place, touch.location);
        if let Some(event) = self.fingers.handle(touch.id, touch.phase, at) {
            self.input(event);
        }
    }

    fn focused(&mut self, focused: bool) {
        self.focused = focused;
        let Some(screen) = &self.screen else { return };
        if focused {
            self.grip.take(screen.window.as_ref());
            return;
        }
        self.grip.lose(screen.window.as_ref());
        self.keys.forget();
        self.fingers.forget();
        self.motion.forget();
        self.input(InputEvent::Release);
    }

    fn resized(&mut self) {
        let Some(screen) = &mut self.screen else { return };
        screen.handle_change();
        if self.options.follow && self.follow.0.is_none() {
            self.follow.0 = Some(Instant::now() + FOLLOW_EVERY);
        }
    }

    /// Tells the game the window's size, if it is time.
    fn follow(&mut self) {
        let Some(screen) = &self.screen else { return };
        if self.follow.0.is_none_or(|due| due > Instant::now()) {
            return;
        }
        self.follow.0 = None;
        let Size { width, height } = screen.size();
        // Chroma has half the picture's size, so that is even.
        let even = |side: u32| (side & !1).max(2);
        let size = Size::new(even(width), even(height));
        if self.follow.1.replace(size) != Some(size) {
            (self.wish)(Wish::Resize(size));
        }
    }
}

impl ApplicationHandler<Tell> for App {
    fn resumed(&mut self, events: &ActiveEventLoop) {
        if self.screen.is_some() {
            return;
        }
        match self.open(events) {
            Ok(screen) => {
                self.screen = Some(screen);
                self.resized();
            }
            Err(failure) => self.fail(events, failure),
        }
    }

    fn new_events(&mut self, _: &ActiveEventLoop, _: StartCause) {
        self.follow();
    }

    fn user_event(&mut self, events: &ActiveEventLoop, what: Tell) {
        self.tell(events, what);
    }

    fn window_event(&mut self, events: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        match event {
            WindowEvent::RedrawRequested => {
                let Some(screen) = &mut self.screen else { return };
                let result = screen.handle_redraw();
                self.drawn(events, result);
            }
            WindowEvent::Resized(_) | WindowEvent::ScaleFactorChanged { .. } => self.resized(),
            WindowEvent::CloseRequested | WindowEvent::Destroyed => events.exit(),
            // X11 tells what is held when the focus comes or goes; that is no typing.
            WindowEvent::KeyboardInput { event, is_synthetic: false, .. } => {
                self.key(events, &event);
            }
            WindowEvent::Ime(Ime::Commit(text)) => self.text(&text),
            WindowEvent::CursorMoved { position, .. } => {
                self.motion.handle_move(position);
                self.point();
            }
            WindowEvent::CursorLeft { .. } => self.motion.handle_leave(),
            WindowEvent::MouseInput { button, state, .. } => self.pressed(button, state),
            WindowEvent::MouseWheel { delta, phase, .. } => {
                let scale = self.screen.as_ref().map_or(1.0, |s| s.window.scale_factor());
                if let Some(event) = self.motion.wheel(delta, phase, scale) {
                    self.point();
                    self.input(event);
                }
            }
            WindowEvent::Touch(touch) => self.touched(touch),
            WindowEvent::Focused(focused) => self.focused(focused),
            _ => {}
        }
    }

    fn device_event(&mut self, _: &ActiveEventLoop, _: DeviceId, event: DeviceEvent) {
        if let DeviceEvent::MouseMotion { delta } = event
            && self.grip.is_locked()
            && let Some(event) = self.motion.by(delta)
        {
            self.input(event);
        }
    }

    fn about_to_wait(&mut self, events: &ActiveEventLoop) {
        events.set_control_flow(match self.follow.0 {
            Some(due) => ControlFlow::WaitUntil(due),
            None => ControlFlow::Wait,
        });
    }
}
