//! Tests of mapped memory that vanishes, in this process and, where one must die, in another.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::*;

const PAGE: usize = 4096;

fn memfd(len: usize) -> File {
    let file = File::from(memfd_create(c"pool", MFdFlags::MFD_CLOEXEC).unwrap());
    file.set_len(len as u64).unwrap();
    file
}

fn sum(data: &[u8]) -> u64 {
    data.iter().map(|&b| u64::from(b)).sum()
}

#[test]
fn ranges_outside_are_refused() {
    let mapping = Mapping::new(memfd(PAGE), PAGE).unwrap();
    let mut called = false;
    let backwards = Range { start: 9, end: 8 };
    for range in [0..PAGE + 1, PAGE + 1..PAGE + 1, backwards, 0..usize::MAX] {
        assert_eq!(mapping.read(range, |_| called = true), None);
    }
    assert!(!called);
    assert_eq!(mapping.read(PAGE..PAGE, |data| called = data.is_empty()), Some(true));
    assert!(called);
    assert!(Mapping::new(memfd(0), 0).is_err());
}

#[test]
fn missing_pages_read_as_zeros_and_are_reported() {
    let file = memfd(2 * PAGE);
    std::os::unix::fs::FileExt::write_all_at(&file, &[1; 2 * PAGE], 0).unwrap();
    let mapping = Mapping::new(&file, 4 * PAGE).unwrap();
    let mut seen = 0;
    assert_eq!(mapping.read(0..2 * PAGE, |data| seen = sum(data)), Some(true));
    assert_eq!(seen, 2 * PAGE as u64);
    assert_eq!(mapping.read(PAGE..4 * PAGE, |data| seen = sum(data)), Some(false));
    assert_eq!(seen, PAGE as u64);
    // Once spoilt it stays so: the file may have come back, the zeros do not go.
    assert_eq!(mapping.read(0..PAGE, |data| seen = sum(data)), Some(false));
}

#[test]
fn truncation_in_the_middle_of_a_read_is_survived() {
    let file = memfd(256 * PAGE);
    for _ in 0..20 {
        file.set_len(256 * PAGE as u64).unwrap();
        let mapping = Mapping::new(&file, 256 * PAGE).unwrap();
        let (started, may_cut) = std::sync::mpsc::channel();
        let (cut, may_go_on) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let file = &file;
            scope.spawn(move || {
                may_cut.recv().unwrap();
                file.set_len(PAGE as u64).unwrap();
                cut.send(()).unwrap();
            });
            let whole = mapping.read(0..256 * PAGE, |data| {
                assert_eq!(sum(&data[..128 * PAGE]), 0);
                started.send(()).unwrap();
                may_go_on.recv().unwrap();
                assert_eq!(sum(data), 0);
            });
            assert_eq!(whole, Some(false));
        });
    }
}

#[test]
fn nested_reads_fault_each_in_their_own_mapping() {
    let (outer_file, inner_file) = (memfd(PAGE), memfd(PAGE));
    let outer = Mapping::new(&outer_file, 2 * PAGE).unwrap();
    let inner = Mapping::new(&inner_file, PAGE).unwrap();
    let mut inner_whole = None;
    let outer_whole = outer.read(0..2 * PAGE, |data| {
        inner_whole = inner.read(0..PAGE, |inner_data| {
            assert_eq!(sum(inner_data), 0);
            // The outer mapping's fault strikes while the inner read is the current one.
            assert_eq!(sum(data), 0);
        });
    });
    assert_eq!((outer_whole, inner_whole), (Some(false), Some(true)));
}

#[test]
fn a_huge_pool_costs_only_the_pages_that_are_read() {
    let file = memfd(512 << 20);
    let mapping = Mapping::new(&file, 512 << 20).unwrap();
    assert_eq!(
        mapping.read(100 << 20..(100 << 20) + PAGE, |data| assert_eq!(sum(data), 0)),
        Some(true)
    );
    let blocks = std::os::unix::fs::MetadataExt::blocks(&file.metadata().unwrap());
    assert!(blocks * 512 <= 4 << 20, "{blocks} blocks are in memory");
}

#[test]
fn a_panic_while_reading_leaves_the_guard_in_order() {
    let short = Mapping::new(memfd(0), PAGE).unwrap();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        short.read(0..PAGE, |_| panic!("the reader failed"))
    }));
    assert!(caught.is_err());
    assert_eq!(short.read(0..PAGE, |data| assert_eq!(sum(data), 0)), Some(false));
}

const CHILD: &str = "STRATUS_TEST_FAULT";

/// Runs the test `name` of this binary alone in a child with `CHILD` set to `how`.
fn child(name: &str, how: &str) -> std::process::ExitStatus {
    Command::new(std::env::current_exe().unwrap())
        .args([&format!("mapping_unsafe::tests::{name}"), "--exact", "--nocapture"])
        .env(CHILD, how)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
}

#[test]
fn faults_elsewhere_still_end_the_process() {
    match std::env::var(CHILD).as_deref() {
        Ok("outside") => {
            // Two mappings; while one is read the other faults, which is nobody's to catch.
            let guarded = Mapping::new(memfd(PAGE), PAGE).unwrap();
            let other = Mapping::new(memfd(0), PAGE).unwrap();
            // The length behind the file is read outside `read`, through the unguarded address.
            let mut kernel_view = None;
            other.read(0..0, |data| kernel_view = Some(data.as_ptr() as usize));
            guarded.read(0..PAGE, |_| touch_unsafe::touch(kernel_view.unwrap()));
            std::process::exit(0);
        }
        Ok("sent") => {
            touch_unsafe::default_sigbus();
            guard_unsafe::install().unwrap();
            nix::sys::signal::raise(nix::sys::signal::Signal::SIGBUS).unwrap();
            std::process::exit(0);
        }
        Ok("chained") => {
            touch_unsafe::exit_42_on_sigbus();
            let other = Mapping::new(memfd(0), PAGE).unwrap();
            let mut address = 0;
            other.read(0..0, |data| address = data.as_ptr() as usize);
            touch_unsafe::touch(address);
            std::process::exit(0);
        }
        _ => {}
    }
    let name = "faults_elsewhere_still_end_the_process";
    for how in ["outside", "sent"] {
        assert_eq!(child(name, how).signal(), Some(nix::libc::SIGBUS), "{how}");
    }
    assert_eq!(child(name, "chained").code(), Some(42), "the handler before ours was not called");
}

#[path = "touch_unsafe.rs"]
mod touch_unsafe;
