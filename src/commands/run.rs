//! `stratus run`: everything for one game.

use std::ffi::OsString;
use std::process::ExitCode;

use nix::unistd::Uid;

use crate::failure::Failure;
use crate::options::Settings;
use crate::session;

/// Runs `game` until it ends.
///
/// # Errors
/// A [`Failure`] as [`session::run`] gives it, or because this is root.
pub(super) fn run(settings: &Settings, game: &[OsString]) -> Result<ExitCode, Failure> {
    if Uid::effective().is_root() {
        return Err(Failure::new("start Sway as root", "Sway refuses to run as root").remedy(
            "run this as an ordinary user. In a container: useradd -m player; \
             runuser -u player -- stratus run -- GAME",
        ));
    }
    super::on_this_thread(session::run(settings, game))?;
    Ok(ExitCode::SUCCESS)
}
