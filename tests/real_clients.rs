//! What a player decodes of real programs is what Sway itself shows at that moment.
//!
//! Programs that move are stopped (SIGSTOP) first, so that the last commit stands still on both
//! sides; then the newest decoded picture is compared with Sway's own screencopy.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;
#[path = "support/viewer.rs"]
mod viewer;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use stratus_harness::picture::Picture;
use stratus_harness::screencopy::Screen;
use support::{Session, inhabitants};
use viewer::Viewer;

/// Two cores carry one game, one encoder and one decoder, not several.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// For programs that load and for slow machines; no test passes by waiting for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than the pipeline waits with its refinement of a still picture.
const QUIET: Duration = Duration::from_millis(600);

/// Video at the default bit rate of a still picture; what differs by a frame, a shift or a crop
/// lies far below.
const SAME_PICTURE: f64 = 30.0;

const OPTIONS: [&str; 4] = ["--size", "1280x720", "--fps", "60"];

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A program in a session with a player that watches.
struct Stage {
    viewer: Viewer,
    session: Session,
}

impl Stage {
    fn new(game: &[&str]) -> Self {
        let session = Session::run(&OPTIONS, game);
        let viewer = Viewer::watch(&session.link);
        Self { viewer, session }
    }

    /// The processes of the game: all but Stratus itself and Sway.
    fn game(&self) -> Vec<nix::unistd::Pid> {
        let ours = |name: &str| name.starts_with("stratus") || name == "sway";
        inhabitants(self.session.place.path())
            .into_iter()
            .filter(|p| !ours(&p.name) && !p.arguments.iter().any(|a| a == "janitor"))
            .map(|p| p.pid)
            .collect()
    }

    fn freeze(&self) {
        let game = self.game();
        assert!(!game.is_empty(), "no process of the game was found");
        for pid in game {
            kill(pid, Signal::SIGSTOP).unwrap();
        }
    }

    /// Compares the newest decoded picture with Sway's own.
    fn compare(&self, name: &str) {
        let decoded = self.viewer.settle(QUIET, PATIENCE);
        let shown = Screen::connect(&self.session.compositor()).unwrap().capture().unwrap();
        let seen = self.viewer.seen();
        let (frames, pictures, missing) = (seen.frames, seen.pictures, seen.missing);
        drop(seen);
        let psnr = decoded.psnr(&shown).unwrap();
        let upside_down = decoded.psnr(&turned(&shown)).unwrap();
        println!(
            "{name}: {psnr:.1} dB against Sway's screen ({upside_down:.1} dB upside down), \
             {frames} frames, {pictures} pictures, {missing} missing"
        );
        if psnr < SAME_PICTURE {
            let place = std::env::temp_dir();
            decoded.write_ppm(&place.join(format!("stratus-{name}-decoded.ppm"))).unwrap();
            shown.write_ppm(&place.join(format!("stratus-{name}-shown.ppm"))).unwrap();
            panic!("{name}: {psnr:.1} dB; see {}\n{}", place.display(), self.session.log());
        }
        assert!(upside_down < SAME_PICTURE, "{name}: the picture says nothing");
        assert_eq!(missing, 0, "{name}: frames were lost");
    }
}

/// The picture with its rows in reverse: the same colours in the wrong places.
fn turned(picture: &Picture) -> Picture {
    let row = picture.size.0 as usize * 3;
    let rgb = picture.rgb.chunks(row).rev().flatten().copied().collect();
    Picture { size: picture.size, rgb }
}

/// Plays a program that moves, stops it in the middle, and compares.
fn moving(name: &str, game: &[&str]) {
    let _alone = alone();
    let stage = Stage::new(game);
    stage.viewer.wait("the program moves", PATIENCE, |seen| seen.pictures >= 30);
    stage.freeze();
    stage.compare(name);
}

#[test]
fn foot() {
    let _alone = alone();
    let text = "for i in $(seq 30); do printf '\\033[3%dm%03d A quick brown fox jumps over the \
                lazy dog.\\033[0m\\n' $((i % 8)) $i; done; exec sleep 1000";
    let stage = Stage::new(&["foot", "sh", "-c", text]);
    stage.viewer.wait("foot shows text", PATIENCE, |seen| seen.frames >= 1);
    stage.compare("foot");
}

#[test]
fn chocolate_doom() {
    let wad = "/usr/share/games/doom/freedoom1.wad";
    moving("chocolate-doom", &["/usr/games/chocolate-doom", "-iwad", wad, "-fullscreen"]);
}

#[test]
fn mpv_wlshm() {
    let source = "av://lavfi:testsrc2=size=1280x720:rate=60";
    moving("mpv", &["mpv", "--no-config", "--vo=wlshm", "--no-audio", "--osc=no", source]);
}

#[test]
fn vkcube_on_lavapipe() {
    let tool = if PathBuf::from("/usr/bin/vkcube-wayland").exists() {
        vec!["vkcube-wayland"]
    } else {
        vec!["vkcube", "--wsi", "wayland"]
    };
    moving("vkcube", &tool);
}

#[test]
fn rootful_xwayland_with_glxgears() {
    // Before 23.1 a rootful Xwayland has no such option and takes the output's size by itself.
    let script = "full=; case $(Xwayland -help 2>&1) in *-fullscreen*) \
                  full='-geometry 1280x720 -fullscreen';; esac; \
                  Xwayland -displayfd 3 $full 3>\"$XDG_RUNTIME_DIR/display\" & \
                  until [ -s \"$XDG_RUNTIME_DIR/display\" ]; do sleep 0.05; done; \
                  DISPLAY=:$(cat \"$XDG_RUNTIME_DIR/display\") exec glxgears -fullscreen";
    moving("xwayland", &["sh", "-c", script]);
}

/// Clients that crash or stall when too many of their buffers are held (Mesa's llvmpipe).
fn canary(name: &str, game: &[&str]) {
    let _alone = alone();
    let stage = Stage::new(game);
    stage.viewer.wait("the canary sings", PATIENCE, |seen| seen.pictures >= 10);
    let end = Instant::now() + Duration::from_secs(30);
    let mut windows = Vec::new();
    while Instant::now() < end {
        let before = stage.viewer.seen().frames;
        std::thread::sleep(Duration::from_secs(2));
        let seen = stage.viewer.seen();
        assert!(seen.over.is_none(), "{name}: {:?}\n{}", seen.over, stage.session.log());
        windows.push(seen.frames - before);
    }
    println!("{name}: frames in windows of 2 s: {windows:?}");
    assert!(windows.iter().all(|&frames| frames > 0), "{name} stalled: {windows:?}");
    assert!(!stage.game().is_empty(), "{name} is gone");
    assert_eq!(stage.viewer.seen().missing, 0, "{name}: frames were lost");
}

#[test]
fn weston_simple_egl_for_half_a_minute() {
    canary("weston-simple-egl", &["weston-simple-egl"]);
}

#[test]
fn glmark2_for_half_a_minute() {
    canary("glmark2", &["glmark2-es2-wayland", "--run-forever"]);
}
