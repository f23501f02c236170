//! What the tests of sound share: somebody who listens, tones, and a meter for them.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(unreachable_pub, reason = "shared by inclusion")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod raw;

use std::f64::consts::TAU;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opus::{Channels, Decoder};
use stratus_audio::{SoundServer, SoundSink};
use stratus_frame::sound::SoundPacket;

/// Somebody who keeps all packets.
#[derive(Clone, Default)]
pub struct Ear(Arc<Mutex<Vec<SoundPacket>>>);

impl SoundSink for Ear {
    fn is_heard(&self) -> bool {
        true
    }

    fn deliver(&mut self, packet: SoundPacket) {
        self.0.lock().unwrap().push(packet);
    }
}

impl Ear {
    pub fn packets(&self) -> Vec<SoundPacket> {
        self.0.lock().unwrap().clone()
    }

    /// Left and right of all that was heard, in one piece: nothing may be missing, and no silence
    /// may lie in between.
    pub fn sound(&self) -> [Vec<f32>; 2] {
        let packets = self.packets();
        for pair in packets.windows(2) {
            assert_eq!(pair[1].sequence, pair[0].sequence + 1);
            let gap = pair[1].captured.since(pair[0].captured);
            assert_eq!(gap, Duration::from_millis(5), "before packet {}", pair[1].sequence);
            assert_eq!(pair[1].previous, pair[0].opus);
        }
        decoded(&packets)
    }
}

/// What packets sound like.
pub fn decoded(packets: &[SoundPacket]) -> [Vec<f32>; 2] {
    let mut decoder = Decoder::new(48_000, Channels::Stereo).unwrap();
    let mut sound = [Vec::new(), Vec::new()];
    for packet in packets {
        let mut out = vec![0.0; 1920];
        let n = decoder.decode_float(&packet.opus, &mut out, false).unwrap();
        assert_eq!(n, usize::from(packet.samples));
        for frame in out[..2 * n].chunks_exact(2) {
            sound[0].push(frame[0]);
            sound[1].push(frame[1]);
        }
    }
    sound
}

/// A server in a directory of its own, and who listens to it.
pub fn server(directory: &Path) -> (SoundServer, Ear) {
    let ear = Ear::default();
    let server = SoundServer::start(&directory.join("pulse"), ear.clone()).unwrap();
    (server, ear)
}

/// A command for a client of the server.
pub fn client(server: &SoundServer, program: &str) -> Command {
    let mut command = Command::new(program);
    command.envs(server.environment()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // None of the user's own settings.
    command.env("HOME", "/nonexistent").env_remove("XDG_RUNTIME_DIR").env("LC_ALL", "C");
    command
}

/// Waits for a client to end well, and gives what it printed.
pub fn finish(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}: {}", output.status, text(&output.stderr));
    text(&output.stdout)
}

/// Has a client play `bytes` from its standard input.
pub fn feed(mut command: Command, bytes: Vec<u8>) -> Child {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the client is installed");
    let mut input = child.stdin.take().unwrap();
    // It may take less than all of it, if that is what a test wants.
    std::thread::spawn(move || drop(input.write_all(&bytes)));
    child
}

/// `seconds` of a tone of `hertz`, at `level` of full scale.
pub fn tone(rate: u32, hertz: f64, level: f64, seconds: f64) -> Vec<f32> {
    let frames = (f64::from(rate) * seconds) as usize;
    let step = TAU * hertz / f64::from(rate);
    (0..frames).map(|i| (level * (step * i as f64).sin()) as f32).collect()
}

pub fn s16le(samples: &[f32]) -> Vec<u8> {
    samples.iter().flat_map(|x| ((x * 32767.0) as i16).to_le_bytes()).collect()
}

/// The level of the tone of `hertz` in `samples` of 48 kHz (Goertzel's algorithm).
pub fn level(samples: &[f32], hertz: f64) -> f64 {
    let step = TAU * hertz / 48_000.0;
    let (mut re, mut im) = (0.0, 0.0);
    for (i, x) in samples.iter().enumerate() {
        // A window, so that tones that do not fit stay beside each other (Hann).
        let w = 0.5 - 0.5 * (TAU * i as f64 / samples.len() as f64).cos();
        re += f64::from(*x) * w * (step * i as f64).cos();
        im += f64::from(*x) * w * (step * i as f64).sin();
    }
    4.0 * re.hypot(im) / samples.len() as f64
}

/// The root of the mean square.
pub fn rms(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().map(|x| f64::from(*x).powi(2)).sum();
    (sum / samples.len() as f64).sqrt()
}

/// The least level of `hertz` in any 20 ms between the first and the last that sound.
pub fn weakest(samples: &[f32], hertz: f64) -> f64 {
    let loud = |x: &f32| x.abs() > 0.01;
    let first = samples.iter().position(loud).expect("something sounds");
    let last = samples.iter().rposition(loud).unwrap();
    // Begin and end of a tone are cut somewhere in these.
    let middle = &samples[first + 960..last - 960];
    middle.chunks_exact(960).map(|part| level(part, hertz)).fold(f64::MAX, f64::min)
}

/// Waits until `done`.
pub fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
