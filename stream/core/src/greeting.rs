//! The server's view of a peer that has not been let in.

use std::time::Duration;

use stratus_frame::MonoTime;

use crate::VERSION;
use crate::message::{Hello, Message, Messages, Refusal, RefusalCode, Role};
use crate::token::Tokens;

/// What a peer said, and as what its token lets it in; or why it is turned away.
pub type Verdict = Result<(Hello, Role), Refusal>;

/// Waits for one good hello.
///
/// Feed with [`Greeting::handle_bytes`] and [`Greeting::handle_end`], then call
/// [`Greeting::poll`]; call it again at [`Greeting::deadline`].
#[derive(Debug)]
pub struct Greeting {
    messages: Messages,
    ended: bool,
    started: MonoTime,
    patience: Duration,
}

impl Greeting {
    /// A peer that connected at `now` and has `patience` to say hello.
    #[must_use]
    pub fn new(now: MonoTime, patience: Duration) -> Self {
        Self { messages: Messages::default(), ended: false, started: now, patience }
    }

    /// When the peer is refused for saying nothing.
    #[must_use]
    pub const fn deadline(&self) -> MonoTime {
        self.started.after(self.patience)
    }

    /// Bytes of the peer's control stream.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        self.messages.handle_bytes(bytes);
    }

    /// The peer's control stream is at its end.
    pub fn handle_end(&mut self) {
        self.ended = true;
    }

    /// What to do with the peer: nothing yet, let it in as its token says, or turn it away.
    ///
    /// The version is compared before the token: a client that speaks another version cannot
    /// know better, and learns nothing of the token by that.
    pub fn poll(&mut self, now: MonoTime, tokens: &Tokens) -> Option<Verdict> {
        match self.messages.poll() {
            Err(e) => Some(Err(Refusal::from(&e))),
            Ok(Some(Message::Hello(hello))) => Some(check(hello, tokens)),
            Ok(Some(other)) => Some(Err(Refusal {
                code: RefusalCode::Unexpected,
                text: format!("the first message must be hello, but this is {}", other.name()),
            })),
            Ok(None) if self.ended => Some(Err(Refusal {
                code: RefusalCode::Malformed,
                text: "the control stream ended before a whole hello".to_owned(),
            })),
            Ok(None) if now >= self.deadline() => Some(Err(Refusal {
                code: RefusalCode::HelloTimeout,
                text: format!("no hello came within {} ms", self.patience.as_millis()),
            })),
            Ok(None) => None,
        }
    }

    /// The control stream behind the hello.
    #[must_use]
    pub fn into_messages(self) -> Messages {
        self.messages
    }
}

fn check(hello: Hello, tokens: &Tokens) -> Verdict {
    if hello.version != VERSION {
        let theirs = hello.version;
        let text = format!(
            "the server speaks stratus/1 version {VERSION}, the player version {theirs}: \
             update the older of them"
        );
        return Err(Refusal { code: RefusalCode::Version, text });
    }
    let Some(role) = tokens.role(&hello.token) else {
        let text = "the link's token is not that of this session: copy the link that the \
                    running session printed"
            .to_owned();
        return Err(Refusal { code: RefusalCode::Token, text });
    };
    Ok((hello, role))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::message::{ClientId, MachineTag};
    use crate::token::Token;
    use bytes::BytesMut;

    const PATIENCE: Duration = Duration::from_secs(1);

    fn start() -> (Greeting, MonoTime, Tokens) {
        let now = MonoTime::from_nanos(50);
        let tokens = Tokens { player: Token::new([7; 32]), viewers: Some(Token::new([6; 32])) };
        (Greeting::new(now, PATIENCE), now, tokens)
    }

    fn hello(version: u16, token: u8) -> BytesMut {
        let mut out = BytesMut::new();
        Message::Hello(Hello {
            version,
            token: Token::new([token; 32]),
            machine: MachineTag::default(),
            name: "a client".to_owned(),
            client: ClientId::default(),
        })
        .encode(&mut out);
        out
    }

    #[test]
    fn a_good_hello_byte_by_byte() {
        let (mut greeting, now, token) = start();
        let bytes = hello(VERSION, 7);
        for b in &bytes[..bytes.len() - 1] {
            greeting.handle_bytes(&[*b]);
            assert_eq!(greeting.poll(now, &token), None);
        }
        greeting.handle_bytes(&bytes[bytes.len() - 1..]);
        greeting.handle_bytes(&[0, 6]);
        let (hello, role) = greeting.poll(now, &token).unwrap().unwrap();
        assert_eq!((hello.name.as_str(), role), ("a client", Role::Player));
        assert!(!greeting.into_messages().is_between_messages(), "the rest must not be lost");
    }

    #[test]
    fn the_other_token_lets_a_viewer_in() {
        let (mut greeting, now, tokens) = start();
        greeting.handle_bytes(&hello(VERSION, 6));
        assert_eq!(greeting.poll(now, &tokens).unwrap().unwrap().1, Role::Viewer);
    }

    #[test]
    fn each_fault_has_its_refusal() {
        let refused = |bytes: &[u8], end: bool, late: bool| {
            let (mut greeting, now, token) = start();
            greeting.handle_bytes(bytes);
            if end {
                greeting.handle_end();
            }
            let now = if late { greeting.deadline() } else { now };
            let Some(Err(refusal)) = greeting.poll(now, &token) else { panic!("let in") };
            refusal
        };
        assert_eq!(refused(&hello(VERSION, 8), false, false).code, RefusalCode::Token);
        let version = refused(&hello(9, 8), false, false);
        assert_eq!(version.code, RefusalCode::Version);
        assert!(version.text.contains("version 1") && version.text.contains("version 9"));
        let mut ping = BytesMut::new();
        Message::Ping { sent: MonoTime::from_nanos(1) }.encode(&mut ping);
        assert_eq!(refused(&ping, false, false).code, RefusalCode::Unexpected);
        assert_eq!(refused(&[0, 1, 0, 1, 0, 1], false, false).code, RefusalCode::TooLarge);
        assert_eq!(refused(&[0, 1, 0, 0, 0, 1, 0], false, false).code, RefusalCode::Malformed);
        assert_eq!(refused(&[0, 1], true, false).code, RefusalCode::Malformed);
        assert_eq!(refused(&[0, 1], false, true).code, RefusalCode::HelloTimeout);
    }
}
