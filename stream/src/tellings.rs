//! What the player is told of gamepads and of the clipboard.
//!
//! A game may set its clipboard as often and to as much as it likes, and the control stream goes
//! before all frames. So texts leave at a bounded rate, a part at a time: frames have the rest of
//! the link, and a cursor, or the answer to a ping, waits for [`BURST`] bytes of texts at most.

use std::time::Duration;

use stratus_frame::MonoTime;
use stratus_frame::input::MAX_PADS;
use stratus_stream_core::clipboard::{MAX_CLIPBOARD_PART, parts};
use stratus_stream_core::message::{Message, Role};
use tokio::sync::watch;

use crate::hub::Wishes;

/// What texts may take of the player's link in the long run: 256 KiB a second.
const NS_PER_BYTE: u64 = 1_000_000_000 / (256 * 1024);
/// How much of that may be used at once: most of what people copy.
const BURST: u64 = 2 * MAX_CLIPBOARD_PART as u64;
/// The part before the last of a burst may still be unpaid.
const CREDIT: Duration = Duration::from_nanos((BURST - MAX_CLIPBOARD_PART as u64) * NS_PER_BYTE);

/// What was told to one client, and what is still to be said of a text that was begun.
pub(crate) struct Tellings {
    role: Role,
    clipboard: bool,
    rumble: [u64; MAX_PADS as usize],
    text: u64,
    rest: Option<Box<dyn Iterator<Item = Message> + Send>>,
    /// When the parts that were sent so far will have been paid for.
    paid: MonoTime,
    /// When the next may be sent, if one waits.
    due: Option<MonoTime>,
}

impl Tellings {
    /// For a client that joins now: what was said before is not for it.
    pub(crate) fn new(wishes: &mut watch::Receiver<Wishes>, role: Role, clipboard: bool) -> Self {
        let now = wishes.borrow_and_update();
        let rumble = now.rumble.map(|pad| pad.map_or(0, |(made, _)| made));
        let text = now.clipboard.as_ref().map_or(0, |(made, _)| *made);
        Self { role, clipboard, rumble, text, rest: None, paid: MonoTime::default(), due: None }
    }

    /// The next message, if there is one at `now`: a motor's before a part of a text, of which the
    /// newest begins when the one before has ended. Viewers hear nothing. If a part has to wait,
    /// [`Tellings::poll_timeout`] says until when.
    pub(crate) fn poll(
        &mut self,
        wishes: &mut watch::Receiver<Wishes>,
        now: MonoTime,
    ) -> Option<Message> {
        self.due = None;
        if self.role != Role::Player {
            return None;
        }
        let wishes = wishes.borrow_and_update();
        for (told, wish) in self.rumble.iter_mut().zip(&wishes.rumble) {
            if let Some((made, rumble)) = wish.filter(|(made, _)| made != told) {
                *told = made;
                return Some(Message::Rumble(rumble));
            }
        }
        let newer = wishes.clipboard.as_ref().filter(|(made, _)| *made != self.text);
        if !self.clipboard || (self.rest.is_none() && newer.is_none()) {
            return None;
        }
        let earliest = MonoTime::from_nanos(self.paid.as_nanos().saturating_sub(nanos(CREDIT)));
        if earliest > now {
            self.due = Some(earliest);
            return None;
        }
        if let (None, Some((made, text))) = (&self.rest, newer) {
            self.text = *made;
            self.rest = Some(Box::new(parts(text)));
        }
        let part = self.rest.as_mut().and_then(Iterator::next);
        if let Some(Message::Clipboard(part)) = &part {
            let cost = Duration::from_nanos(part.bytes.len() as u64 * NS_PER_BYTE);
            self.paid = self.paid.max(now).after(cost);
            if part.last {
                self.rest = None;
            }
        }
        part
    }

    /// When to call [`Tellings::poll`] again if nothing else happens.
    pub(crate) fn poll_timeout(&self) -> Option<MonoTime> {
        self.due
    }
}

const fn nanos(d: Duration) -> u64 {
    d.as_secs() * 1_000_000_000 + d.subsec_nanos() as u64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use stratus_frame::input::Rumble;
    use stratus_stream_core::clipboard::ClipboardText;

    use super::*;

    const fn at(ms: u64) -> MonoTime {
        MonoTime::from_nanos(1_000_000_000 + ms * 1_000_000)
    }

    fn copy(wishes: &watch::Sender<Wishes>, made: u64, text: &str) {
        wishes.send_modify(|wishes| wishes.clipboard = Some((made, text.into())));
    }

    /// All that may be sent at `now`: the bytes of texts, and the texts that ended.
    fn send(
        tellings: &mut Tellings,
        wishes: &mut watch::Receiver<Wishes>,
        text: &mut ClipboardText,
        now: MonoTime,
    ) -> (u64, Vec<String>) {
        let (mut bytes, mut whole) = (0, Vec::new());
        while let Some(message) = tellings.poll(wishes, now) {
            let Message::Clipboard(part) = message else { continue };
            bytes += part.bytes.len() as u64;
            whole.extend(text.handle_part(&part).unwrap());
        }
        (bytes, whole)
    }

    #[test]
    fn a_game_that_copies_without_end_leaves_the_link_to_the_frames() {
        let (wishes, mut watched) = watch::channel(Wishes::default());
        let mut tellings = Tellings::new(&mut watched, Role::Player, true);
        let mut text = ClipboardText::default();
        let (mut sent, mut came) = (0, Vec::new());
        const SECONDS: u64 = 20;
        for ms in 0..SECONDS * 1000 {
            if ms.is_multiple_of(200) {
                let letter = char::from(b'a' + (ms / 200 % 26) as u8);
                copy(&wishes, ms + 1, &String::from(letter).repeat(1 << 20));
            }
            let (bytes, whole) = send(&mut tellings, &mut watched, &mut text, at(ms));
            assert!(bytes <= BURST, "{bytes} bytes at once");
            sent += bytes;
            came.extend(whole);
            let allowed = BURST + (ms + 1) * 256 * 1024 / 1000 + MAX_CLIPBOARD_PART as u64;
            assert!(sent <= allowed, "{sent} bytes in {ms} ms");
        }
        assert!(sent > (SECONDS - 1) * 256 * 1024, "and no less than it may: {sent}");
        assert!(came.len() as u64 >= SECONDS / 4 - 1, "{} texts came", came.len());
        for text in came {
            let first = text.chars().next().unwrap();
            assert!(text.len() == 1 << 20 && text.chars().all(|c| c == first), "one is mixed");
        }
    }

    #[test]
    fn a_motor_does_not_wait_for_a_text_and_what_is_copied_last_comes() {
        let (wishes, mut watched) = watch::channel(Wishes::default());
        let mut tellings = Tellings::new(&mut watched, Role::Player, true);
        let mut text = ClipboardText::default();
        copy(&wishes, 1, "short");
        let (_, whole) = send(&mut tellings, &mut watched, &mut text, at(0));
        assert_eq!((whole, tellings.poll_timeout()), (vec!["short".into()], None), "at once");
        copy(&wishes, 2, &"x".repeat(100_000));
        let (_, whole) = send(&mut tellings, &mut watched, &mut text, at(0));
        assert!(whole.is_empty() && tellings.poll_timeout() > Some(at(0)));
        let rumble = Rumble { pad: 0, strong: 1, weak: 2, duration_ms: 3 };
        wishes.send_modify(|wishes| wishes.rumble[0] = Some((3, rumble)));
        let next = tellings.poll(&mut watched, at(0));
        assert!(matches!(next, Some(Message::Rumble(told)) if told == rumble), "{next:?}");
        copy(&wishes, 4, "not this");
        copy(&wishes, 5, "this");
        let mut came = Vec::new();
        let mut now = at(0);
        for _ in 0..20 {
            came.extend(send(&mut tellings, &mut watched, &mut text, now).1);
            let Some(due) = tellings.poll_timeout() else { break };
            assert!(due > now, "it does not spin");
            now = due;
        }
        assert_eq!((came.len(), came.last().unwrap().as_str()), (2, "this"));
    }
}
