//! What a session logs at its end of what it counted.

use serde_json::Value;

/// What the scripted client prints, which the session logs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Drawn {
    pub(crate) commits: u64,
    /// In pixels, at the end.
    pub(crate) size: (u32, u32),
    /// Moments of its rate that passed undrawn.
    pub(crate) skipped: u64,
    /// How often it was time to draw and no buffer was free.
    pub(crate) stalls: u64,
    /// The longest such time in milliseconds.
    pub(crate) longest_stall: f64,
}

impl Drawn {
    pub(crate) fn said_in(log: &str) -> Option<Self> {
        let line = log.lines().rev().find(|line| line.contains("{\"commits\":"))?;
        let object = line.get(line.find('{')?..=line.rfind('}')?)?;
        let counts: Value = serde_json::from_str(object).ok()?;
        let count = |name: &str| counts[name].as_u64();
        Some(Self {
            commits: count("commits")?,
            size: (counts["size"][0].as_u64()? as u32, counts["size"][1].as_u64()? as u32),
            skipped: count("skipped")?,
            stalls: count("stalls")?,
            longest_stall: count("longest_stall_us")? as f64 / 1e3,
        })
    }
}

/// What capture and encoder counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Frames that a newer one replaced before they were encoded.
    pub(crate) replaced: u64,
    /// Frames handed over to the encoder; a commit that changes nothing makes none.
    pub(crate) handed: u64,
    /// Access units that show again what an earlier one had shown.
    pub(crate) repeats: u64,
}

impl Taken {
    pub(crate) fn said_in(log: &str) -> Option<Self> {
        Some(Self {
            replaced: number(log, "CaptureStats {", "replaced: Counter(")?,
            handed: number(log, "CaptureStats {", "handed: Counter(")?,
            repeats: number(log, "PipelineStats {", "repeats: ")?,
        })
    }
}

/// The number behind `name` in the last line with `of`.
fn number(log: &str, of: &str, name: &str) -> Option<u64> {
    let line = log.lines().rev().find(|line| line.contains(of))?;
    let rest = &line[line.find(name)? + name.len()..];
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
        INFO stratus::session: harness-client plays\n\
        INFO game: {\"commits\":90,\"skipped\":2,\"stalls\":1,\"longest_stall_us\":1500,\"size\":[8,4],\"end\":\"Finished\"}\n\
        DEBUG stratus::assemble: CaptureStats { commits: Counter(91), handed: Counter(90), \
        replaced: Counter(4), retracted: Counter(0) }\n\
        DEBUG stratus::assemble: PipelineHandle(PipelineStats { taken: 86, empty: 7, rows: 1, repeats: 3 })\n";

    #[test]
    fn counts_are_found_in_a_log() {
        let drawn = Drawn { commits: 90, size: (8, 4), skipped: 2, stalls: 1, longest_stall: 1.5 };
        assert_eq!(Drawn::said_in(LOG), Some(drawn));
        assert_eq!(Taken::said_in(LOG), Some(Taken { replaced: 4, handed: 90, repeats: 3 }));
        assert_eq!((Drawn::said_in("x"), Taken::said_in("x {")), (None, None));
    }
}
