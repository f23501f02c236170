//! The session's sound device: a socket, a clock, and a thread for both.
//!
//! The thread sleeps in `poll` until a client sends something, can be sent something, or, while a
//! stream plays, the next tick is due. Ticks are due by the monotonic clock, 5 ms apart, from the
//! moment on at which a first stream plays.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use stratus_frame::MonoTime;

use crate::encode::Packets;
use crate::pulse::{MAX_CLIENTS, Pulse};
use crate::{SoundError, SoundSink, TICK_FRAMES, TICK_NANOS};

/// What is read of one client before the others have their turn, bytes.
const READ: usize = 64 * 1024;
/// Ticks that are made up for when the thread was kept from running. Later ones are lost.
const LATE: u64 = 20;

/// How long nobody is taken after somebody could not be: most likely the process has no free
/// descriptor, and who waits to be taken would wake the thread at once again.
const PAUSE: Duration = Duration::from_millis(100);

/// What the sound's thread did.
#[derive(Debug, Default)]
struct Counters {
    wakes: AtomicU64,
    ticks: AtomicU64,
    late: AtomicU64,
    packets: AtomicU64,
}

/// What the sound's thread did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoundCounts {
    /// Times that it woke up.
    pub wakes: u64,
    /// Ticks of 5 ms that it mixed.
    pub ticks: u64,
    /// Ticks that it could not mix in time.
    pub late: u64,
    /// Packets that it sent.
    pub packets: u64,
}

/// A sound server of the session's own. It ends, with its socket, when it is dropped.
#[derive(Debug)]
pub struct SoundServer {
    directory: PathBuf,
    counters: Arc<Counters>,
    stop: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl SoundServer {
    /// Listens at `native` in `directory`, which is made for this user alone; packets go to
    /// `sink`.
    ///
    /// # Errors
    /// [`SoundError`] if the socket, the thread or the codec cannot be had.
    pub fn start(directory: &Path, sink: impl SoundSink + 'static) -> Result<Self, SoundError> {
        let path = directory.join("native");
        let failed = |source| SoundError::Listen { path: path.clone(), source };
        let listener = listen(directory, &path).map_err(failed)?;
        let (stop, stopped) = UnixStream::pair().map_err(SoundError::Thread)?;
        let counters = Arc::new(Counters::default());
        let mut device = Device {
            listener,
            stopped,
            pulse: Pulse::new(),
            sockets: Vec::new(),
            packets: Packets::new()?,
            sink: Box::new(sink),
            due: None,
            shut_until: None,
            counters: Arc::clone(&counters),
        };
        let thread = std::thread::Builder::new()
            .name("sound".into())
            .spawn(move || device.run())
            .map_err(SoundError::Thread)?;
        Ok(Self { directory: directory.to_owned(), counters, stop, thread: Some(thread) })
    }

    /// What a game needs in its environment to find this server.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, String); 2] {
        let path = |name| self.directory.join(name).display().to_string();
        // Nobody is asked for the cookie; but libpulse makes one in the home directory if it is
        // not told where one is.
        [("PULSE_SERVER", format!("unix:{}", path("native"))), ("PULSE_COOKIE", path("cookie"))]
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> SoundCounts {
        let c = &self.counters;
        let get = |n: &AtomicU64| n.load(Ordering::Relaxed);
        SoundCounts {
            wakes: get(&c.wakes),
            ticks: get(&c.ticks),
            late: get(&c.late),
            packets: get(&c.packets),
        }
    }
}

impl Drop for SoundServer {
    fn drop(&mut self) {
        // The thread ends when the other end of the pair is closed.
        let _ = self.stop.shutdown(std::net::Shutdown::Both);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the sound's thread panicked");
        }
        for name in ["native", "cookie"] {
            let _ = std::fs::remove_file(self.directory.join(name));
        }
        let _ = std::fs::remove_dir(&self.directory);
    }
}

fn listen(directory: &Path, path: &Path) -> io::Result<UnixListener> {
    match std::fs::DirBuilder::new().mode(0o700).create(directory) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
        _ => {}
    }
    // A socket that a killed session left behind; the directory's name is ours alone.
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    std::fs::write(directory.join("cookie"), [0; 256])?;
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// What the thread has.
struct Device {
    listener: UnixListener,
    stopped: UnixStream,
    pulse: Pulse,
    sockets: Vec<(u32, UnixStream)>,
    packets: Packets,
    sink: Box<dyn SoundSink>,
    /// When the next tick is due, while something plays.
    due: Option<MonoTime>,
    /// Until when nobody is taken, since the last one could not be.
    shut_until: Option<MonoTime>,
    counters: Arc<Counters>,
}

impl Device {
    fn run(&mut self) {
        let mut room = vec![0; READ];
        loop {
            let ready = match self.wait() {
                Ok(ready) => ready,
                Err(e) => return tracing::error!("the sound's thread cannot wait: {e}"),
            };
            self.counters.wakes.fetch_add(1, Ordering::Relaxed);
            if ready.stop {
                return;
            }
            let now = MonoTime::now();
            for id in ready.clients {
                if let Err(why) = self.serve(id, &mut room, now) {
                    self.sockets.retain(|(other, _)| *other != id);
                    self.pulse.disconnect(id);
                    tracing::debug!("client {id} of the sound left: {why}");
                }
            }
            if ready.listener {
                self.accept();
            }
            self.play();
            self.send();
        }
    }

    /// Sleeps until there is something to do.
    fn wait(&mut self) -> io::Result<Ready> {
        let now = MonoTime::now();
        let opens = self.shut_until.filter(|until| *until > now);
        let next = [self.due, opens].into_iter().flatten().min();
        let timeout = next.map(|next| timespec(next.since(now)));
        let shut = opens.is_some() || self.sockets.len() >= MAX_CLIENTS;
        let mut fds = vec![PollFd::new(&self.stopped, PollFlags::IN)];
        // Who comes while there are too many, or no descriptor, waits in the backlog.
        let events = if shut { PollFlags::empty() } else { PollFlags::IN };
        fds.push(PollFd::new(&self.listener, events));
        for (id, socket) in &self.sockets {
            let waiting = self.pulse.client(*id).is_some_and(|c| !c.waiting().is_empty());
            let out = if waiting { PollFlags::OUT } else { PollFlags::empty() };
            fds.push(PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN | out));
        }
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        let ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let clients = self.sockets.iter().zip(&fds[2..]).filter(|(_, fd)| ready(fd));
        Ok(Ready {
            stop: ready(&fds[0]),
            listener: ready(&fds[1]) && !shut,
            clients: clients.map(|((id, _), _)| *id).collect(),
        })
    }

    fn accept(&mut self) {
        // One at a time: the others are still there when this is over.
        match self.listener.accept() {
            Ok((socket, _)) => {
                self.shut_until = None;
                let ours = rustix::net::sockopt::socket_peercred(&socket)
                    .is_ok_and(|peer| peer.uid == rustix::process::getuid());
                if !ours || socket.set_nonblocking(true).is_err() {
                    tracing::warn!("a client of the sound is not this user's; turned away");
                    return;
                }
                if let Some(id) = self.pulse.connect() {
                    self.sockets.push((id, socket));
                }
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(e) => {
                // Told once, and not at each try.
                if self.shut_until.is_none() {
                    tracing::warn!("clients of the sound have to wait: {e}");
                }
                self.shut_until = Some(MonoTime::now().after(PAUSE));
            }
        }
    }

    /// Reads what one client sent.
    fn serve(&mut self, id: u32, room: &mut [u8], now: MonoTime) -> Result<(), String> {
        let Some((_, socket)) = self.sockets.iter_mut().find(|(other, _)| *other == id) else {
            return Ok(());
        };
        match socket.read(room) {
            Ok(0) => Err("it closed its socket".into()),
            Ok(n) => self.pulse.handle_bytes(id, &room[..n], now).map_err(|e| e.to_string()),
            Err(e) if is_for_now(&e) => Ok(()),
            Err(e) => Err(e.to_string()),
        }
    }

    /// Makes the ticks that are due.
    fn play(&mut self) {
        let now = MonoTime::now();
        if self.due.is_none() && self.pulse.is_active() {
            self.due = Some(now);
        }
        while let Some(due) = self.due.filter(|due| *due <= now) {
            let behind = now.since(due).as_nanos() as u64 / TICK_NANOS;
            let lost = if behind > LATE { behind } else { 0 };
            let due = due.after(Duration::from_nanos(lost * TICK_NANOS));
            if lost > 0 {
                self.counters.late.fetch_add(lost, Ordering::Relaxed);
                self.packets.skip();
            }
            let next = due.after(Duration::from_nanos(TICK_NANOS));
            self.pulse.set_due(Some(next));
            let mut tick = [0.0; TICK_FRAMES * 2];
            self.pulse.tick(&mut tick);
            self.counters.ticks.fetch_add(1, Ordering::Relaxed);
            if self.sink.is_heard() {
                if let Some(packet) = self.packets.encode(&tick, due) {
                    self.counters.packets.fetch_add(1, Ordering::Relaxed);
                    self.sink.deliver(packet);
                }
            } else {
                self.packets.forget();
            }
            let goes_on = self.pulse.is_active() || self.packets.has_tail();
            self.due = goes_on.then_some(next);
            self.pulse.set_due(self.due);
            if !goes_on {
                self.packets.skip();
            }
        }
    }

    /// Sends what waits, as far as the clients take it.
    fn send(&mut self) {
        let pulse = &mut self.pulse;
        let mut gone = Vec::new();
        self.sockets.retain_mut(|(id, socket)| {
            let Some(client) = pulse.client(*id) else { return false };
            let mut alive = !client.is_stalled();
            while alive && !client.waiting().is_empty() {
                match socket.write(client.waiting()) {
                    Ok(n) => client.sent(n),
                    Err(e) if is_for_now(&e) => break,
                    Err(_) => alive = false,
                }
            }
            if !alive {
                gone.push(*id);
            }
            alive
        });
        for id in gone {
            tracing::debug!("client {id} of the sound left, or does not read");
            self.pulse.disconnect(id);
        }
    }
}

/// What `poll` found.
struct Ready {
    stop: bool,
    listener: bool,
    clients: Vec<u32>,
}

fn is_for_now(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

fn timespec(d: Duration) -> Timespec {
    // No tick is due in more than a second.
    Timespec { tv_sec: d.as_secs().cast_signed(), tv_nsec: d.subsec_nanos().into() }
}
