//! Tests of the numbers that a client states, and of reads through a pool that changes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::*;
use crate::allowance::Allowance;

fn memfd(len: u64) -> File {
    let file = File::from(memfd_create(c"pool", MFdFlags::MFD_CLOEXEC).unwrap());
    file.set_len(len).unwrap();
    file
}

fn pool(file: &File, size: usize) -> Arc<PoolMemory> {
    Arc::new(PoolMemory::keep(file.as_fd(), size, &Allowance::default()).unwrap())
}

fn picture(pool: &Arc<PoolMemory>, numbers: [i32; 4]) -> ShmPicture {
    let layout = Layout::new(numbers, XRGB8888, pool.size()).unwrap();
    ShmPicture::new(Arc::clone(pool), layout, Arc::default())
}

fn first_byte(picture: &ShmPicture) -> Result<u8, ReadError> {
    let mut first = None;
    picture.read(&mut |view| first = view.data.first().copied())?;
    Ok(first.unwrap())
}

#[test]
fn numbers_that_leave_the_pool_are_rejected() {
    let ok = [16, 5, 3, 32];
    assert!(Layout::new(ok, ARGB8888, 16 + 2 * 32 + 20).is_ok());
    let bounds = Err(Rejected::Bounds);
    assert_eq!(Layout::new(ok, ARGB8888, 16 + 2 * 32 + 19), bounds);
    for numbers in [
        [-1, 5, 3, 32],
        [0, 0, 3, 32],
        [0, 5, 0, 32],
        [0, 5, -3, 32],
        [0, -5, 3, 32],
        [0, 5, 3, -32],
        [0, 5, 3, 19],
        [i32::MAX, i32::MAX, i32::MAX, i32::MAX],
        [i32::MAX, 1, i32::MAX, i32::MAX],
        [i32::MIN, i32::MIN, i32::MIN, i32::MIN],
    ] {
        assert_eq!(Layout::new(numbers, XRGB8888, i32::MAX as usize), bounds, "{numbers:?}");
    }
    // BG24
    assert_eq!(Layout::new(ok, 0x3432_4742, 4096), Err(Rejected::Format(0x3432_4742)));
}

#[test]
fn rows_lie_where_offset_and_stride_say() {
    let file = memfd(4096);
    let pool = pool(&file, 4096);
    for y in 0..3u8 {
        file.write_all_at(&[y + 1; 20], 100 + u64::from(y) * 64).unwrap();
    }
    let mut rows = Vec::new();
    picture(&pool, [100, 5, 3, 64])
        .read(&mut |view| {
            assert_eq!((view.size, view.stride), (Size::new(5, 3), 64));
            assert_eq!(view.data.len(), 2 * 64 + 20);
            for y in 0..3 {
                rows.push(view.data[y * view.stride..][..20].to_vec());
            }
        })
        .unwrap();
    assert_eq!(rows, [[1; 20], [2; 20], [3; 20]]);
}

#[test]
fn a_pool_grows_under_its_buffers() {
    let file = memfd(4096);
    let pool = pool(&file, 4096);
    let early = picture(&pool, [0, 4, 4, 16]);
    file.write_all_at(&[7], 0).unwrap();
    assert_eq!(first_byte(&early), Ok(7));
    file.set_len(1 << 20).unwrap();
    file.write_all_at(&[9], 1 << 19).unwrap();
    pool.grow(1 << 20);
    pool.grow(10);
    let late = picture(&pool, [1 << 19, 4, 4, 16]);
    assert_eq!(first_byte(&late), Ok(9));
    assert_eq!(first_byte(&early), Ok(7));
}

#[test]
fn a_pool_that_lies_about_its_size_is_read_again_once_it_tells_the_truth() {
    let file = memfd(0);
    let pool = pool(&file, 1 << 16);
    let picture = picture(&pool, [4096, 16, 16, 64]);
    assert_eq!(first_byte(&picture), Err(ReadError::Truncated));
    assert_eq!(picture.stats.truncated.value(), 1);
    file.set_len(1 << 16).unwrap();
    file.write_all_at(&[5], 4096).unwrap();
    assert_eq!(first_byte(&picture), Ok(5));
}

#[test]
fn what_cannot_be_mapped_is_an_error_and_no_crash() {
    let folder = tempfile::tempdir().unwrap();
    let write_only = File::create(folder.path().join("pool")).unwrap();
    let pool = pool(&write_only, 4096);
    assert_eq!(first_byte(&picture(&pool, [0, 4, 4, 16])), Err(ReadError::Truncated));
}
