//! Random games, compositors and encoders against a small model of what each may expect.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod driver;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering;

use driver::{Window, World};
use proptest::prelude::*;
use stratus_frame::Frame;
use stratus_protocols::{wl_buffer, wl_shm_pool};
use stratus_proxy_core::{Hook, ObjectId};

const BUFFERS: usize = 3;
/// More new buffers in a row look like a game that makes one for every frame.
const MAX_RENEWALS: usize = 5;

#[derive(Clone, Debug)]
enum Op {
    /// The game draws, if the buffer is free, and commits it; it does not wait if it is not.
    Show(usize),
    /// The game commits damage without an attach.
    Redraw,
    /// The game shows nothing.
    Hide,
    /// The game destroys a buffer, and the new one in its place gets the same id.
    Renew(usize),
    /// The compositor is done with a buffer: with one commit of it, or with all.
    Release(usize, bool),
    /// The encoder takes the waiting frame.
    Take,
    /// The encoder is done with its oldest frame.
    Finish,
    /// Some milliseconds go by.
    Pass(u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..BUFFERS).prop_map(Op::Show),
        1 => Just(Op::Redraw),
        1 => Just(Op::Hide),
        1 => (0..BUFFERS).prop_map(Op::Renew),
        6 => (0..BUFFERS, any::<bool>()).prop_map(|(b, all)| Op::Release(b, all)),
        3 => Just(Op::Take),
        3 => Just(Op::Finish),
        1 => prop_oneof![Just(1), Just(60), Just(200)].prop_map(Op::Pass),
    ]
}

/// A buffer as the game and the compositor see it.
struct Buffer {
    id: ObjectId,
    file: File,
    /// Tells it from others that had the id before.
    serial: u64,
    /// What the game drew last.
    pixel: u32,
    /// The game has not got it back.
    busy: bool,
    /// Commits that the compositor has not released.
    with_compositor: u32,
    /// Releases of the compositor, and of those the ones that the game got.
    sent: u32,
    got: u32,
}

/// A frame that the encoder has, and what it must show.
struct Reading {
    frame: Frame,
    serial: u64,
    /// `None` if the game may draw in it at any time: it committed a buffer that it had back.
    pixel: Option<u32>,
}

struct Model {
    w: World,
    client: usize,
    window: Window,
    buffers: Vec<Buffer>,
    attached: Option<usize>,
    /// Serial and pixel of the frame that waits.
    waiting: Option<(u64, Option<u32>)>,
    reading: Vec<Reading>,
    next_serial: u64,
    renewals: usize,
}

impl Model {
    fn new() -> Self {
        let mut w = World::new();
        let client = w.connect();
        let window = w.window(client);
        let mut model = Self {
            w,
            client,
            window,
            buffers: Vec::new(),
            attached: None,
            waiting: None,
            reading: Vec::new(),
            next_serial: 1,
            renewals: 0,
        };
        for _ in 0..BUFFERS {
            let buffer = model.make();
            model.buffers.push(buffer);
        }
        model
    }

    fn make(&mut self) -> Buffer {
        let pool = self.w.pool(self.client, 1 << 14);
        self.make_in(pool)
    }

    fn make_in(&mut self, pool: driver::Pool) -> Buffer {
        let id = self.w.buffer_at(self.client, pool.id, [0, 64, 48, 256]);
        self.w.destroy(self.client, pool.id, wl_shm_pool::REQ_DESTROY_OPCODE);
        self.next_serial += 1;
        Buffer {
            id,
            file: pool.file,
            serial: self.next_serial,
            pixel: 0,
            busy: false,
            with_compositor: 0,
            sent: 0,
            got: 0,
        }
    }

    /// The game draws something new.
    fn paint(&mut self, index: usize) {
        self.next_serial += 1;
        let buffer = &mut self.buffers[index];
        buffer.pixel = self.next_serial as u32;
        buffer.file.write_all_at(&buffer.pixel.to_le_bytes(), 0).unwrap();
    }

    fn run(&mut self, op: &Op) {
        match *op {
            Op::Show(index) => {
                if !self.buffers[index].busy {
                    self.paint(index);
                }
                self.w.show(self.window, self.buffers[index].id);
                let buffer = &mut self.buffers[index];
                buffer.busy = true;
                buffer.with_compositor += 1;
                self.attached = Some(index);
                self.waiting = Some((buffer.serial, Some(buffer.pixel)));
            }
            Op::Redraw => {
                self.w.damage(self.client, self.window.surface, [0, 0, 5, 5]);
                self.w.commit(self.client, self.window.surface);
                if let Some(index) = self.attached {
                    let buffer = &self.buffers[index];
                    self.waiting = Some((buffer.serial, buffer.busy.then_some(buffer.pixel)));
                }
            }
            Op::Hide => {
                self.w.attach(self.client, self.window.surface, ObjectId::NULL);
                self.w.commit(self.client, self.window.surface);
                self.attached = None;
            }
            Op::Renew(index) => self.renew(index),
            Op::Release(index, all) => {
                let buffer = &mut self.buffers[index];
                if buffer.with_compositor == 0 {
                    return;
                }
                buffer.with_compositor = if all { 0 } else { buffer.with_compositor - 1 };
                buffer.sent += 1;
                self.w.release(self.client, buffer.id);
            }
            Op::Take => {
                if self.reading.len() < 2
                    && let Some(frame) = self.w.try_take()
                {
                    let (serial, pixel) = self.waiting.take().expect("the model has it too");
                    self.reading.push(Reading { frame, serial, pixel });
                }
            }
            Op::Finish => {
                if !self.reading.is_empty() {
                    let reading = self.reading.remove(0);
                    self.w.finish(reading.frame);
                }
            }
            Op::Pass(ms) => self.w.pass(std::time::Duration::from_millis(ms)),
        }
    }

    fn renew(&mut self, index: usize) {
        if self.renewals == MAX_RENEWALS {
            return;
        }
        self.renewals += 1;
        let pool = self.w.pool(self.client, 1 << 14);
        let old = self.buffers[index].id;
        self.w.destroy(self.client, old, wl_buffer::REQ_DESTROY_OPCODE);
        self.w.delete_id(self.client, old);
        let fresh = self.make_in(pool);
        assert_eq!(fresh.id, old, "the id is used again");
        self.buffers[index] = fresh;
        if self.attached == Some(index) {
            self.w.attach(self.client, self.window.surface, ObjectId::NULL);
            self.w.commit(self.client, self.window.surface);
            self.attached = None;
        }
    }

    /// The game reacts to what it got: it draws in buffers that came back.
    fn hear(&mut self) {
        for index in 0..BUFFERS {
            let got = self.w.released(self.client, self.buffers[index].id) as u32;
            self.buffers[index].got += got;
            if got > 0 {
                self.buffers[index].busy = false;
                self.paint(index);
            }
        }
    }

    fn check(&mut self, op: &Op) {
        for buffer in &self.buffers {
            assert!(buffer.got <= buffer.sent, "{} releases for {}", buffer.got, buffer.sent);
            let needed = self.reading.iter().any(|r| r.serial == buffer.serial)
                || self.waiting.is_some_and(|(serial, _)| serial == buffer.serial);
            if buffer.got < buffer.sent {
                assert!(needed || buffer.with_compositor > 0, "{} is kept for nothing", buffer.id);
                let late = matches!(op, Op::Pass(200)) && buffer.with_compositor == 0;
                assert!(!late, "{} is kept past the deadline", buffer.id);
            }
        }
        for reading in &self.reading {
            let shown = driver::first_pixel(&reading.frame);
            let torn = reading.frame.torn.load(Ordering::Relaxed);
            let right = reading.pixel.is_none_or(|pixel| pixel == shown);
            assert!(right || torn, "the game drew in a frame that is read: {:?}", reading.pixel);
        }
        let held = self.w.stats.held.value() as usize;
        assert!(held <= self.reading.len() + 1, "{held} holds for {} readers", self.reading.len());
        if self.buffers.iter().all(|b| b.busy && b.with_compositor == 0) {
            let read = |b: &&Buffer| self.reading.iter().any(|r| r.serial == b.serial);
            let kept = self.buffers.iter().filter(|b| !read(b)).count();
            assert_eq!(kept, 0, "the game has no buffer left although some wait only");
        }
    }

    /// Both sides finish what they have: everything owed must have arrived.
    fn finish(mut self) {
        while let Some(frame) = self.w.try_take() {
            self.w.finish(frame);
        }
        for reading in std::mem::take(&mut self.reading) {
            self.w.finish(reading.frame);
        }
        for index in 0..BUFFERS {
            self.run(&Op::Release(index, true));
        }
        self.hear();
        for buffer in &self.buffers {
            assert_eq!(buffer.got, buffer.sent, "releases of {}", buffer.id);
        }
        assert_eq!(self.w.stats.held.value(), 0);
        assert_eq!(self.w.capture.poll_deadline(), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_release_arrives_once_and_no_frame_is_drawn_over(
        ops in proptest::collection::vec(op(), 1..80)
    ) {
        let mut model = Model::new();
        for op in &ops {
            model.run(op);
            model.hear();
            model.check(op);
        }
        model.finish();
    }
}
