//! The one error of the commands: what was tried, what went wrong, what to do about it.

use std::fmt::{self, Display};
use std::process::ExitCode;

/// The exit code of a failure.
pub const FAILED: u8 = 1;
/// The exit code of a mistake in the command line, the environment or the config file.
pub const USAGE: u8 = 2;

/// Why a command ends without having done its work.
#[derive(Debug)]
pub struct Failure {
    tried: String,
    cause: String,
    remedy: Option<String>,
    exit: u8,
}

impl Failure {
    /// Something failed. `tried` completes "cannot …".
    pub fn new(tried: impl Display, cause: impl Display) -> Self {
        Self { tried: tried.to_string(), cause: cause.to_string(), remedy: None, exit: FAILED }
    }

    /// What the user wrote cannot be meant. `tried` completes "cannot …".
    pub fn usage(tried: impl Display, cause: impl Display) -> Self {
        Self { exit: USAGE, ..Self::new(tried, cause) }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Display) -> Self {
        self.remedy = Some(remedy.to_string());
        self
    }

    /// Ends the process with `code` instead of [`FAILED`]: a game's own failure is reported as
    /// the game reported it.
    #[must_use]
    pub fn exiting_with(mut self, code: u8) -> Self {
        self.exit = code;
        self
    }

    /// What to end the process with.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.tried, self.cause)?;
        if let Some(remedy) = &self.remedy {
            // A log has it in one line.
            let gap = if f.alternate() { "; " } else { "\n  " };
            write!(f, "{gap}what to do: {remedy}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// An error with all its causes in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Many errors repeat their source in their own text.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_why_and_what_to_do() {
        let failure = Failure::new("listen on 127.0.0.1:1", "permission denied")
            .remedy("choose a port above 1023");
        assert_eq!(
            failure.to_string(),
            "cannot listen on 127.0.0.1:1: permission denied\n  what to do: choose a port above 1023"
        );
        assert!(format!("{failure:#}").ends_with("denied; what to do: choose a port above 1023"));
    }
}
