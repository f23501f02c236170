//! Recordings of real clients, said again to the capture in memory.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::programs::STRATUS;

/// How fast a recording is said again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// One request after the other.
    Fast,
    /// As it was recorded: the processor sleeps in between, as in a session.
    Own,
}

impl Pace {
    pub(super) const ALL: [Self; 2] = [Self::Fast, Self::Own];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Fast => "recordings, one request after the other",
            Self::Own => "recordings, at their own pace",
        }
    }
}

/// Of a recording at its own pace, in seconds.
const UNTIL: &str = "5";

/// What each frame took, as seconds since the first one and microseconds.
///
/// # Errors
/// If `stratus replay` fails.
pub(super) fn play(
    programs: &Path,
    recording: &Path,
    pace: Pace,
) -> anyhow::Result<Vec<(f64, f64)>> {
    let folder = tempfile::tempdir()?;
    let stamps = folder.path().join("stamps.csv");
    let output = Command::new(programs.join(STRATUS.name))
        .args(["replay", "--through", "capture", "--stamps"])
        .arg(&stamps)
        .args(match pace {
            Pace::Fast => vec!["--fast"],
            Pace::Own => vec!["--until", UNTIL],
        })
        .arg(recording)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .context("starting stratus replay")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "replaying {}: {said}", recording.display());
    points(&std::fs::read_to_string(&stamps)?)
}

/// Reads what `--stamps` wrote. A frame that no commit made has no start.
fn points(stamps: &str) -> anyhow::Result<Vec<(f64, f64)>> {
    let mut lines = stamps.lines();
    ensure!(lines.next() == Some("id,read,handed"), "these are no stamps of a replay: {stamps}");
    let moments = lines.filter_map(|line| {
        let mut fields = line.split(',').skip(1);
        let mut next = || fields.next()?.parse::<u64>().ok();
        Some((next()?, next()?))
    });
    let moments: Vec<_> = moments.collect();
    let first = moments.first().map_or(0, |(read, _)| *read);
    let point = |(read, handed): &(u64, u64)| {
        let [at, took] = [read.saturating_sub(first), handed.saturating_sub(*read)];
        (at as f64 / 1e9, took as f64 / 1e3)
    };
    Ok(moments.iter().map(point).collect())
}

/// The recordings of the tree.
///
/// # Errors
/// If their folders cannot be read.
pub(super) fn usual() -> anyhow::Result<Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut all = Vec::new();
    for folder in ["benches/data", "harness/recordings"] {
        let folder = root.join(folder);
        let entries =
            folder.read_dir().with_context(|| format!("looking into {}", folder.display()))?;
        let paths = entries.flatten().map(|entry| entry.path());
        all.extend(paths.filter(|path| path.extension().is_some_and(|e| e == "wlrec")));
    }
    all.sort();
    Ok(all)
}

/// How a recording is called: by its folder, too, where names repeat.
pub(super) fn name(recording: &Path) -> String {
    let part = |part: Option<&std::ffi::OsStr>| {
        part.map_or(String::new(), |part| part.to_string_lossy().into_owned())
    };
    let folder = part(recording.parent().and_then(Path::file_name));
    format!("{folder}/{}", part(recording.file_stem()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn stamps_become_times() {
        let text =
            "id,read,handed\n1,1000000000,1000001500\n2,,1700000000\n3,3000000000,3000000250\n";
        assert_eq!(points(text).unwrap(), [(0.0, 1.5), (2.0, 0.25)]);
        assert!(points("id,handed\n").is_err());
        assert!(points("id,read,handed\n").unwrap().is_empty());
    }

    #[test]
    fn the_tree_has_recordings_with_names_of_their_own() {
        let all = usual().unwrap();
        let mut names: Vec<_> = all.iter().map(|path| name(path)).collect();
        assert!(names.contains(&"recordings/foot".to_owned()), "{names:?}");
        names.dedup();
        assert_eq!(names.len(), all.len());
    }
}
