//! The open file descriptors of a process, counted and compared.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

/// Fd numbers and what each leads to (`/path`, `socket:[inode]`, `/memfd:name (deleted)`).
pub type Fds = BTreeMap<u32, String>;

/// Lists the fds of process `pid`.
///
/// The one through which the list itself is read is left out.
///
/// # Errors
/// If the process is gone or belongs to somebody else.
pub fn open_fds(pid: u32) -> io::Result<Fds> {
    let folder = PathBuf::from(format!("/proc/{pid}/fd"));
    let mut fds = Fds::new();
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        match fs::read_link(entry.path()) {
            Ok(target) => {
                let target = target.to_string_lossy().into_owned();
                if !(target.starts_with("/proc/") && target.ends_with("/fd")) {
                    fds.insert(number, target);
                }
            }
            // Closed between the listing and the look.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(fds)
}

/// Lists the fds of this process.
///
/// # Errors
/// If /proc cannot be read.
pub fn own_fds() -> io::Result<Fds> {
    open_fds(std::process::id())
}

/// What changed between two listings, one line each, empty if nothing did: `+` opened, `-` closed.
///
/// An fd whose number leads elsewhere than before counts as closed and opened.
#[must_use]
pub fn difference(before: &Fds, after: &Fds) -> Vec<String> {
    let lines = |sign: char, of: &Fds, other: &Fds| {
        of.iter()
            .filter(|(fd, target)| other.get(fd) != Some(target))
            .map(|(fd, target)| format!("{sign} {fd} -> {target}"))
            .collect::<Vec<_>>()
    };
    let mut changes = lines('-', before, after);
    changes.extend(lines('+', after, before));
    changes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn an_opened_file_shows_with_its_target_and_goes_again() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let number = file.as_file().as_raw_fd().unsigned_abs();
        // Other tests of this process open files too, so only our own number is looked at.
        let target = file.path().to_string_lossy().into_owned();
        assert_eq!(own_fds().unwrap().get(&number), Some(&target));
        file.close().unwrap();
        assert_ne!(own_fds().unwrap().get(&number), Some(&target));
    }

    #[test]
    fn differences_name_both_sides() {
        let before = Fds::from([(3, "a".to_owned()), (4, "b".to_owned())]);
        let after = Fds::from([(4, "c".to_owned()), (5, "d".to_owned())]);
        let expected = ["- 3 -> a", "- 4 -> b", "+ 4 -> c", "+ 5 -> d"];
        assert_eq!(difference(&before, &after), expected);
        assert!(difference(&after, &after.clone()).is_empty());
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(open_fds(u32::MAX).is_err());
    }
}
