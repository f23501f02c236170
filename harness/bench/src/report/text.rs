//! The report for people.

use std::fmt::Write as _;

use super::{Report, Table};

/// Writing to a String cannot fail, so what `write!` returns is not looked at.
pub(super) fn text(report: &Report) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", report.facts);
    for note in &report.notes {
        let _ = writeln!(out, "{note}");
    }
    if !report.versions.is_empty() {
        let _ = writeln!(out);
    }
    for (name, version) in &report.versions {
        let _ = writeln!(out, "  {name:<22} {version}");
    }
    for table in &report.tables {
        put_table(&mut out, table);
    }
    if !report.verdicts.is_empty() {
        let _ = writeln!(out, "\n{:<60}{:>10}{:>10}", "targets", "figure", "limit");
    }
    for verdict in &report.verdicts {
        let (figure, limit, unit) = (verdict.figure, verdict.limit, verdict.unit);
        let word = if verdict.holds() { "holds" } else { "MISSED" };
        let _ = writeln!(out, "  {:<58}{figure:>10.2}{limit:>10.2} {unit:<4} {word}", verdict.what);
    }
    out
}

fn put_table(out: &mut String, table: &Table) {
    let wide = table.columns.iter().map(|name| name.len() + 2).max().unwrap_or(0).max(11);
    let _ = write!(out, "\n{:<52}", table.title);
    for column in &table.columns {
        let _ = write!(out, "{column:>wide$}");
    }
    let _ = writeln!(out);
    for (name, figures) in &table.rows {
        let _ = write!(out, "  {name:<50}");
        for (figure, column) in figures.iter().zip(&table.columns) {
            let _ = write!(out, "{:>wide$}", cell(*figure, column, table.digits));
        }
        let _ = writeln!(out);
    }
}

/// A figure as it stands in a table.
pub(super) fn cell(figure: Option<f64>, column: &str, digits: usize) -> String {
    let digits = if column == "samples" { 0 } else { digits };
    figure.map_or_else(|| "-".to_owned(), |v| format!("{v:.digits$}"))
}
