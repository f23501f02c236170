//! The usual message allocates nothing on its way.
#![allow(unsafe_code, reason = "counting allocations needs an allocator of our own")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs::File;
use std::os::fd::OwnedFd;

use stratus_protocols::{InterfaceId, wl_seat, wl_shm, wl_shm_pool, wl_surface};
use stratus_proxy_core::{
    Context, Direction, GlobalPolicy, Hook, Interest, Malformed, Message, Session, Side, Verdict,
};
use support::*;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator as it came; the counter is a plain cell of
// this thread that needs no allocation itself.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|n| n.set(n.get() + 1));
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System.alloc` with this layout, by the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// Looks at commits and sends an event of its own for each, as a capture does.
struct Looks;

impl Hook for Looks {
    fn interests(&self) -> Vec<Interest> {
        let interface = InterfaceId::WlSurface;
        let opcode = wl_surface::REQ_COMMIT_OPCODE;
        vec![Interest { interface, direction: Direction::Request, opcode }]
    }

    fn request(&mut self, cx: &mut Context<'_>, m: &mut Message<'_>) -> Result<Verdict, Malformed> {
        cx.send_event(m.sender, wl_surface::EVT_PREFERRED_BUFFER_SCALE_OPCODE, |w| {
            w.int(1);
        });
        Ok(Verdict::Forward)
    }

    fn event(&mut self, _: &mut Context<'_>, _: &mut Message<'_>) -> Result<Verdict, Malformed> {
        Ok(Verdict::Forward)
    }
}

/// Receives, parses and "sends" without keeping anything.
fn round_with(s: &mut Session, from: Side, bytes: &[u8], fds: &mut Vec<OwnedFd>) {
    s.spare(from)[..bytes.len()].copy_from_slice(bytes);
    s.handle_received(from, bytes.len(), fds, 0, &mut Looks).unwrap();
    for to in [Side::Client, Side::Compositor] {
        while let Some(transmit) = s.poll_transmit(to) {
            let len = transmit.len();
            s.handle_transmitted(to, len);
        }
    }
}

/// Plays the round until all is as large as it gets, and counts what it allocates from then on.
fn allocations_of(request: &[u8], event: &[u8], fds: usize) -> usize {
    let mut s = session_with(&Looks, GlobalPolicy::default());
    set_up(&mut s, &mut Looks);
    let null = File::open("/dev/null").unwrap();
    let mut beside = Vec::with_capacity(fds);
    let mut rounds = |n| {
        for _ in 0..n {
            beside.extend((0..fds).map(|_| OwnedFd::from(null.try_clone().unwrap())));
            round_with(&mut s, Side::Client, request, &mut beside);
            round_with(&mut s, Side::Compositor, event, &mut Vec::new());
        }
    };
    rounds(3);
    allocations(|| rounds(1000))
}

#[test]
fn the_counter_counts() {
    assert!(allocations(|| drop(vec![0u8; 100])) > 0);
}

#[test]
fn a_frame_and_its_callback_allocate_nothing() {
    let frame = [
        message(4, wl_surface::REQ_ATTACH_OPCODE, &[0, 0, 0]),
        message(4, wl_surface::REQ_DAMAGE_OPCODE, &[0, 0, 9, 9]),
        message(4, wl_surface::REQ_FRAME_OPCODE, &[7]),
        message(4, wl_surface::REQ_COMMIT_OPCODE, &[]),
    ];
    let event = [message(7, 0, &[1]), delete_id(7)].concat();
    assert_eq!(allocations_of(&frame.concat(), &event, 0), 0);
}

#[test]
fn round_trips_allocate_nothing() {
    let ids = 7..39;
    let requests: Vec<u8> = ids.clone().flat_map(sync).collect();
    let events: Vec<u8> =
        ids.flat_map(|id| [message(id, 0, &[1]), delete_id(id)].concat()).collect();
    assert_eq!(allocations_of(&requests, &events, 0), 0);
}

#[test]
fn binding_and_letting_go_allocate_nothing() {
    let seat = [bind(2, 3, "wl_seat", 5, 7), message(7, wl_seat::REQ_RELEASE_OPCODE, &[])];
    assert_eq!(allocations_of(&seat.concat(), &delete_id(7), 0), 0);
}

#[test]
fn objects_that_come_with_fds_and_go_allocate_nothing() {
    let ids = 7..23;
    let pool = |id| message(5, wl_shm::REQ_CREATE_POOL_OPCODE, &[id, 4096]);
    let destroy = |id| message(id, wl_shm_pool::REQ_DESTROY_OPCODE, &[]);
    let mut requests: Vec<u8> = ids.clone().flat_map(pool).collect();
    requests.extend(ids.clone().flat_map(destroy));
    let events: Vec<u8> = ids.flat_map(delete_id).collect();
    assert_eq!(allocations_of(&requests, &events, 16), 0);
}
