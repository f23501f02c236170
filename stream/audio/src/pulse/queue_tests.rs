//! Tests of a stream's queue.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

const SIZES: Sizes = Sizes { max: 100, target: 40, prebuf: 20, minreq: 10 };
const NEXT: Seek = Seek::Relative(0);

fn read(queue: &mut Queue, n: usize) -> Vec<u8> {
    let mut out = Vec::new();
    queue.read(n, &mut out);
    out
}

#[test]
fn it_waits_for_the_first_bytes_and_asks_for_what_was_read() {
    let mut queue = Queue::new(SIZES, 0);
    assert_eq!(queue.take_missing(), 40, "at first all that it is to hold");
    assert_eq!(queue.take_missing(), 0);
    assert!(queue.write(NEXT, &[1; 19]) && queue.is_waiting());
    assert!(queue.write(NEXT, &[2; 21]) && !queue.is_waiting());
    assert_eq!(read(&mut queue, 9), [1; 9]);
    assert_eq!(queue.take_missing(), 0, "fewer than are worth a request");
    assert_eq!(read(&mut queue, 11), [&[1u8; 10][..], &[2]].concat());
    assert_eq!(queue.take_missing(), 20);
    // It runs dry, and waits again.
    assert_eq!(read(&mut queue, 30), [2; 20]);
    assert!(queue.is_waiting());
    assert_eq!(queue.places(), (40, 40));
    assert_eq!(queue.take_missing(), 20);
    queue.write(NEXT, &[3; 5]);
    assert!(queue.is_waiting());
    queue.end_prebuffering();
    assert!(!queue.is_waiting());
}

#[test]
fn without_prebuffering_time_goes_on_and_what_comes_late_is_lost() {
    let mut queue = Queue::new(Sizes { prebuf: 0, ..SIZES }, 0);
    assert!(!queue.is_waiting());
    assert_eq!(read(&mut queue, 10), [0u8; 0]);
    assert_eq!(queue.places(), (10, 0));
    queue.write(NEXT, &[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3]);
    assert_eq!(read(&mut queue, 3), [2, 3]);
    queue.write(Seek::RelativeOnRead(1), &[4]);
    assert_eq!(read(&mut queue, 2), [0, 4], "a hole is silence");
}

#[test]
fn a_client_may_write_anywhere() {
    let mut queue = Queue::new(SIZES, 0x80);
    queue.write(Seek::Absolute(0), &[1; 30]);
    queue.write(Seek::Relative(-10), &[2; 5]);
    assert_eq!(queue.places(), (0, 25));
    queue.write(Seek::Absolute(27), &[3; 3]);
    assert!(!queue.is_waiting());
    assert_eq!(read(&mut queue, 100), [&[1u8; 20][..], &[2; 5], &[0x80; 2], &[3; 3]].concat());
    queue.write(NEXT, &[4; 30]);
    queue.flush();
    assert_eq!((queue.len(), queue.places()), (0, (30, 30)));
}

#[test]
fn what_does_not_fit_is_told_and_lost() {
    let mut queue = Queue::new(SIZES, 0);
    assert!(!queue.write(NEXT, &[1; 101]));
    assert_eq!(queue.len(), 100);
    assert!(!queue.write(Seek::Absolute(i64::MAX), &[1]));
    assert!(!queue.write(Seek::Absolute(500), &[1]));
    assert!(queue.len() <= 100);
    queue.write(Seek::Absolute(i64::MIN), &[1]);
    assert_eq!(queue.len(), 0);
}

#[test]
fn places_far_away_add_up_to_nothing_that_overflows() {
    for far in [1 << 60, i64::MAX, -(1 << 60), i64::MIN] {
        for seek in [Seek::Relative(far), Seek::Absolute(far), Seek::RelativeOnRead(far)] {
            let mut queue = Queue::new(SIZES, 0);
            for _ in 0..40 {
                queue.write(seek, &[1; 3]);
                queue.take_missing();
            }
            for _ in 0..40 {
                queue.write(seek, &[1; 3]);
                queue.flush();
                queue.resize(Sizes { target: 30, ..SIZES });
                queue.resize(SIZES);
                read(&mut queue, 50);
            }
            // And then it is a queue as it was.
            queue.flush();
            queue.write(NEXT, &[2; 30]);
            assert_eq!(read(&mut queue, 30), [2; 30], "{seek:?}");
        }
    }
}

proptest! {
    /// However a client writes, memory is bounded, and what is asked for is what lacks.
    #[test]
    fn it_stays_within_its_sizes(
        steps in prop::collection::vec((0u8..6, any::<i16>(), 0usize..150, 0u32..48), 0..60),
        prebuf in 0usize..40,
    ) {
        let mut queue = Queue::new(Sizes { prebuf, ..SIZES }, 0);
        for (kind, by, n, far) in steps {
            // Mostly near, now and then further than anything is long.
            let by = (i64::from(by) >> 4) << if far < 40 { 0 } else { far };
            match kind {
                0 => { queue.write(NEXT, &vec![1; n]); }
                1 => { queue.write(Seek::Absolute(by), &vec![1; n]); }
                2 => { queue.write(Seek::RelativeOnRead(by), &vec![1; n]); }
                3 => { queue.write(Seek::Relative(by), &vec![1; n]); }
                4 => queue.flush(),
                _ => if !queue.is_waiting() {
                    let out = read(&mut queue, n);
                    prop_assert!(out.len() <= n);
                },
            }
            queue.take_missing();
            prop_assert!(queue.bytes.len() <= 100 && queue.len() <= 100);
        }
    }
}
