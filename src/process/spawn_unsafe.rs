//! What a child does between fork and exec.
#![allow(unsafe_code)] // `pre_exec` is unsafe: its closure may only make async-signal-safe calls.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getpid, getppid, setsid};

/// The child gets SIGTERM when the thread that starts it ends.
pub(super) fn end_with_parent(command: &mut Command) {
    let parent = getpid();
    // SAFETY: the closure calls prctl and getppid, both plain system calls, and allocates
    // nothing; an error is built from an errno.
    unsafe { command.pre_exec(move || tie_to(parent)) };
}

/// The child leads a terminal session of its own, so that no Ctrl-C reaches it.
pub(super) fn leave_terminal(command: &mut Command) {
    // SAFETY: the closure calls setsid, a plain system call, and allocates nothing.
    unsafe { command.pre_exec(|| setsid().map(drop).map_err(io::Error::from)) };
}

fn tie_to(parent: Pid) -> io::Result<()> {
    set_pdeathsig(Signal::SIGTERM)?;
    // The parent may have ended before the call above: then no signal will come.
    if getppid() == parent { Ok(()) } else { Err(io::Error::from(nix::errno::Errno::ESRCH)) }
}
