//! The usual message allocates nothing on its way.
#![allow(unsafe_code, reason = "counting allocations needs an allocator of our own")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use stratus_protocols::{InterfaceId, wl_surface};
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
fn round(s: &mut Session, from: Side, bytes: &[u8]) {
    s.spare(from)[..bytes.len()].copy_from_slice(bytes);
    s.handle_received(from, bytes.len(), &mut Vec::new(), 0, &mut Looks).unwrap();
    for to in [Side::Client, Side::Compositor] {
        while let Some(transmit) = s.poll_transmit(to) {
            let len = transmit.len();
            s.handle_transmitted(to, len);
        }
    }
}

#[test]
fn a_frame_and_its_callback_allocate_nothing() {
    let mut s = session_with(&Looks, GlobalPolicy::default());
    set_up(&mut s, &mut Looks);
    let frame = [
        message(4, wl_surface::REQ_ATTACH_OPCODE, &[0, 0, 0]),
        message(4, wl_surface::REQ_DAMAGE_OPCODE, &[0, 0, 9, 9]),
        message(4, wl_surface::REQ_FRAME_OPCODE, &[7]),
        message(4, wl_surface::REQ_COMMIT_OPCODE, &[]),
    ];
    let (request, event) = (frame.concat(), [message(7, 0, &[1]), delete_id(7)].concat());
    let mut rounds = |n| {
        for _ in 0..n {
            round(&mut s, Side::Client, &request);
            round(&mut s, Side::Compositor, &event);
        }
    };
    rounds(3);
    assert_eq!(allocations(|| rounds(1000)), 0);
    assert!(allocations(|| drop(vec![0u8; 100])) > 0, "the counter counts");
}
