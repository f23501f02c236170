//! Says a recording again to a hook, in memory: both peers come from the recording.

use std::collections::BTreeMap;
use std::sync::Arc;

use stratus_frame::MonoTime;
use stratus_proxy_core::{
    ClientId, Direction, GlobalPolicy, HEADER_LEN, Hook, Rules, Session, Side, Violation,
};

use crate::files::{Files, NoFile};
use crate::{Digest, Record, What};

/// More often than this no hook speaks of itself in a row.
const MAX_INJECTIONS: usize = 100_000;

/// Why a recording cannot be said again any further.
#[derive(Debug, thiserror::Error)]
pub enum CannotRerun {
    /// A message of a client that did not connect, or is gone.
    #[error("the recording speaks for client {0}, which is not connected")]
    NoClient(u64),
    /// A file is not there.
    #[error(transparent)]
    File(#[from] NoFile),
    /// The hook has something to say for ever.
    #[error("the hook is never done injecting")]
    Endless,
}

/// What went out of a session on one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// Messages.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Stands for all of these bytes in their order.
    pub digest: Digest,
    /// File descriptors that went with them.
    pub fds: u64,
}

/// What went out of a session on both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// To the compositor.
    pub requests: Forwarded,
    /// To the client.
    pub events: Forwarded,
}

/// A recording being said to `hook`.
///
/// Before each record: [`Rerun::advance`] to its time. What the sessions send goes nowhere; it is
/// counted in [`Rerun::forwarded`].
pub struct Rerun<H> {
    /// The hook, as the proxy's loop would own it.
    pub hook: H,
    rules: Arc<Rules>,
    sessions: BTreeMap<u64, Session>,
    files: Files,
    forwarded: BTreeMap<u64, Sides>,
    messages: u64,
    missing: u64,
    fed: [MonoTime; 2],
}

impl<H: Hook> Rerun<H> {
    /// Nothing has been said. `policy` is that of the proxy which recorded, or a message may be
    /// one of an object that is not known.
    pub fn new(hook: H, policy: GlobalPolicy) -> Self {
        let rules = Arc::new(Rules::new(&hook.interests(), policy));
        Self {
            hook,
            rules,
            sessions: BTreeMap::new(),
            files: Files::default(),
            forwarded: BTreeMap::new(),
            messages: 0,
            missing: 0,
            fed: [MonoTime::UNSET; 2],
        }
    }

    /// Lets the hook's deadline come if `now_ns` is not before it, and delivers what it has to
    /// say by itself.
    ///
    /// # Errors
    /// [`CannotRerun::Endless`].
    pub fn advance(&mut self, now_ns: u64) -> Result<(), CannotRerun> {
        if self.hook.poll_deadline().is_some_and(|at| at <= now_ns) {
            self.hook.handle_timeout(now_ns);
        }
        self.settle(now_ns)
    }

    /// Says one record again, at `now_ns` in CLOCK_MONOTONIC nanoseconds. Gives what ended the
    /// client's session, if something did.
    ///
    /// # Errors
    /// [`CannotRerun`] if the record cannot follow those before it.
    pub fn handle(
        &mut self,
        record: &Record<'_>,
        now_ns: u64,
    ) -> Result<Option<Violation>, CannotRerun> {
        self.files.follow(&record.what)?;
        let client = record.client;
        match &record.what {
            What::Connected { pid, .. } => {
                let session = Session::new(ClientId(client), Arc::clone(&self.rules));
                self.sessions.insert(client, session);
                self.hook.client_added(ClientId(client), Some(*pid).filter(|pid| *pid != 0));
            }
            What::Gone => {
                let gone = self.sessions.remove(&client);
                gone.ok_or(CannotRerun::NoClient(client))?;
                self.hook.client_gone(ClientId(client));
            }
            What::Message { direction, fds, bytes } => {
                let violation = self.message(client, *direction, fds, bytes, now_ns)?;
                self.settle(now_ns)?;
                return Ok(violation);
            }
            What::Missing { .. } => self.missing += 1,
            _ => {}
        }
        self.settle(now_ns)?;
        Ok(None)
    }

    fn message(
        &mut self,
        client: u64,
        direction: Direction,
        files: &[u32],
        bytes: &[u8],
        now_ns: u64,
    ) -> Result<Option<Violation>, CannotRerun> {
        let fds = files.iter().map(|file| self.files.open(*file)).collect::<Result<_, _>>()?;
        let session = self.sessions.get_mut(&client).ok_or(CannotRerun::NoClient(client))?;
        let from = match direction {
            Direction::Request => Side::Client,
            Direction::Event => Side::Compositor,
        };
        self.messages += 1;
        session.set_observed(self.hook.observes());
        let began = MonoTime::now();
        let fed = session.feed(from, bytes, fds, now_ns, &mut self.hook);
        self.fed = [began, MonoTime::now()];
        self.collect(client);
        Ok(fed.err())
    }

    /// What the proxy's loop does after each message.
    fn settle(&mut self, now_ns: u64) -> Result<(), CannotRerun> {
        for _ in 0..MAX_INJECTIONS {
            let Some(client) = self.hook.poll_ready() else { return Ok(()) };
            if let Some(session) = self.sessions.get_mut(&client.0) {
                session.set_observed(self.hook.observes());
                session.inject(now_ns, &mut self.hook);
                self.collect(client.0);
            }
        }
        Err(CannotRerun::Endless)
    }

    /// Takes what a session sends.
    fn collect(&mut self, client: u64) {
        let Some(session) = self.sessions.get_mut(&client) else { return };
        let sides = self.forwarded.entry(client).or_default();
        for (side, forwarded) in
            [(Side::Compositor, &mut sides.requests), (Side::Client, &mut sides.events)]
        {
            let (bytes, fds) = session.take(side);
            forwarded.add(&bytes, fds.len());
        }
    }

    /// What went out so far, by client.
    #[must_use]
    pub fn forwarded(&self) -> &BTreeMap<u64, Sides> {
        &self.forwarded
    }

    /// When the session was given the newest message, and when it was done with it: without what
    /// the recording costs in between.
    #[must_use]
    pub fn fed(&self) -> [MonoTime; 2] {
        self.fed
    }

    /// Messages that came from the recording.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// How often content was not in the recording.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.missing
    }
}

impl Forwarded {
    fn add(&mut self, bytes: &[u8], fds: usize) {
        self.bytes += bytes.len() as u64;
        self.fds += fds as u64;
        self.digest.add(bytes);
        let mut rest = bytes;
        while let [_, _, _, _, a, b, c, d, ..] = *rest {
            let size = (u32::from_ne_bytes([a, b, c, d]) >> 16) as usize;
            self.messages += 1;
            rest = rest.get(size.max(HEADER_LEN)..).unwrap_or_default();
        }
    }
}
