//! The private directory of a session: sockets, Sway's config and log.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, Uid, access, mkdtemp};

use crate::failure::Failure;

const PREFIX: &str = "stratus-";
/// Random characters behind it; mkdtemp(3) wants six.
const RANDOM: usize = 6;

/// Longest path of the directory, in bytes: a Unix socket's path has at most 107, and the socket
/// in it a name of up to 64 (see [`crate::options`]); Sway's own need fewer.
const LONGEST: usize = 107 - 65;

/// A directory with mode 0700 that nobody else has; removed when this is dropped.
#[derive(Debug)]
pub struct RuntimeDir(PathBuf);

impl RuntimeDir {
    /// Makes one in `$XDG_RUNTIME_DIR`, or in `/tmp` where that is missing or not ours.
    ///
    /// # Errors
    /// A [`Failure`] if the directory cannot be made.
    pub fn create() -> Result<Self, Failure> {
        let parent = std::env::var_os("XDG_RUNTIME_DIR")
            .map(PathBuf::from)
            .filter(|p| is_usable(p) && p.as_os_str().len() + PREFIX.len() + RANDOM < LONGEST)
            .unwrap_or_else(|| PathBuf::from("/tmp"));
        // mkdtemp makes it with mode 0700 and a name that was free.
        let template = parent.join(format!("{PREFIX}{}", "X".repeat(RANDOM)));
        mkdtemp(&template).map(Self).map_err(|e| {
            Failure::new(format!("make a runtime directory in {}", parent.display()), e)
                .remedy("make the directory writable, or set XDG_RUNTIME_DIR to one that is")
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for RuntimeDir {
    fn drop(&mut self) {
        if let Err(e) = remove(&self.0) {
            tracing::warn!("cannot remove {}: {e}", self.0.display());
        }
    }
}

/// Removes a session's directory, if it is one and is ours. That it is gone is no error.
///
/// # Errors
/// Those of the removal.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let named_so =
        path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(PREFIX.as_bytes()));
    if !named_so {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a session's directory"));
    }
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() && found.uid() == Uid::current().as_raw() => {}
        Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidInput, "not our directory")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    }
    match std::fs::remove_dir_all(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Whether sockets may be made under `path`: it is a directory of ours that we may write to, and
/// that nobody else may.
#[must_use]
pub fn is_usable(path: &Path) -> bool {
    let Ok(found) = std::fs::metadata(path) else { return false };
    path.is_absolute()
        && found.is_dir()
        && found.uid() == Uid::current().as_raw()
        && found.permissions().mode() & 0o022 == 0
        && access(path, AccessFlags::W_OK | AccessFlags::X_OK).is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn is_private_and_goes_with_everything_in_it() {
        let dir = RuntimeDir::create().unwrap();
        let path = dir.path().to_owned();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        assert!(path.as_os_str().len() <= LONGEST);
        std::fs::create_dir(path.join("sub")).unwrap();
        std::fs::write(path.join("sub/file"), "x").unwrap();
        drop(dir);
        assert!(!path.exists());
        remove(&path).unwrap();
    }

    #[test]
    fn nothing_but_a_sessions_directory_is_removed() {
        let other = tempfile::tempdir().unwrap();
        remove(other.path()).unwrap_err();
        let link = other.path().join("stratus-link");
        std::os::unix::fs::symlink(other.path(), &link).unwrap();
        remove(&link).unwrap_err();
        assert!(other.path().exists());
    }
}
