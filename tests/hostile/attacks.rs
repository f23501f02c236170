//! What a client can send that it must not, one row each.

use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::sys::memfd::{MFdFlags, memfd_create};
use stratus_harness::raw::{RawClient, RawEvent, Wire};

use crate::stage::{LIMIT, bind, globals};

/// Whose judgement ends the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judge {
    /// The proxy's: these object and code of `wl_display.error`, and the text names this.
    Proxy(u32, u32, &'static str),
    /// The compositor's, whose error passes.
    Compositor,
    /// Nobody's, as long as the client stays: it is only odd.
    Nobody,
}

/// One attack: what is sent once `wl_compositor`, `wl_shm` and `wl_shm_pool` are objects 4, 5 and
/// 6, a surface is 7, and 8 is the next free id.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) fds: Vec<OwnedFd>,
    pub(crate) judge: Judge,
}

fn memory(len: u64) -> OwnedFd {
    let file = File::from(memfd_create(c"attack", MFdFlags::MFD_CLOEXEC).unwrap());
    file.set_len(len).unwrap();
    file.into()
}

fn opened(path: &str, write: bool) -> OwnedFd {
    OpenOptions::new().read(true).write(write).open(path).unwrap().into()
}

/// Attacks on the framing, on ids and on globals. `shm` is the name of the `wl_shm` global.
pub(crate) fn on_the_wire(shm: u32) -> Vec<Attack> {
    use Judge::{Compositor, Nobody, Proxy};
    let of = |name, bytes: Vec<u8>, judge| Attack { name, bytes, fds: Vec::new(), judge };
    let sized = |len| Wire::new(1, 0).word(8).claim(len).bytes();
    let sync = "wl_display@1.sync";
    let registry = "wl_registry@2.bind";
    let noise = (0..4096u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8);
    let mut long = Wire::new(1, 0).word(8);
    for _ in 0..(65_532 - 12) / 4 {
        long = long.word(0);
    }
    vec![
        of("a size of 0", sized(0), Proxy(1, 1, sync)),
        of("a size of 4", sized(4), Proxy(1, 1, sync)),
        of("a size of 7", sized(7), Proxy(1, 1, sync)),
        of("a size that is no multiple of 4", sized(13), Proxy(1, 1, sync)),
        of("a size of 65,535", sized(65_535), Proxy(1, 1, sync)),
        of("a whole message of 65,532 bytes", long.bytes(), Compositor),
        of("arguments behind the last", Wire::new(1, 0).word(8).word(1).word(2).bytes(), Nobody),
        of("no arguments", Wire::new(1, 0).bytes(), Proxy(1, 1, sync)),
        of("an object never made", Wire::new(4242, 0).bytes(), Proxy(1, 0, "4242")),
        of("object 0", Wire::new(0, 0).bytes(), Proxy(1, 0, "object 0")),
        of("an object of the server's", Wire::new(0xff00_0001, 0).bytes(), Proxy(1, 0, "42781")),
        of(
            "a dead object",
            [Wire::new(7, 0).bytes(), Wire::new(7, 6).bytes()].concat(),
            Proxy(1, 0, "wl_surface@7.commit"),
        ),
        of("an unknown request", Wire::new(2, 77).bytes(), Proxy(1, 1, "wl_registry@2")),
        of("a request of a later version", Wire::new(7, 10).word(0).word(0).bytes(), Compositor),
        of("a new id used twice", Wire::new(1, 0).word(7).bytes(), Proxy(1, 1, sync)),
        of("a new id of 0", Wire::new(1, 0).word(0).bytes(), Proxy(1, 1, sync)),
        of("a new id out of range", Wire::new(1, 0).word(80_000).bytes(), Proxy(1, 1, sync)),
        of(
            "a new id of the server's",
            Wire::new(1, 0).word(0xff00_0000).bytes(),
            Proxy(1, 1, sync),
        ),
        of("a bind of nothing", bind(999, "x", 1, 8).bytes(), Proxy(2, 0, registry)),
        of("a bind by a wrong name", bind(shm, "wl_seat", 1, 8).bytes(), Proxy(2, 0, registry)),
        of("a bind of a high version", bind(shm, "wl_shm", 99, 8).bytes(), Proxy(2, 0, registry)),
        of("a bind of version 0", bind(shm, "wl_shm", 0, 8).bytes(), Proxy(2, 0, registry)),
        of(
            "a string without end",
            Wire::new(2, 0).word(1).word(0xffff_fff0).bytes(),
            Proxy(1, 1, registry),
        ),
        of(
            "a string without its NUL",
            Wire::new(2, 0)
                .word(shm)
                .word(8)
                .word(0x6161_6161)
                .word(0x6161_6161)
                .word(1)
                .word(8)
                .bytes(),
            Proxy(1, 1, registry),
        ),
        of("an object of the wrong kind", Wire::new(7, 5).word(4).bytes(), Compositor),
        of("an argument that is no object", Wire::new(7, 5).word(99).bytes(), Compositor),
        of(
            "a pool without its fd",
            Wire::new(5, 0).word(8).word(4096).bytes(),
            Proxy(1, 1, "wl_shm@5.create_pool"),
        ),
        of(
            "noise",
            Wire::new(0x3377_bb00, 0x77).claim(16).bytes().into_iter().chain(noise).collect(),
            Proxy(1, 0, "object"),
        ),
    ]
}

/// Attacks with memory: what is no shared memory, and numbers that lie about it.
pub(crate) fn on_memory() -> Vec<Attack> {
    use Judge::{Compositor, Nobody};
    let create = |name, fd, size: i32, judge| {
        let bytes = Wire::new(5, 0).word(8).word(size.cast_unsigned()).bytes();
        Attack { name, bytes, fds: vec![fd], judge }
    };
    let (pipe, _) = std::io::pipe().unwrap();
    let (socket, _) = UnixStream::pair().unwrap();
    let mut all = vec![
        create("a pipe as a pool", pipe.into(), 4096, Compositor),
        create("a socket as a pool", socket.into(), 4096, Compositor),
        create("a directory as a pool", opened("/tmp", false), 4096, Compositor),
        create("a read-only file as a pool", opened("/etc/hostname", false), 4096, Compositor),
        create("/dev/null as a pool", opened("/dev/null", true), 4096, Compositor),
        create("a sparse file of 1 TiB as a pool", memory(1 << 40), i32::MAX, Nobody),
        create("a pool of 2 GiB without memory", memory(0), i32::MAX, Nobody),
        create("a pool of size 0", memory(4096), 0, Compositor),
        create("a pool of negative size", memory(4096), -1, Compositor),
    ];
    for (name, size, judge) in [
        ("a pool that shrinks", 4095i32, Compositor),
        ("a pool that shrinks to 0", 0, Compositor),
        ("a pool resized to less than nothing", -1, Compositor),
        ("a pool resized beyond its file", 1 << 20, Nobody),
    ] {
        let bytes = Wire::new(6, 2).word(size.cast_unsigned()).bytes();
        all.push(Attack { name, bytes, fds: Vec::new(), judge });
    }
    let most = i32::MAX;
    for (name, numbers, judge) in [
        ("a buffer at a negative offset", [-4, 4, 4, 16], Compositor),
        ("a buffer of negative width", [0, -4, 4, 16], Compositor),
        ("a buffer of negative height", [0, 4, -4, 16], Compositor),
        ("a buffer of no size", [0, 0, 0, 0], Compositor),
        ("a buffer of negative stride", [0, 4, 4, -16], Compositor),
        ("a buffer whose products overflow", [most, most, most, most], Compositor),
        ("a buffer whose stride overflows", [0, 1, most, most], Compositor),
        ("a buffer behind its pool", [4096, 4, 4, 16], Compositor),
        ("a buffer with a stride below its width", [0, 4, 4, 8], Nobody),
    ] {
        let mut wire = Wire::new(6, 0).word(8);
        for number in numbers {
            wire = wire.word(number.cast_unsigned());
        }
        // And it is shown at once: whoever reads it must not trust those numbers.
        let show = [
            wire.word(1).bytes(),
            Wire::new(7, 1).word(8).word(0).word(0).bytes(),
            Wire::new(7, 6).bytes(),
        ];
        all.push(Attack { name, bytes: show.concat(), fds: Vec::new(), judge });
    }
    all
}

/// The name of the `wl_shm` global at `socket`, which is the same for all clients.
pub(crate) fn shm_at(socket: &Path) -> u32 {
    globals(&mut RawClient::connect(socket).unwrap())["wl_shm"].0
}

/// A client with a registry (2), a callback (3), `wl_compositor` (4), `wl_shm` (5), a pool of 4096
/// bytes (6) and a surface (7).
pub(crate) fn prepared(socket: &Path) -> RawClient {
    let mut client = RawClient::connect(socket).unwrap();
    let offered = globals(&mut client);
    let name = |interface: &str| offered[interface].0;
    client.message(&bind(name("wl_compositor"), "wl_compositor", 4, 4)).unwrap();
    client.message(&bind(name("wl_shm"), "wl_shm", 1, 5)).unwrap();
    let pool = Wire::new(5, 0).word(6).word(4096).bytes();
    client.send(&pool, &[memory(4096).as_fd()]).unwrap();
    client.message(&Wire::new(4, 0).word(7)).unwrap();
    // Id 3 was freed by its answer.
    client.sync(3, LIMIT).unwrap();
    client
}

/// What is heard after an attack, and whether the client lives on.
pub(crate) fn launch(socket: &Path, attack: &Attack) -> (Vec<RawEvent>, bool) {
    let mut client = prepared(socket);
    let fds: Vec<BorrowedFd<'_>> = attack.fds.iter().map(AsFd::as_fd).collect();
    // The peer may hang up before everything is said.
    let _ = client.send(&attack.bytes, &fds);
    let _ = client.message(&Wire::new(1, 0).word(3));
    let mut events = Vec::new();
    loop {
        match client.event(LIMIT).unwrap_or_else(|e| panic!("{}: {e}", attack.name)) {
            None => return (events, false),
            Some(event) if event.sender == 3 => return (events, true),
            Some(event) => events.push(event),
        }
    }
}
