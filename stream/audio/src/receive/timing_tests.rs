//! Half an hour of drift, jitter and loss, in a second.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

/// Numbers that look random, the same each time (SplitMix64).
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A sound card `drift` faster than our clock plays what comes with up to `jitter` seconds of
/// delay. Gives, of each second after the first minute, by how much the time of playing was off
/// what was wanted, the target, and how often what was needed had not come.
fn half_an_hour(drift: f64, jitter: f64, loss: f64) -> (f64, f64, u32) {
    let mut random = Random(7);
    let (mut timing, mut pacer) = (Timing::default(), Pacer::default());
    // Seconds of sound played, and the newest that came.
    let (mut played, mut newest): (Option<f64>, f64) = (None, 0.0);
    let (mut worst, mut starved, mut target) = (0.0f64, 0, 0.0);
    let mut arrivals: Vec<(f64, f64)> = Vec::new();
    for tick in 0..360_000u64 {
        let now = tick as f64 * 0.005;
        if random.unit() >= loss {
            arrivals.push((now + 0.02 + jitter * random.unit().powi(4), now));
        }
        arrivals.retain(|(at, stamp)| {
            if *at <= now {
                let ns = |s: f64| MonoTime::from_nanos((s * 1e9) as u64);
                timing.arrived(ns(*stamp), ns(*at));
                newest = newest.max(*stamp + 0.005);
            }
            *at > now
        });
        // The card takes 10 ms at once.
        if tick % 2 == 0
            && let Some(base) = timing.base()
        {
            target = timing.target().as_secs_f64();
            let due = now - base as f64 / 1e9 - target - 0.01;
            let played = played.get_or_insert(due);
            let Pace::Faster(faster) = pacer.update(due - *played, 0.01) else {
                panic!("off by {} s after {now} s", due - *played);
            };
            assert!(faster.abs() <= 0.005);
            *played += 0.01 * (1.0 + drift) * (1.0 + faster);
            if now > 60.0 {
                worst = worst.max((due - *played).abs());
                starved += u32::from(*played > newest);
            }
        }
    }
    (worst, target, starved)
}

#[test]
fn half_an_hour_of_drift_stays_within_a_few_milliseconds() {
    for drift in [0.0, 0.0002, -0.0002, 0.001] {
        let (worst, target, starved) = half_an_hour(drift, 0.002, 0.0);
        assert!(worst < 0.015, "{drift}: off by {worst} s");
        assert!(target < 0.016 && starved == 0, "{drift}: {target} s, {starved} times");
    }
}

#[test]
fn jitter_and_loss_raise_what_is_kept_and_no_more() {
    let (worst, target, starved) = half_an_hour(-0.0002, 0.04, 0.02);
    assert!((0.03..0.06).contains(&target), "{target} s for up to 40 ms");
    assert!(worst < 0.03, "{worst} s");
    // One of a hundred packets may come too late, and of two hundred a second some are needed.
    assert!(starved < 174_000 / 50, "{starved} of 174,000 times");
}

#[test]
fn what_is_far_off_is_not_made_up_for() {
    let mut pacer = Pacer::default();
    assert_eq!(pacer.update(0.3, 0.01), Pace::Jump);
    assert_eq!(pacer.update(0.01, 0.01), Pace::Faster(0.0025));
    assert_eq!(pacer.update(-0.09, 10.0), Pace::Faster(-0.005));
}

#[test]
fn a_machine_that_slept_begins_anew() {
    let mut timing = Timing::default();
    let s = |n: u64| MonoTime::from_nanos(n * 1_000_000_000);
    timing.arrived(s(1), s(5));
    timing.arrived(s(2), s(90));
    assert_eq!(timing.base(), Some(88_000_000_000));
    assert_eq!(timing.target(), Duration::from_millis(10));
}
