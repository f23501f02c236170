//! What it costs to let messages pass, in memory: a recorded stream of a real program, and
//! `wl_display.sync` in batches of 32. Figures are per message; the copy into the receive buffer,
//! which stands for the kernel's, is part of them. The recorded stream passes a second time with a
//! tracer attached, whose own thread does nothing but take what it is shown.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs::File;
use std::hint::black_box;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::Waker;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use stratus_proxy_core::{
    ClientId, Direction, GlobalPolicy, Hook, Observed, PassThrough, Rules, Session, Side,
};
use stratus_recording::{Reader, What};
use stratus_trace::{Hub, QUEUE_LIMIT};

/// libwayland's sending buffer: what one side says in a row arrives in pieces of at most this.
const PIECE: usize = 4096;

/// What one side says in a row.
struct Stretch {
    from: Side,
    bytes: Vec<u8>,
    fds: usize,
    messages: u64,
}

fn recorded() -> Vec<Stretch> {
    let mut reader = Reader::new(&include_bytes!("../data/foot.wlrec")[..]).expect("a recording");
    let mut stretches: Vec<Stretch> = Vec::new();
    while let Some(record) = reader.next_record().expect("a whole recording") {
        let What::Message { direction, fds, bytes } = record.what else { continue };
        let from = match direction {
            Direction::Request => Side::Client,
            Direction::Event => Side::Compositor,
        };
        let fits = |last: &Stretch| last.from == from && last.bytes.len() + bytes.len() <= PIECE;
        if !stretches.last().is_some_and(fits) {
            stretches.push(Stretch { from, bytes: Vec::new(), fds: 0, messages: 0 });
        }
        let last = stretches.last_mut().expect("just pushed");
        last.bytes.extend_from_slice(bytes);
        last.fds += fds.len();
        last.messages += 1;
    }
    stretches
}

fn open_fds(stretches: &[Stretch]) -> Vec<Vec<OwnedFd>> {
    let open = |_| File::open("/dev/null").expect("/dev/null").into();
    stretches.iter().map(|s| (0..s.fds).map(open).collect()).collect()
}

fn receive_and_send<H: Hook>(
    s: &mut Session,
    from: Side,
    bytes: &[u8],
    fds: &mut Vec<OwnedFd>,
    hook: &mut H,
) {
    s.spare(from)[..bytes.len()].copy_from_slice(bytes);
    s.handle_received(from, bytes.len(), fds, 1, hook).expect("a legal stream");
    while let Some(transmit) = s.poll_transmit(from.other()) {
        black_box(transmit.slices());
        let len = transmit.len();
        s.handle_transmitted(from.other(), len);
    }
}

fn sync_batch() -> (Vec<u8>, Vec<u8>) {
    let message =
        |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|w| w.to_ne_bytes()).collect() };
    let requests = (2..34).flat_map(|id| message(&[1, 12 << 16, id])).collect();
    let events = (2..34)
        .flat_map(|id| [message(&[id, 12 << 16, 7]), message(&[1, 12 << 16 | 1, id])].concat())
        .collect();
    (requests, events)
}

fn forward(criterion: &mut Criterion) {
    let rules = Arc::new(Rules::new(&[], GlobalPolicy::default()));
    let session = || Session::new(ClientId(1), Arc::clone(&rules));
    let mut group = criterion.benchmark_group("forward");

    let stretches = recorded();
    group.throughput(Throughput::Elements(stretches.iter().map(|s| s.messages).sum()));
    group.bench_function("foot, as recorded", |b| {
        b.iter_batched_ref(
            || (session(), open_fds(&stretches)),
            |(s, fds)| {
                for (stretch, fds) in stretches.iter().zip(fds) {
                    receive_and_send(s, stretch.from, &stretch.bytes, fds, &mut PassThrough);
                }
            },
            BatchSize::PerIteration,
        );
    });

    let (hub, tap) = Hub::new(Waker::noop().clone());
    let mut feed = hub.attach(QUEUE_LIMIT);
    let reader = std::thread::spawn(move || while feed.take().is_some() {});
    let mut hook = Observed { hook: PassThrough, observer: tap };
    group.bench_function("foot, as recorded, traced", |b| {
        b.iter_batched_ref(
            || (session(), open_fds(&stretches)),
            |(s, fds)| {
                s.set_observed(true);
                for (stretch, fds) in stretches.iter().zip(fds) {
                    receive_and_send(s, stretch.from, &stretch.bytes, fds, &mut hook);
                }
            },
            BatchSize::PerIteration,
        );
    });
    drop(hook);
    reader.join().expect("the reader ends with the tap");

    let (requests, events) = sync_batch();
    let mut s = session();
    group.throughput(Throughput::Elements(96));
    group.bench_function("wl_display.sync, 32 at once", |b| {
        b.iter(|| {
            receive_and_send(&mut s, Side::Client, &requests, &mut Vec::new(), &mut PassThrough);
            receive_and_send(&mut s, Side::Compositor, &events, &mut Vec::new(), &mut PassThrough);
        });
    });
    group.finish();
}

criterion_group!(benches, forward);
criterion_main!(benches);
