//! Random conversations of a client and a compositor, once directly and once through the proxy.
//!
//! A case is a list of operations: mostly legal ones, in any order, and at the end perhaps a
//! breach of the protocol, an abrupt end or a clean one. A client of bare bytes plays it with
//! random cuts of its bytes and random habits of reading, and a library's client with its own; a
//! compositor on `wayland-backend` judges every request by the protocol's text. What the
//! compositor was asked must be what the client wrote, with the same files behind the fds; what
//! the client hears must be the same, argument by argument and in the same order, with and
//! without the proxy, errors included.
//!
//! `PROPTEST_CASES` says how many cases are played.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arg;
mod case;
mod library;
mod link;
mod play;
mod same;
#[path = "../stage/mod.rs"]
mod stage;
mod strict;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};
use stratus_capture::CaptureConfig;
use stratus_frame::{Arrival, Size};
use stratus_harness::watchdog::Watchdog;

use case::{By, Case, case, play_case};
use stage::Proxied;

/// Cases of each test; together they take some 20 seconds.
const CASES: u32 = 400;

/// So many further rounds of cases may be needed until each aim was reached by one: what takes
/// several steps of luck comes to a few in a round, and now and then to none.
const ROUNDS: u32 = 10;

/// How long the encoder's stand-in has each frame.
const READING: Duration = Duration::from_millis(3);

/// For how long a failure is made smaller, in milliseconds.
const SHRINK_MS: u32 = 120_000;

/// Each test counts the fds of the whole process.
static ALONE: Mutex<()> = Mutex::new(());

fn run(name: &str, test: impl Fn(&Case) -> anyhow::Result<()>) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let usual = Config::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { usual.cases } else { CASES };
    // A case that hangs fails by itself after a while; this ends what nobody foresaw.
    let _watchdog = Watchdog::start(name, Duration::from_secs(400 + u64::from(cases)));
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/operations/regressions.txt");
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(kept))),
        max_shrink_time: SHRINK_MS,
        ..usual
    });
    let result = runner.run(&case(), |case| {
        test(&case).map_err(|error| TestCaseError::fail(format!("{error:#}")))
    });
    if let Err(failed) = result {
        panic!("{failed}");
    }
}

#[test]
fn without_capture_every_conversation_is_the_same() {
    let reached = RefCell::new(BTreeMap::<String, u32>::new());
    let missing = || {
        let reached = reached.borrow();
        case::AIMS.iter().filter(|aim| !reached.contains_key(**aim)).collect::<Vec<_>>()
    };
    for _ in 0..ROUNDS {
        run("operations without capture", |case| {
            let direct = play_case(case, By::Bytes, |_, upstream| (upstream.to_owned(), ()))?;
            for what in direct.reached(case) {
                *reached.borrow_mut().entry(what).or_default() += 1;
            }
            let proxied = play_case(case, By::Bytes, |folder, upstream| {
                let proxied = Proxied::passing(folder, upstream);
                (proxied.socket().to_owned(), proxied)
            })?;
            same::exactly(case, &direct, &proxied)
        });
        if missing().is_empty() {
            return;
        }
    }
    panic!("the cases never came to {:?}: {:?}", missing(), reached.borrow());
}

#[test]
fn a_library_has_the_same_conversations() {
    run("operations of a library", |case| {
        let direct = play_case(case, By::Library, |_, upstream| (upstream.to_owned(), ()))?;
        let proxied = play_case(case, By::Library, |folder, upstream| {
            let proxied = Proxied::passing(folder, upstream);
            (proxied.socket().to_owned(), proxied)
        })?;
        same::exactly(case, &direct, &proxied)
    });
}

#[test]
fn with_capture_every_conversation_differs_as_declared() {
    let (handed, withheld) = (Cell::new(0), Cell::new(0));
    run("operations with capture", |case| {
        let counted = Cell::new(None);
        let direct = play_case(case, By::Bytes, |_, upstream| (upstream.to_owned(), ()))?;
        let proxied = play_case(case, By::Patient, |folder, upstream| {
            let config = CaptureConfig::new(Size::new(800, 600));
            let (proxied, slot, stats) = Proxied::capturing(folder, upstream, config);
            counted.set(Some(stats));
            let reader = std::thread::spawn(move || {
                while let Arrival::Frame(frame) = slot.wait(true, None) {
                    // Slower than the compositor, whose releases then have to wait.
                    std::thread::sleep(READING);
                    let _ = frame.pixels.read(&mut |view| {
                        std::hint::black_box(view.data.iter().fold(0, |sum, byte| sum ^ byte));
                    });
                }
            });
            (proxied.socket().to_owned(), case::Capturing::new(proxied, reader))
        })?;
        if let Some(stats) = counted.take() {
            handed.set(handed.get() + stats.handed.value());
            withheld.set(withheld.get() + stats.withheld.value());
        }
        same::but_for_rewrites(case, &direct, &proxied)
    });
    let counts = (handed.get(), withheld.get());
    assert!(counts.0 > 0 && counts.1 > 0, "frames and withheld releases: {counts:?}");
}
