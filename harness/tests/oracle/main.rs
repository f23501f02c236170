//! What is captured of a real program is what Sway shows of it, pixel for pixel.
//!
//! Each program runs behind proxy and capture in fullscreen, draws, opens its menus, and is
//! stopped. When Sway has shown its last commit, Sway's own screenshot is compared with the
//! picture that a reader of the mailbox has put together from the changed parts of frames. A
//! program that is not installed is left out, and a line says so.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod kept;
mod pointer;
mod program;
#[path = "../stage/mod.rs"]
mod stage;
mod trees;

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

use cases::{CASES, CORNERED, Case, PAGE, QML, When, X11};
use kept::Kept;
use pointer::Pointer;
use program::Program;
use stage::Proxied;
use trees::{Dice, Tree, agreed};

/// How long a program may take until it shows something.
const PATIENCE: Duration = Duration::from_secs(30);
/// A picture that is the same for so long stands still.
const QUIET: Duration = Duration::from_millis(350);
const SIZE: (u32, u32) = (800, 600);
/// Windows made up at random, unless `STRATUS_TREES` says how many, and what is done to each.
const TREES: u64 = 8;
/// The renderer of Sway 1.10 ends itself by an assertion at the fifth.
const TREES_OF_1_10: u64 = 4;
const STEPS: u32 = 60;

/// A Sway whose screen is looked at, behind a proxy that captures.
struct Place {
    screen: Screen,
    empty: Picture,
    proxied: Proxied,
    kept: Kept,
    /// Major and minor.
    version: (u32, u32),
    /// How often a program answered a click.
    answered: u32,
    sway: Sway,
}

impl Place {
    fn new() -> Self {
        // As in a session, where the proxy asks for fullscreen itself.
        let config = "default_floating_border none\nfocus_on_window_activation focus\n\
                      output HEADLESS-1 scale_filter linear";
        let config = config.to_owned();
        let sway = Sway::start(&Options { size: SIZE, config, ..Options::default() }).unwrap();
        let folder = sway.runtime_dir();
        for toolkit in ["gtk-3.0", "gtk-4.0"] {
            let settings = folder.join("config-home").join(toolkit);
            fs::create_dir_all(&settings).unwrap();
            let still = "[Settings]\ngtk-cursor-blink=0\ngtk-enable-animations=0\n";
            fs::write(settings.join("settings.ini"), still).unwrap();
        }
        fs::write(folder.join("x11"), X11).unwrap();
        fs::write(folder.join("page.html"), PAGE).unwrap();
        fs::write(folder.join("window.qml"), QML).unwrap();
        fs::set_permissions(folder.join("x11"), fs::Permissions::from_mode(0o755)).unwrap();
        let mut screen = sway.screen().unwrap();
        let empty = screen.capture().unwrap();
        let config = CaptureConfig::new(Size::new(SIZE.0, SIZE.1));
        let (proxied, slot, _) = Proxied::capturing(folder, sway.socket(), config);
        let version = sway.version().unwrap();
        Self { screen, empty, proxied, kept: Kept::start(slot), version, answered: 0, sway }
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

    /// What Sway shows when it has drawn all of it anew: of a window in the middle of the screen
    /// Sway 1.7 redraws popups at another place, that of a window in the corner.
    fn redrawn(&mut self) -> Picture {
        // Any setting of title bars makes Sway redraw its outputs, which show none.
        self.sway.message(&["title_align", "left"]).unwrap();
        self.screen.capture().unwrap();
        self.screen.capture().unwrap()
    }

    fn check(&self, program: &mut Program, name: &str, deadline: Instant) {
        if let Some(end) = program.ended() {
            panic!("{name} ended with {end}");
        }
        let said = program.said();
        let frames = self.kept.frames();
        assert!(
            Instant::now() < deadline,
            "{name} took longer than {PATIENCE:?}, with {frames} frames in all:\n{said}"
        );
    }

    /// What Sway shows of a program, and what was captured of it.
    fn compare(&mut self, case: &Case) -> Result<(), String> {
        let before = self.kept.frames();
        let mut program = Program::start(&self.sway, self.proxied.socket(), case.command);
        let mut pointer = None;
        let mut looks = Vec::new();
        for &(x, y) in case.clicks {
            looks.push(self.settled(&mut program, case.name));
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
        self.settled(&mut program, case.name);
        let shown = self.redrawn();
        match looks.last() {
            Some(look) if *look == shown => println!("{} answers no click there", case.name),
            Some(_) => self.answered += 1,
            None => {}
        }
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
        let centred = !CORNERED.contains(&self.version);
        let (shown, captured) = overlap(&shown, &captured, centred)?;
        difference(case.name, case.tolerance, &shown, &captured)
    }

    fn wait_until_empty(&mut self) {
        let (screen, empty) = (&mut self.screen, &self.empty);
        let gone = || (screen.capture().unwrap() == *empty).then_some(());
        wait_for("the end of the program's window", PATIENCE, gone).unwrap();
    }
}

/// What is on both pictures. A window that keeps a size of its own is captured as a picture of
/// that size; Sway shows it in the middle of the screen, or from the corner on if it is larger,
/// and black around it.
fn overlap(
    shown: &Picture,
    captured: &Picture,
    centred: bool,
) -> Result<(Picture, Picture), String> {
    let size = (shown.size.0.min(captured.size.0), shown.size.1.min(captured.size.1));
    let middle = ((shown.size.0 - size.0) / 2, (shown.size.1 - size.1) / 2);
    let (left, top) = if centred { middle } else { (0, 0) };
    let (across, down) = (left..left + size.0, top..top + size.1);
    let pixels = (0..shown.size.1).flat_map(|y| (0..shown.size.0).map(move |x| (x, y)));
    let around = pixels.filter(|(x, y)| !across.contains(x) || !down.contains(y));
    let light = around.filter(|&(x, y)| shown.pixel(x, y) != Some([0; 3])).count();
    if light > 0 {
        return Err(format!("{light} pixels around the {size:?} px captured are not black"));
    }
    let shown = shown.cropped(left, top, size).map_err(|e| e.to_string())?;
    Ok((shown, captured.cropped(0, 0, size).map_err(|e| e.to_string())?))
}

/// Says where two pictures of one size differ, if they do by more than they may, and keeps them
/// then.
fn difference(
    name: &str,
    tolerance: u8,
    shown: &Picture,
    captured: &Picture,
) -> Result<(), String> {
    let width = shown.size.0 as usize;
    let apart = |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max();
    let pixels = shown.rgb.chunks(3).zip(captured.rgb.chunks(3)).enumerate();
    let pixels = pixels.map(|(at, (a, b))| (at % width, at / width, apart(a, b).unwrap_or(0)));
    let (mut count, mut most) = (0, 0);
    let [mut left, mut top, mut right, mut bottom] = [usize::MAX, usize::MAX, 0, 0];
    for (x, y, apart) in pixels.filter(|(.., apart)| *apart > tolerance) {
        (count, most) = (count + 1, most.max(apart));
        (left, top, right, bottom) = (left.min(x), top.min(y), right.max(x), bottom.max(y));
    }
    if count == 0 {
        return Ok(());
    }
    let folder = std::env::temp_dir();
    let file: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    for (which, picture) in [("shown", shown), ("captured", captured)] {
        let _ = picture.write_ppm(&folder.join(format!("stratus-oracle-{file}-{which}.ppm")));
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
        if !(case.sways)(place.version) {
            println!("{} is left out, because this Sway shows it wrongly", case.name);
            continue;
        }
        let start = Instant::now();
        let found = place.compare(case).map_err(|complaint| format!("{}: {complaint}", case.name));
        println!("{:24} {found:?} {:.1} s", case.name, start.elapsed().as_secs_f64());
        complaints.extend(found.err());
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    // Where menus are depends on fonts and themes, but not one of them may be anywhere.
    assert!(place.answered > 0 || !only.is_empty(), "no program answered a click");
    place.proxied.stop();
    place.kept.join();
}

fn compare_tree(place: &mut Place) -> Result<(), String> {
    let shown = place.redrawn();
    let captured = place.kept.picture().ok_or("nothing was captured")?;
    let (shown, captured) = overlap(&shown, &captured, true)?;
    difference("tree", 0, &shown, &captured)
}

#[test]
fn trees_that_no_toolkit_makes_are_captured_as_sway_shows_them() {
    let _watchdog = Watchdog::start("comparing trees with Sway", Duration::from_secs(300));
    let mut place = Place::new();
    let usual = if place.version == (1, 10) { TREES_OF_1_10 } else { TREES };
    let trees = std::env::var("STRATUS_TREES").map_or(usual, |n| n.parse().unwrap());
    for seed in 1..=trees {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut tree = Tree::new(&place, &mut dice);
        for step in 0..STEPS {
            tree.change(&mut dice);
            if step % 4 > 0 {
                continue;
            }
            tree.settle();
            let compared = agreed(&mut place, compare_tree);
            let compared = compared.or_else(|difference| {
                if place.version != (1, 10) {
                    return Err(difference);
                }
                // It leaves out what a parent's move brought onto the screen until that is drawn
                // once more, which must change nothing of what was captured.
                let captured = place.kept.picture();
                tree.repaint_all();
                let same = agreed(&mut place, compare_tree).is_ok();
                if same && place.kept.picture() == captured { Ok(()) } else { Err(difference) }
            });
            if let Err(difference) = compared {
                panic!("seed {seed}, step {step}: {difference}\n{}", tree.done.join("\n"));
            }
        }
        drop(tree);
        place.wait_until_empty();
        assert_eq!(place.kept.complaints(), Vec::<String>::new());
    }
    place.proxied.stop();
    place.kept.join();
}
