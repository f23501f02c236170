//! Which encoders there are, each opened for real, once.

use stratus_encode::{Outcome, Probed, probe};

use super::Finding;

pub(super) fn all() -> Vec<Finding> {
    let mut findings = vec![ffmpeg()];
    findings.extend(probe().iter().map(finding));
    findings
}

/// The FFmpeg libraries that this process runs with; their files are named after their versions.
fn ffmpeg() -> Finding {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut libraries: Vec<&str> = maps
        .lines()
        .filter_map(|line| line.rsplit('/').next())
        .filter(|file| file.starts_with("libav") && file.contains(".so"))
        .collect();
    libraries.sort_unstable();
    libraries.dedup();
    if libraries.is_empty() {
        return Finding::good("FFmpeg", "built in");
    }
    Finding::good("FFmpeg", libraries.join(", "))
}

fn finding(probed: &Probed) -> Finding {
    let name = probed.encoder;
    match (&probed.outcome, probed.used) {
        (Outcome::Opened, true) => Finding::good(name, "opened, and encoded a picture"),
        (Outcome::Opened, false) => {
            Finding::good(name, "opened, and encoded a picture; not used by this version")
        }
        (Outcome::Absent, true) => Finding::missing(name, "not in this FFmpeg")
            .remedy("install an FFmpeg with libx264 (Debian: apt install libavcodec-extra)"),
        (Outcome::Absent, false) => Finding::absent(name, "not in this FFmpeg"),
        (Outcome::Failed(why), true) => Finding::missing(name, format!("does not open: {why}"))
            .remedy("look whether libavcodec and libx264 fit each other"),
        (Outcome::Failed(why), false) => Finding::absent(name, format!("does not open: {why}")),
    }
}
