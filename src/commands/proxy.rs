//! `stratus proxy`: in front of a compositor that is already there.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::failure::Failure;
use crate::options::Settings;
use crate::process::is_usable_directory;
use crate::session;

/// Serves until a signal comes.
///
/// # Errors
/// A [`Failure`] as [`session::serve`] gives it, or because no compositor is found.
pub(super) fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    let directory = runtime_directory()?;
    let upstream = compositor(&directory, &settings.socket)?;
    super::on_this_thread(session::serve(settings, &directory, upstream))?;
    Ok(ExitCode::SUCCESS)
}

fn runtime_directory() -> Result<PathBuf, Failure> {
    const REMEDY: &str = "set XDG_RUNTIME_DIR to a directory of your own with mode 0700";
    let Some(directory) = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) else {
        return Err(
            Failure::new("make the games' socket", "XDG_RUNTIME_DIR is not set").remedy(REMEDY)
        );
    };
    if !is_usable_directory(&directory) {
        return Err(Failure::new(
            format!("make the games' socket in {}", directory.display()),
            "it is not a directory that only this user may write to",
        )
        .remedy(REMEDY));
    }
    Ok(directory)
}

/// The socket that `$WAYLAND_DISPLAY` names, looked up as libwayland's `wl_display_connect` does.
fn compositor(directory: &Path, own: &str) -> Result<PathBuf, Failure> {
    const REMEDY: &str = "start a compositor first, and set WAYLAND_DISPLAY to its socket; \
                          `stratus run` starts one of its own";
    let Some(name) = std::env::var_os("WAYLAND_DISPLAY").filter(|name| !name.is_empty()) else {
        return Err(
            Failure::new("find the compositor", "WAYLAND_DISPLAY is not set").remedy(REMEDY)
        );
    };
    // Joining an absolute path gives that path.
    let path = directory.join(name);
    if path == directory.join(own) {
        return Err(Failure::usage(
            format!("listen on {}", path.display()),
            "WAYLAND_DISPLAY names the same socket, so Stratus would talk to itself",
        )
        .remedy("set WAYLAND_DISPLAY to the compositor's socket, or choose another --socket"));
    }
    match UnixStream::connect(&path) {
        Ok(_) => Ok(path),
        Err(e) => {
            Err(Failure::new(format!("reach the compositor at {}", path.display()), e)
                .remedy(REMEDY))
        }
    }
}
