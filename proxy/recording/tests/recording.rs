//! A session is recorded, read back, said again and recorded again: nothing is lost on the way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs::File;
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use stratus_frame::MonoTime;
use stratus_protocols::{wl_seat, wl_surface};
use stratus_proxy_core::{GlobalPolicy, ObjectId, Writer};
use stratus_recording::{
    CannotRecord, EndReason, Ending, Kept, Options, Reader, Recorder, Rerun, What,
};
use support::{COMPOSITOR, REGISTRY, SURFACE, Talk, draw, memory, recording, records};

const SIZE: u64 = 64 * 256;

/// What a client shows: three pictures, one of them drawn over the first in place.
fn talk(path: &Path, options: &Options) -> Kept {
    let start = MonoTime::now();
    let (recorder, handle) = Recorder::create(path, options, start).unwrap();
    let mut hook = recording(recorder);
    let mut talk = Talk::new(&mut hook, 7, start.as_nanos());
    talk.open();
    let file = memory(SIZE);
    talk.make_buffer(&file, SIZE as i32);
    draw(&file, 0, &[1; 100]);
    talk.attach_and_commit();
    // Nothing was drawn and no damage told: nothing to keep.
    talk.commit();
    draw(&file, 5000, &[2; 10]);
    talk.request(SURFACE, wl_surface::REQ_DAMAGE_OPCODE, vec![], |w| {
        w.uint(0).uint(0).uint(64).uint(64);
    });
    talk.commit();
    draw(&file, SIZE - 1, &[3]);
    talk.attach_and_commit();
    let keymap = memory(70_000);
    draw(&keymap, 65_536, b"xkb_keymap");
    talk.event(REGISTRY, 0, vec![], |w| {
        w.uint(9).string("wl_seat").uint(1);
    });
    talk.request(REGISTRY, 0, vec![], |w| {
        w.uint(9).string("wl_seat").uint(1).object(ObjectId(8));
    });
    for id in [9, 10] {
        let get_keyboard = wl_seat::REQ_GET_KEYBOARD_OPCODE;
        let new_id = |w: &mut Writer<'_>| {
            w.object(ObjectId(id));
        };
        talk.request(ObjectId(8), get_keyboard, vec![], new_id);
        talk.keymap(ObjectId(id), keymap.try_clone().unwrap(), 70_000);
    }
    talk.destroy_pool_and_buffer();
    talk.end();
    handle.finish().unwrap()
}

fn say_again(from: &Path, to: &Path) {
    let start = MonoTime::now();
    let (recorder, handle) = Recorder::create(to, &Options::default(), start).unwrap();
    let mut rerun = Rerun::new(recording(recorder), GlobalPolicy::default());
    let mut reader = Reader::new(BufReader::new(File::open(from).unwrap())).unwrap();
    while let Some(record) = reader.next_record().unwrap() {
        let now = start.as_nanos() + record.time_ns;
        rerun.advance(now).unwrap();
        assert_eq!(rerun.handle(&record, now).unwrap(), None);
    }
    drop(rerun);
    handle.finish().unwrap();
}

/// Without what differs by its nature: what happens when a client connects and ends is told with
/// the moment of telling.
fn lasting(path: &Path) -> Vec<String> {
    let passing = ["what: Connected", "what: Gone", "what: Closed"];
    let all = records(path).into_iter();
    all.filter(|record| !passing.iter().any(|what| record.contains(what))).collect()
}

#[test]
fn a_recording_said_again_gives_the_same_recording() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let kept = talk(&first, &Options::default());
    assert_eq!((kept.reason, kept.missing), (EndReason::Finished, 0));
    say_again(&first, &second);
    let lasting_first = lasting(&first);
    assert_eq!(lasting_first, lasting(&second));
    let messages = lasting_first.iter().filter(|r| r.contains("what: Message")).count();
    assert_eq!(messages as u64, kept.messages);
    assert!(records(&first)[0].contains("what: Connected"));
    assert!(records(&first).last().unwrap().contains("what: Gone"));
}

#[test]
fn content_is_kept_where_it_is_shown_and_only_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r");
    talk(&path, &Options::default());
    let mut reader = Reader::new(BufReader::new(File::open(&path).unwrap())).unwrap();
    let mut told: Vec<(u32, u64, Vec<u8>)> = Vec::new();
    let mut commits = Vec::new();
    let mut closed = 0;
    while let Some(record) = reader.next_record().unwrap() {
        match record.what {
            What::Content { file, offset, bytes } => told.push((file, offset, bytes.to_vec())),
            What::Message { bytes, .. } if bytes[..6] == [5, 0, 0, 0, 6, 0] => {
                commits.push(told.len());
            }
            What::Closed { .. } => closed += 1,
            _ => {}
        }
    }
    // Each commit has before it what it shows anew; the second showed nothing new.
    assert_eq!(commits, [1, 1, 2, 3]);
    assert_eq!((told[0].1, told[0].2[99], told[0].2[100]), (0, 1, 0));
    let within = (5000 - told[1].1) as usize;
    assert_eq!(told[1].2[within..within + 10], [2; 10]);
    assert_eq!(told[2].2.last(), Some(&3));
    assert!(told[1].2.len() <= 2048 && told[2].2.len() <= 1024);
    // The keymap came twice and is kept once, in two pieces; the pool is closed with its buffer.
    assert_eq!((told.len(), closed), (5, 1));
    assert_eq!(told[4].2[..10], *b"xkb_keymap");
}

#[test]
fn a_pool_that_shrinks_hurts_nobody_and_shrinks_again_when_said_again() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let start = MonoTime::now();
    let (recorder, handle) = Recorder::create(&first, &Options::default(), start).unwrap();
    let mut hook = recording(recorder);
    let mut talk = Talk::new(&mut hook, 1, start.as_nanos());
    talk.open();
    let file = memory(SIZE);
    draw(&file, 0, &[1; SIZE as usize]);
    talk.make_buffer(&file, SIZE as i32);
    talk.attach_and_commit();
    rustix::fs::ftruncate(&file, 100).unwrap();
    talk.attach_and_commit();
    talk.end();
    handle.finish().unwrap();
    let all = records(&first).join("\n");
    assert!(all.contains("Size { file: 1, size: 100 }"), "{all}");
    assert!(
        all.contains("Missing { file: 1, offset: 100, len: 16284, why: \"the file ends"),
        "{all}"
    );
    say_again(&first, &second);
    assert_eq!(lasting(&first), lasting(&second));
}

#[test]
fn a_message_that_breaks_the_protocol_breaks_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r");
    let start = MonoTime::now();
    let (recorder, handle) = Recorder::create(&path, &Options::default(), start).unwrap();
    let mut hook = recording(recorder);
    let mut talk = Talk::new(&mut hook, 1, start.as_nanos());
    talk.open();
    let mut bytes = Vec::new();
    // The id is taken.
    Writer::message(&mut bytes, COMPOSITOR, 0, |w| {
        w.object(SURFACE);
    });
    let from = stratus_proxy_core::Side::Client;
    let first = talk.session.feed(from, &bytes, vec![], talk.now, talk.hook).unwrap_err();
    talk.end();
    handle.finish().unwrap();

    let mut rerun = Rerun::new(stratus_proxy_core::PassThrough, GlobalPolicy::default());
    let mut reader = Reader::new(BufReader::new(File::open(&path).unwrap())).unwrap();
    let mut again = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        again.extend(rerun.handle(&record, record.time_ns).unwrap());
    }
    let again: Vec<String> = again.iter().map(ToString::to_string).collect();
    assert_eq!(again, [first.to_string()]);
}

#[test]
fn clients_that_were_there_before_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r");
    let start = MonoTime::now();
    let (recorder, handle) = Recorder::create(&path, &Options::default(), start).unwrap();
    let mut hook = (stratus_proxy_core::PassThrough, recorder);
    let mut nobody = stratus_proxy_core::PassThrough;
    let mut early = Talk::new(&mut nobody, 1, start.as_nanos());
    early.open();
    let session = early.session;
    let mut observed = recording(hook.1);
    let mut early = Talk { hook: &mut observed, session, now: start.as_nanos() };
    early.commit();
    early.end();
    hook.1 = observed.observer;
    drop(hook);
    assert_eq!(handle.finish().unwrap().messages, 0);
    assert_eq!(records(&path), [""; 0]);
}

#[test]
fn a_file_is_private_and_is_replaced_only_on_demand() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r");
    talk(&path, &Options::default());
    let before = std::fs::read(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let again = Recorder::create(&path, &Options::default(), MonoTime::now());
    assert!(matches!(again.err().unwrap(), CannotRecord::Exists(_)));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let options = Options { overwrite: true, ..Options::default() };
    assert_eq!(talk(&path, &options).reason, EndReason::Finished);
    let full = Recorder::create(Path::new("/dev/full"), &options, MonoTime::now());
    assert!(matches!(full.err().unwrap(), CannotRecord::Write { .. }));
}

#[test]
fn a_recording_ends_before_it_is_larger_than_it_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r");
    let options = Options { max_bytes: 100, ..Options::default() };
    let kept = talk(&path, &options);
    assert_eq!((kept.reason, kept.messages), (EndReason::SizeLimit, 0));
    let mut reader = Reader::new(BufReader::new(File::open(&path).unwrap())).unwrap();
    while reader.next_record().unwrap().is_some() {}
    let Some(Ending::Ended { reason, .. }) = reader.ending() else { panic!("no end") };
    assert_eq!(*reason, EndReason::SizeLimit);
}

#[test]
fn facts_are_written_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r");
    let facts = [("size".to_owned(), "64x48".to_owned())].into();
    talk(&path, &Options { facts, ..Options::default() });
    let mut reader = Reader::new(BufReader::new(File::open(&path).unwrap())).unwrap();
    let mut names = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        if let What::Fact { name, value } = record.what {
            names.push(format!("{name}={value}"));
        }
    }
    assert!(names.contains(&"size=64x48".to_owned()), "{names:?}");
    assert!(names.iter().any(|n| n.starts_with("tables=")), "{names:?}");
}
