//! A hook that does as it was told, and what it can be told.

use std::collections::VecDeque;

use stratus_protocols::InterfaceId;
use stratus_proxy_core::{
    Context, Direction, Hook, Interest, Malformed, Message, ObjectId, Seen, Step, Verdict,
};

use crate::fds::Mark;
use crate::input::Input;

/// A message of the hook's own.
#[derive(Clone, Debug)]
pub struct Own {
    /// From, or to, which object.
    pub sender: u32,
    /// Which message.
    pub opcode: u16,
    /// Its arguments.
    pub words: Vec<u32>,
}

impl Own {
    /// One chosen by `input`: most often a `delete_id`, which has consequences.
    pub fn read(input: &mut Input<'_>) -> Self {
        match input.byte() {
            choice @ 0..=127 => {
                Self { sender: 1, opcode: 1, words: vec![u32::from(choice & 15) + 1] }
            }
            choice => {
                let words = (0..choice & 3).map(|_| input.number()).collect();
                Self { sender: input.number(), opcode: u16::from(input.byte() & 15), words }
            }
        }
    }

    /// It, as it is on the wire.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        crate::model::message(self.sender, self.opcode, &self.words)
    }
}

/// What the hook does with one message.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Nothing.
    Forward,
    /// Drops it.
    Drop,
    /// Overwrites a word of it.
    Patch(usize, u32),
    /// Finds its arguments wrong.
    Fail,
    /// Stores this with the sender.
    Data(u64),
    /// Sends messages of its own; then drops the message or not.
    Say {
        /// To the compositor.
        request: Option<Own>,
        /// To the client.
        event: Option<Own>,
        /// Whether the message at hand ends here.
        drops: bool,
    },
}

impl Answer {
    /// One chosen by `input`.
    pub fn read(input: &mut Input<'_>) -> Self {
        let choice = input.byte();
        match choice & 7 {
            0 => Self::Forward,
            1 | 2 => Self::Drop,
            3 => Self::Patch(usize::from(choice >> 3 & 7), input.number()),
            4 if choice == 0xfc => Self::Fail,
            4 => Self::Data(u64::from(choice)),
            _ => {
                let mut own = |bit: u8| (choice & bit != 0).then(|| Own::read(input));
                Self::Say { request: own(8), event: own(16), drops: choice & 32 != 0 }
            }
        }
    }
}

/// What the hook was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A message that it has a say in, and what was stored with its object.
    Asked(u64, Shown),
    /// A message that it observes. Of the proxy's own error, whose text is the proxy's business,
    /// only the arguments in front of that.
    Seen(Step, Shown),
}

/// A message as it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Request or event.
    pub direction: Direction,
    /// The object.
    pub sender: u32,
    /// Its interface.
    pub interface: InterfaceId,
    /// Its version.
    pub version: u32,
    /// Which message.
    pub opcode: u16,
    /// The arguments.
    pub body: Vec<u8>,
    /// Its fds.
    pub fds: Vec<Mark>,
}

/// Whether the hook wants to see a message: a third of all, and those that the proxy acts on.
#[must_use]
pub fn is_of_interest(interface: InterfaceId, direction: Direction, opcode: u16) -> bool {
    let own = matches!(interface, InterfaceId::WlDisplay | InterfaceId::WlRegistry);
    let way = u32::from(direction == Direction::Event);
    own || (interface as u32 * 7 + u32::from(opcode) * 5 + way).is_multiple_of(3)
}

/// The hook.
#[derive(Debug, Default)]
pub struct Scripted {
    /// What it will answer, in order; `Forward` when there is nothing left.
    pub answers: VecDeque<Answer>,
    /// What it was shown.
    pub notes: Vec<Note>,
    /// What it says at the next [`Hook::inject`].
    pub injections: Vec<(Direction, Own)>,
}

/// Says one of its own messages.
fn say(cx: &mut Context<'_>, direction: Direction, own: &Own) {
    let args = |w: &mut stratus_proxy_core::Writer<'_>| {
        for word in &own.words {
            w.uint(*word);
        }
    };
    match direction {
        Direction::Request => cx.send_request(ObjectId(own.sender), own.opcode, args),
        Direction::Event => cx.send_event(ObjectId(own.sender), own.opcode, args),
    }
}

impl Scripted {
    fn answer(
        &mut self,
        direction: Direction,
        cx: &mut Context<'_>,
        message: &mut Message<'_>,
    ) -> Result<Verdict, Malformed> {
        let mut args = message.args();
        let fds = std::iter::from_fn(|| args.fd().ok()).map(|fd| Mark::of(&fd)).collect();
        let Message { sender, interface, version, opcode, data, .. } = *message;
        let (sender, body) = (sender.0, message.body().to_vec());
        let shown = Shown { direction, sender, interface, version, opcode, body, fds };
        assert_eq!(message.fd_count(), shown.fds.len(), "the fds of a message are lent with it");
        self.notes.push(Note::Asked(data, shown));
        match self.answers.pop_front().unwrap_or(Answer::Forward) {
            Answer::Forward => Ok(Verdict::Forward),
            Answer::Drop => Ok(Verdict::Drop),
            Answer::Patch(word, value) => message.patch(word, value).map(|()| Verdict::Forward),
            Answer::Fail => Err(Malformed),
            Answer::Data(data) => {
                cx.set_data(message.sender, data);
                Ok(Verdict::Forward)
            }
            Answer::Say { request, event, drops } => {
                for (direction, own) in [(Direction::Request, request), (Direction::Event, event)] {
                    if let Some(own) = own {
                        say(cx, direction, &own);
                    }
                }
                Ok(if drops { Verdict::Drop } else { Verdict::Forward })
            }
        }
    }
}

impl Hook for Scripted {
    fn interests(&self) -> Vec<Interest> {
        let mut all = Vec::new();
        for &interface in InterfaceId::ALL {
            for direction in [Direction::Request, Direction::Event] {
                let count = crate::model::messages(interface, direction).len() as u16;
                let wanted = (0..count).filter(|&o| is_of_interest(interface, direction, o));
                all.extend(wanted.map(|opcode| Interest { interface, direction, opcode }));
            }
        }
        all
    }

    fn request(&mut self, cx: &mut Context<'_>, m: &mut Message<'_>) -> Result<Verdict, Malformed> {
        self.answer(Direction::Request, cx, m)
    }

    fn event(&mut self, cx: &mut Context<'_>, m: &mut Message<'_>) -> Result<Verdict, Malformed> {
        self.answer(Direction::Event, cx, m)
    }

    fn observes(&self) -> bool {
        true
    }

    fn observe(&mut self, seen: &Seen<'_>) {
        let Seen { direction, step, interface, version, opcode, .. } = *seen;
        let mut body = seen.body().to_vec();
        let is_error = interface == InterfaceId::WlDisplay && opcode == 0;
        if step == Step::Own && direction == Direction::Event && is_error && body.len() > 8 {
            body.truncate(8);
        }
        let fds = seen.fds().iter().map(Mark::of).collect();
        let sender = seen.sender.0;
        let shown = Shown { direction, sender, interface, version, opcode, body, fds };
        self.notes.push(Note::Seen(step, shown));
    }

    fn inject(&mut self, cx: &mut Context<'_>) {
        for (direction, own) in std::mem::take(&mut self.injections) {
            say(cx, direction, &own);
        }
    }
}
