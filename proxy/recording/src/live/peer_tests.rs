//! Tests of one client's way to a compositor, which the test plays.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;

use stratus_protocols::{wl_pointer, wl_registry};
use stratus_proxy_core::GlobalPolicy;

use super::*;

const REGISTRY: ObjectId = ObjectId(2);
const SEAT: ObjectId = ObjectId(3);
const POINTER: ObjectId = ObjectId(4);

fn message(sender: ObjectId, opcode: u16, args: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    Writer::message(&mut bytes, sender, opcode, args);
    bytes
}

fn global(name: u32) -> Vec<u8> {
    message(REGISTRY, wl_registry::EVT_GLOBAL_OPCODE, |w| {
        w.uint(name).string("wl_seat").uint(7);
    })
}

fn capabilities(bits: u32) -> Vec<u8> {
    message(SEAT, wl_seat::EVT_CAPABILITIES_OPCODE, |w| {
        w.uint(bits);
    })
}

/// The client, the compositor's end, and what was left out.
struct Scene {
    peer: Peer,
    compositor: UnixStream,
    left_out: LeftOut,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wayland-0");
        let listener = UnixListener::bind(&path).unwrap();
        let rules = Arc::new(Rules::new(&[], GlobalPolicy::default()));
        let peer = Peer::connect(&path, 1, &rules).unwrap();
        let compositor = listener.accept().unwrap().0;
        Self { peer, compositor, left_out: LeftOut::default() }
    }

    /// What becomes of a recorded request, long after its time.
    fn request(&mut self, bytes: &[u8]) -> Turn {
        let mut request = self.peer.told_request(bytes, 0).unwrap();
        let turn = self.peer.turn(&mut request, GRACE, &mut self.left_out).unwrap();
        if let Turn::Send = turn {
            self.peer.send(&request, Vec::new()).unwrap();
            assert!(self.peer.flush().unwrap());
        }
        turn
    }

    fn live_event(&mut self, bytes: &[u8]) {
        self.compositor.write_all(bytes).unwrap();
        self.peer.listen().unwrap();
    }

    fn received(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.compositor.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// A seat is bound, which has a pointer in the recording.
    fn with_seat() -> Self {
        let mut scene = Self::new();
        let get_registry = message(ObjectId::DISPLAY, wl_display::REQ_GET_REGISTRY_OPCODE, |w| {
            w.object(REGISTRY);
        });
        assert!(matches!(scene.request(&get_registry), Turn::Send));
        scene.received(get_registry.len());
        scene.peer.told_event(&global(1), 0).unwrap();
        scene.live_event(&global(30));
        let bind = |name| {
            message(REGISTRY, wl_registry::REQ_BIND_OPCODE, |w| {
                w.uint(name).string("wl_seat").uint(5).object(SEAT);
            })
        };
        assert!(matches!(scene.request(&bind(1)), Turn::Send));
        assert_eq!(scene.received(bind(30).len()), bind(30), "the name is the compositor's");
        scene.peer.told_event(&capabilities(1), 0).unwrap();
        scene
    }
}

fn get_pointer() -> Vec<u8> {
    message(SEAT, wl_seat::REQ_GET_POINTER_OPCODE, |w| {
        w.object(POINTER);
    })
}

#[test]
fn requests_wait_for_what_the_client_had_heard() {
    let mut scene = Scene::with_seat();
    let mut request = scene.peer.told_request(&get_pointer(), 0).unwrap();
    let mut turn = |scene: &mut Scene| {
        scene.peer.turn(&mut request, Duration::ZERO, &mut scene.left_out).unwrap()
    };
    let Turn::Wait(what) = turn(&mut scene) else { panic!("it was not waited for") };
    assert_eq!(what, "wl_seat@3.capabilities");
    scene.live_event(&capabilities(3));
    assert!(matches!(turn(&mut scene), Turn::Send));
    assert_eq!(scene.left_out, LeftOut::default());
}

#[test]
fn a_device_that_is_not_there_is_left_out_and_its_id_is_not() {
    let mut scene = Scene::with_seat();
    scene.live_event(&capabilities(2));
    assert!(matches!(scene.request(&get_pointer()), Turn::Send));
    let sync = message(ObjectId::DISPLAY, wl_display::REQ_SYNC_OPCODE, |w| {
        w.object(POINTER);
    });
    assert_eq!(scene.received(sync.len()), sync);
    let release = message(POINTER, wl_pointer::REQ_RELEASE_OPCODE, |_| {});
    assert!(matches!(scene.request(&release), Turn::LeaveOut));
    assert_eq!(scene.left_out.without_object, 2);
}

#[test]
fn an_error_of_the_compositor_is_told_in_its_words() {
    let mut scene = Scene::new();
    let error = message(ObjectId::DISPLAY, wl_display::EVT_ERROR_OPCODE, |w| {
        w.object(ObjectId::DISPLAY).uint(1).string("no such thing");
    });
    scene.compositor.write_all(&error).unwrap();
    let problem = scene.peer.listen().unwrap_err();
    let text = "the compositor refused it: object 1, code 1: no such thing";
    assert_eq!(problem.to_string(), text);
}
