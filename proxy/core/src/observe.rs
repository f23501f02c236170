//! How others watch all messages without a say in them.
//!
//! A [`crate::Hook`] answers for the few messages that it asked for. An [`Observer`] is shown
//! every message of every client for as long as it is [`Observer::active`], with what became of
//! it. [`Observed`] joins the two. While no observer is active the sessions run with other tables,
//! in which nothing is flagged for it: observing costs nothing when nobody does.

use std::os::fd::OwnedFd;

use stratus_protocols::InterfaceId;

use crate::objects::Objects;
use crate::{
    Args, ClientId, Context, Direction, Hook, Interest, Malformed, Message, Object, ObjectId,
    Verdict,
};

/// What happened to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// It came, as its sender wrote it: before its arguments were checked, before the object that
    /// it makes was registered, and before anyone changed it. Each message comes once, in order;
    /// also one that then ends the session, unless its object or opcode is not known.
    Came,
    /// It goes on with other bytes than it came with: the hook patched it, or the version of a
    /// global was lowered. Follows its [`Step::Came`].
    Changed,
    /// It ends here: hidden by the policy, or dropped by the hook. Follows its [`Step::Came`].
    Dropped,
    /// It came from neither peer: the hook queued it, or the proxy itself (`wl_display.error`).
    /// What a hook queues on seeing a message is shown after that message came, and leaves before
    /// it if it goes the same way.
    Own,
}

/// One thing that happened to one message, for those who watch.
///
/// A message goes through at most two steps, `Came` and then `Changed` or `Dropped`; nothing but
/// the `Own` ones that it caused comes between.
pub struct Seen<'a> {
    /// Whose session it is.
    pub client: ClientId,
    /// When the message came out of the socket, in CLOCK_MONOTONIC nanoseconds; for an own one,
    /// when what caused it did.
    pub now_ns: u64,
    /// Which way it goes.
    pub direction: Direction,
    /// What happened to it.
    pub step: Step,
    /// The object that it is sent to (a request) or from (an event).
    pub sender: ObjectId,
    /// The interface of that object.
    pub interface: InterfaceId,
    /// The version that the object was made with.
    pub version: u32,
    /// Which message of the interface; the interface has one of this number.
    pub opcode: u16,
    pub(crate) body: &'a [u8],
    pub(crate) fds: &'a [OwnedFd],
    pub(crate) objects: &'a Objects,
}

impl<'a> Seen<'a> {
    /// The arguments, from the first. Nobody has checked them against the signature.
    #[must_use]
    pub fn args(&self) -> Args<'a> {
        Args::new(self.body, self.fds)
    }

    /// The bytes of all arguments, as they are on the wire.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The fds that came with it, still open; fewer than the signature has if its sender sent too
    /// few. None for an own message.
    #[must_use]
    pub fn fds(&self) -> &'a [OwnedFd] {
        self.fds
    }

    /// What is known of object `id`, zombies included: names the objects among the arguments. A
    /// new id is not known yet when its message came; its interface is in the signature, or for
    /// `wl_registry.bind` in the arguments.
    #[must_use]
    pub fn object(&self, id: ObjectId) -> Option<Object> {
        self.objects.lookup(id)
    }
}

/// Watches what passes. It is called on the proxy's thread and must not wait for anything.
pub trait Observer {
    /// Whether it wants to be shown messages. Asked after each wake-up of the proxy's loop; ring
    /// its waker to be asked soon.
    fn active(&self) -> bool;

    /// A client connected; told whether active or not. `process` is its id where the kernel knows.
    fn client_added(&mut self, client: ClientId, process: Option<u32>) {
        let _ = (client, process);
    }

    /// Something happened to a message.
    fn seen(&mut self, seen: &Seen<'_>);

    /// A client's session ended; told whether active or not.
    fn client_gone(&mut self, client: ClientId) {
        let _ = client;
    }
}

/// Nobody watches.
impl Observer for () {
    fn active(&self) -> bool {
        false
    }

    fn seen(&mut self, _seen: &Seen<'_>) {}
}

/// Maybe somebody watches.
impl<O: Observer> Observer for Option<O> {
    fn active(&self) -> bool {
        self.as_ref().is_some_and(O::active)
    }

    fn client_added(&mut self, client: ClientId, process: Option<u32>) {
        if let Some(observer) = self {
            observer.client_added(client, process);
        }
    }

    fn seen(&mut self, seen: &Seen<'_>) {
        if let Some(observer) = self {
            observer.seen(seen);
        }
    }

    fn client_gone(&mut self, client: ClientId) {
        if let Some(observer) = self {
            observer.client_gone(client);
        }
    }
}

/// Two watch, each only while it is active itself.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn active(&self) -> bool {
        self.0.active() || self.1.active()
    }

    fn client_added(&mut self, client: ClientId, process: Option<u32>) {
        self.0.client_added(client, process);
        self.1.client_added(client, process);
    }

    fn seen(&mut self, seen: &Seen<'_>) {
        if self.0.active() {
            self.0.seen(seen);
        }
        if self.1.active() {
            self.1.seen(seen);
        }
    }

    fn client_gone(&mut self, client: ClientId) {
        self.0.client_gone(client);
        self.1.client_gone(client);
    }
}

/// A hook that somebody watches, unknown to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Observed<H, O> {
    /// Has its say in the messages as if alone.
    pub hook: H,
    /// Is shown all of them, and what the hook did.
    pub observer: O,
}

impl<H: Hook, O: Observer> Hook for Observed<H, O> {
    fn interests(&self) -> Vec<Interest> {
        self.hook.interests()
    }

    fn client_added(&mut self, client: ClientId, process: Option<u32>) {
        self.hook.client_added(client, process);
        self.observer.client_added(client, process);
    }

    fn request(&mut self, cx: &mut Context<'_>, m: &mut Message<'_>) -> Result<Verdict, Malformed> {
        self.hook.request(cx, m)
    }

    fn event(&mut self, cx: &mut Context<'_>, m: &mut Message<'_>) -> Result<Verdict, Malformed> {
        self.hook.event(cx, m)
    }

    fn client_gone(&mut self, client: ClientId) {
        self.hook.client_gone(client);
        self.observer.client_gone(client);
    }

    fn poll_ready(&mut self) -> Option<ClientId> {
        self.hook.poll_ready()
    }

    fn inject(&mut self, cx: &mut Context<'_>) {
        self.hook.inject(cx);
    }

    fn poll_deadline(&self) -> Option<u64> {
        self.hook.poll_deadline()
    }

    fn handle_timeout(&mut self, now_ns: u64) {
        self.hook.handle_timeout(now_ns);
    }

    fn observes(&self) -> bool {
        self.hook.observes() || self.observer.active()
    }

    fn observe(&mut self, seen: &Seen<'_>) {
        if self.hook.observes() {
            self.hook.observe(seen);
        }
        if self.observer.active() {
            self.observer.seen(seen);
        }
    }
}
