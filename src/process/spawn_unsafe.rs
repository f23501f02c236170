//! What a child does between fork and exec.
#![allow(unsafe_code)] // `pre_exec` is unsafe: its closure may only make async-signal-safe calls.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, rlim_t, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{Pid, getpid, getppid, setsid};

/// The child gets SIGTERM when the thread that starts it ends.
pub(super) fn end_with_parent(command: &mut Command) {
    let parent = getpid();
    // SAFETY: the closure calls prctl and getppid, both plain system calls, and allocates
    // nothing; an error is built from an errno.
    unsafe { command.pre_exec(move || tie_to(parent)) };
}

/// The child outlives what ends its parent by terminal or by name: it leads a terminal session of
/// its own, and is deaf to the usual signals before its program has even begun.
pub(super) fn outlive_parent(command: &mut Command) {
    // SAFETY: the closure calls setsid and sigprocmask, plain system calls, and allocates nothing.
    unsafe { command.pre_exec(leave_terminal_and_hear_nothing) };
}

/// The child may open as many files as these limits, soft and hard, allow.
pub(super) fn limit_open_files(command: &mut Command, (soft, hard): (rlim_t, rlim_t)) {
    let set = move || Ok(setrlimit(Resource::RLIMIT_NOFILE, soft, hard)?);
    // SAFETY: the closure calls setrlimit, a plain system call, and allocates nothing; an error is
    // built from an errno.
    unsafe { command.pre_exec(set) };
}

fn leave_terminal_and_hear_nothing() -> io::Result<()> {
    setsid()?;
    // The mask survives exec.
    let mut spared = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        spared.add(signal);
    }
    Ok(spared.thread_block()?)
}

fn tie_to(parent: Pid) -> io::Result<()> {
    set_pdeathsig(Signal::SIGTERM)?;
    // The parent may have ended before the call above: then no signal will come.
    if getppid() == parent { Ok(()) } else { Err(io::Error::from(nix::errno::Errno::ESRCH)) }
}
