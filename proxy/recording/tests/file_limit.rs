//! A disk that is full ends the recording and nothing else. The limit of a file's size stands for
//! it; it is of the whole process, so this test has one of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs::File;
use std::io::BufReader;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, setrlimit};
use stratus_frame::MonoTime;
use stratus_proxy_core::Observer as _;
use stratus_recording::{EndReason, Ending, Options, Reader, Recorder, What};
use support::{Talk, draw, memory, recording};

const LIMIT: u64 = 1_500_000;
const SIZE: u64 = 64 * 256;

#[test]
fn a_full_disk_ends_the_recording_and_nothing_else() {
    setrlimit(Resource::RLIMIT_FSIZE, LIMIT, LIMIT).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r");
    let start = MonoTime::now();
    let (recorder, handle) = Recorder::create(&path, &Options::default(), start).unwrap();
    let mut hook = recording(recorder);
    let mut talk = Talk::new(&mut hook, 1, start.as_nanos());
    talk.open();
    let file = memory(SIZE);
    talk.make_buffer(&file, SIZE as i32);
    // Noise, which no compression makes smaller.
    let mut noise = 1u32;
    let mut commits = 0u64;
    let patience = Instant::now() + Duration::from_secs(60);
    while talk.hook.observer.active() {
        assert!(Instant::now() < patience, "the limit was never met");
        let bytes: Vec<u8> = (0..SIZE)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 24) as u8
            })
            .collect();
        draw(&file, 0, &bytes);
        talk.attach_and_commit();
        commits += 1;
    }
    // The session goes on.
    talk.attach_and_commit();
    talk.end();
    let kept = handle.finish().unwrap();
    assert_eq!(kept.reason, EndReason::WriteError);
    assert!(kept.text.contains("File too large"), "{kept}");

    let mut reader = Reader::new(BufReader::new(File::open(&path).unwrap())).unwrap();
    let mut messages = 0;
    while let Some(record) = reader.next_record().unwrap() {
        messages += u64::from(matches!(record.what, What::Message { .. }));
    }
    assert!(matches!(reader.ending(), Some(Ending::Ended { reason: EndReason::WriteError, .. })));
    assert_eq!(messages, kept.messages);
    assert!(messages > 0 && messages < commits * 2);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), kept.bytes);
}
