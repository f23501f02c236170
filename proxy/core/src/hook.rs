//! How others look at messages that pass, and change them.
//!
//! A hook names the messages that it wants ([`Hook::interests`]); all others never reach it and
//! cost it nothing. It answers with a [`Verdict`] and may queue messages of its own through the
//! [`Context`]; it never writes to a socket.

use stratus_protocols::InterfaceId;

use crate::objects::Objects;
use crate::{Malformed, Message, ObjectId, Seen, Writer};

/// Names one client's connection for as long as the proxy runs; never used anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the compositor.
    Request,
    /// From the compositor to the client.
    Event,
}

impl Direction {
    /// The way back.
    pub(crate) const fn opposite(self) -> Self {
        match self {
            Self::Request => Self::Event,
            Self::Event => Self::Request,
        }
    }
}

/// One kind of message that a hook wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interest {
    /// The interface it belongs to.
    pub interface: InterfaceId,
    /// Request or event.
    pub direction: Direction,
    /// Its number, by name from `stratus_protocols`.
    pub opcode: u16,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on, with any [`Message::patch`] applied.
    Forward,
    /// It ends here. Never for a message that carries a new id or an fd: the ids of the two
    /// sides would part.
    Drop,
}

/// What is known of one object of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its interface.
    pub interface: InterfaceId,
    /// The version that it was made with.
    pub version: u32,
    /// Whether its destructor was sent. Events may still come until `wl_display.delete_id`.
    pub destroyed: bool,
    /// What the hook stored with it.
    pub data: u64,
}

/// Looks at one client's messages and answers each with a verdict.
///
/// A new id is registered before the hook sees the message, so that [`Context::set_data`] works
/// on it; a destructor takes effect after the hook has seen it.
pub trait Hook {
    /// The messages it wants to see. Asked once, when the proxy starts.
    fn interests(&self) -> Vec<Interest>;

    /// A client connected. `process` is its id where the kernel knows it.
    fn client_added(&mut self, client: ClientId, process: Option<u32>) {
        let _ = (client, process);
    }

    /// A request that it is interested in passes.
    ///
    /// # Errors
    /// [`Malformed`] if the arguments are not what the signature says: that client's session ends.
    fn request(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Message<'_>,
    ) -> Result<Verdict, Malformed>;

    /// An event that it is interested in passes.
    ///
    /// # Errors
    /// As for [`Hook::request`].
    fn event(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Message<'_>,
    ) -> Result<Verdict, Malformed>;

    /// A client's session ended; nothing of it may be used any more.
    fn client_gone(&mut self, client: ClientId) {
        let _ = client;
    }

    /// A client for which [`Hook::inject`] has something to say, until there is none.
    fn poll_ready(&mut self) -> Option<ClientId> {
        None
    }

    /// Queues messages that no passing message caused, for `cx.client()`.
    fn inject(&mut self, cx: &mut Context<'_>) {
        let _ = cx;
    }

    /// When [`Hook::handle_timeout`] wants to be called, in CLOCK_MONOTONIC nanoseconds.
    fn poll_deadline(&self) -> Option<u64> {
        None
    }

    /// The deadline, or any later moment, has come.
    fn handle_timeout(&mut self, now_ns: u64) {
        let _ = now_ns;
    }

    /// Whether it wants to be shown every message, its interests aside. The proxy asks after each
    /// wake-up, see [`crate::Session::set_observed`].
    fn observes(&self) -> bool {
        false
    }

    /// Something happened to a message of a session that is observed.
    fn observe(&mut self, seen: &Seen<'_>) {
        let _ = seen;
    }
}

/// A hook that wants nothing: every message passes.
#[derive(Clone, Copy, Debug, Default)]
pub struct PassThrough;

impl Hook for PassThrough {
    fn interests(&self) -> Vec<Interest> {
        Vec::new()
    }

    fn request(
        &mut self,
        _cx: &mut Context<'_>,
        _message: &mut Message<'_>,
    ) -> Result<Verdict, Malformed> {
        Ok(Verdict::Forward)
    }

    fn event(
        &mut self,
        _cx: &mut Context<'_>,
        _message: &mut Message<'_>,
    ) -> Result<Verdict, Malformed> {
        Ok(Verdict::Forward)
    }
}

/// What a hook can see and do beside the message at hand.
pub struct Context<'a> {
    pub(crate) client: ClientId,
    pub(crate) now_ns: u64,
    pub(crate) objects: &'a mut Objects,
    pub(crate) requests: &'a mut Vec<u8>,
    pub(crate) events: &'a mut Vec<u8>,
}

impl Context<'_> {
    /// Whose session this is.
    #[must_use]
    pub fn client(&self) -> ClientId {
        self.client
    }

    /// When the bytes at hand came out of the socket, in CLOCK_MONOTONIC nanoseconds.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// What is known of object `id`, zombies included.
    #[must_use]
    pub fn object(&self, id: ObjectId) -> Option<Object> {
        self.objects.lookup(id)
    }

    /// Stores `data` with object `id`. It comes back as [`Message::data`] and [`Object::data`]
    /// and is 0 again when the id is used anew. Does nothing if there is no such object.
    pub fn set_data(&mut self, id: ObjectId, data: u64) {
        self.objects.set_data(id, data);
    }

    /// Queues a request of our own: before the request at hand, or at the end of what goes to
    /// the compositor if an event is at hand. It must carry no new id and no fd.
    pub fn send_request(
        &mut self,
        sender: ObjectId,
        opcode: u16,
        args: impl FnOnce(&mut Writer<'_>),
    ) {
        Writer::message(self.requests, sender, opcode, args);
    }

    /// Queues an event of our own: before the event at hand, or at the end of what goes to the
    /// client if a request is at hand. It must carry no new id and no fd.
    pub fn send_event(
        &mut self,
        sender: ObjectId,
        opcode: u16,
        args: impl FnOnce(&mut Writer<'_>),
    ) {
        Writer::message(self.events, sender, opcode, args);
    }
}
