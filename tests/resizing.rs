//! Another size and another rate while a game plays, under a real Sway.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;
#[path = "support/viewer.rs"]
#[allow(dead_code, reason = "its looks at pictures are not needed here")]
mod viewer;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use stratus_encode::Decoder;
use stratus_frame::Size;
use stratus_stream::core::message::Resize;
use stratus_stream::{Player, PlayerConfig, PlayerEvent};
use support::{PATIENCE, Said, Session, eventually, place, say, stratus};
use viewer::Viewer;

/// Foot with text that stands still: after a resize its next picture is one of the new size.
const STILL: [&str; 4] = ["foot", "sh", "-c", "seq 50; exec sleep 1000"];

/// What redraws as often as it is asked to, over what asks for the mode of the screen.
const EAGER: [&str; 3] = ["sh", "-c", "foot sleep 1000 & sleep 0.5; exec weston-simple-egl"];

/// How many resizes a run makes; STRATUS_RESIZES asks for more.
fn resizes() -> u32 {
    std::env::var("STRATUS_RESIZES").ok().map_or(60, |n| n.parse().expect("a number"))
}

/// Numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as u32 % n
    }

    fn size(&mut self) -> Size {
        Size::new(160 + 2 * self.below(500), 120 + 2 * self.below(400))
    }
}

/// A player that checks and decodes every frame.
struct Watcher {
    player: Player,
    decoder: Decoder,
}

impl Watcher {
    async fn join(session: &Session) -> Self {
        let link = session.link.parse().unwrap();
        let player = Player::connect(&link, PlayerConfig::default()).await.unwrap();
        Self { player, decoder: Decoder::new(Size::new(4096, 4096)).unwrap() }
    }

    /// The size of the next frame.
    async fn next(&mut self, session: &Session) -> Size {
        loop {
            let event = tokio::time::timeout(PATIENCE, self.player.next()).await;
            match event.unwrap_or_else(|_| panic!("no frame comes\n{}", session.log())) {
                PlayerEvent::Frame(frame) => {
                    let decoded = self.decoder.decode(&frame.data).expect("a picture");
                    let luma = decoded.planes.luma.size;
                    assert!(luma.width >= frame.header.size.width, "{luma} {}", frame.header.size);
                    return frame.header.size;
                }
                // The pointer stands in the window.
                PlayerEvent::Cursor(_) => {}
                other => panic!("{other:?}\n{}", session.log()),
            }
        }
    }
}

/// The IPC socket of the session's Sway.
fn sway_of(session: &Session) -> PathBuf {
    eventually("Sway's IPC socket is there", || {
        let inner = fs::read_dir(session.place.path()).unwrap().flatten().map(|e| e.path());
        let places = inner.filter(|p| p.is_dir());
        let mut files = places.flat_map(|p| fs::read_dir(p).unwrap().flatten().map(|e| e.path()));
        files.find(|f| f.to_string_lossy().contains("sway-ipc."))
    })
}

/// Size and mHz of the mode of Sway's output.
fn mode_of(session: &Session) -> (Size, i32) {
    let stream = UnixStream::connect(sway_of(session)).unwrap();
    let outputs = swayipc::Connection::from(stream).get_outputs().unwrap();
    let mode = outputs[0].current_mode.expect("a mode");
    (Size::new(mode.width as u32, mode.height as u32), mode.refresh)
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

#[test]
fn the_game_follows_every_last_wish() {
    let mut session = Session::run(&["--size", "640x480"], &STILL);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut random = Random(7);
    let mut times = Vec::new();
    let mut last = Size::default();
    runtime.block_on(async {
        let mut watcher = Watcher::join(&session).await;
        watcher.next(&session).await;
        for _ in 0..resizes() {
            let storm = if random.below(3) == 0 { 1 + random.below(12) } else { 1 };
            let begun = Instant::now();
            let before = last;
            for _ in 0..storm {
                last = random.size();
                watcher.player.resize(Resize { size: last, millifps: 0 });
            }
            while watcher.next(&session).await != last {}
            if storm == 1 && before != last {
                times.push(begun.elapsed());
            }
            // The server takes thirty wishes a second; what is measured is not that.
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        let counts = watcher.player.counts();
        assert_eq!((counts.missing, counts.dropped), (0, 0), "{counts:?}");
    });
    times.sort_unstable();
    println!(
        "first frame at the new size, of {} resizes outside storms: p50 {:?}, p95 {:?}, longest {:?}",
        times.len(),
        percentile(&times, 50),
        percentile(&times, 95),
        times.last().unwrap(),
    );
    // The compositor's output follows, with its own window told of nothing that it minds.
    eventually("Sway's output follows", || (mode_of(&session).0 == last).then_some(()));
    let log = session.log();
    for trouble in ["ended it", "ERROR", "keeps its size", "disconnect"] {
        assert!(!log.contains(trouble), "{trouble}:\n{log}");
    }
    session.find("foot");
    session.signal(nix::sys::signal::Signal::SIGTERM);
    assert!(session.wait().success());
    session.assert_gone();
}

fn resize(session: &Session, arguments: &[&str]) -> Said {
    let mut command = stratus(session.place.path());
    command.arg("resize").args(arguments);
    say(command)
}

#[test]
fn an_operator_and_a_player_can_ask() {
    let session = Session::run(&["--size", "640x480"], &STILL);
    session.find("foot");
    let files = place();
    let file = files.path().join("out.mkv");
    let mut command = stratus(files.path());
    let file_name = file.to_str().unwrap();
    command.args(["play", "--headless", &session.link, "--resize", "800x600", "--seconds", "3"]);
    let said = say({
        command.args(["--json", "--record", file_name]);
        command
    });
    assert_eq!(said.code, Some(0), "{}\n{}", said.err, session.log());
    // A file for each size, because a container holds one: the player's, and if it was there
    // before the game filled the screen, the session's and that with which foot starts.
    let mut kept: Vec<String> = support::files(files.path());
    kept.retain(|name| name.contains("out") && name.ends_with(".mkv"));
    assert!((1..=3).contains(&kept.len()), "{kept:?}");
    eventually("Sway has the player's size", || {
        (mode_of(&session).0 == Size::new(800, 600)).then_some(())
    });
    let said = resize(&session, &["1024x768@144"]);
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (Some(0), "", ""));
    eventually("Sway has the operator's mode", || {
        (mode_of(&session) == (Size::new(1024, 768), 142_857)).then_some(())
    });
    for (arguments, code, why) in [
        (&["1024x768", "--socket", "nobody"][..], 1, "find a session"),
        (&["1023x768"], 2, "the width is odd"),
        (&["1024x768@500"], 2, "from 1 to 240"),
        (&["9000x768"], 1, "above what this session encodes"),
    ] {
        let said = resize(&session, arguments);
        assert_eq!(said.code, Some(code), "{arguments:?}: {}", said.err);
        assert!(said.err.contains(why), "{arguments:?}: {}", said.err);
    }
}

/// The moments, in seconds, at which the game shows a picture, and the refresh rates (mHz) that it
/// is told, for a while.
fn heard(session: &Session, time: Duration, meanwhile: impl FnOnce()) -> (Vec<f64>, Vec<u64>) {
    let mut command = stratus(session.place.path());
    command.args(["trace", "--json", "--only", "wl_surface.commit"]);
    command.args(["--only", "wl_output.mode"]);
    let mut trace = command.stdout(Stdio::piped()).spawn().unwrap();
    let out = BufReader::new(trace.stdout.take().unwrap());
    let reader = std::thread::spawn(move || out.lines().map_while(Result::ok).collect::<Vec<_>>());
    meanwhile();
    std::thread::sleep(time);
    trace.kill().unwrap();
    trace.wait().unwrap();
    let (mut commits, mut rates) = (Vec::new(), Vec::new());
    for line in reader.join().unwrap() {
        let Ok(line) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
        let step = line["step"].as_str().unwrap_or("came");
        if line["message"] == "mode" && step == "own" {
            rates.extend(line["args"][3]["int"].as_u64());
        } else if line["message"] == "commit" {
            commits.extend(line["time"].as_f64());
        }
    }
    (commits, rates)
}

/// The middle one of the times between moments, in seconds.
fn usual_gap(moments: &[f64]) -> f64 {
    let mut gaps: Vec<f64> = moments.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_unstable_by(f64::total_cmp);
    gaps[gaps.len() / 2]
}

#[test]
fn a_game_shows_pictures_at_the_rate_that_it_is_told() {
    let session = Session::run(&["--size", "320x200", "--fps", "75", "--idle-fps", "0"], &EAGER);
    session.find("weston-simple-e");
    for hz in [240, 144, 30, 60] {
        let (commits, rates) = heard(&session, Duration::from_millis(1000), || {
            std::thread::sleep(Duration::from_millis(300));
            assert_eq!(resize(&session, &[&format!("320x200@{hz}")]).code, Some(0));
        });
        let told = *rates.last().expect("a mode is told") as f64 / 1000.0;
        // What came before the change does not count, nor what Sway does while it changes.
        let gap = usual_gap(&commits[commits.len() / 2..]);
        let ratio = gap * told;
        println!("{hz} Hz: told {told}, a picture every {:.2} ms: ratio {ratio:.3}", gap * 1e3);
        assert!((f64::from(hz) / told - 1.0).abs() < 0.1, "{hz}: told {told}");
        assert!(ratio > 0.9, "{hz}: faster than told, {ratio}");
        // Above, a busy machine is slower than the output.
        if hz <= 60 {
            assert!(ratio < 1.3, "{hz}: slower than told, {ratio}");
        }
    }
}

#[test]
fn a_game_that_nobody_watches_shows_few_pictures() {
    let session = Session::run(&["--size", "320x200", "--fps", "60", "--idle-fps", "5"], &EAGER);
    session.find("weston-simple-e");
    let time = Duration::from_millis(1500);
    // Five a second; the first pictures of all come as they are drawn.
    let few = |commits: &[f64]| {
        let late: Vec<f64> = commits.iter().copied().filter(|at| *at > 0.5).collect();
        late.len() >= 3 && (0.15..0.5).contains(&usual_gap(&late))
    };
    let (idle, _) = heard(&session, time, || {});
    assert!(few(&idle), "{idle:?}");
    let mut viewer = None;
    let (watched, _) = heard(&session, time, || viewer = Some(Viewer::watch(&session.link)));
    drop(viewer);
    let (idle, watched) = (idle.len(), watched.len());
    println!("in 1.5 s without a player {idle}, with one {watched}");
    assert!(watched > 2 * idle, "{watched} with a player, {idle} without");
    // And slowly again.
    eventually("the player is gone", || session.log().contains("left:").then_some(()));
    let (idle, _) = heard(&session, time, || {});
    assert!(few(&idle), "{idle:?}");
}

/// `stratus proxy` in front of a Sway, which is asked in each of the ways that it has.
#[test]
fn a_compositor_that_others_started_follows_too() {
    let host = Session::run(&["--size", "640x480"], &["sleep", "1000"]);
    let sway = eventually("Sway's socket is there", || {
        let path = sway_of(&host).with_file_name("wayland-1");
        path.exists().then_some(path)
    });
    for (ipc, hz, told) in [(true, 144, 142_857), (false, 90, 90_000)] {
        let place = place();
        let mut command = stratus(place.path());
        command.args(["proxy", "--socket", "mine"]).env("WAYLAND_DISPLAY", &sway);
        command.env_remove("SWAYSOCK");
        if ipc {
            command.env("SWAYSOCK", sway_of(&host));
        }
        let proxy = Session::start(place, command);
        let screen = format!("800x60{}@{hz}", u8::from(ipc) * 2);
        let said = resize(&proxy, &["--socket", "mine", &screen]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        eventually("the output follows", || {
            let (size, mhz) = mode_of(&host);
            (size.width == 800 && mhz == told).then_some(())
        });
        assert!(!proxy.log().contains("keeps its size"), "{}", proxy.log());
    }
}
