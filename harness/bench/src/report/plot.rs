//! Plots in SVG: how often a figure stayed below which value, and when it was how large.

use anyhow::anyhow;
use plotters::chart::SeriesAnno;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::Series;

const SIZE: (u32, u32) = (960, 320);
/// Points drawn of a series at most: more would lie on each other.
const POINTS: usize = 1500;
/// The slowest thousandth lies outside of the distribution, as it would squeeze the rest.
const SHOWN: f64 = 0.999;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// The share of samples (in percent) that lie below a value.
///
/// # Errors
/// If the plot cannot be drawn.
pub(super) fn distribution(series: &[&Series]) -> anyhow::Result<String> {
    let sorted: Vec<Vec<f64>> = series
        .iter()
        .map(|s| {
            let mut values = s.values();
            values.sort_by(f64::total_cmp);
            values
        })
        .collect();
    let highest = |values: &Vec<f64>| {
        let last = (values.len() as f64 * SHOWN) as usize;
        values.get(last).or(values.last()).copied()
    };
    let end = sorted.iter().filter_map(highest).fold(0.0, f64::max);
    draw(|area| {
        let mut chart = chart(area, end, 100.0, (unit(series), "% of samples"))?;
        for (index, (series, values)) in series.iter().zip(&sorted).enumerate() {
            let step = (values.len() / POINTS).max(1);
            let share = |i: usize| (i + 1) as f64 * 100.0 / values.len() as f64;
            let points = values.iter().enumerate().step_by(step).map(|(i, v)| (*v, share(i)));
            let line = LineSeries::new(points.filter(|(v, _)| *v <= end), colour(index));
            legend(chart.draw_series(line).map_err(failed)?, series, index);
        }
        finish(&mut chart)
    })
}

/// Every sample at its moment. Of more than can be told apart, each stretch shows its highest.
///
/// # Errors
/// If the plot cannot be drawn.
pub(super) fn timeline(series: &[&Series]) -> anyhow::Result<String> {
    let all = || series.iter().flat_map(|s| &s.points);
    let end = all().fold(0.0, |end: f64, (at, _)| end.max(*at));
    let top = all().fold(0.0, |top: f64, (_, value)| top.max(*value));
    draw(|area| {
        let mut chart = chart(area, end, top, ("s since the start", unit(series)))?;
        for (index, series) in series.iter().enumerate() {
            let step = series.points.len().div_ceil(POINTS).max(1);
            let highest = series.points.chunks(step).filter_map(|stretch| {
                stretch.iter().copied().max_by(|(_, a), (_, b)| a.total_cmp(b))
            });
            let dots = highest.map(|point| Circle::new(point, 2, colour(index).filled()));
            legend(chart.draw_series(dots).map_err(failed)?, series, index);
        }
        finish(&mut chart)
    })
}

fn unit(series: &[&Series]) -> &'static str {
    series.first().map_or("", |s| s.unit)
}

fn colour(index: usize) -> RGBAColor {
    Palette99::pick(index).mix(0.85)
}

fn draw(paint: impl FnOnce(&Area<'_>) -> anyhow::Result<()>) -> anyhow::Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        paint(&area)?;
        area.present().map_err(failed)?;
    }
    Ok(svg)
}

fn chart<'a, 'b>(
    area: &'a Area<'b>,
    x: f64,
    y: f64,
    (below, beside): (&str, &str),
) -> anyhow::Result<Chart<'a, 'b>> {
    // A plot of nothing has axes as well.
    let end = |v: f64| if v > 0.0 { v * 1.02 } else { 1.0 };
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(38)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..end(x), 0.0..end(y))
        .map_err(failed)?;
    chart
        .configure_mesh()
        .x_desc(below)
        .y_desc(beside)
        .light_line_style(WHITE)
        .draw()
        .map_err(failed)?;
    Ok(chart)
}

fn legend<'a>(drawn: &mut SeriesAnno<'a, SVGBackend<'_>>, series: &Series, index: usize) {
    drawn.label(series.name.clone()).legend(move |(x, y)| {
        Rectangle::new([(x, y - 4), (x + 14, y + 4)], colour(index).filled())
    });
}

fn finish<'a, 'b: 'a>(chart: &mut Chart<'a, 'b>) -> anyhow::Result<()> {
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.2))
        .draw()
        .map_err(failed)
}

/// Errors of the library borrow from the plot.
fn failed(e: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("drawing a plot: {e}")
}
