//! Tests of the decisions, with time as a number.

use super::*;

const STILL: Duration = Duration::from_millis(150);
const SECOND: u64 = 1_000_000_000;

fn at(nanos: u64) -> Outlook {
    Outlook { now: MonoTime::from_nanos(nanos), viewers: true, ready: true }
}

fn policy() -> Policy {
    Policy::new(60, STILL, 2)
}

/// Lets a frame pass at `nanos`; returns how it was coded.
fn frame(policy: &mut Policy, nanos: u64) -> Option<Coding> {
    policy.handle_picture(MonoTime::from_nanos(nanos));
    let coding = policy.coding_of_picture(at(nanos));
    if let Some(coding) = coding {
        let keyframe = coding == Coding::Keyframe;
        policy.handle_encoded(coding, keyframe, MonoTime::from_nanos(nanos));
    }
    coding
}

#[test]
fn the_first_frame_is_a_keyframe_and_others_are_not() {
    let mut policy = policy();
    assert_eq!(policy.poll(at(SECOND)), Plan { accept: true, wait: None, otherwise: None });
    assert_eq!(frame(&mut policy, SECOND), Some(Coding::Keyframe));
    assert_eq!(frame(&mut policy, 2 * SECOND), Some(Coding::Delta));
    policy.handle_keyframe_request();
    policy.handle_keyframe_request();
    assert_eq!(frame(&mut policy, 3 * SECOND), Some(Coding::Keyframe));
    assert_eq!(frame(&mut policy, 4 * SECOND), Some(Coding::Delta));
}

#[test]
fn a_busy_sink_leaves_frames_where_they_are() {
    let mut policy = policy();
    frame(&mut policy, SECOND);
    let busy = Outlook { ready: false, ..at(9 * SECOND) };
    policy.handle_keyframe_request();
    assert_eq!(policy.poll(busy), Plan { accept: false, wait: None, otherwise: None });
}

#[test]
fn without_viewers_frames_are_taken_and_the_next_viewer_gets_a_keyframe() {
    let mut policy = policy();
    frame(&mut policy, SECOND);
    let alone = Outlook { viewers: false, ready: false, ..at(2 * SECOND) };
    assert_eq!(policy.poll(alone), Plan { accept: true, wait: None, otherwise: None });
    policy.handle_picture(alone.now);
    assert_eq!(policy.coding_of_picture(alone), None);
    let otherwise = Some(Coding::Keyframe);
    let plan = Plan { accept: true, wait: Some(Duration::ZERO), otherwise };
    assert_eq!(policy.poll(at(3 * SECOND)), plan);
}

#[test]
fn a_picture_that_found_the_sink_busy_follows_as_a_difference() {
    let mut policy = policy();
    frame(&mut policy, SECOND);
    let busy = Outlook { ready: false, ..at(2 * SECOND) };
    policy.handle_picture(busy.now);
    assert_eq!(policy.coding_of_picture(busy), None);
    let otherwise = Some(Coding::Delta);
    let plan = Plan { accept: true, wait: Some(Duration::ZERO), otherwise };
    assert_eq!(policy.poll(at(3 * SECOND)), plan);
    policy.handle_encoded(Coding::Delta, false, MonoTime::from_nanos(3 * SECOND));
    assert_ne!(policy.poll(at(4 * SECOND)).otherwise, Some(Coding::Delta));
}

#[test]
fn a_keyframe_of_nothing_is_not_planned() {
    let mut policy = policy();
    policy.handle_keyframe_request();
    assert_eq!(policy.poll(at(SECOND)).otherwise, None);
    frame(&mut policy, SECOND);
    policy.handle_refused();
    assert_eq!(policy.poll(at(2 * SECOND)).otherwise, None);
}

#[test]
fn a_still_picture_is_refined_as_often_as_allowed_and_again_after_a_change() {
    let mut policy = policy();
    for start in [SECOND, 5 * SECOND] {
        frame(&mut policy, start);
        let mut now = start + SECOND / 10;
        let plan = policy.poll(at(now));
        assert_eq!(plan.otherwise, Some(Coding::Refinement));
        assert_eq!(plan.wait, Some(Duration::from_millis(50)));
        for _ in 0..2 {
            now += SECOND / 5;
            let plan = policy.poll(at(now));
            assert_eq!(
                (plan.wait, plan.otherwise),
                (Some(Duration::ZERO), Some(Coding::Refinement))
            );
            policy.handle_encoded(Coding::Refinement, false, MonoTime::from_nanos(now));
        }
        now += SECOND;
        assert_eq!(policy.poll(at(now)), Plan { accept: true, wait: None, otherwise: None });
    }
}

#[test]
fn a_steady_game_is_never_held_up_even_with_jitter() {
    let mut policy = policy();
    let mut seed = 5_u64;
    for i in 0..600_u64 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // Up to 12 ms late, at 60 frames a second.
        let now = SECOND + i * SECOND / 60 + (seed >> 40) % 12_000_000;
        let plan = policy.poll(at(now));
        assert!(plan.accept, "frame {i} was held up");
        frame(&mut policy, now);
    }
}

#[test]
fn a_faster_game_is_held_to_a_tenth_more_than_the_rate() {
    let mut policy = policy();
    let mut encoded = 0;
    let mut now = SECOND;
    while now < 11 * SECOND {
        let plan = policy.poll(at(now));
        if plan.accept {
            frame(&mut policy, now);
            encoded += 1;
            now += SECOND / 300;
        } else {
            now += u64::try_from(plan.wait.unwrap_or_default().as_nanos()).unwrap_or(0).max(1);
        }
    }
    assert!((655..=670).contains(&encoded), "{encoded} frames in 10 s");
}
