//! `stratus resize`: another screen for the games of a session that runs.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use stratus_trace::{CannotAttach, attach};

use super::trace::find_control;
use crate::assemble::RESIZE;
use crate::cli::ResizeArgs;
use crate::failure::{Failure, chain};

/// Asks the session and waits until all were told.
///
/// # Errors
/// A [`Failure`] if there is no session, or it cannot have this screen.
pub(super) fn run(args: &ResizeArgs) -> Result<ExitCode, Failure> {
    let name = args.socket.as_deref().unwrap_or(Path::new("stratus-0"));
    let control = find_control(name)?;
    let tried = format!("give the session the screen {}", args.screen);
    let mut answer = attach(&control, RESIZE, &args.screen.to_string()).map_err(|e| {
        let failure = Failure::new(&tried, chain(&e));
        match e {
            CannotAttach::Silent { .. } => failure.remedy("see whether the session still runs"),
            _ => failure,
        }
    })?;
    // It closes when it is done.
    let mut rest = Vec::new();
    answer.read_to_end(&mut rest).map_err(|e| Failure::new(&tried, e))?;
    Ok(ExitCode::SUCCESS)
}
