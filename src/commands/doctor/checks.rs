//! What `stratus doctor` looks at, encoders apart.

use std::fs::{File, OpenOptions};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::Uid;

use super::Finding;
use crate::process::{is_usable_directory, priority};

/// The oldest Sway that Stratus was run with.
const OLDEST_SWAY: (u32, u32) = (1, 7);

pub(super) fn all() -> Vec<Finding> {
    vec![
        user(),
        runtime_directory(),
        sway(),
        port(),
        render_node(),
        xwayland(),
        uinput(),
        sound(),
        thread_priority(),
        chromium(),
    ]
}

fn user() -> Finding {
    let uid = Uid::effective();
    if !uid.is_root() {
        return Finding::good("user", format!("uid {uid}, not root"));
    }
    Finding::missing("user", "root; Sway refuses to run as root")
        .remedy("run as an ordinary user, for example: runuser -u NAME -- stratus run -- GAME")
}

fn runtime_directory() -> Finding {
    const WHAT: &str = "runtime directory";
    match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
        Some(path) if is_usable_directory(&path) => Finding::good(WHAT, path.display().to_string()),
        Some(path) => Finding::absent(
            WHAT,
            format!("{} is not a directory that is ours alone", path.display()),
        )
        .remedy("`stratus run` uses /tmp instead; `stratus proxy` needs it: mkdir -m 0700"),
        None => Finding::absent(WHAT, "XDG_RUNTIME_DIR is not set")
            .remedy("`stratus run` uses /tmp instead; `stratus proxy` needs it"),
    }
}

fn sway() -> Finding {
    const WHAT: &str = "Sway";
    let Some(text) = output_of("sway", "--version") else {
        return Finding::missing(WHAT, "not installed").remedy("apt install sway");
    };
    match version_in(&text) {
        Some(version) if version >= OLDEST_SWAY => Finding::good(WHAT, text),
        Some(_) => Finding::missing(WHAT, format!("{text}, older than 1.7"))
            .remedy("install Sway 1.7 or newer"),
        None => Finding::good(WHAT, format!("{text} (version not understood)")),
    }
}

/// The first `N.M` in a text such as `sway version 1.10.1-3f5a`.
fn version_in(text: &str) -> Option<(u32, u32)> {
    text.split_whitespace().find_map(|word| {
        let mut numbers = word.split(|c: char| !c.is_ascii_digit());
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    })
}

fn port() -> Finding {
    const WHAT: &str = "UDP and TCP ports";
    let both = UdpSocket::bind(("127.0.0.1", 0)).map(drop);
    match both.and_then(|()| TcpListener::bind(("127.0.0.1", 0))) {
        Ok(_) => Finding::good(WHAT, "can listen on 127.0.0.1"),
        Err(e) => Finding::missing(WHAT, format!("cannot listen on 127.0.0.1: {e}"))
            .remedy("bring the loopback interface up: ip link set lo up"),
    }
}

fn render_node() -> Finding {
    const WHAT: &str = "GPU";
    let nodes: Vec<PathBuf> = std::fs::read_dir("/dev/dri")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|p| p.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"renderD")))
        .collect();
    let usable = nodes.iter().find(|n| OpenOptions::new().read(true).write(true).open(n).is_ok());
    match (usable, nodes.first()) {
        (Some(node), _) => {
            Finding::good(WHAT, format!("{} can be opened; not used (see below)", node.display()))
        }
        (None, Some(node)) => {
            Finding::absent(WHAT, format!("{} cannot be opened by this user", node.display()))
        }
        (None, None) => Finding::absent(WHAT, "no render node in /dev/dri; games draw in software"),
    }
}

fn xwayland() -> Finding {
    match find("Xwayland") {
        Some(path) => Finding::good(
            "Xwayland",
            format!("{}; an X11 game runs inside `Xwayland -fullscreen`", path.display()),
        ),
        None => Finding::absent("Xwayland", "not installed; X11 games need it")
            .remedy("apt install xwayland"),
    }
}

fn uinput() -> Finding {
    const WHAT: &str = "uinput";
    match stratus_input::check_uinput() {
        Ok(()) => Finding::good(WHAT, "/dev/uinput can be opened: gamepads reach the game"),
        Err(e) => Finding::absent(WHAT, format!("gamepads do not reach the game: {e}")),
    }
}

fn sound() -> Finding {
    const WHAT: &str = "sound";
    let brings = "games need none, as each session brings its own sound server";
    if File::open("/dev/snd/seq").is_ok() || Path::new("/dev/snd/controlC0").exists() {
        Finding::good(WHAT, format!("a sound card is there, to play on; {brings}"))
    } else {
        Finding::absent(WHAT, format!("no sound card to play on; {brings}"))
    }
}

fn thread_priority() -> Finding {
    const WHAT: &str = "thread priority";
    match priority::is_permitted() {
        Ok(()) => Finding::good(WHAT, "the session's threads run before the game's"),
        Err(e) => Finding::absent(
            WHAT,
            format!("a game that keeps all processors busy delays the session's threads: {e}"),
        )
        .remedy(
            "permit it with a line `NAME - nice -11` in /etc/security/limits.conf, and log in anew",
        ),
    }
}

fn chromium() -> Finding {
    const WHAT: &str = "Chromium";
    const USE: &str = "the browser player runs in it, on this machine or another";
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let Some((name, path)) = names.iter().find_map(|n| Some((n, find(n)?))) else {
        return Finding::absent(WHAT, format!("not installed; {USE}"));
    };
    match output_of(name, "--version") {
        Some(version) => Finding::good(WHAT, format!("{version}; {USE}")),
        None => Finding::good(WHAT, format!("{} (version not told); {USE}", path.display())),
    }
}

/// The first line that `program argument` prints.
fn output_of(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().map(|line| line.trim().to_owned())
}

/// Where in `$PATH` a program lies.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(program)).find(|p| p.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_versions_of_sway() {
        assert_eq!(version_in("sway version 1.7"), Some((1, 7)));
        assert_eq!(version_in("sway version 1.10.1"), Some((1, 10)));
        assert_eq!(version_in("sway version 1.12-rc1-ab12 (Jan 1 2026)"), Some((1, 12)));
        assert_eq!(version_in("sway version unknown"), None);
    }
}
