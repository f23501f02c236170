//! Sessions of real programs that are kept in `harness/recordings`: what the proxy and the capture
//! make of them must stay as it is, and a compositor must show them again.
//!
//! What is expected of a recording stands beside it, in a text file of the same name. A change
//! that means to alter it changes the text as well; `harness/recordings/README.md` says how.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use stratus_harness::compositor::{self, Compositor};
use stratus_harness::picture::Picture;
use stratus_harness::sway::{Options, Sway};
use stratus_proxy_core::Direction;
use stratus_recording::{EndReason, Ending, Reader, What};
use support::{PATIENCE, Said, eventually, place, say, stratus};

/// All of them together, in bytes.
const MOST_BYTES: u64 = 500_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/recordings")
}

fn recording(name: &str) -> PathBuf {
    folder().join(name).with_extension("wlrec")
}

fn recordings() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "wlrec")).collect();
    all.sort();
    assert!(all.len() >= 4, "{all:?}");
    all
}

/// Runs `stratus replay` without a compositor.
fn replay(file: &Path, options: &[&str]) -> Said {
    let place = place();
    let mut command = stratus(place.path());
    command.arg("replay").args(options).arg(file);
    say(command)
}

fn frames(output: &str) -> Vec<&str> {
    output.lines().filter(|line| line.starts_with("frame ")).collect()
}

/// What stands for the picture of a frame.
fn pictures(output: &str) -> Vec<String> {
    let all = frames(output).into_iter();
    all.map(|line| line.split_once(" picture ").expect("readable").1.to_owned()).collect()
}

#[test]
fn they_stay_small() {
    let bytes: u64 = recordings().iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(bytes <= MOST_BYTES, "{bytes}");
}

#[test]
fn frames_and_forwarded_bytes_are_as_they_were() {
    let mut wrong = Vec::new();
    for file in recordings() {
        let said = replay(&file, &["--through", "capture", "--fast"]);
        let expected = fs::read_to_string(file.with_extension("txt")).unwrap();
        assert_eq!(said.code, Some(0), "{}: {}", file.display(), said.err);
        if said.out != expected {
            let differs = |(is, was): &(&str, &str)| is != was;
            let first = said.out.lines().zip(expected.lines()).find(differs);
            wrong.push(format!("{}: {first:?}", file.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "first lines that differ, as they are and were:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn each_frame_has_a_line_of_moments() {
    let place = place();
    let path = place.path().join("stamps.csv");
    let options = ["--through", "capture", "--fast", "--stamps", path.to_str().unwrap()];
    let said = replay(&recording("foot"), &options);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let stamps = fs::read_to_string(&path).unwrap();
    let (head, lines) = stamps.split_once('\n').unwrap();
    assert_eq!(head, "id,read,handed");
    let ids: Vec<_> = frames(&said.out).iter().map(|l| l.split(' ').nth(1).unwrap()).collect();
    assert_eq!(lines.lines().map(|l| l.split(',').next().unwrap()).collect::<Vec<_>>(), ids);
    for line in lines.lines() {
        let moments: Vec<u64> = line.split(',').skip(1).map(|m| m.parse().unwrap()).collect();
        assert!(moments.len() == 2 && moments[0] <= moments[1], "{line}");
    }
}

#[test]
fn a_slow_encoder_sees_fewer_of_the_same_pictures() {
    let mut fewer = 0;
    for file in recordings() {
        let fast = replay(&file, &["--through", "capture", "--fast"]);
        let slow = replay(&file, &["--through", "capture", "--fast", "--hold", "60"]);
        assert_eq!(slow.code, Some(0), "{}", slow.err);
        let all: BTreeSet<String> = pictures(&fast.out).into_iter().collect();
        let taken = pictures(&slow.out);
        assert!(taken.iter().all(|picture| all.contains(picture)), "{}", file.display());
        assert!(slow.out.contains(" 0 holds forced"), "{}", slow.out);
        fewer += usize::from(frames(&slow.out).len() < frames(&fast.out).len());
    }
    assert!(fewer > 0, "no encoder was ever late");
}

#[test]
fn what_is_said_of_a_recording_is_in_it() {
    for file in recordings() {
        let mut reader = Reader::new(BufReader::new(File::open(&file).unwrap())).unwrap();
        let (mut messages, mut commits) = (0, 0);
        while let Some(record) = reader.next_record().unwrap() {
            let What::Message { direction, bytes, .. } = record.what else { continue };
            messages += 1;
            commits += u64::from(direction == Direction::Request && bytes.len() == 8);
        }
        let Some(Ending::Ended { reason: EndReason::Finished, messages: told, .. }) =
            reader.ending()
        else {
            panic!("{}: {:?}", file.display(), reader.ending());
        };
        assert_eq!(*told, messages);
        assert!(commits > 0);
        let summary = replay(&file, &["--summary"]);
        assert!(summary.out.contains("it was ended in order"), "{}", summary.out);
        let printed = replay(&file, &["--print", "--json"]);
        assert_eq!(printed.code, Some(0), "{}", printed.err);
        let lines = printed.out.lines().map(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect("one JSON object a line")
        });
        let came = lines.filter(|line| line.to_string().contains("\"came\"")).count();
        assert_eq!(came as u64, messages, "{}", file.display());
    }
}

#[test]
fn what_is_no_recording_is_refused_with_a_sentence() {
    let said = replay(&folder().join("README.md"), &["--summary"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("this is no recording of Stratus"), "{}", said.err);
}

/// A headless Sway, and commands in front of it.
struct Stage {
    sway: Sway,
}

impl Stage {
    fn new(size: (u32, u32)) -> Self {
        let sway = Sway::start(&Options { size, ..Options::default() }).unwrap();
        Self { sway }
    }

    fn stratus(&self, arguments: &[&str]) -> Command {
        let mut command = stratus(self.sway.runtime_dir());
        command.env("WAYLAND_DISPLAY", self.sway.socket()).args(arguments);
        command
    }
}

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn sway_shows_what_was_recorded() {
    let file = recording("foot");
    let name = file.to_str().unwrap();
    let stage = Stage::new((640, 480));
    let last = stage.sway.runtime_dir().join("last.ppm");
    let shown = replay(
        &file,
        &["--through", "capture", "--fast", "--until", "1", "--dump-ppm", last.to_str().unwrap()],
    );
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let expected = Picture::read_ppm(&last).unwrap();
    let mut player = stage.stratus(&["replay", name, "--fast", "--until", "1", "--stay", "60"]);
    let _player = Running(player.stdout(Stdio::null()).spawn().unwrap());
    let begun = Instant::now();
    loop {
        let is = stage.sway.screenshot().unwrap();
        if is == expected {
            return;
        }
        let psnr = is.psnr(&expected);
        assert!(begun.elapsed() < PATIENCE, "{psnr:?} {:?} {:?}", is.size, expected.size);
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The requests of a recording, as object and number, without `wl_display.sync`, of which the player
/// sends some of its own.
fn requests(file: &Path) -> Vec<[u8; 6]> {
    let mut reader = Reader::new(BufReader::new(File::open(file).unwrap())).unwrap();
    let mut all = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        if let What::Message { direction: Direction::Request, bytes, .. } = record.what {
            all.push(*bytes.first_chunk().unwrap());
        }
    }
    let sync = [1, 0, 0, 0, 0, 0];
    all.retain(|request| *request != sync);
    assert!(all.len() > 20, "{}", all.len());
    all
}

#[test]
fn a_replay_to_sway_says_what_the_client_said() {
    let file = recording("weston-flower");
    let stage = Stage::new((640, 480));
    let again = stage.sway.runtime_dir().join("again.wlrec");
    let me = env!("CARGO_BIN_EXE_stratus");
    let said = say(stage.stratus(&[
        "trace",
        "--record",
        again.to_str().unwrap(),
        "--",
        me,
        "replay",
        file.to_str().unwrap(),
    ]));
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(requests(&again), requests(&file), "{}", said.err);
}

#[test]
fn clients_that_connect_later_are_recorded_and_the_file_is_not_overwritten() {
    let stage = Stage::new((640, 480));
    let file = stage.sway.runtime_dir().join("live.wlrec");
    let name = file.to_str().unwrap();
    let mut proxy = stage.stratus(&["proxy", "--capture", "off", "--socket", "live-0"]);
    let _proxy = Running(proxy.stderr(Stdio::null()).spawn().unwrap());
    let socket = stage.sway.runtime_dir().join("live-0");
    eventually("the proxy listens", || socket.exists().then_some(()));
    let client = || {
        let mut client = stage.sway.client("weston-flower", &socket);
        Running(client.stderr(Stdio::null()).spawn().unwrap())
    };
    let _early = client();
    let windows = || stage.sway.message(&["-t", "get_tree"]).unwrap();
    eventually("a client has a window", || windows().contains("xdg_shell").then_some(()));
    let mut tracer = stage.stratus(&["trace", "--socket", "live-0", "--record", name]);
    let mut tracer = Running(tracer.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let mut begun = String::new();
    let mut errors = BufReader::new(tracer.0.stderr.take().unwrap());
    errors.read_line(&mut begun).unwrap();
    assert!(begun.contains("recording the clients that connect from now on"), "{begun}");
    let late = client();
    let messages = || {
        let mut reader = Reader::new(BufReader::new(File::open(&file).unwrap())).unwrap();
        let mut clients = BTreeSet::new();
        let mut messages = 0;
        while let Ok(Some(record)) = reader.next_record() {
            if let What::Message { .. } = record.what {
                clients.insert(record.client);
                messages += 1;
            }
        }
        (clients.len(), messages)
    };
    // While it is written, not only at its end.
    eventually("messages are in the file", || (messages().1 > 50).then_some(()));
    drop(late);
    let pid = nix::unistd::Pid::from_raw(tracer.0.id().try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    let status = eventually("the tracer ends", || tracer.0.try_wait().unwrap());
    assert!(status.success());
    let mut out = String::new();
    tracer.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    let (clients, count) = messages();
    assert_eq!(clients, 1, "the client that was there before is left out");
    assert!(out.contains(&format!("holds {count} messages")), "{out}");

    let again = say(stage.stratus(&["trace", "--socket", "live-0", "--record", name]));
    assert_eq!(again.code, Some(1));
    assert!(again.err.contains("exists") && again.err.contains("--force"), "{}", again.err);
}

/// The end of a replay that cannot go on: exit code 1 and a sentence.
fn stuck(compositor: &Path, options: &[&str]) -> String {
    let place = place();
    let mut command = stratus(place.path());
    command.env("WAYLAND_DISPLAY", compositor).args(["replay", "--fast"]).args(options);
    command.arg(recording("weston-flower"));
    let said = say(command);
    assert_eq!((said.code, &said.out[..]), (Some(1), ""), "{}", said.err);
    said.err
}

#[test]
fn a_replay_that_cannot_go_on_says_why() {
    let place = place();
    let socket = place.path().join("wayland-test");
    let said = stuck(&socket, &[]);
    assert!(said.contains("the compositor cannot be reached"), "{said}");

    // One that listens, and never answers.
    let silent = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let begun = Instant::now();
    let said = stuck(&socket, &["--patience", "1"]);
    assert!(said.contains("waited 1s for ") && said.contains("which did not come"), "{said}");
    assert!(begun.elapsed() >= Duration::from_secs(1));
    drop(silent);
    fs::remove_file(&socket).unwrap();

    let without = |interface: &str| {
        let mut globals = compositor::Global::usual();
        globals.retain(|global| global.interface.name != interface);
        let config = compositor::Config { globals, ..Default::default() };
        Compositor::start(&socket, config).unwrap()
    };
    let _compositor = without("xdg_wm_base");
    let said = stuck(&socket, &["--patience", "3"]);
    let expected = "the client binds xdg_wm_base, which this compositor does not offer";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_recording_whose_recorder_is_killed_can_be_read() {
    let stage = Stage::new((640, 480));
    let file = stage.sway.runtime_dir().join("killed.wlrec");
    let name = file.to_str().unwrap();
    let mut tracer = stage.stratus(&["trace", "--record", name, "--", "weston-flower"]);
    let mut tracer = Running(tracer.stderr(Stdio::null()).spawn().unwrap());
    let read = || {
        let mut reader = Reader::new(BufReader::new(File::open(&file).unwrap())).unwrap();
        let mut messages = 0;
        while let Some(record) = reader.next_record().unwrap() {
            messages += u64::from(matches!(record.what, What::Message { .. }));
        }
        (messages, reader.ending().unwrap().clone())
    };
    eventually("the recording begins", || file.exists().then_some(()));
    eventually("messages are in the file", || (read().0 > 50).then_some(()));
    tracer.0.kill().unwrap();
    tracer.0.wait().unwrap();
    let (messages, ending) = read();
    assert!(messages > 50);
    assert!(matches!(ending, Ending::Unfinished | Ending::Cut(_)), "{ending:?}");
    let summary = replay(&file, &["--summary"]);
    assert_eq!(summary.code, Some(0), "{}", summary.err);
    assert!(
        summary.out.contains("its recorder was killed") || summary.out.contains("cut off"),
        "{}",
        summary.out
    );
}
