//! What recording costs the proxy's thread at a commit: the bytes of the buffer are read, compared
//! with what is known, and what changed is put into the queue.
//!
//! Usage: `cargo run --release -p stratus-recording --example cost`
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use stratus_frame::MonoTime;
use stratus_protocols::{wl_shm, wl_shm_pool};
use stratus_recording::{Options, Recorder};
use support::{BUFFER, POOL, SHM, Talk, draw, memory, recording};

const COMMITS: usize = 60;

/// Commits pictures of which this part changed, and prints what one took.
fn measure(width: u32, height: u32, changed: f64) {
    let folder = tempfile::tempdir().unwrap();
    let start = MonoTime::now();
    let path = folder.path().join("r");
    let (recorder, handle) = Recorder::create(&path, &Options::default(), start).unwrap();
    let mut hook = recording(recorder);
    let mut talk = Talk::new(&mut hook, 1, start.as_nanos());
    talk.open();
    let size = u64::from(width * height * 4);
    let file = memory(size);
    let fd = file.try_clone().unwrap();
    talk.request(SHM, wl_shm::REQ_CREATE_POOL_OPCODE, vec![fd], |w| {
        w.object(POOL).uint(size as u32);
    });
    talk.request(POOL, wl_shm_pool::REQ_CREATE_BUFFER_OPCODE, vec![], |w| {
        w.object(BUFFER).uint(0).uint(width).uint(height).uint(width * 4).uint(1);
    });
    let mut took = Vec::new();
    for number in 0..COMMITS {
        // A picture that moves: each row is another one than before.
        let len = (size as f64 * changed) as u64;
        let row: Vec<u8> = (0..width * 4).map(|x| (x as usize + number * 7) as u8).collect();
        for y in 0..len / row.len() as u64 {
            draw(&file, y * row.len() as u64, &row);
        }
        let begun = Instant::now();
        talk.attach_and_commit();
        took.push(begun.elapsed());
        std::thread::sleep(Duration::from_millis(16));
    }
    talk.end();
    let kept = handle.finish().unwrap();
    took.sort();
    let micros = |at: usize| took[at].as_micros();
    println!(
        "{width}x{height}, {:3.0} % changed: {:6} us a commit at the least, {:6} us in the median; \
         {} bytes kept, {} incomplete",
        changed * 100.0,
        micros(0),
        micros(COMMITS / 2),
        kept.bytes,
        kept.missing,
    );
}

fn main() {
    for (width, height) in [(1280, 720), (1920, 1080)] {
        for changed in [0.0, 0.1, 1.0] {
            measure(width, height, changed);
        }
    }
}
