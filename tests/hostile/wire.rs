//! Bytes that break the protocol, fds that belong to nothing, and what is logged of them.

use std::os::fd::AsFd;

use stratus_harness::raw::Wire;
use stratus_harness::watchdog::wait_for;

use crate::attacks::{Judge, launch, on_memory, on_the_wire, prepared, shm_at};
use crate::stage::{LIMIT, Stage, error_of};

#[test]
fn each_breach_ends_its_client_with_a_word_is_logged_once_and_disturbs_nobody() {
    let stage = Stage::new("attacks on the wire");
    let bystander = stage.bystander();
    let shm = shm_at(&stage.socket());
    let before = stage.settled_fds(1);
    let mut looked_at = 0;
    for attack in on_the_wire(shm) {
        let known = stage.warnings().len();
        let (events, lives) = launch(&stage.socket(), &attack);
        bystander.goes_on(attack.name);
        let Judge::Proxy(object, code, named) = attack.judge else { continue };
        assert!(!lives, "{}: it goes on", attack.name);
        let (o, c, text) = error_of(&events).unwrap_or_else(|| panic!("{}: no word", attack.name));
        assert_eq!((o, c), (object, code), "{}: {text}", attack.name);
        assert!(text.contains(named), "{}: {text}", attack.name);
        // All these are told from one place, which may speak 20 times in 10 seconds.
        looked_at += 1;
        if looked_at < 20 {
            assert_eq!(stage.one_warning(attack.name, known), text, "{}", attack.name);
        }
    }
    stage.assert_fds(&before);
    bystander.ends_well();
}

#[test]
fn memory_that_is_none_and_numbers_that_lie_disturb_nobody() {
    let stage = Stage::new("attacks with memory");
    let bystander = stage.bystander();
    shm_at(&stage.socket());
    let before = stage.settled_fds(1);
    for attack in on_memory() {
        // The scripted compositor minds none of them; `libwayland` has the real one.
        launch(&stage.socket(), &attack);
        bystander.goes_on(attack.name);
    }
    stage.assert_fds(&before);
    bystander.ends_well();
}

#[test]
fn fds_that_belong_to_nothing_are_closed_and_end_their_client_when_they_are_many() {
    let stage = Stage::new("fds that belong to nothing");
    let bystander = stage.bystander();
    drop(prepared(&stage.socket()));
    let file = tempfile::tempfile().unwrap();
    let beside = vec![file.as_fd(); 28];
    let before = stage.settled_fds(1);
    // Too many once: they wait for a message, and go with their client.
    let mut odd = prepared(&stage.socket());
    odd.send(&Wire::new(1, 0).word(3).bytes(), &beside).unwrap();
    while odd.event(LIMIT).unwrap().expect("it stays").sender != 3 {}
    bystander.goes_on("28 fds too many");
    drop(odd);
    stage.assert_fds(&before);
    // A thousand of them are too many for anybody. It never reads.
    let known = stage.warnings().len();
    let rude = prepared(&stage.socket());
    // They come beside the bytes of a message that never becomes whole.
    rude.message(&Wire::new(1, 0).word(3).claim(65_532)).unwrap();
    for _ in 0..36 {
        let _ = rude.send(&[0], &beside);
    }
    let said = stage.one_warning("a thousand fds", known);
    assert!(said.contains("fds came that belong to no message"), "{said}");
    bystander.goes_on("a thousand fds");
    drop(rude);
    stage.assert_fds(&before);
    bystander.ends_well();
}

/// Its windows must not stay for as long as it does not read.
#[test]
fn a_breach_ends_its_client_at_the_compositor_also_if_it_never_reads_why() {
    let stage = Stage::new("a client that does not read its error");
    let bystander = stage.bystander();
    let mut guilty = prepared(&stage.socket());
    let gone = stage.compositor.with_seen(|seen| seen.disconnected);
    // Answers for which the sockets have no room, then the breach.
    for n in 0..20_000u32 {
        guilty.message(&Wire::new(1, 0).word(8 + n)).unwrap();
    }
    let known = stage.warnings().len();
    guilty.message(&Wire::new(4242, 0)).unwrap();
    stage.compositor.wait("its end", LIMIT, |seen| seen.disconnected > gone).unwrap();
    let said = stage.one_warning("a breach", known);
    assert!(said.contains("4242"), "{said}");
    bystander.goes_on("its end");
    // Should it read after all, it hears everything, and why last.
    let events = guilty.events_until_closed(LIMIT).unwrap();
    assert!(events.len() > 10_000, "only {} events waited for it", events.len());
    let error = events.last().and_then(stratus_harness::raw::RawEvent::display_error);
    assert_eq!(error.map(|(object, code, _)| (object, code)), Some((1, 0)));
    bystander.ends_well();
}

#[test]
fn a_storm_of_bad_clients_does_not_flood_the_log() {
    const STORM: usize = 300;
    let stage = Stage::new("a storm of bad clients");
    let bystander = stage.bystander();
    let gone = stage.compositor.with_seen(|seen| seen.disconnected);
    for _ in 0..STORM {
        let mut client = stage.connect();
        client.message(&Wire::new(4242, 0)).unwrap();
        let events = client.events_until_closed(LIMIT).unwrap();
        assert!(error_of(&events).is_some(), "each is told all the same: {events:?}");
    }
    let all = || {
        let seen = stage.compositor.with_seen(|seen| seen.disconnected);
        (seen == gone + STORM as u64).then_some(())
    };
    wait_for("the end of all", LIMIT, all).unwrap();
    bystander.goes_on("the storm");
    let warnings = stage.warnings();
    // At most two windows of 20, a line that announces the silence, and one that counts it.
    assert!((20..=44).contains(&warnings.len()), "{} warnings: {warnings:#?}", warnings.len());
    assert!(warnings.iter().any(|w| w.contains("left out")), "{warnings:#?}");
    bystander.ends_well();
}
