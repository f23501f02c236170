//! Inputs on their way to the thread that gives them to the game.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::eventfd::{EfdFlags, EventFd};
use stratus_frame::MonoTime;
use stratus_frame::input::Input;

/// Inputs that may wait. Above that the game's compositor does not take them, and what is held is
/// let go rather than played later.
const LIMIT: usize = 8192;
/// Commands that are taken at once. Those that wait may still be overtaken by the end.
pub(crate) const TURN: usize = 64;

/// What the thread is told.
#[derive(Debug)]
pub(crate) enum Command {
    /// An input, and when it came.
    Input(Input, MonoTime),
    /// The player is gone: everything is let go and forgotten.
    PlayerLeft,
    /// Inputs were lost: everything is let go.
    Lost,
    /// The end, which no input is worth waiting for.
    Stop,
}

/// Commands in order, and a file that becomes readable when there are some.
#[derive(Debug)]
pub(crate) struct Queue {
    commands: Mutex<VecDeque<Command>>,
    wake: EventFd,
}

impl Queue {
    pub(crate) fn new() -> nix::Result<Self> {
        let wake = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Self { commands: Mutex::default(), wake })
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Command>> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Never waits for the thread.
    pub(crate) fn push(&self, command: Command) {
        let mut commands = self.lock();
        let first = commands.is_empty();
        if matches!(command, Command::Input(..)) && commands.len() >= LIMIT {
            commands.retain(|c| !matches!(c, Command::Input(..) | Command::Lost));
            commands.push_back(Command::Lost);
        }
        if matches!(command, Command::Stop) {
            commands.retain(|c| !matches!(c, Command::Input(..)));
        }
        commands.push_back(command);
        drop(commands);
        if first {
            // It can only fail when it is readable already.
            let _ = self.wake.write(1);
        }
    }

    /// The oldest commands, behind those in `into`; at most [`TURN`]. While there are more, the
    /// file stays readable.
    pub(crate) fn take(&self, into: &mut VecDeque<Command>) {
        let _ = self.wake.read();
        let mut commands = self.lock();
        let n = commands.len().min(TURN);
        into.extend(commands.drain(..n));
        if !commands.is_empty() {
            let _ = self.wake.write(1);
        }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use stratus_frame::input::InputEvent;

    use super::*;

    fn input(id: u64) -> Command {
        let input = Input { id, time: MonoTime::UNSET, event: InputEvent::Release };
        Command::Input(input, MonoTime::UNSET)
    }

    #[test]
    fn what_nobody_takes_is_let_go() {
        let queue = Queue::new().unwrap();
        for id in 1..=LIMIT as u64 + 1 {
            queue.push(input(id));
        }
        queue.push(Command::PlayerLeft);
        let mut taken = VecDeque::new();
        queue.take(&mut taken);
        let last = LIMIT as u64 + 1;
        assert!(matches!(
            taken.make_contiguous(),
            [Command::Lost, Command::Input(Input { id, .. }, _), Command::PlayerLeft]
                if *id == last
        ));
        taken.clear();
        queue.take(&mut taken);
        assert!(taken.is_empty());
    }

    #[test]
    fn the_end_overtakes_inputs_that_wait() {
        let queue = Queue::new().unwrap();
        let is_readable = || {
            let mut fds = [PollFd::new(queue.fd(), PollFlags::POLLIN)];
            poll(&mut fds, PollTimeout::ZERO).unwrap() == 1
        };
        let many = 3 * TURN as u64;
        for id in 1..=many {
            queue.push(input(id));
        }
        let mut taken = VecDeque::new();
        queue.take(&mut taken);
        assert!(taken.len() == TURN && is_readable(), "the others wait");
        queue.push(Command::PlayerLeft);
        queue.push(Command::Stop);
        taken.clear();
        queue.take(&mut taken);
        assert!(matches!(taken.make_contiguous(), [Command::PlayerLeft, Command::Stop]));
        assert!(!is_readable());
    }
}
