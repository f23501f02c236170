//! What the proxy answers is what libwayland would: the same attacks on a real Sway, past the
//! proxy and through it.

use stratus_harness::sway::{Options, Sway};
use stratus_harness::watchdog::Watchdog;

use crate::attacks::{Judge, launch, on_memory, on_the_wire, shm_at};
use crate::stage::{Bystander, LIMIT, error_of, proxy};
use crate::support::{Session, place};

/// What is not compared, and why: where the proxy differs on purpose, and where libwayland gives
/// no answer that could be waited for.
const DIFFERENT: &[(&str, &str)] = &[
    (
        "a size that is no multiple of 4",
        "libwayland takes it, and what follows is out of step for ever; we say why at once",
    ),
    (
        "a size of 65,535",
        "libwayland waits until its buffer is full and drops the connection without a word",
    ),
    (
        "a whole message of 65,532 bytes",
        "it passes; libwayland 1.23 reads no further once its buffer is full, and says nothing",
    ),
];

/// What passes the proxy, and what only some compositors mind.
const MINDED_BY_SOME: &str = "a buffer with a stride below its width";

#[test]
fn clients_are_answered_as_libwayland_answers() {
    let _watchdog = Watchdog::start("answers of libwayland", LIMIT * 4);
    let sway = Sway::start(&Options { size: (320, 240), ..Options::default() }).unwrap();
    let place = place();
    let upstream = place.path().join("compositor");
    std::os::unix::fs::symlink(sway.socket(), &upstream).unwrap();
    let session = Session::start(place, proxy(&upstream));
    let proxied = session.place.path().join("proxied");
    let bystander = Bystander::start(&proxied);
    let shm = shm_at(sway.socket());
    let count = on_the_wire(shm).len() + on_memory().len();
    // Each row twice: an fd belongs to one of the two.
    let rows = || on_the_wire(shm).into_iter().chain(on_memory());
    let mut compared = 0;
    for (direct, through) in rows().zip(rows()) {
        let name = direct.name;
        if DIFFERENT.iter().any(|(different, _)| *different == name) {
            continue;
        }
        let (events, lives) = launch(sway.socket(), &direct);
        let expected = (error_of(&events), lives);
        let (events, lives) = launch(&proxied, &through);
        let found = (error_of(&events), lives);
        bystander.goes_on(name);
        let told = |(error, lives): &(Option<(u32, u32, String)>, bool)| {
            (error.as_ref().map(|(object, code, _)| (*object, *code)), *lives)
        };
        assert_eq!(told(&found), told(&expected), "{name}: {found:?}, libwayland {expected:?}");
        if direct.judge == Judge::Nobody && name != MINDED_BY_SOME {
            assert!(expected.1, "{name}: libwayland minds");
        }
        compared += 1;
    }
    assert_eq!(compared, count - DIFFERENT.len());
    bystander.ends_well();
}
