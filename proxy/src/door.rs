//! The door: how clients come in, and when they have to wait outside.
//!
//! A client is let in when there are fds for it and the compositor takes its connection. Until
//! then it waits where it would wait without a proxy: in the backlog of the socket that it
//! connects to, where waiting costs nobody anything.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::process::{Pid, Resource, getrlimit};
use stratus_frame::MonoTime;

use crate::listener::Listener;
use crate::upstream::connect;

/// Clients let in at one turn of the loop: a storm of them must not keep it from the others.
const TURN: usize = 16;

/// Fds that stay free for the clients that are there: new ones are let in only while there are
/// more. One `recvmsg` brings 253 at most.
const RESERVE: u64 = 512;

/// How long the door stays shut when fds are short.
const FD_PAUSE: Duration = Duration::from_millis(200);

/// How long it stays shut at first, and at most, while the compositor's backlog is full.
const FIRST_BACKLOG_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_BACKLOG_PAUSE: Duration = Duration::from_millis(128);

/// A client that came in.
pub(crate) struct Guest {
    pub(crate) stream: UnixStream,
    /// Its process; `None` where that cannot be told (another pid namespace).
    pub(crate) process: Option<u32>,
    /// Its connection to the compositor, or why there is none.
    pub(crate) upstream: Result<UnixStream, String>,
}

/// The listener, as far as it is listened to.
pub(crate) struct Door {
    listener: Listener,
    upstream: PathBuf,
    token: u64,
    /// Accepted, and waiting for the compositor or for fds.
    next: Option<(UnixStream, Pid)>,
    /// While the door is shut (the listener is not in the epoll then): when to open it.
    shut_until: Option<u64>,
    backlog_pause: Duration,
    /// It was said that fds are short, and nobody came in since.
    said: bool,
}

/// Why nobody comes in for now.
enum Closed {
    Empty,
    NoFds(String),
    Backlog,
}

impl Door {
    /// Opens it: the listener is reported by `epoll` as `token`.
    pub(crate) fn open(
        listener: Listener,
        upstream: PathBuf,
        epoll: &OwnedFd,
        token: u64,
    ) -> io::Result<Self> {
        epoll::add(epoll, &listener, EventData::new_u64(token), EventFlags::IN)?;
        Ok(Self {
            listener,
            upstream,
            token,
            next: None,
            shut_until: None,
            backlog_pause: FIRST_BACKLOG_PAUSE,
            said: false,
        })
    }

    /// The path of the socket.
    pub(crate) fn path(&self) -> &Path {
        self.listener.path()
    }

    /// When [`Door::reopen`] wants to be called, in CLOCK_MONOTONIC nanoseconds.
    pub(crate) fn shut_until(&self) -> Option<u64> {
        self.shut_until
    }

    /// A client has gone: its fds and its place at the compositor may be what others wait for.
    pub(crate) fn look_again(&mut self) {
        self.shut_until = self.shut_until.map(|_| 0);
    }

    /// Listens again. Then ask [`Door::admit`].
    pub(crate) fn reopen(&mut self, epoll: &OwnedFd) -> io::Result<()> {
        if self.shut_until.take().is_some() {
            epoll::add(epoll, &self.listener, EventData::new_u64(self.token), EventFlags::IN)?;
        }
        Ok(())
    }

    /// Who comes in at this turn, in the order of their coming.
    pub(crate) fn admit(&mut self, epoll: &OwnedFd) -> io::Result<Vec<Guest>> {
        let mut guests = Vec::new();
        while guests.len() < TURN {
            match self.next_guest() {
                Ok(guest) => guests.push(guest),
                Err(Closed::Empty) => break,
                Err(Closed::NoFds(why)) => {
                    if !std::mem::replace(&mut self.said, true) {
                        tracing::warn!("new clients have to wait: {why}");
                    }
                    self.shut(FD_PAUSE, epoll)?;
                    break;
                }
                Err(Closed::Backlog) => {
                    tracing::debug!("new clients wait for the compositor, which is busy");
                    let pause = self.backlog_pause;
                    self.backlog_pause = (pause * 2).min(LONGEST_BACKLOG_PAUSE);
                    self.shut(pause, epoll)?;
                    break;
                }
            }
        }
        if !guests.is_empty() {
            self.said = false;
        }
        Ok(guests)
    }

    fn shut(&mut self, pause: Duration, epoll: &OwnedFd) -> io::Result<()> {
        if self.shut_until.is_none() {
            epoll::delete(epoll, &self.listener)?;
        }
        self.shut_until = Some(MonoTime::now().after(pause).as_nanos());
        Ok(())
    }

    fn next_guest(&mut self) -> Result<Guest, Closed> {
        let (stream, pid) = match self.next.take() {
            Some((stream, pid)) => (lowered(stream), pid),
            None => self.accept()?,
        };
        if !leaves_reserve(&stream) {
            self.next = Some((stream, pid));
            return Err(Closed::NoFds("the limit of open files is near (ulimit -n)".to_owned()));
        }
        let upstream = match connect(&self.upstream) {
            Ok(upstream) => {
                self.backlog_pause = FIRST_BACKLOG_PAUSE;
                Ok(upstream)
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                self.next = Some((stream, pid));
                return Err(Closed::Backlog);
            }
            Err(e) if is_out_of_fds(&e) => {
                self.next = Some((stream, pid));
                return Err(Closed::NoFds(e.to_string()));
            }
            Err(e) => {
                Err(format!("cannot reach the compositor at {}: {e}", self.upstream.display()))
            }
        };
        // 0 stands for a process of another pid namespace.
        let process = u32::try_from(pid.as_raw_nonzero().get()).ok().filter(|pid| *pid > 0);
        Ok(Guest { stream, process, upstream })
    }

    /// The next client of our own user in the backlog.
    fn accept(&self) -> Result<(UnixStream, Pid), Closed> {
        for _ in 0..TURN {
            let stream = match self.listener.accept() {
                Ok(stream) => stream,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Err(Closed::Empty),
                // The client gave up while it waited, or a signal came.
                Err(e)
                    if matches!(
                        e.kind(),
                        io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
                    ) =>
                {
                    continue;
                }
                Err(e) => return Err(Closed::NoFds(e.to_string())),
            };
            match rustix::net::sockopt::socket_peercred(&stream) {
                Ok(peer) if peer.uid == rustix::process::geteuid() => {
                    return Ok((stream, peer.pid));
                }
                Ok(peer) => tracing::warn!(
                    "refusing a client of user {}: only our own may connect",
                    peer.uid.as_raw()
                ),
                Err(e) => tracing::warn!("refusing a client whose user cannot be told: {e}"),
            }
        }
        // The listener is reported again while there are more.
        Err(Closed::Empty)
    }
}

/// The same socket under the lowest number that is free now, if that is lower: the one that it
/// has had since it was accepted says how many were taken then.
fn lowered(stream: UnixStream) -> UnixStream {
    match stream.try_clone() {
        Ok(clone) if clone.as_raw_fd() < stream.as_raw_fd() => clone,
        _ => stream,
    }
}

/// Whether enough fds are free beside this one. The kernel gives out the lowest number that is
/// free, so a high one tells how many are taken.
fn leaves_reserve(newest: &UnixStream) -> bool {
    let Some(limit) = getrlimit(Resource::Nofile).current else { return true };
    let reserve = RESERVE.min(limit / 4);
    u64::try_from(newest.as_raw_fd()).is_ok_and(|number| number < limit - reserve)
}

fn is_out_of_fds(e: &io::Error) -> bool {
    let errno = e.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
    matches!(errno, Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE))
}
