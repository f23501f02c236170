//! The same session watched by the browser player in Chromium, as its own statistics tell it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::case::Case;
use super::turn::{self, WARM};
use crate::report::{Table, Verdict};
use crate::stats::median;

/// The stage that is the whole way.
const WHOLE: &str = "commit → drawn";
/// Milliseconds that it may take at 1280x720 and 60 frames a second.
const LIMIT: f64 = 20.0;

/// What the page's overlay said at the end of one turn: the stages of the newest 300 frames.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Page {
    /// By name: p50 and p95 in milliseconds.
    stages: Vec<(String, Option<f64>, Option<f64>)>,
    /// The other lines, as they read.
    pub(crate) figures: Vec<(String, String)>,
}

/// What plays in Chromium, and that it can.
pub(crate) struct Browser {
    script: PathBuf,
    /// Which Chromium.
    pub(crate) version: String,
}

impl Browser {
    /// # Errors
    /// Says what is missing.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../stream/web");
        let script = folder.join("browser/measure.mjs");
        ensure!(script.exists(), "{} is not there", script.display());
        ensure!(
            folder.join("node_modules/playwright-core").exists(),
            "playwright-core is not installed: run npm ci in stream/web"
        );
        crate::programs::version(Path::new("node")).map_err(|_| missing("node"))?;
        let version = crate::programs::version(&chromium()).map_err(|_| missing("Chromium"))?;
        Ok(Self { script, version })
    }

    /// Plays `case` in the browser for `seconds`.
    ///
    /// # Errors
    /// If the session or the browser cannot be started, or shows nothing.
    pub(crate) fn play(&self, programs: &Path, case: &Case, seconds: u32) -> anyhow::Result<Page> {
        let session = turn::start(programs, case, 0)?;
        let (width, height) = case.size;
        let output = Command::new("node")
            .arg(&self.script)
            .args([&session.link, &(seconds + WARM).to_string()])
            .args([width.to_string(), height.to_string()])
            .env("CHROMIUM", chromium())
            // Where the browser keeps what it writes.
            .env("HOME", session.folder())
            .stdin(Stdio::null())
            .output()
            .context("starting node")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {said}", output.status);
        page(&serde_json::from_slice(&output.stdout).context("what the page said")?)
    }
}

fn missing(what: &str) -> anyhow::Error {
    anyhow::anyhow!("{what} is not installed")
}

fn chromium() -> PathBuf {
    std::env::var_os("CHROMIUM").map_or_else(|| "/usr/bin/chromium".into(), PathBuf::from)
}

/// Reads what the script prints.
fn page(said: &Value) -> anyhow::Result<Page> {
    let texts = |row: &Value| -> Vec<String> {
        let cells = row.as_array().into_iter().flatten();
        cells.map(|cell| cell.as_str().unwrap_or_default().to_owned()).collect()
    };
    let rows = |name: &str| -> Vec<Vec<String>> {
        said[name].as_array().into_iter().flatten().map(texts).collect()
    };
    // A stage that has no frames shows a dash.
    let ms = |text: Option<&String>| text?.split_whitespace().next()?.parse::<f64>().ok();
    let stages = rows("stages")
        .into_iter()
        .filter_map(|row| Some((row.first()?.clone(), ms(row.get(1)), ms(row.last()))));
    let page = Page {
        stages: stages.collect(),
        figures: rows("figures")
            .into_iter()
            .filter_map(|row| Some((row.first()?.clone(), row.get(1)?.clone())))
            .collect(),
    };
    let whole = page.stages.iter().find(|(name, ..)| name == WHOLE);
    ensure!(whole.is_some_and(|(_, p50, _)| p50.is_some()), "no picture was drawn: {said}");
    Ok(page)
}

impl Page {
    fn stage(&self, name: &str) -> Option<&(String, Option<f64>, Option<f64>)> {
        self.stages.iter().find(|(stage, ..)| stage == name)
    }
}

/// The medians of the turns.
pub(crate) fn table(case: &Case, pages: &[Page]) -> Option<Table> {
    let first = pages.first()?;
    let middle =
        |figures: Vec<Option<f64>>| median(&figures.into_iter().flatten().collect::<Vec<_>>());
    let row = |(name, ..): &(String, Option<f64>, Option<f64>)| {
        let all = || pages.iter().filter_map(|page| page.stage(name));
        let p50 = middle(all().map(|(_, p50, _)| *p50).collect());
        let p95 = middle(all().map(|(.., p95)| *p95).collect());
        (name.clone(), vec![p50, p95])
    };
    // Nobody plays here.
    let stages = first.stages.iter().filter(|(name, ..)| !name.starts_with("input"));
    let rows: Vec<_> = stages.map(row).collect();
    Some(Table {
        title: format!("{case}, in Chromium: medians of the turns, ms"),
        columns: vec!["p50".to_owned(), "p95".to_owned()],
        rows: rows.into_iter().filter(|(_, row)| row.iter().any(Option::is_some)).collect(),
        digits: 1,
    })
}

/// Commit to drawn beside its limit, where there is one.
pub(crate) fn verdict(case: &Case, pages: &[Page]) -> Option<Verdict> {
    if (case.size, case.fps) != ((1280, 720), 60) {
        return None;
    }
    let all = pages.iter().filter_map(|page| page.stage(WHOLE)?.1);
    let figure = median(&all.collect::<Vec<_>>())?;
    let what = format!("{case}: commit read to drawn in Chromium, p50");
    Some(Verdict { what, figure, limit: LIMIT, unit: "ms" })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_overlay_is_read_and_its_turns_are_joined() {
        let said = |whole: &str| {
            serde_json::json!({
                "stages": [["encode", "4.1 ms", "5.0 ms"], ["input → picture", "–", "–"],
                           [WHOLE, whole, "30.5 ms"]],
                "figures": [["pictures", "60.0 /s"]],
            })
        };
        let pages: Vec<Page> =
            ["14.2 ms", "19.0 ms", "15.0 ms"].iter().map(|w| page(&said(w)).unwrap()).collect();
        assert_eq!(pages[0].figures, [("pictures".to_owned(), "60.0 /s".to_owned())]);
        let case = "720p60-full".parse().unwrap();
        let table = table(&case, &pages).unwrap();
        assert_eq!(table.rows.len(), 2);
        assert_eq!(table.rows[1], (WHOLE.to_owned(), vec![Some(15.0), Some(30.5)]));
        assert!(verdict(&case, &pages).unwrap().holds());
        assert!(verdict(&"1080p60-full".parse().unwrap(), &pages).is_none());
        assert!(page(&said("–")).is_err());
    }
}
