//! What valgrind counts of rounds in memory: the difference between a shorter and a longer run.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// The shorter and the longer run of messages.
const MESSAGES: (u32, u32) = (100, 1100);
/// The same of pictures, each of which is encoded.
const PICTURES: (u32, u32) = (4, 24);
/// Bytes of a picture as the game draws it: 1280x720 in 32 bits.
const PICTURE_BYTES: f64 = 1280.0 * 720.0 * 4.0;
/// What copies within this library belongs to the encoder.
const ENCODER: &str = "libx264";

/// Runs programs that play rounds, with a folder for what valgrind writes.
pub(super) struct Rounds<'a> {
    pub(super) folder: &'a Path,
}

impl Rounds<'_> {
    /// Instructions in user space, a round.
    pub(super) fn instructions(&self, program: &Path, scenario: &str) -> anyhow::Result<f64> {
        let out = self.folder.join("callgrind.out");
        let option = format!("--callgrind-out-file={}", out.display());
        a_round(MESSAGES, |rounds| {
            self.drive(&["--tool=callgrind", &option], program, &[scenario], rounds)?;
            number_behind(&fs::read_to_string(&out)?, "totals:")
        })
    }

    /// Allocations, a round.
    pub(super) fn allocations(&self, program: &Path, scenario: &str) -> anyhow::Result<f64> {
        a_round(MESSAGES, |rounds| {
            let log =
                self.drive(&["--tool=memcheck", "--leak-check=no"], program, &[scenario], rounds)?;
            number_behind(&log, "total heap usage:")
        })
    }

    /// What is copied of each picture outside of the encoder, as a part of its bytes.
    pub(super) fn copies_of_a_picture(&self, program: &Path) -> anyhow::Result<f64> {
        let out = self.folder.join("dhat.out");
        let option = format!("--dhat-out-file={}", out.display());
        let bytes = a_round(PICTURES, |rounds| {
            self.drive(&["--tool=dhat", "--mode=copy", &option], program, &[], rounds)?;
            copied(&fs::read_to_string(&out)?, ENCODER)
        })?;
        Ok(bytes / PICTURE_BYTES)
    }

    /// Runs `program` below valgrind and returns what valgrind says.
    fn drive(
        &self,
        tool: &[&str],
        program: &Path,
        scenario: &[&str],
        rounds: u32,
    ) -> anyhow::Result<String> {
        let log = self.folder.join("valgrind.log");
        let run = Command::new("valgrind")
            .args(tool)
            .arg(format!("--log-file={}", log.display()))
            .arg(program)
            .args(scenario)
            .arg(rounds.to_string())
            .stdin(Stdio::null())
            .status()
            .context("running valgrind; is it installed?")?;
        ensure!(run.success(), "{} {scenario:?} {rounds} failed", program.display());
        Ok(fs::read_to_string(log)?)
    }
}

fn a_round(
    (few, many): (u32, u32),
    mut count: impl FnMut(u32) -> anyhow::Result<f64>,
) -> anyhow::Result<f64> {
    Ok((count(many)? - count(few)?) / f64::from(many - few))
}

/// The number in `text` behind the words `before`, with or without commas.
fn number_behind(text: &str, before: &str) -> anyhow::Result<f64> {
    let rest =
        text.split(before).nth(1).with_context(|| format!("valgrind wrote no {before:?}"))?;
    let digits = rest.trim_start().split([' ', '\n']).next().unwrap_or_default().replace(',', "");
    digits.parse().with_context(|| format!("{digits:?} behind {before:?}"))
}

/// Bytes that were copied, by the profile that DHAT wrote of copies, but for those on whose stack
/// there is a function of `library`. Its program points have a total of bytes (`tb`) and a stack
/// (`fs`) of places in a table of names (`ftbl`).
fn copied(profile: &str, library: &str) -> anyhow::Result<f64> {
    let profile: Value = serde_json::from_str(profile).context("the profile of copies")?;
    let names = profile["ftbl"].as_array().context("a table of functions")?;
    let inside: Vec<bool> =
        names.iter().map(|name| name.as_str().is_some_and(|n| n.contains(library))).collect();
    let points = profile["pps"].as_array().context("the places that copy")?;
    let is_outside = |point: &&Value| {
        let stack = point["fs"].as_array().into_iter().flatten();
        let mut places = stack.filter_map(|place| usize::try_from(place.as_u64()?).ok());
        !places.any(|place| inside.get(place) == Some(&true))
    };
    Ok(points.iter().filter(is_outside).filter_map(|point| point["tb"].as_f64()).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valgrinds_numbers_are_found() -> anyhow::Result<()> {
        assert_eq!(number_behind("x\ntotals: 1234\n", "totals:")?.to_string(), "1234");
        let log = "==1==   total heap usage: 1,234 allocs, 99 frees, 5,000 bytes allocated";
        assert_eq!(number_behind(log, "total heap usage:")?.to_string(), "1234");
        assert!(number_behind("nothing", "totals:").is_err());
        Ok(())
    }

    #[test]
    fn what_an_encoder_copies_is_its_own() -> anyhow::Result<()> {
        let profile = r#"{"ftbl": ["[root]", "memmove (in dhat.so)", "f (in /lib/libx264.so.1)", "own (in x)"],
            "pps": [{"tb": 100, "tbk": 1, "fs": [1, 2, 3]}, {"tb": 7, "tbk": 1, "fs": [1, 3]}]}"#;
        assert_eq!(copied(profile, "libx264")?.to_string(), "7");
        assert_eq!(copied(profile, "nothing")?.to_string(), "107");
        assert!(copied("{}", "libx264").is_err());
        Ok(())
    }
}
