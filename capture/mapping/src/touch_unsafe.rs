//! Faults on purpose, for the tests of the guard.

#![allow(unsafe_code)] // A fault outside every guard is what the tests are about.

use nix::libc;

/// Reads the byte at `address`, wherever that is.
pub(super) fn touch(address: usize) {
    // SAFETY: the caller's mapping is alive; that the read faults is the test.
    let byte = unsafe { std::ptr::read_volatile(address as *const u8) };
    std::hint::black_box(byte);
}

/// Installs a plain handler that ends the process with code 42.
pub(super) fn exit_42_on_sigbus() {
    extern "C" fn handler(_: libc::c_int) {
        // SAFETY: _exit is async-signal-safe.
        unsafe { libc::_exit(42) }
    }
    // SAFETY: the handler only calls an async-signal-safe function.
    let before = unsafe { libc::signal(libc::SIGBUS, handler as *const () as usize) };
    assert_ne!(before, libc::SIG_ERR);
}

/// Gives SIGBUS back its default action, which the runtime of Rust programs changes.
pub(super) fn default_sigbus() {
    // SAFETY: SIG_DFL is a valid disposition.
    let before = unsafe { libc::signal(libc::SIGBUS, libc::SIG_DFL) };
    assert_ne!(before, libc::SIG_ERR);
}
