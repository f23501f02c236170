//! The scripted client as a bench uses it: it draws when something is pressed, and then alone.

use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;

use stratus_frame::MonoTime;
use stratus_harness::client::{Client, Config, Pace};
use stratus_harness::scene::Motion;
use stratus_harness::watchdog::{Watchdog, wait_for};

use crate::{BUTTON_LEFT, Hands, KEY_A, LIMIT, SIZE, sway};

#[test]
fn each_press_is_answered_by_a_frame_and_noted() {
    let _watchdog = Watchdog::start("answers", Duration::from_secs(60));
    let sway = sway();
    let mut hands = Hands::at(sway.socket());
    let presses = sway.runtime_dir().join("presses");
    let config = Config {
        frames: u64::MAX,
        pace: Pace::Presses,
        motion: Motion::MarkerOnly,
        fullscreen: true,
        presses: Some(presses.clone()),
        ..Config::default()
    };
    let client = Client::start(sway.socket(), config).unwrap();
    wait_for("the client's focus", LIMIT, || {
        let tree = sway.message(&["-t", "get_tree"]).unwrap();
        let there = client.live().commits.load(Ordering::Relaxed) > 0;
        (there && tree.contains("\"app_id\": \"harness\"")).then_some(())
    })
    .unwrap();
    let noted = || fs::read_to_string(&presses).unwrap_or_default();
    let before = MonoTime::now().as_nanos();
    hands.point(320, 240, SIZE);
    for count in 1..=4 {
        for pressed in [true, false] {
            if count % 2 == 0 {
                hands.button(BUTTON_LEFT, pressed);
            } else {
                hands.key(KEY_A, pressed);
            }
        }
        wait_for("its answer", LIMIT, || (noted().lines().count() == count).then_some(())).unwrap();
    }
    let mut last = (0, before);
    for line in noted().lines() {
        let fields: Vec<u64> = line.split(',').map(|field| field.parse().unwrap()).collect();
        let [number, heard, committed] = fields[..] else { panic!("{line}") };
        assert!(number > last.0 && last.1 < heard && heard < committed, "{line} after {last:?}");
        last = (number, committed);
    }
    assert!(last.1 < MonoTime::now().as_nanos());
    client.stop().unwrap();
}
