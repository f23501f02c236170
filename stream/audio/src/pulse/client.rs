//! One connection: what it sent, what it is to be sent, what it said of itself.

use pulseaudio::protocol::{
    Command, CommandReply, Prop, Props, PulseError, SubscriptionMask, encode_command_message,
    encode_reply_message, write_ack_message, write_error,
};

use super::wire::Splitter;

/// What may wait for a client that does not read, bytes. Above that it is let go.
const MAX_WAITING: usize = 1024 * 1024;
/// What is kept of the properties of a client or a stream, bytes.
const MAX_PROPS: usize = 8 * 1024;

/// A client's connection.
#[derive(Debug, Default)]
pub(crate) struct Client {
    pub(super) splitter: Splitter,
    /// The version that both speak; nothing before it said who it is.
    pub(super) version: Option<u16>,
    pub(super) props: Props,
    pub(super) subscribed: SubscriptionMask,
    out: Vec<u8>,
    /// Bytes at the front of `out` that went.
    sent: usize,
    stalled: bool,
}

impl Client {
    /// The bytes to be sent next.
    pub(crate) fn waiting(&self) -> &[u8] {
        &self.out[self.sent..]
    }

    /// `n` of them went.
    pub(crate) fn sent(&mut self, n: usize) {
        self.sent += n;
        if self.sent >= self.out.len() {
            self.out.clear();
            self.sent = 0;
        }
    }

    /// Whether too much waits for it.
    pub(crate) fn is_stalled(&self) -> bool {
        self.stalled
    }

    /// Appends what `write` makes, unless too much waits already.
    fn put<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) {
        if self.out.len() - self.sent > MAX_WAITING {
            self.stalled = true;
            return;
        }
        if self.sent > MAX_WAITING {
            self.out.drain(..self.sent);
            self.sent = 0;
        }
        let before = self.out.len();
        // Writing to memory fails only for messages of 4 GiB.
        if write(&mut self.out).is_err() {
            self.out.truncate(before);
        }
    }

    fn version(&self) -> u16 {
        self.version.unwrap_or(pulseaudio::protocol::MIN_VERSION)
    }

    pub(super) fn reply<R: CommandReply>(&mut self, tag: u32, reply: &R) {
        let version = self.version();
        self.put(|out| {
            let mut message = Vec::new();
            encode_reply_message(&mut message, tag, reply, version)?;
            out.extend_from_slice(&message);
            Ok::<_, pulseaudio::protocol::ProtocolError>(())
        });
    }

    pub(super) fn ack(&mut self, tag: u32) {
        self.put(|out| write_ack_message(out, tag));
    }

    pub(super) fn refuse(&mut self, tag: u32, error: PulseError) {
        self.put(|out| write_error(out, tag, &error));
    }

    /// Sends a command that answers none.
    pub(super) fn tell(&mut self, command: &Command) {
        let version = self.version();
        self.put(|out| {
            let mut message = Vec::new();
            encode_command_message(&mut message, u32::MAX, command, version)?;
            out.extend_from_slice(&message);
            Ok::<_, pulseaudio::protocol::ProtocolError>(())
        });
    }
}

/// What is kept of `props`: all of them, or just the names if they are many.
pub(super) fn bounded(props: Props) -> Props {
    let size: usize = props.iter().map(|(k, v)| k.count_bytes() + v.len()).sum();
    if size <= MAX_PROPS {
        return props;
    }
    let mut kept = Props::new();
    for prop in [Prop::MediaName, Prop::ApplicationName] {
        if let Some(value) = props.get(prop).filter(|v| v.len() <= MAX_PROPS / 4) {
            kept.set_bytes(prop.to_c_str(), value);
        }
    }
    kept
}
