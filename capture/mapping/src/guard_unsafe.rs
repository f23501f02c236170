//! Reads of memory that its owner may cut off survive.
//!
//! A game can truncate the file behind its `wl_shm_pool` at any time; a read of a page past the
//! new end raises SIGBUS. While [`reading`] runs, such a fault inside the announced range is
//! answered with pages of zeros and noted; the read goes on and its result is thrown away. Any
//! other fault goes to whoever handled SIGBUS before, and by default still ends the process.

#![allow(unsafe_code)] // A signal handler and the mapping that it makes cannot be had without.

use std::cell::Cell;
use std::io;
use std::ops::Range;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, compiler_fence};

use nix::errno::Errno;
use nix::libc;

/// One guarded read in progress on this thread; lives on its stack.
struct Access {
    addresses: Range<usize>,
    truncated: *const AtomicBool,
    outer: *const Access,
}

thread_local! {
    // Const-initialised and without a destructor, so that the handler finds it in place and
    // never runs an initialiser.
    static CURRENT: Cell<*const Access> = const { Cell::new(ptr::null()) };
}

static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();
static INSTALLED: OnceLock<Result<(), i32>> = OnceLock::new();
static PAGE_SIZE: AtomicUsize = AtomicUsize::new(4096);

/// Makes the guard ready, once a process; later calls only repeat the first one's answer.
///
/// # Errors
/// What `sigaction` answered. Nothing may then be read from mappings of a game.
pub(super) fn install() -> io::Result<()> {
    (*INSTALLED.get_or_init(|| handle_sigbus().map_err(|e| e.raw_os_error().unwrap_or(0))))
        .map_err(io::Error::from_raw_os_error)
}

fn handle_sigbus() -> io::Result<()> {
    // SAFETY: sysconf reads a constant of the system.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    if let Ok(page) = usize::try_from(page) {
        PAGE_SIZE.store(page, Ordering::Relaxed);
    }
    // SAFETY: an all-zero sigaction is a valid value of that plain C struct (SIG_DFL, no flags).
    let mut previous: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: with a null new action sigaction only writes the old one to the valid pointer.
    if unsafe { libc::sigaction(libc::SIGBUS, ptr::null(), &raw mut previous) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // Kept before ours goes in: a fault may come right after.
    let _ = PREVIOUS.set(previous);
    // SAFETY: as above, all-zero is valid.
    let mut ours: libc::sigaction = unsafe { std::mem::zeroed() };
    ours.sa_sigaction = on_sigbus as *const () as usize;
    ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the mask is a valid, owned sigset_t.
    unsafe { libc::sigemptyset(&raw mut ours.sa_mask) };
    // SAFETY: `ours` is fully set and `on_sigbus` has the signature that SA_SIGINFO asks for and
    // does only what a handler may: thread-local and atomic reads, and system calls.
    if unsafe { libc::sigaction(libc::SIGBUS, &raw const ours, ptr::null_mut()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Runs `read`, during which a SIGBUS of this thread at one of `addresses` sets `truncated` and
/// leaves zeros there, to the end of the range, instead of ending the process.
///
/// `addresses` must be page-aligned and one whole mapping of ours, because pages in it are
/// replaced. Reads may nest.
pub(super) fn reading<R>(
    addresses: Range<usize>,
    truncated: &AtomicBool,
    read: impl FnOnce() -> R,
) -> R {
    struct Leave(*const Access);
    impl Drop for Leave {
        fn drop(&mut self) {
            compiler_fence(Ordering::SeqCst);
            CURRENT.set(self.0);
        }
    }
    let outer = CURRENT.get();
    let access = Access { addresses, truncated, outer };
    CURRENT.set(&raw const access);
    compiler_fence(Ordering::SeqCst);
    // Also when `read` panics: `access` must not stay reachable once this frame is gone.
    let _leave = Leave(outer);
    read()
}

extern "C" fn on_sigbus(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the kernel hands a valid siginfo to an SA_SIGINFO handler.
    let fault = unsafe { &*info };
    let code = fault.si_code;
    if code == libc::BUS_ADRERR {
        // SAFETY: si_addr is filled in for a BUS_ADRERR SIGBUS.
        let address = unsafe { fault.si_addr() } as usize;
        if patch_over(address) {
            return;
        }
    }
    pass_on(signal, info, context, code);
}

/// Whether `address` belonged to a read of this thread and now holds zeros.
fn patch_over(address: usize) -> bool {
    let mut at = CURRENT.get();
    while !at.is_null() {
        // SAFETY: `reading` keeps every Access in the list alive on this very thread's stack
        // until it has unlinked it, and nobody changes one after linking it.
        let access = unsafe { &*at };
        if access.addresses.contains(&address) {
            let page = address & !(PAGE_SIZE.load(Ordering::Relaxed) - 1);
            // The interrupted code must not see errno change.
            let errno = Errno::last_raw();
            // SAFETY: from `page` to the end lies inside one mapping that `reading`'s caller
            // owns; replacing its pages by zeros invalidates no reference, only values, which
            // are the game's to change anyway.
            let patched = unsafe {
                libc::mmap(
                    page as *mut libc::c_void,
                    access.addresses.end - page,
                    libc::PROT_READ,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | libc::MAP_NORESERVE,
                    -1,
                    0,
                )
            };
            Errno::set_raw(errno);
            if patched == libc::MAP_FAILED {
                return false;
            }
            // SAFETY: `truncated` was made from a reference that outlives the read.
            unsafe { &*access.truncated }.store(true, Ordering::Relaxed);
            return true;
        }
        at = access.outer;
    }
    false
}

/// Lets whoever handled SIGBUS before us have it; if nobody did, the process ends of it.
fn pass_on(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
    code: libc::c_int,
) {
    let previous = PREVIOUS.get();
    let (handler, flags) = previous.map_or((libc::SIG_DFL, 0), |p| (p.sa_sigaction, p.sa_flags));
    let sent_by_a_process = code <= 0;
    match handler {
        libc::SIG_IGN if sent_by_a_process => {}
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: SIG_DFL is a valid disposition.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
            // A fault strikes again when we return and then ends the process; a signal that a
            // process sent would not come back by itself.
            if sent_by_a_process {
                // SAFETY: raise is async-signal-safe.
                unsafe { libc::raise(signal) };
            }
        }
        handler if flags & libc::SA_SIGINFO != 0 => {
            type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
            // SAFETY: sigaction reported this address as a handler with SA_SIGINFO, so it has
            // this signature.
            let handler = unsafe { std::mem::transmute::<usize, Handler>(handler) };
            handler(signal, info, context);
        }
        handler => {
            type Handler = extern "C" fn(libc::c_int);
            // SAFETY: sigaction reported this address as a plain handler.
            let handler = unsafe { std::mem::transmute::<usize, Handler>(handler) };
            handler(signal);
        }
    }
}
