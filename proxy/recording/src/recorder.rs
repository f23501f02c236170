//! The observer that records.
//!
//! It runs on the proxy's thread and waits for nobody: records go into a bounded queue, and a
//! thread of its own compresses and writes them. What it does read itself is the memory that a
//! commit shows (`shown`), because only before the commit goes on is it sure that nobody draws
//! in it.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use stratus_frame::MonoTime;
use stratus_protocols::{InterfaceId, wl_shm};
use stratus_proxy_core::{ClientId, Direction, HEADER_LEN, Observer, Seen, Step};

use crate::content::{Memory, Sink, read_at};
use crate::fact::{BYTE_ORDER, OUR_BYTE_ORDER, STARTED, TABLES};
use crate::fds::FdKind;
use crate::queue::Queue;
use crate::record::{EndReason, MAX_CONTENT, Record, What};
use crate::shown::Shown;
use crate::writer::{CannotRecord, Recording};
use crate::{Facts, tables_digest};

/// Files other than pools are kept as a whole if they are no larger; keymaps have some 64 KiB.
const MAX_WHOLE: u64 = 4 << 20;

/// Compositors send the same keymap and format tables to everyone: so many of the newest files
/// are compared with, and referred to if they are equal.
const REMEMBERED_FILES: usize = 4;

/// What a recording may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Replaces a file that is there.
    pub overwrite: bool,
    /// The recording ends before its file has more bytes.
    pub max_bytes: u64,
    /// Bytes that may wait to be compressed and written. With half of it content is left out,
    /// with all of it the recording ends.
    pub max_waiting: usize,
    /// What to write about the recording as a whole, beside what the recorder knows itself.
    pub facts: Facts,
}

impl Default for Options {
    fn default() -> Self {
        Self { overwrite: false, max_bytes: 16 << 30, max_waiting: 64 << 20, facts: Facts::new() }
    }
}

/// Records every client that connects while it lives. Active until the recording ends.
pub struct Recorder {
    out: Output,
    shown: Shown,
    whole: VecDeque<(u32, Vec<u8>)>,
    next_file: u32,
    start_ns: u64,
    /// Clients whose beginning is in the recording.
    clients: Vec<ClientId>,
    files: Vec<u32>,
    message: Vec<u8>,
}

/// The way of records into the queue.
struct Output {
    queue: Arc<Queue>,
    client: u64,
    time_ns: u64,
    record: Vec<u8>,
    scratch: Vec<u8>,
}

impl Sink for Output {
    fn has_room(&mut self) -> bool {
        self.queue.has_room_for_content()
    }

    fn put(&mut self, what: What<'_>) {
        self.record.clear();
        let record = Record { client: self.client, time_ns: self.time_ns, what };
        record.write(&mut self.record, &mut self.scratch);
        self.queue.push(&self.record);
    }
}

impl Recorder {
    /// Starts a recording into a new file at `path`. Times count from `start`.
    ///
    /// # Errors
    /// [`CannotRecord`] if there is a file or it cannot be written.
    pub fn create(
        path: &Path,
        options: &Options,
        start: MonoTime,
    ) -> Result<(Self, Recording), CannotRecord> {
        let queue = Arc::new(Queue::new(options.max_waiting));
        let recording =
            Recording::start(path, options.overwrite, options.max_bytes, Arc::clone(&queue))?;
        let out = Output { queue, client: 0, time_ns: 0, record: Vec::new(), scratch: Vec::new() };
        let mut recorder = Self {
            out,
            shown: Shown::new(),
            whole: VecDeque::with_capacity(REMEMBERED_FILES),
            next_file: 1,
            start_ns: start.as_nanos(),
            clients: Vec::new(),
            files: Vec::new(),
            message: Vec::new(),
        };
        recorder.write_facts(&options.facts);
        Ok((recorder, recording))
    }

    fn write_facts(&mut self, facts: &Facts) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let (now, tables) = (now.to_string(), tables_digest().to_string());
        let own = [(BYTE_ORDER, OUR_BYTE_ORDER), (STARTED, &now), (TABLES, &tables)];
        let given = facts.iter().map(|(name, value)| (&name[..], &value[..]));
        for (name, value) in own.into_iter().chain(given) {
            self.out.put(What::Fact { name, value });
        }
    }

    /// The records that follow are of this client and moment.
    fn at(&mut self, client: ClientId, now_ns: u64) {
        self.out.client = client.0;
        self.out.time_ns = now_ns.saturating_sub(self.start_ns);
    }

    /// Tells what came with a message, and of a pool's memory that it must be followed.
    fn take_fds(&mut self, seen: &Seen<'_>) {
        self.files.clear();
        let is_pool = (seen.interface, seen.direction, seen.opcode)
            == (InterfaceId::WlShm, Direction::Request, wl_shm::REQ_CREATE_POOL_OPCODE);
        for fd in seen.fds() {
            let (kind, size) = FdKind::look(fd);
            let file = match (kind, is_pool) {
                (FdKind::Memory, true) => self.take_pool(seen, fd, size),
                (FdKind::Memory, false) => self.take_whole(fd.as_fd(), size),
                _ => self.introduce(kind, 0),
            };
            self.files.push(file);
        }
    }

    fn introduce(&mut self, kind: FdKind, size: u64) -> u32 {
        let file = self.next_file;
        self.next_file = self.next_file.wrapping_add(1);
        self.out.put(What::File { file, kind, size });
        file
    }

    fn take_pool(&mut self, seen: &Seen<'_>, fd: &OwnedFd, size: u64) -> u32 {
        let file = self.introduce(FdKind::Memory, size);
        match (seen.args().object(), fd.try_clone()) {
            (Ok(id), Ok(fd)) => {
                self.shown.pool_made(seen.client.0, id, Memory::new(fd, file, size));
            }
            (_, Err(_)) => {
                let why = "no file descriptor was left";
                self.out.put(What::Missing { file, offset: 0, len: size, why });
            }
            // Without an id the message ends the session.
            (Err(_), Ok(_)) => {}
        }
        file
    }

    /// Keeps a file that does not change any more: a keymap, a table of formats, a profile.
    fn take_whole(&mut self, fd: BorrowedFd<'_>, size: u64) -> u32 {
        let read = match usize::try_from(size) {
            Ok(len) if size <= MAX_WHOLE => {
                let mut bytes = vec![0; len];
                read_at(fd, &mut bytes, 0).1.map(|()| bytes)
            }
            _ => Err("it is too large"),
        };
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(why) => {
                let file = self.introduce(FdKind::Memory, size);
                self.out.put(What::Missing { file, offset: 0, len: size, why });
                return file;
            }
        };
        if let Some((file, _)) = self.whole.iter().find(|(_, known)| *known == bytes) {
            return *file;
        }
        let file = self.introduce(FdKind::Memory, size);
        for (index, bytes) in bytes.chunks(MAX_CONTENT).enumerate() {
            let offset = (index * MAX_CONTENT) as u64;
            self.out.put(What::Content { file, offset, bytes });
        }
        if self.whole.len() == REMEMBERED_FILES
            && let Some((file, _)) = self.whole.pop_front()
        {
            self.out.put(What::Closed { file });
        }
        self.whole.push_back((file, bytes));
        file
    }

    fn write_message(&mut self, seen: &Seen<'_>) {
        let body = seen.body();
        // A size was read from 16 bits.
        let word = ((HEADER_LEN + body.len()) as u32) << 16 | u32::from(seen.opcode);
        self.message.clear();
        self.message.extend_from_slice(&seen.sender.0.to_ne_bytes());
        self.message.extend_from_slice(&word.to_ne_bytes());
        self.message.extend_from_slice(body);
        let (direction, fds) = (seen.direction, self.files.clone());
        self.out.put(What::Message { direction, fds, bytes: &self.message });
    }
}

/// The name of a process' program, as the kernel knows it.
fn program_of(process: u32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

impl Drop for Recorder {
    /// Nobody else could add anything.
    fn drop(&mut self) {
        self.out.queue.end(EndReason::Finished, String::new());
    }
}

impl Observer for Recorder {
    fn active(&self) -> bool {
        !self.out.queue.has_ended()
    }

    fn client_added(&mut self, client: ClientId, process: Option<u32>) {
        if !self.active() {
            return;
        }
        self.clients.push(client);
        self.at(client, MonoTime::now().as_nanos());
        let program = process.map(program_of).unwrap_or_default();
        self.out.put(What::Connected { pid: process.unwrap_or(0), program: &program });
    }

    fn seen(&mut self, seen: &Seen<'_>) {
        // Of a client that connected before, nobody could tell what its objects are.
        if seen.step != Step::Came || !self.clients.contains(&seen.client) {
            return;
        }
        self.at(seen.client, seen.now_ns);
        self.take_fds(seen);
        if seen.direction == Direction::Request {
            let message = (seen.interface, seen.sender, seen.opcode);
            // A malformed message is told like any other; it ends the session.
            let _ = self.shown.request(seen.client.0, message, seen.args(), &mut self.out);
        }
        self.write_message(seen);
    }

    fn client_gone(&mut self, client: ClientId) {
        let Some(index) = self.clients.iter().position(|c| *c == client) else { return };
        self.clients.swap_remove(index);
        self.at(client, MonoTime::now().as_nanos());
        self.shown.client_gone(client.0, &mut self.out);
        self.out.put(What::Gone);
    }
}
