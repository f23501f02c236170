//! Fds after many clients, alone in its process so that it may count them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::Write;

use stratus_proxy::core::GlobalPolicy;
use support::{Running, Seen, open_fds};

#[test]
fn two_hundred_clients_leave_no_fd() {
    let mut running = Running::start(GlobalPolicy::default());
    let mut compositor = running.compositor();
    let mut before = 0;
    for cycle in 0..210 {
        if cycle == 10 {
            before = open_fds();
        }
        let mut client = running.client();
        client.roundtrip().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"pixel").unwrap();
        client.pool(file.into());
        client.connection.flush().unwrap();
        let mut dying = 1;
        // Every third time another one dies with half a message under way.
        if cycle % 3 == 0 {
            running.connect().write_all(&[1, 0]).unwrap();
            dying += 1;
        }
        drop(client);
        while dying > 0 {
            dying -= usize::from(compositor.sees() == Seen::Gone);
        }
    }
    // The proxy closes its ends a moment before or after the compositor hears of it.
    for _ in 0..200 {
        if open_fds() <= before {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(open_fds() <= before, "{} fds, {before} before", open_fds());
    running.stop();
    compositor.kill();
}
