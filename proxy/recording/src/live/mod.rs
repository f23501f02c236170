//! Says what recorded clients said to a real compositor.
//!
//! The compositor's answers are not the recorded ones: it has other names for its globals, other
//! serials and ids, and its own pace. [`Player`] sends each recorded request as soon as the events
//! that it may depend on have come anew (`waits`), with the numbers changed that the compositor
//! chose (`peer`). What depends on devices that it does not have is left out and counted.

mod heard;
mod made;
mod peer;
mod serials;
mod socket;
mod stuck;
mod waits;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use stratus_proxy_core::{Direction, GlobalPolicy, Rules};

pub use stuck::{LeftOut, Problem, Stuck};

use crate::fds::FdKind;
use crate::files::Files;
use crate::{Record, What};
use peer::{Peer, Turn};

/// Plays all clients of a recording to one compositor, each over a connection of its own.
///
/// Give it the records in their order. Between two, [`Player::pass_time`] as long as the pace of
/// the recording asks for.
pub struct Player {
    compositor: PathBuf,
    patience: Duration,
    rules: Arc<Rules>,
    files: Files,
    peers: BTreeMap<u64, Peer>,
    left_out: LeftOut,
    /// Messages that came from the recording.
    messages: u64,
}

impl Player {
    /// A player that connects to the compositor at `compositor`, and waits for each event no
    /// longer than `patience`. `policy` is that of the proxy which recorded.
    #[must_use]
    pub fn new(compositor: &Path, patience: Duration, policy: GlobalPolicy) -> Self {
        Self {
            compositor: compositor.to_owned(),
            patience,
            rules: Arc::new(Rules::new(&[], policy)),
            files: Files::default(),
            peers: BTreeMap::new(),
            left_out: LeftOut::default(),
            messages: 0,
        }
    }

    /// Follows one record: a request is sent, an event is waited for by the requests behind it.
    ///
    /// # Errors
    /// [`Stuck`] says what did not come, or what the compositor had against it.
    pub fn handle(&mut self, record: &Record<'_>) -> Result<(), Stuck> {
        let (message, time_ns) = (self.messages + 1, record.time_ns);
        self.follow(record).map_err(|problem| Stuck { message, time_ns, problem })
    }

    fn follow(&mut self, record: &Record<'_>) -> Result<(), Problem> {
        self.files.follow(&record.what)?;
        match &record.what {
            What::Connected { .. } => {
                let peer = Peer::connect(&self.compositor, record.client, &self.rules)?;
                self.peers.insert(record.client, peer);
            }
            What::Gone => {
                self.finish(record.client)?;
                self.peers.remove(&record.client);
            }
            What::Message { direction, fds, bytes } => {
                self.messages += 1;
                let peer = self.peer(record.client)?;
                match direction {
                    Direction::Event => peer.told_event(bytes, fds.len())?,
                    Direction::Request => self.request(record.client, bytes, fds)?,
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn peer(&mut self, client: u64) -> Result<&mut Peer, Problem> {
        self.peers.get_mut(&client).ok_or(Problem::NoClient(client))
    }

    fn request(&mut self, client: u64, bytes: &[u8], files: &[u32]) -> Result<(), Problem> {
        let mut request = self.peer(client)?.told_request(bytes, files.len())?;
        let begun = Instant::now();
        loop {
            let peer = self.peers.get_mut(&client).ok_or(Problem::NoClient(client))?;
            match peer.turn(&mut request, begun.elapsed(), &mut self.left_out)? {
                Turn::Send => break,
                Turn::LeaveOut => return Ok(()),
                Turn::Wait(what) if begun.elapsed() >= self.patience => {
                    return Err(Problem::NeverCame { what, waited: self.patience });
                }
                Turn::Wait(_) => self.listen(Duration::from_millis(20))?,
            }
        }
        let mut fds = Vec::with_capacity(files.len());
        for file in files.iter().filter(|_| request.carries_fds()) {
            match self.files.kind(*file) {
                Some(kind @ (FdKind::Dmabuf | FdKind::SyncFile | FdKind::Device)) => {
                    return Err(Problem::NotKept(kind));
                }
                _ => fds.push(self.files.open(*file)?),
            }
        }
        self.peer(client)?.send(&request, fds)?;
        self.flush()
    }

    /// Sends what waits; the compositor may make us wait for room.
    fn flush(&mut self) -> Result<(), Problem> {
        let begun = Instant::now();
        loop {
            let mut waits = false;
            for peer in self.peers.values_mut() {
                waits |= !peer.flush()?;
            }
            if !waits {
                return Ok(());
            }
            if begun.elapsed() >= self.patience {
                let what = "room in the compositor's socket".to_owned();
                return Err(Problem::NeverCame { what, waited: self.patience });
            }
            self.listen(Duration::from_millis(5))?;
        }
    }

    /// Hears what the compositor says, and answers what must be answered, until something came
    /// or `time` has passed.
    fn listen(&mut self, time: Duration) -> Result<(), Problem> {
        socket::wait_readable(self.peers.values().map(Peer::socket), time)?;
        for peer in self.peers.values_mut() {
            peer.listen()?;
            peer.flush()?;
        }
        Ok(())
    }

    /// Lets `time` pass and hears what the compositor says meanwhile.
    ///
    /// # Errors
    /// [`Stuck`] if the compositor ends a connection.
    pub fn pass_time(&mut self, time: Duration) -> Result<(), Stuck> {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let message = self.messages;
            self.listen(left).map_err(|problem| Stuck { message, time_ns: 0, problem })?;
        }
    }

    /// Makes sure that the compositor took all that a client said.
    fn finish(&mut self, client: u64) -> Result<(), Problem> {
        let begun = Instant::now();
        self.peer(client)?.ask_to_answer()?;
        loop {
            self.flush()?;
            if self.peer(client)?.has_answered() {
                return Ok(());
            }
            if begun.elapsed() >= self.patience {
                let what = "the answer to a last wl_display.sync".to_owned();
                return Err(Problem::NeverCame { what, waited: self.patience });
            }
            self.listen(Duration::from_millis(20))?;
        }
    }

    /// Makes sure that the compositor took all that every client said.
    ///
    /// # Errors
    /// [`Stuck`] if it has something against it, or does not answer.
    pub fn finish_all(&mut self) -> Result<(), Stuck> {
        let message = self.messages;
        let clients: Vec<u64> = self.peers.keys().copied().collect();
        for client in clients {
            self.finish(client).map_err(|problem| Stuck { message, time_ns: 0, problem })?;
        }
        Ok(())
    }

    /// Messages of the recording that were followed, of both ways.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// What was not sent, and why.
    #[must_use]
    pub fn left_out(&self) -> &LeftOut {
        &self.left_out
    }
}
