//! When the scripted client committed its frames, in files that a bench reads.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use nix::time::{ClockId, clock_gettime};

use super::config::Config;

/// Files with a line a frame. Each is written when its commit is on its way, so that it takes no
/// time before, and at once, so that a client which is killed leaves all of them.
pub(super) struct Moments {
    commits: Option<File>,
    presses: Option<File>,
}

impl Moments {
    /// Makes the files that the script names.
    pub(super) fn create(config: &Config) -> anyhow::Result<Self> {
        let create =
            |path: &Path| File::create(path).with_context(|| format!("create {}", path.display()));
        Ok(Self {
            commits: config.commits.as_deref().map(create).transpose()?,
            presses: config.presses.as_deref().map(create).transpose()?,
        })
    }

    /// Frame `number` was committed at `commit`, and if `press` says so, because of a key or a
    /// button that was heard of then.
    pub(super) fn write(
        &mut self,
        number: u32,
        press: Option<u64>,
        commit: u64,
    ) -> anyhow::Result<()> {
        if let Some(file) = &mut self.commits {
            file.write_all(format!("{number},{commit}\n").as_bytes()).context("note a commit")?;
        }
        if let (Some(file), Some(press)) = (&mut self.presses, press) {
            let line = format!("{number},{press},{commit}\n");
            file.write_all(line.as_bytes()).context("note a press")?;
        }
        Ok(())
    }
}

/// Nanoseconds of `CLOCK_MONOTONIC`, which all processes of a machine share.
pub(super) fn now() -> u64 {
    // Linux always has this clock, and it starts near zero.
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |time| {
        time.tv_sec().unsigned_abs() * 1_000_000_000 + time.tv_nsec().unsigned_abs()
    })
}
