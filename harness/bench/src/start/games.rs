//! The games that are started, as far as they are installed.

use std::path::{Path, PathBuf};

use crate::programs::CLIENT;

/// A game by name.
pub(super) struct Game {
    pub(super) name: &'static str,
    pub(super) command: Vec<String>,
    /// Until its first decoded frame, s.
    pub(super) limit: Option<f64>,
}

/// Where Debian has its games, which is not in everyone's $PATH.
const GAMES: &str = "/usr/games";
/// Where the free data of Doom lies.
const WADS: [&str; 2] = ["/usr/share/games/doom/freedoom1.wad", "/usr/share/doom/freedoom1.wad"];

/// Those that are there, and a line for each that is not.
pub(super) fn games(programs: &Path) -> (Vec<Game>, Vec<String>) {
    let client = programs.join(CLIENT.name).to_string_lossy().into_owned();
    let client = [&*client, "--frames", "0", "--rate", "60", "--size", "1280x720"];
    let mut games =
        vec![Game { name: CLIENT.name, command: client.map(str::to_owned).to_vec(), limit: None }];
    let mut missing = Vec::new();
    match find("foot") {
        Some(foot) => games.push(Game { name: "foot", command: vec![foot], limit: Some(0.7) }),
        None => missing.push("foot is left out: it is not installed".to_owned()),
    }
    match (find("chocolate-doom"), WADS.iter().find(|wad| Path::new(wad).exists())) {
        (Some(doom), Some(wad)) => {
            let command = [&*doom, "-iwad", wad, "-fullscreen"].map(str::to_owned).to_vec();
            games.push(Game { name: "chocolate-doom", command, limit: Some(2.0) });
        }
        (None, _) => missing.push("chocolate-doom is left out: it is not installed".to_owned()),
        (_, None) => missing.push("chocolate-doom is left out: there is no freedoom1.wad".into()),
    }
    (games, missing)
}

/// The program of this name.
fn find(name: &str) -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from(GAMES)]);
    let file = folders.map(|folder| folder.join(name)).find(|file| file.is_file())?;
    Some(file.to_string_lossy().into_owned())
}
