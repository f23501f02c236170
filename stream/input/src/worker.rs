//! The thread that gives inputs to the game.

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use stratus_frame::MonoTime;
use stratus_frame::input::{Input, InputEvent, InputMark, Layout, PadState};

use crate::action::Action;
use crate::desk::Desk;
use crate::injector::OnRumble;
use crate::line::{Cutter, STALL};
use crate::pads::Pads;
use crate::queue::{Command, Queue};
use crate::seat::{Seat, SeatError};
use crate::stats::InputStats;

/// Between attempts to reach a compositor that was lost.
const RETRY: Duration = Duration::from_secs(1);

/// How long a compositor may take to make the first devices: it may only just have started.
const START: Duration = Duration::from_secs(30);
/// Bytes of actions from which on they are sent before more are made.
const HEAVY: usize = 256 * 1024;

/// What the thread has in common with its handle.
pub(crate) struct Shared {
    pub(crate) queue: Arc<Queue>,
    pub(crate) stats: Arc<InputStats>,
    pub(crate) cutter: Arc<Cutter>,
}

/// What belongs to the thread.
pub(crate) struct Worker {
    socket: PathBuf,
    shared: Shared,
    mark: InputMark,
    on_rumble: OnRumble,
    desk: Desk,
    pads: Pads,
    seat: Option<Seat>,
    /// When the compositor may be tried again; never, if it offers no devices.
    retry: Option<MonoTime>,
    /// Inputs of this batch: when each came.
    given: Vec<MonoTime>,
    actions: Vec<Action>,
    /// How many bytes these have, about.
    weight: usize,
    /// Whether the newest input came too long ago.
    late: bool,
}

impl Worker {
    pub(crate) fn new(
        socket: PathBuf,
        layout: &Layout,
        mark: InputMark,
        on_rumble: OnRumble,
        shared: Shared,
    ) -> Self {
        let (desk, error) = Desk::new(layout);
        if let Some(error) = error {
            tracing::warn!("keys are those of the layout us: {error}");
        }
        Self {
            socket,
            shared,
            mark,
            on_rumble,
            desk,
            pads: Pads::default(),
            seat: None,
            retry: Some(MonoTime::UNSET),
            given: Vec::new(),
            actions: Vec::new(),
            weight: 0,
            late: false,
        }
    }

    /// Makes the devices, says on `ready` that they are there or will not be, and then does what
    /// it is told until it is told to stop.
    pub(crate) fn run(mut self, ready: &Sender<()>) {
        self.connect(START);
        // Nobody listens any more if this took too long.
        let _ = ready.send(());
        let mut commands = VecDeque::new();
        loop {
            let seat_speaks = self.wait();
            self.shared.queue.take(&mut commands);
            if !self.obey(&mut commands) {
                return;
            }
            self.time_passed();
            self.send();
            if seat_speaks {
                self.listen();
            }
            self.rumble();
        }
    }

    /// Does what it was told. Whether it goes on after that.
    fn obey(&mut self, commands: &mut VecDeque<Command>) -> bool {
        for command in commands.drain(..) {
            match command {
                Command::Input(input, came) => self.input(&input, came),
                Command::PlayerLeft => self.player_left(),
                Command::Lost => self.let_go(),
                Command::Stop => {
                    self.player_left();
                    return false;
                }
            }
            if self.weight >= HEAVY {
                self.send();
            }
        }
        true
    }

    /// Waits for something to do. Whether the compositor said something.
    fn wait(&self) -> bool {
        let due = [self.desk.poll_timeout(), self.pads.poll_timeout()];
        let timeout = match due.into_iter().flatten().min() {
            // A poll that ends before its time would only be repeated.
            Some(due) => {
                let left = due.since(MonoTime::now()) + Duration::from_micros(999);
                PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
            }
            None => PollTimeout::NONE,
        };
        let readable = |fd: BorrowedFd<'_>| -> bool {
            let mut fds = [PollFd::new(fd, PollFlags::POLLIN)];
            poll(&mut fds, PollTimeout::ZERO).is_ok_and(|n| n > 0)
        };
        let mut fds = vec![PollFd::new(self.shared.queue.fd(), PollFlags::POLLIN)];
        fds.extend(self.pads.fds().map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        fds.extend(self.seat.as_ref().map(|seat| PollFd::new(seat.fd(), PollFlags::POLLIN)));
        // An interrupted wait found nothing; the loop comes back here.
        let _ = poll(&mut fds, timeout);
        self.seat.as_ref().is_some_and(|seat| readable(seat.fd()))
    }

    fn input(&mut self, input: &Input, came: MonoTime) {
        // Before the game is told, so that no picture can show what no mark says.
        self.mark.tell(input.id);
        if !matches!(input.event, InputEvent::Gamepad(_)) {
            self.reconnect(MonoTime::now());
        }
        // After that, which may have taken long.
        let now = MonoTime::now();
        if now.since(came) > STALL {
            return self.too_late(&input.event, now);
        }
        self.late = false;
        match &input.event {
            InputEvent::Gamepad(state) => {
                self.pads.handle(state);
                self.shared.stats.gave(MonoTime::now().since(came));
                return;
            }
            InputEvent::Release => self.pads.release(),
            _ => {}
        }
        if self.seat.is_some() {
            self.handle(&input.event, now);
            self.given.push(came);
            return;
        }
        self.shared.stats.lose();
        // The compositor may come back, and the player does not tell its layout twice.
        if let InputEvent::Layout(_) = input.event {
            self.handle(&input.event, now);
        }
    }

    /// What an input does to keyboard and pointer, as far as there are any.
    fn handle(&mut self, event: &InputEvent, now: MonoTime) {
        let before = self.actions.len();
        let Some(seat) = &self.seat else {
            self.desk.handle(event, now, &|_| Action::Frame, &mut self.actions);
            return self.actions.clear();
        };
        self.desk.handle(event, now, &|point| seat.place(point, now), &mut self.actions);
        self.weight += self.actions[before..].iter().map(Action::weight).sum::<usize>();
    }

    /// An input that is not played, because that would be long after the player did it. What it
    /// says of the player's devices still counts.
    fn too_late(&mut self, event: &InputEvent, now: MonoTime) {
        self.shared.stats.lose();
        if !std::mem::replace(&mut self.late, true) {
            self.let_go();
        }
        match event {
            InputEvent::Layout(_) => self.handle(event, now),
            InputEvent::Gamepad(PadState { pad, connected, .. }) => {
                let (pad, connected) = (*pad, *connected);
                self.pads.handle(&PadState { pad, connected, ..PadState::default() });
            }
            _ => {}
        }
    }

    /// Inputs were lost, and with them the ends of what is held.
    fn let_go(&mut self) {
        // Without a compositor that was told of already.
        if self.seat.is_some() {
            tracing::warn!(
                "the compositor did not take the player's inputs; they are lost, and what was \
                 held is let go"
            );
        }
        self.release();
    }

    fn time_passed(&mut self) {
        let now = MonoTime::now();
        if let Some(seat) = &self.seat {
            let place = |point| seat.place(point, now);
            self.desk.handle_timeout(now, &place, &mut self.actions);
        }
        self.pads.handle_timeout(now, &mut |rumble| (self.on_rumble)(rumble));
    }

    fn release(&mut self) {
        self.pads.release();
        let now = MonoTime::now();
        let Some(seat) = &self.seat else { return };
        self.desk.release(&|point| seat.place(point, now), &mut self.actions);
    }

    fn player_left(&mut self) {
        self.pads.remove_all();
        let (now, seat) = (MonoTime::now(), self.seat.as_ref());
        // Also without a compositor: what comes back must not be this player's keyboard.
        let place = |point| seat.map_or(Action::Frame, |seat| seat.place(point, now));
        self.desk.reset(&place, &mut self.actions);
        self.send();
        // The next player counts from 1 again.
        self.mark.tell(0);
    }

    /// Sends what is to be done, and notes how long it took to get here.
    fn send(&mut self) {
        if let Some(seat) = &mut self.seat {
            let done = self.actions.iter().try_for_each(|action| seat.apply(action));
            if let Err(error) = done.and_then(|()| seat.flush()) {
                self.lose(&error);
            }
        }
        self.actions.clear();
        self.weight = 0;
        let now = MonoTime::now();
        for came in self.given.drain(..) {
            self.shared.stats.gave(now.since(came));
        }
    }

    fn listen(&mut self) {
        if let Some(seat) = &mut self.seat
            && let Err(error) = seat.listen()
        {
            self.lose(&error);
        }
    }

    fn rumble(&mut self) {
        let now = MonoTime::now();
        self.pads.listen(now, &mut |rumble| (self.on_rumble)(rumble));
    }

    /// Makes the devices, if the compositor does its part within `patience`.
    fn connect(&mut self, patience: Duration) {
        let mut first = Vec::new();
        self.desk.introduce(&mut first);
        let until = Instant::now() + patience;
        match Seat::connect(&self.socket, &self.shared.cutter, until, &first) {
            Ok(seat) => self.seat = Some(seat),
            Err(error) => self.lose(&error),
        }
    }

    fn reconnect(&mut self, now: MonoTime) {
        if self.seat.is_none() && self.retry.is_some_and(|at| at <= now) {
            self.connect(STALL);
        }
    }

    /// Goes on without the compositor. It is told of once until there is one again.
    fn lose(&mut self, error: &SeatError) {
        let news = self.seat.take().is_some() || self.retry == Some(MonoTime::UNSET);
        if news && !self.shared.cutter.is_cut() {
            tracing::warn!("the player's keys and pointer do not reach the game: {error}");
        }
        // Another connection finds the same compositor with the same globals.
        self.retry = match error {
            SeatError::Missing(_) => None,
            SeatError::Line(_) => Some(MonoTime::now().after(RETRY)),
        };
        // What was held, the compositor let go with the devices.
        self.desk.release(&|_| Action::Frame, &mut self.actions);
        self.actions.clear();
    }
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
