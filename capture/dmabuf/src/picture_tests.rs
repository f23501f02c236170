//! Tests of reads, with files in place of dmabufs: they have no fences and no exporter, but lie
//! in main memory as those of udmabuf do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::File;
use std::os::unix::fs::FileExt;

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::*;
use crate::exporter::Exporter;
use crate::{Description, INVALID, LINEAR, Plane, Reader};

const XRGB: u32 = u32::from_le_bytes(*b"XR24");

fn memfd(len: u64) -> File {
    let file = File::from(memfd_create(c"dmabuf", MFdFlags::MFD_CLOEXEC).unwrap());
    file.set_len(len).unwrap();
    file
}

fn described(file: &File, modifier: u64) -> Description {
    let fd = file.try_clone().unwrap().into();
    let planes = vec![Plane { fd, offset: 64, stride: 32 }];
    Description { width: 5, height: 3, format: XRGB, modifier, planes }
}

fn first_byte(picture: &Picture) -> Result<u8, Failure> {
    let mut first = None;
    picture.read(&mut |view| {
        assert_eq!((view.size, view.stride, view.data.len()), (Size::new(5, 3), 32, 84));
        first = view.data.first().copied();
    })?;
    Ok(first.unwrap())
}

#[test]
fn linear_memory_is_mapped_and_shows_what_is_drawn_later() {
    let reader = Reader::default();
    let file = memfd(4096);
    for modifier in [LINEAR, INVALID] {
        let picture = reader.open(described(&file, modifier)).unwrap();
        assert!(!picture.reads_at_once(), "the way is not known yet");
        for value in [7, 9] {
            file.write_all_at(&[value], 64).unwrap();
            assert_eq!(first_byte(&picture), Ok(value));
            assert!(picture.reads_at_once());
        }
    }
}

#[test]
fn memory_that_is_cut_off_costs_its_frames_and_comes_back() {
    let reader = Reader::default();
    let file = memfd(4096);
    let picture = reader.open(described(&file, LINEAR)).unwrap();
    assert_eq!(first_byte(&picture), Ok(0));
    file.set_len(0).unwrap();
    assert_eq!(first_byte(&picture), Err(Failure::Truncated));
    file.set_len(4096).unwrap();
    file.write_all_at(&[5], 64).unwrap();
    assert_eq!(first_byte(&picture), Ok(5));
}

#[test]
fn tiles_that_no_driver_takes_are_not_read_and_files_prove_nothing() {
    let reader = Reader::default();
    let tiled = 1 << 56 | 1;
    let picture = reader.open(described(&memfd(4096), tiled)).unwrap();
    assert!(matches!(first_byte(&picture), Err(Failure::Unreadable(_))));
    assert!(!picture.reads_at_once());
    assert!(reader.may_read(XRGB, tiled), "no client closes a way for another");
    assert!(!reader.may_read(u32::from_le_bytes(*b"NV12"), LINEAR));
}

#[test]
fn zeros_are_not_believed_where_mappings_are_doubtful() {
    let reader = Reader::default();
    let file = memfd(4096);
    // A picture of an exporter that is not known; where a driver takes it, nothing is doubtful.
    let described = described(&file, LINEAR);
    let layout = Layout::new(&described, &[4096]).unwrap();
    let memory = Memory::new(layout, described.planes, Exporter::Unknown);
    let Way::Doubtful(_) = &*memory.way(&reader.shared().devices) else {
        println!("skipped: a driver of this machine imports files");
        return;
    };
    let picture = Picture::new(Arc::new(memory), reader.shared());
    assert!(matches!(first_byte(&picture), Err(Failure::Unreadable(_))));
    assert!(!reader.may_read(XRGB, LINEAR));
    file.write_all_at(&[1], 64).unwrap();
    assert_eq!(first_byte(&picture), Ok(1));
}

#[test]
fn new_buffers_of_the_same_memory_share_it_and_a_gone_one_is_let_go() {
    let reader = Reader::default();
    let file = memfd(4096);
    let one = reader.open(described(&file, LINEAR)).unwrap();
    let again = reader.open(described(&file, LINEAR)).unwrap();
    assert!(Arc::ptr_eq(&one.memory, &again.memory));
    let other = reader.open(described(&memfd(4096), LINEAR)).unwrap();
    assert!(!Arc::ptr_eq(&one.memory, &other.memory));
    // As many others as push it out, and it is opened anew.
    let kept = Arc::downgrade(&one.memory);
    drop((one, again));
    assert!(kept.upgrade().is_some());
    let others: Vec<_> = (0..8).map(|_| reader.open(described(&memfd(4096), LINEAR))).collect();
    assert!(kept.upgrade().is_none());
    let last = Arc::downgrade(&others.last().unwrap().as_ref().unwrap().memory);
    drop(others);
    assert!(last.upgrade().is_some());
    reader.forget_unused();
    assert!(last.upgrade().is_none());
}
