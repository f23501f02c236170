//! What a bench found, in three forms: a table for people, JSON for programs, a page with plots.

mod page;
mod plot;
mod text;

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::machine::Facts;
use crate::stats::percentile;

/// How the figures are wanted.
#[derive(Debug, clap::Args)]
pub(crate) struct Output {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Write a page with plots too, one file that needs no other
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Output {
    /// Prints the report, and writes the page if one is wanted.
    ///
    /// # Errors
    /// If the page cannot be drawn or written.
    pub(crate) fn put(&self, report: &Report) -> anyhow::Result<()> {
        if let Some(file) = &self.html {
            std::fs::write(file, page::page(report)?)
                .with_context(|| format!("writing {}", file.display()))?;
        }
        if self.json {
            println!("{:#}", report.json());
        } else {
            print!("{}", text::text(report));
        }
        Ok(())
    }
}

/// All that one run found.
#[derive(Default)]
pub(crate) struct Report {
    /// The subcommand.
    pub(crate) bench: &'static str,
    pub(crate) facts: Facts,
    /// What took part, and its version.
    pub(crate) versions: Vec<(String, String)>,
    /// What a reader must know to read the figures right, and what was left out.
    pub(crate) notes: Vec<String>,
    pub(crate) tables: Vec<Table>,
    pub(crate) series: Vec<Series>,
    pub(crate) verdicts: Vec<Verdict>,
}

/// Figures of one unit.
pub(crate) struct Table {
    /// What they are, with their unit.
    pub(crate) title: String,
    pub(crate) columns: Vec<String>,
    /// A figure a column, none where there is none.
    pub(crate) rows: Vec<(String, Vec<Option<f64>>)>,
    /// Digits behind the point.
    pub(crate) digits: usize,
}

/// The columns of [`Table::of_samples`].
const PERCENTILES: [(&str, f64); 4] = [("p50", 50.0), ("p95", 95.0), ("p99", 99.0), ("max", 100.0)];

impl Table {
    /// The percentiles of a group of series, a row each.
    pub(crate) fn of_samples(title: &str, digits: usize, series: &[Series], group: &str) -> Self {
        let mut columns: Vec<String> = PERCENTILES.map(|(name, _)| name.to_owned()).to_vec();
        columns.push("samples".to_owned());
        let rows = series.iter().filter(|s| s.group == group).map(|s| {
            let values = s.values();
            let mut row: Vec<_> =
                PERCENTILES.iter().map(|(_, part)| percentile(&values, *part)).collect();
            row.push(Some(values.len() as f64));
            (s.name.clone(), row)
        });
        Self { title: title.to_owned(), columns, rows: rows.collect(), digits }
    }
}

/// Samples in the order in which they were taken.
#[derive(Clone, Default)]
pub(crate) struct Series {
    /// Series of one group are drawn into one plot.
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    /// Seconds since the run began, and the sample.
    pub(crate) points: Vec<(f64, f64)>,
}

impl Series {
    pub(crate) fn values(&self) -> Vec<f64> {
        self.points.iter().map(|(_, value)| *value).collect()
    }
}

/// A figure beside the limit that it is to stay below.
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) figure: f64,
    pub(crate) limit: f64,
    pub(crate) unit: &'static str,
}

impl Verdict {
    pub(crate) fn holds(&self) -> bool {
        self.figure <= self.limit
    }
}

impl Report {
    fn json(&self) -> Value {
        let rows = |table: &Table| -> Vec<Value> {
            let row = |(name, figures): &(String, Vec<Option<f64>>)| {
                let mut object = serde_json::Map::new();
                object.insert("name".to_owned(), json!(name));
                object.extend(table.columns.iter().cloned().zip(figures.iter().map(|v| json!(v))));
                Value::Object(object)
            };
            table.rows.iter().map(row).collect()
        };
        let versions: serde_json::Map<_, _> =
            self.versions.iter().map(|(name, version)| (name.clone(), json!(version))).collect();
        json!({
            "bench": self.bench,
            "machine": self.facts.json(),
            "versions": versions,
            "notes": self.notes,
            "tables": self.tables.iter().map(|table| json!({
                "title": table.title,
                "rows": rows(table),
            })).collect::<Vec<_>>(),
            "series": self.series.iter().map(|series| json!({
                "group": series.group,
                "name": series.name,
                "unit": series.unit,
                "points": series.points,
            })).collect::<Vec<_>>(),
            "verdicts": self.verdicts.iter().map(|verdict| json!({
                "what": verdict.what,
                "figure": verdict.figure,
                "limit": verdict.limit,
                "unit": verdict.unit,
                "holds": verdict.holds(),
            })).collect::<Vec<_>>(),
        })
    }
}
