//! The report as one page of HTML, with its plots in it.

use std::fmt::Write as _;

use super::plot;
use super::text::cell;
use super::{Report, Table};

const STYLE: &str = "\
    :root { color-scheme: light; }\n\
    body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;\n\
           color: #1b1f24; background: #fff; }\n\
    h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2.2rem; }\n\
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; }\n\
    th, td { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #e1e4e8; }\n\
    th:first-child, td:first-child { text-align: left; }\n\
    .missed { color: #b31d28; font-weight: 600; }\n\
    svg { max-width: 100%; height: auto; }\n\
    footer { margin-top: 3rem; color: #57606a; }\n";

/// # Errors
/// If a plot cannot be drawn.
pub(super) fn page(report: &Report) -> anyhow::Result<String> {
    let title = format!("stratus-bench {}", report.bench);
    let mut out = String::new();
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n<h1>{title}</h1>\n<p>{}</p>\n",
        escaped(&report.facts.to_string())
    );
    for note in &report.notes {
        let _ = writeln!(out, "<p>{}</p>", escaped(note));
    }
    put_verdicts(&mut out, report);
    for table in &report.tables {
        put_table(&mut out, table);
    }
    let mut groups: Vec<&str> = report.series.iter().map(|s| &*s.group).collect();
    groups.dedup();
    for group in groups {
        let series: Vec<_> = report.series.iter().filter(|s| s.group == group).collect();
        let _ = writeln!(out, "<h2>{}</h2>", escaped(group));
        out.push_str(&plot::distribution(&series)?);
        out.push_str(&plot::timeline(&series)?);
    }
    let _ = writeln!(out, "<h2>Versions</h2>\n<table>");
    for (name, version) in &report.versions {
        let _ = writeln!(out, "<tr><td>{}<td>{}", escaped(name), escaped(version));
    }
    let _ = writeln!(out, "</table>\n<footer>{}</footer>", escaped(&command()));
    Ok(out)
}

/// What to type for the same page.
fn command() -> String {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    format!("Made by: stratus-bench {}", arguments.join(" "))
}

fn put_verdicts(out: &mut String, report: &Report) {
    if report.verdicts.is_empty() {
        return;
    }
    out.push_str("<h2>Targets</h2>\n<table>\n<tr><th>what<th>figure<th>limit<th>unit<th>\n");
    for verdict in &report.verdicts {
        let word = if verdict.holds() { "holds" } else { "<span class=\"missed\">missed</span>" };
        let _ = writeln!(
            out,
            "<tr><td>{}<td>{:.2}<td>{:.2}<td>{}<td>{word}",
            escaped(&verdict.what),
            verdict.figure,
            verdict.limit,
            verdict.unit
        );
    }
    out.push_str("</table>\n");
}

fn put_table(out: &mut String, table: &Table) {
    let _ = write!(out, "<h2>{}</h2>\n<table>\n<tr><th>", escaped(&table.title));
    for column in &table.columns {
        let _ = write!(out, "<th>{}", escaped(column));
    }
    out.push('\n');
    for (name, figures) in &table.rows {
        let _ = write!(out, "<tr><td>{}", escaped(name));
        for (figure, column) in figures.iter().zip(&table.columns) {
            let _ = write!(out, "<td>{}", cell(*figure, column, table.digits));
        }
        out.push('\n');
    }
    out.push_str("</table>\n");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::{Series, Verdict};
    use super::*;

    #[test]
    fn a_page_needs_no_other_file_and_shows_all_that_was_found() {
        let series = |name: &str| Series {
            group: "commit to <decoded>".to_owned(),
            name: name.to_owned(),
            unit: "ms",
            points: (0..5000).map(|i| (f64::from(i) / 60.0, 5.0 + f64::from(i % 7))).collect(),
        };
        let series = vec![series("one"), series("two")];
        let table = Table::of_samples("all & every", 2, &series, "commit to <decoded>");
        let verdict = Verdict { what: "p50".to_owned(), figure: 8.0, limit: 7.0, unit: "ms" };
        let report = Report {
            bench: "glass",
            notes: vec!["a note".to_owned()],
            tables: vec![table],
            series,
            verdicts: vec![verdict],
            ..Report::default()
        };
        let page = page(&report).unwrap();
        assert_eq!(page.matches("<svg").count(), 2);
        for text in ["all &amp; every", "commit to &lt;decoded&gt;", "a note", "missed", "8.00"] {
            assert!(page.contains(text), "{text}");
        }
        for outside in ["http:", "https:", "src=", "href="] {
            let own = page.replace("http://www.w3.org/2000/svg", "");
            assert!(!own.contains(outside), "{outside}");
        }
        assert!(page.len() < 500_000, "{} bytes", page.len());
    }

    #[test]
    fn what_was_never_sampled_is_no_error() {
        let series = vec![Series { group: "none".to_owned(), ..Series::default() }];
        let report = Report { bench: "glass", series, ..Report::default() };
        assert!(page(&report).unwrap().contains("<h2>none</h2>"));
    }
}
