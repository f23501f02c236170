//! The way of sound from the thread that receives to the one that plays, which may wait for
//! nothing: no lock of another, no memory.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::decode::Block;

/// Blocks that fit: 320 ms of sound.
const BLOCKS: u64 = 64;

/// A ring with one writer and one reader. The locks guard nothing that both touch at a time: the
/// numbers see to that. So each is free whenever it is tried, and neither side ever waits.
#[derive(Debug)]
pub(super) struct Ring {
    blocks: Box<[Mutex<Block>]>,
    written: AtomicU64,
    read: AtomicU64,
    /// What the receiver found out, for the player: see [`super::timing::Timing`]; ns.
    pub(super) base: AtomicI64,
    pub(super) target: AtomicI64,
    /// How long pictures need from their stamps to the screen, ns; [`NO_PICTURES`] while unknown.
    pub(super) picture: AtomicI64,
    /// How long the newest sound was on its way when it was played, ns.
    pub(super) delay: AtomicI64,
    /// Times that the player had nothing to play in the middle of a sound.
    pub(super) starved: AtomicU64,
    /// Blocks for which there was no room.
    pub(super) dropped: AtomicU64,
}

/// No picture was shown yet.
pub(super) const NO_PICTURES: i64 = i64::MIN;

impl Ring {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            blocks: (0..BLOCKS).map(|_| Mutex::default()).collect(),
            written: AtomicU64::new(0),
            read: AtomicU64::new(0),
            base: AtomicI64::new(0),
            target: AtomicI64::new(0),
            picture: AtomicI64::new(NO_PICTURES),
            delay: AtomicI64::new(0),
            starved: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        })
    }

    /// Appends a block, if there is room. Only the receiver calls this.
    pub(super) fn push(&self, block: &Block) {
        let at = self.written.load(Ordering::Relaxed);
        let full = at - self.read.load(Ordering::Acquire) >= BLOCKS;
        match self.slot(at).try_lock() {
            Ok(mut slot) if !full => {
                slot.stamp = block.stamp;
                slot.frames = block.frames;
                let n = block.frames * 2;
                slot.samples[..n].copy_from_slice(&block.samples[..n]);
                drop(slot);
                self.written.store(at + 1, Ordering::Release);
            }
            _ => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Takes the oldest block, if there is one. Only the player calls this.
    pub(super) fn pop(&self, block: &mut Block) -> bool {
        let at = self.read.load(Ordering::Relaxed);
        if at == self.written.load(Ordering::Acquire) {
            return false;
        }
        let Ok(slot) = self.slot(at).try_lock() else { return false };
        block.stamp = slot.stamp;
        block.frames = slot.frames;
        let n = slot.frames * 2;
        block.samples[..n].copy_from_slice(&slot.samples[..n]);
        drop(slot);
        self.read.store(at + 1, Ordering::Release);
        true
    }

    fn slot(&self, at: u64) -> &Mutex<Block> {
        &self.blocks[(at % BLOCKS) as usize]
    }
}
