//! A display, `stratus play` as the only window on it, and the games that it shows.

use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use stratus_harness::client::{self, Client, Pace};
use stratus_harness::marker;
use stratus_harness::picture::Picture;
use stratus_harness::sway::{self, Sway};

use crate::support::{self, Session, eventually, stratus};

/// Of the display.
pub(crate) const SCREEN: (u32, u32) = (1000, 700);
/// Of the game, unless the window changes it.
pub(crate) const GAME: (u32, u32) = (640, 480);

/// A display and a window on it.
pub(crate) struct Stage {
    pub(crate) display: Sway,
    pub(crate) player: Child,
    pub(crate) log: PathBuf,
}

impl Stage {
    pub(crate) fn new(link: &str, arguments: &[&str]) -> Self {
        Self::on(SCREEN, link, arguments)
    }

    /// On a display of this size.
    pub(crate) fn on(size: (u32, u32), link: &str, arguments: &[&str]) -> Self {
        let options = sway::Options { size, ..sway::Options::default() };
        Self::under(&options, link, arguments)
    }

    /// On this display.
    pub(crate) fn under(options: &sway::Options, link: &str, arguments: &[&str]) -> Self {
        let display = Sway::start(options).unwrap();
        let log = display.runtime_dir().join("player.log");
        let player = stratus(display.runtime_dir())
            .args(["play", link])
            .args(arguments)
            .env("WAYLAND_DISPLAY", display.socket())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self { display, player, log }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub(crate) fn look(&self) -> Picture {
        self.display.screenshot().unwrap()
    }

    /// Looks until a marker of the game is seen whose top left corner is at `place`.
    pub(crate) fn number_at(&self, place: (u32, u32), size: (u32, u32)) -> u32 {
        eventually(&format!("a marker at {place:?} ({})", self.log()), || {
            number(&self.look(), place, size)
        })
    }

    /// The window as Sway knows it.
    pub(crate) fn window(&self) -> serde_json::Value {
        eventually("Sway has the window", || {
            let tree = self.display.message(&["-t", "get_tree", "-r"]).unwrap();
            find(&serde_json::from_str(&tree).unwrap())
        })
    }

    /// Waits for the player's end; gives its exit code and what it printed.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let ended = eventually("the player ends", || self.player.try_wait().unwrap());
        let mut said = String::new();
        let mut out = self.player.stdout.take().unwrap();
        std::io::Read::read_to_string(&mut out, &mut said).unwrap();
        (ended.code(), said)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.player.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = self.player.kill();
            let _ = self.player.wait();
        }
    }
}

fn find(node: &serde_json::Value) -> Option<serde_json::Value> {
    if node["app_id"] == "stratus" {
        return Some(node.clone());
    }
    let inner = [&node["nodes"], &node["floating_nodes"]];
    inner.iter().filter_map(|n| n.as_array()).flatten().find_map(find)
}

pub(crate) fn number(picture: &Picture, (x, y): (u32, u32), size: (u32, u32)) -> Option<u32> {
    let part = picture.cropped(x, y, size).ok()?;
    // Markers are black and white, so one channel says as much as their luma.
    let green: Vec<u8> = part.rgb.chunks(3).map(|pixel| pixel[1]).collect();
    marker::read(&green, size.0 as usize, size).ok()
}

/// A session for a game of this size that the test itself is, and its socket.
pub(crate) fn session(size: (u32, u32)) -> (Session, PathBuf) {
    session_beside(size, &["sleep", "1000"])
}

/// The same, while this program runs as its game.
pub(crate) fn session_beside(size: (u32, u32), program: &[&str]) -> (Session, PathBuf) {
    let session = Session::run(&["--size", &format!("{}x{}", size.0, size.1)], program);
    let socket = eventually("the games' socket is there", || {
        let folder = support::files(session.place.path()).into_iter().next()?;
        let path = session.place.path().join(folder).join("stratus-0");
        // Its file is there before it listens.
        UnixStream::connect(&path).is_ok().then_some(path)
    });
    (session, socket)
}

/// A session whose game draws so many markers a second.
pub(crate) fn markers(size: (u32, u32), rate: f64) -> (Session, Client) {
    let (session, socket) = session(size);
    (session, draw(&socket, size, rate))
}

/// Draws so many markers a second.
pub(crate) fn draw(socket: &Path, size: (u32, u32), rate: f64) -> Client {
    let pace = Pace::Rate(rate);
    let config = client::Config { size, frames: u64::MAX, pace, ..client::Config::default() };
    Client::start(socket, config).unwrap()
}
