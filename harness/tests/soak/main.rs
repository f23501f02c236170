//! Clients of all kinds come and go for a long time, and the proxy stays as it was: memory, fds,
//! threads and the time that it takes to pass a message on.
//!
//! Proxy, capture and a reader of frames run in a process of their own (this program once more,
//! see [`proxy`]), in front of a real Sway. The time is cut into rounds. At the end of each all
//! clients leave but one, and what the proxy's process then holds is one row of the table. That
//! one client asks for `wl_display.sync` all the time, and a second one asks Sway directly, so
//! that the machine's own noise can be divided out.
//!
//! `scripts/soak MINUTES` runs it. `SOAK_MINUTES` and `SOAK_COMMITS` say how long: until both the
//! time is over and that many commits have passed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod clients;
mod probe;
mod proxy;
#[path = "../stage/mod.rs"]
mod stage;
mod table;

use std::time::{Duration, Instant};

use stratus_harness::sway::{Options, Sway};
use stratus_harness::watchdog::{Watchdog, wait_for};
use stratus_harness::{fds, memory};

use clients::Crowd;
use probe::Steady;
use proxy::Child;
use table::{Row, Table};

/// Rows of the table at least: the verdict compares its last third with its first.
const ROUNDS: u32 = 12;
/// How long a round lasts at most.
const ROUND: Duration = Duration::from_secs(60);
/// How long the last client's end may take.
const QUIET_LIMIT: Duration = Duration::from_secs(30);

fn number(name: &str, usual: f64) -> f64 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

#[test]
#[ignore = "runs for an hour; see scripts/soak"]
fn clients_come_and_go_and_the_proxy_stays_as_it_was() {
    let time = Duration::from_secs_f64(number("SOAK_MINUTES", 60.0) * 60.0);
    let commits = number("SOAK_COMMITS", 1_000_000.0) as u64;
    let _watchdog = Watchdog::start("the soak", time * 4 + Duration::from_secs(300));
    let sway = Sway::start(&Options { size: (640, 360), ..Options::default() }).unwrap();
    let mut child = Child::start(sway.runtime_dir(), sway.socket());
    let steady = Steady::start(child.socket());
    let direct = Steady::start(sway.socket());
    let mut table = Table::default();
    let round = ROUND.min(time / ROUNDS);
    let start = Instant::now();
    let mut seed = 1;
    while start.elapsed() < time || table.commits() < commits {
        let crowd = Crowd::start(&sway, child.socket(), seed);
        std::thread::sleep(round);
        let left = crowd.stop();
        seed += 1;
        let mut stats = child.stats();
        let quiet = wait_for("the end of all clients but one", QUIET_LIMIT, || {
            stats = child.stats();
            (stats.clients == 1 && stats.held == 0).then_some(())
        });
        quiet.unwrap_or_else(|error| panic!("{error}: {stats:?}"));
        // The proxy closes a client's sockets after the capture has forgotten it.
        std::thread::sleep(Duration::from_millis(200));
        let usage = memory::usage(child.pid()).unwrap();
        table.push(Row {
            minutes: start.elapsed().as_secs_f64() / 60.0,
            commits: stats.commits,
            frames: stats.handed,
            clients: left,
            memory_kib: usage.anonymous_kib,
            sway_kib: memory::usage(sway.pid()).unwrap().rss_kib,
            fds: fds::open_fds(child.pid()).unwrap().len() as u64,
            threads: usage.threads,
            proxied: steady.take(),
            direct: direct.take(),
        });
        println!("{}", table.last_line());
    }
    steady.stop();
    direct.stop();
    child.stop();
    println!("{table}");
    let complaints = table.complaints();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// The other process of the test above; by itself it has nothing to do.
#[test]
#[ignore = "the proxy of the soak"]
fn the_proxy_of_the_soak() {
    proxy::run();
}
