//! Measures the way from `publish` to the last byte at a player, over loopback at 60 frames a
//! second: `cargo run --release -p stratus-stream --example loopback -- [FRAMES] [BYTES]`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use stratus_frame::{Codec, EncodedFrame, FrameId, MonoTime, Size, Stamps};
use stratus_stream::core::latency::{FrameTimes, Latency, Stage};
use stratus_stream::core::message::{EndCode, EndReason};
use stratus_stream::{
    Player, PlayerConfig, PlayerEvent, Publisher, Server, ServerConfig, random_token,
};

type AnyError = Box<dyn std::error::Error + Send + Sync>;

const INTERVAL: Duration = Duration::from_micros(16_667);

fn main() -> Result<(), AnyError> {
    let mut args = std::env::args().skip(1);
    let frames = args.next().map_or(Ok(600), |a| a.parse())?;
    let bytes = args.next().map_or(Ok(25_000), |a| a.parse())?;
    let size = Size::new(1280, 720);
    let token = random_token().map_err(|_| "no random source")?;
    let config = ServerConfig { size, ..ServerConfig::new(token) };
    let (joined, wait) = std::sync::mpsc::channel();
    let tell = move |event| {
        if matches!(event, stratus_stream::ServerEvent::Ready) {
            let _ = joined.send(());
        }
    };
    let server = Server::start(config, Arc::new(tell))?;
    let link = server.link().clone();
    let player = std::thread::spawn(move || -> Result<Latency, AnyError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(play(&link))?)
    });
    wait.recv()?;
    let (skipped, published) = publish(&server.publisher(), frames, bytes, size);
    server.end(EndReason { code: EndCode::GameExited, text: "all frames sent".to_owned() });
    let latency = player.join().map_err(|_| "the player panicked")??;
    println!("{frames} frames of {bytes} bytes, {skipped} found no room");
    println!("publish() itself: p50 {:?} p95 {:?}", published[0], published[1]);
    for row in latency.rows() {
        // The stamp `encoded` is taken as `publish` is called, `read` as well.
        if matches!(row.stage, Stage::Send | Stage::Network | Stage::Transfer | Stage::Total) {
            let name =
                if row.stage == Stage::Total { "publish -> last byte" } else { row.stage.name() };
            println!(
                "{name:<24} p50 {:>9.1?}  p95 {:>9.1?}  p99 {:>9.1?}",
                row.p50, row.p95, row.p99
            );
        }
    }
    Ok(())
}

/// Publishes at a steady pace; tells what found no room, and percentiles of the call.
fn publish(publisher: &Publisher, frames: u64, bytes: usize, size: Size) -> (u64, [Duration; 2]) {
    let (mut skipped, mut calls) = (0, Vec::new());
    let data = Bytes::from(vec![0x5a; bytes]);
    let mut last = None;
    for id in 1..=frames {
        std::thread::sleep(INTERVAL);
        if !publisher.ready() {
            skipped += 1;
            continue;
        }
        let now = MonoTime::now();
        let frame = EncodedFrame {
            id: FrameId(id),
            depends_on: last,
            stamps: Stamps { read: now, encoded: now, ..Stamps::default() },
            newest_input: 0,
            size,
            codec: Codec::H264,
            torn: false,
            data: data.clone(),
        };
        publisher.publish(&frame);
        calls.push(MonoTime::now().since(now));
        last = Some(frame.id);
    }
    calls.sort_unstable();
    let at = |percent: usize| calls.get(calls.len() * percent / 100).copied().unwrap_or_default();
    (skipped, [at(50), at(95)])
}

async fn play(
    link: &stratus_stream::core::link::Link,
) -> Result<Latency, stratus_stream::ConnectError> {
    let mut player = Player::connect(link, PlayerConfig::default()).await?;
    let mut latency = Latency::default();
    while let PlayerEvent::Frame(f) = player.next().await {
        latency.record(&FrameTimes {
            stamps: f.header.stamps,
            sent: f.header.sent,
            first_byte: f.first_byte,
            last_byte: f.last_byte,
            decoded: f.last_byte,
        });
    }
    player.close().await;
    Ok(latency)
}
