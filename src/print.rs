//! Standard output, on which nothing stands but what a command was asked for.

use std::io::Write;

use crate::failure::Failure;

/// Writes to standard output at once.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(|e| Failure::new("write to standard output", e))
}
