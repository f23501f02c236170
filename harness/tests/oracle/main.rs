//! What is captured of a real program is what Sway shows of it, pixel for pixel.
//!
//! Each program runs behind proxy and capture in fullscreen, draws, opens its menus, and is
//! stopped. When Sway has shown its last commit, Sway's own screenshot is compared with the
//! picture that a reader of the mailbox has put together from the changed parts of frames. A
//! program that is not installed is left out, and a line says so.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kept;
mod pointer;
mod program;
#[path = "../stage/mod.rs"]
mod stage;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use stratus_capture::CaptureConfig;
use stratus_frame::Size;
use stratus_harness::picture::Picture;
use stratus_harness::screencopy::Screen;
use stratus_harness::sway::{Options, Sway};
use stratus_harness::watchdog::{Watchdog, wait_for};

use kept::Kept;
use pointer::Pointer;
use program::Program;
use stage::Proxied;

/// How long a program may take until it shows something.
const PATIENCE: Duration = Duration::from_secs(30);
/// A picture that is the same for so long stands still.
const QUIET: Duration = Duration::from_millis(350);
const SIZE: (u32, u32) = (800, 600);

/// When a program is stopped.
#[derive(Clone, Copy, Debug)]
enum When {
    /// As soon as its picture stands still.
    Still,
    /// After so many frames, in the midst of whatever it is doing.
    Frames(u64),
}

/// A program and what is done with it.
struct Case {
    name: &'static str,
    command: &'static [&'static str],
    when: When,
    /// Where it is clicked at, one after the other, each time once the picture stands still.
    clicks: &'static [(u32, u32)],
}

const fn still(name: &'static str, command: &'static [&'static str]) -> Case {
    Case { name, command, when: When::Still, clicks: &[] }
}

const fn moving(name: &'static str, frames: u64, command: &'static [&'static str]) -> Case {
    Case { name, command, when: When::Frames(frames), clicks: &[] }
}

const TEXT: &str = "seq 1 12; printf '\\033[1;31mred \\033[44mon blue\\033[0m\\n'; sleep 600";
const LINES: &str = "while :; do date +%N; sleep 0.02; done";
const VIDEO: &str = "av://lavfi:testsrc2=size=320x240:rate=30";

const CASES: &[Case] = &[
    still("foot", &["foot", "--config=/dev/null", "-o", "cursor.blink=no", "sh", "-c", TEXT]),
    moving("foot, scrolling", 40, &["foot", "--config=/dev/null", "sh", "-c", LINES]),
    moving("mpv", 30, &["mpv", "--no-config", "--vo=wlshm", "--no-audio", "--fs", VIDEO]),
    moving("Xwayland", 40, &["FOLDER/x11"]),
];

/// Starts an X server in a window, and programs in it. A program that runs at all finds its
/// display by the number that the server writes.
const X11: &str = "#!/bin/sh
cd \"$(dirname \"$0\")\" || exit
rm -f display
Xwayland -displayfd 3 -noreset 3>display &
while [ ! -s display ]; do sleep 0.05; done
DISPLAY=:$(cat display)
export DISPLAY
xclock -geometry 300x300+40+40 -update 1 &
xeyes -geometry 200x150+200+280 &
exec glxgears -geometry 240x240+450+200
";

/// A Sway whose screen is looked at, behind a proxy that captures.
struct Place {
    screen: Screen,
    empty: Picture,
    proxied: Proxied,
    kept: Kept,
    sway: Sway,
}

impl Place {
    fn new() -> Self {
        let config = "for_window [shell=\"xdg_shell\"] fullscreen enable".to_owned();
        let sway = Sway::start(&Options { size: SIZE, config, ..Options::default() }).unwrap();
        let folder = sway.runtime_dir();
        for toolkit in ["gtk-3.0", "gtk-4.0"] {
            let settings = folder.join("config-home").join(toolkit);
            fs::create_dir_all(&settings).unwrap();
            let still = "[Settings]\ngtk-cursor-blink=0\ngtk-enable-animations=0\n";
            fs::write(settings.join("settings.ini"), still).unwrap();
        }
        fs::write(folder.join("x11"), X11).unwrap();
        fs::set_permissions(folder.join("x11"), fs::Permissions::from_mode(0o755)).unwrap();
        let mut screen = sway.screen().unwrap();
        let empty = screen.capture().unwrap();
        let config = CaptureConfig::new(Size::new(SIZE.0, SIZE.1));
        let (proxied, slot, _) = Proxied::capturing(folder, sway.socket(), config);
        Self { screen, empty, proxied, kept: Kept::start(slot), sway }
    }

    /// Waits until neither Sway's picture nor the number of frames has changed for a while, and
    /// returns Sway's.
    fn settled(&mut self, program: &mut Program, name: &str) -> Picture {
        let deadline = Instant::now() + PATIENCE;
        let (mut last, mut frames) = (self.empty.clone(), 0);
        let mut since = Instant::now();
        while last == self.empty || since.elapsed() < QUIET {
            self.check(program, name, deadline);
            let (picture, now) = (self.screen.capture().unwrap(), self.kept.frames());
            if (&picture, now) != (&last, frames) {
                (last, frames, since) = (picture, now, Instant::now());
            }
            thread::sleep(Duration::from_millis(25));
        }
        last
    }

    fn check(&self, program: &mut Program, name: &str, deadline: Instant) {
        if let Some(end) = program.ended() {
            panic!("{name} ended with {end}");
        }
        let said = program.said();
        assert!(Instant::now() < deadline, "{name} took longer than {PATIENCE:?}:\n{said}");
    }

    /// What Sway shows of a program, and what was captured of it.
    fn compare(&mut self, case: &Case) -> Result<(), String> {
        let before = self.kept.frames();
        let mut program = Program::start(&self.sway, self.proxied.socket(), case.command);
        let mut pointer = None;
        for &(x, y) in case.clicks {
            self.settled(&mut program, case.name);
            let plug_in = || Pointer::plug_in(self.sway.socket(), SIZE).unwrap();
            pointer.get_or_insert_with(plug_in).click(x, y).unwrap();
        }
        match case.when {
            When::Still => drop(self.settled(&mut program, case.name)),
            When::Frames(frames) => {
                let deadline = Instant::now() + PATIENCE;
                while self.kept.frames() < before + frames {
                    self.check(&mut program, case.name, deadline);
                    thread::sleep(Duration::from_millis(1));
                }
            }
        }
        program.freeze();
        let shown = self.settled(&mut program, case.name);
        let captured = self.kept.picture();
        let frames = self.kept.frames() - before;
        drop(program);
        drop(pointer);
        self.wait_until_empty();
        let complaints = self.kept.complaints();
        if !complaints.is_empty() {
            return Err(complaints.join("; "));
        }
        let captured = captured.ok_or("nothing was captured")?;
        println!("{:24} {frames} frames", case.name);
        difference(case.name, &shown, &captured)
    }

    fn wait_until_empty(&mut self) {
        let (screen, empty) = (&mut self.screen, &self.empty);
        let gone = || (screen.capture().unwrap() == *empty).then_some(());
        wait_for("the end of the program's window", PATIENCE, gone).unwrap();
    }
}

/// Says where two pictures differ, if they do, and keeps them then.
fn difference(name: &str, shown: &Picture, captured: &Picture) -> Result<(), String> {
    if shown == captured {
        return Ok(());
    }
    let folder = std::env::temp_dir();
    let file: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    for (which, picture) in [("shown", shown), ("captured", captured)] {
        let _ = picture.write_ppm(&folder.join(format!("stratus-oracle-{file}-{which}.ppm")));
    }
    if shown.size != captured.size {
        return Err(format!("{:?} px are shown, {:?} captured", shown.size, captured.size));
    }
    let width = shown.size.0 as usize;
    let pixels = shown.rgb.chunks(3).zip(captured.rgb.chunks(3));
    let other = pixels.enumerate().filter(|(_, (a, b))| a != b);
    let other = other.map(|(at, (a, b))| (at % width, at / width, a, b));
    let (mut count, mut most) = (0, 0);
    let [mut left, mut top, mut right, mut bottom] = [usize::MAX, usize::MAX, 0, 0];
    for (x, y, a, b) in other {
        count += 1;
        (left, top, right, bottom) = (left.min(x), top.min(y), right.max(x), bottom.max(y));
        most = a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).fold(most, u8::max);
    }
    let folder = folder.display();
    Err(format!(
        "{count} pixels differ, by {most} levels at most, between ({left}, {top}) and ({right}, \
         {bottom}); see {folder}/stratus-oracle-{file}-*.ppm"
    ))
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = Path::new(program).is_file();
    there || std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[test]
fn what_is_captured_is_what_sway_shows() {
    let _watchdog = Watchdog::start("comparing with Sway", Duration::from_secs(300));
    let mut place = Place::new();
    let only = std::env::var("STRATUS_ORACLE").unwrap_or_default();
    let mut complaints = Vec::new();
    for case in CASES.iter().filter(|case| case.name.contains(&only)) {
        let program = case.command.first().expect("a program");
        if !program.starts_with("FOLDER") && !is_installed(program) {
            println!("{} is left out, because {program} is not installed", case.name);
            continue;
        }
        let start = Instant::now();
        let found = place.compare(case).map_err(|complaint| format!("{}: {complaint}", case.name));
        println!("{:24} {found:?} {:.1} s", case.name, start.elapsed().as_secs_f64());
        complaints.extend(found.err());
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    place.proxied.stop();
    place.kept.join();
}
