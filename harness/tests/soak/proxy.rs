//! The process that is watched: proxy, capture, and a reader of frames in place of the encoder.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use stratus_capture::{CaptureConfig, CaptureStats};
use stratus_frame::{Arrival, PixelView, Size, Slot};

use super::stage::Proxied;

/// The environment variables that tell the other process what to do.
const FOLDER: &str = "SOAK_PROXY_FOLDER";
const UPSTREAM: &str = "SOAK_PROXY_UPSTREAM";

/// What the capture counts, as the process tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stats {
    pub commits: u64,
    pub handed: u64,
    pub held: u64,
    pub clients: u64,
}

/// The process, seen from the test.
pub(crate) struct Child {
    process: std::process::Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
    socket: PathBuf,
}

impl Child {
    pub(crate) fn start(folder: &Path, upstream: &Path) -> Self {
        let mut process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "the_proxy_of_the_soak"])
            .env(FOLDER, folder)
            .env(UPSTREAM, upstream)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the proxy's process");
        let ask = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        let mut child = Self { process, ask, answers, socket: folder.join("proxied") };
        // It answers when it listens.
        child.stats();
        child
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn stats(&mut self) -> Stats {
        self.ask.write_all(b"\n").expect("the proxy's process lives");
        loop {
            let mut line = String::new();
            let read = self.answers.read_line(&mut line).unwrap();
            assert!(read > 0, "the proxy's process ended: {:?}", self.process.wait());
            let words: Vec<&str> = line.split_whitespace().collect();
            let ["stats", words @ ..] = words.as_slice() else { continue };
            let numbers: Vec<u64> = words.iter().map(|word| word.parse().unwrap()).collect();
            let [commits, handed, held, clients] = numbers[..] else { panic!("{line}") };
            return Stats { commits, handed, held, clients };
        }
    }

    /// Ends it and says whether it ended well.
    pub(crate) fn stop(self) {
        let Self { mut process, ask, mut answers, .. } = self;
        drop(ask);
        let mut rest = String::new();
        let _ = std::io::Read::read_to_string(&mut answers, &mut rest);
        let status = process.wait().unwrap();
        assert!(status.success(), "the proxy's process ended with {status}:\n{rest}");
    }
}

/// What the process does: serve, and answer each line on standard input with its counts.
pub(crate) fn run() {
    let (Some(folder), Some(upstream)) = (std::env::var_os(FOLDER), std::env::var_os(UPSTREAM))
    else {
        return;
    };
    let config = CaptureConfig::new(Size::new(640, 360));
    let (proxied, slot, stats) =
        Proxied::capturing(Path::new(&folder), Path::new(&upstream), config);
    let reader = std::thread::spawn(move || read(&slot));
    for _ in std::io::stdin().lines().map_while(Result::ok) {
        println!("\n{}", line(&stats));
    }
    proxied.stop();
    println!("{} frames were read", reader.join().unwrap());
}

fn line(stats: &CaptureStats) -> String {
    let of = [&stats.commits, &stats.handed, &stats.held, &stats.clients];
    let numbers: Vec<String> = of.iter().map(|counter| counter.value().to_string()).collect();
    format!("stats {}", numbers.join(" "))
}

/// Reads all of every frame as an encoder does. Now and then it is slow, as encoders are: then
/// frames replace each other and releases wait.
fn read(slot: &Slot) -> u64 {
    let (mut frames, mut sum) = (0u64, 0u64);
    while let Arrival::Frame(frame) = slot.wait(true, None) {
        let mut look = |view: PixelView<'_>| {
            sum = view.data.iter().fold(sum, |sum, &byte| sum.wrapping_add(u64::from(byte)));
        };
        // Clients cut their memory off, which is an error of theirs.
        let _ = frame.pixels.read(&mut look);
        frames += 1;
        match frames % 1000 {
            0 => std::thread::sleep(Duration::from_millis(150)),
            1..10 => std::thread::sleep(Duration::from_millis(20)),
            _ => {}
        }
    }
    std::hint::black_box(sum);
    frames
}
