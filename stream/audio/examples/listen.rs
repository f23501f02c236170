//! A sound server for trying clients: says once a second how loud they are, and with `aloud` plays
//! them on this machine's sound card, as a player would.
//!
//!     cargo run -p stratus-audio --example listen -- /tmp/sound [aloud] &
//!     PULSE_SERVER=unix:/tmp/sound/native paplay some.wav

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stratus_audio::{Receiver as Player, SoundDecoder, SoundServer, SoundSink, Speaker};
use stratus_frame::MonoTime;
use stratus_frame::sound::SoundPacket;

struct Ear(Sender<SoundPacket>, Option<Arc<Mutex<Player>>>);

impl SoundSink for Ear {
    fn is_heard(&self) -> bool {
        true
    }

    fn deliver(&mut self, packet: SoundPacket) {
        if let Some(mut player) = self.1.as_ref().and_then(|player| player.lock().ok()) {
            player.handle(&packet, MonoTime::now());
        }
        // Without a listener the example is over.
        let _ = self.0.send(packet);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args_os().nth(1).map_or_else(|| "/tmp/sound".into(), PathBuf::from);
    let (ear, packets) = channel();
    let aloud = std::env::args().nth(2).is_some_and(|word| word == "aloud");
    let card = if aloud { Some(Speaker::open()?) } else { None };
    // The card plays for as long as the speaker is kept.
    let (_speaker, player) = card.unzip();
    let player = player.map(|player| Arc::new(Mutex::new(player)));
    let server = SoundServer::start(&directory, Ear(ear, player.clone()))?;
    for (name, value) in server.environment() {
        println!("{name}={value}");
    }
    listen(&server, &packets, player.as_deref())
}

fn listen(
    server: &SoundServer,
    packets: &Receiver<SoundPacket>,
    player: Option<&Mutex<Player>>,
) -> Result<(), Box<dyn Error>> {
    let mut decoder = SoundDecoder::new()?;
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let (mut frames, mut sum, mut last) = (0, [0.0; 2], None);
        let mut gaps = 0;
        for packet in packets.try_iter() {
            gaps += u32::from(last.is_some_and(|end| packet.captured > end));
            last = Some(packet.captured.after(Duration::from_millis(5)));
            decoder.handle(packet, |_, samples| {
                for frame in samples.chunks_exact(2) {
                    frames += 1;
                    sum[0] += f64::from(frame[0]).powi(2);
                    sum[1] += f64::from(frame[1]).powi(2);
                }
            });
        }
        let level = sum.map(|sum| (sum / f64::from(frames.max(1))).sqrt());
        println!(
            "{frames} frames, {:.3} left, {:.3} right, {gaps} gaps; {:?}",
            level[0],
            level[1],
            server.counts()
        );
        if let Some(player) = player.and_then(|player| player.lock().ok()) {
            println!("    played: {:?}", player.stats());
        }
    }
}
