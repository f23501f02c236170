//! One plane of samples made larger or smaller.

use stratus_frame::Size;

use crate::kernel::{Filter, Kernel, ONE};

/// Scales planes of one size to another.
#[derive(Debug)]
pub(crate) struct Resampler {
    to: Size,
    columns: Kernel,
    rows: Kernel,
    /// Sums of a row's products.
    sums: Vec<u16>,
    /// A row of the source's width, already of the result's height.
    row: Vec<u8>,
}

impl Resampler {
    pub(crate) fn new(from: Size, to: Size, filter: Filter) -> Self {
        let kernel = |a: u32, b: u32| Kernel::new(a as usize, b as usize, filter);
        Self {
            to,
            columns: kernel(from.width, to.width),
            rows: kernel(from.height, to.height),
            sums: vec![0; from.width as usize],
            row: vec![0; from.width as usize],
        }
    }

    /// Samples of the result.
    pub(crate) fn len(&self) -> usize {
        self.to.width as usize * self.to.height as usize
    }

    /// Scales the samples of `source`, whose rows are `stride` apart, into rows without gaps.
    /// `source` has all of its samples, `result` has room for [`Resampler::len`].
    pub(crate) fn resample(&mut self, source: &[u8], stride: usize, result: &mut [u8]) {
        let width = self.to.width as usize;
        for y in 0..self.to.height as usize {
            let (start, weights) = self.rows.sample(y);
            let (before, rest) = result.split_at_mut(y * width);
            let into = &mut rest[..width];
            if y > 0 && self.rows.sample(y - 1) == (start, weights) {
                into.copy_from_slice(&before[before.len() - width..]);
                continue;
            }
            let rows = &source[start * stride..];
            let from: &[u8] = if self.rows.is_copy() {
                &rows[..self.row.len()]
            } else {
                mix_rows(rows, stride, weights, &mut self.sums, &mut self.row);
                &self.row
            };
            mix_columns(from, &self.columns, into);
        }
    }
}

/// The weighted mean of some rows.
fn mix_rows(rows: &[u8], stride: usize, weights: &[u16], sums: &mut [u16], mean: &mut [u8]) {
    sums.fill(ONE / 2);
    for (i, weight) in weights.iter().enumerate().filter(|(_, w)| **w > 0) {
        for (sum, sample) in sums.iter_mut().zip(&rows[i * stride..]) {
            // At most 255 * 256 + 128 in all, as weights sum up to 256.
            *sum += u16::from(*sample) * weight;
        }
    }
    for (mean, sum) in mean.iter_mut().zip(sums.iter()) {
        *mean = (sum / ONE) as u8;
    }
}

fn mix_columns(row: &[u8], columns: &Kernel, into: &mut [u8]) {
    if columns.is_copy() {
        for (sample, start) in into.iter_mut().zip(&columns.starts) {
            *sample = row[*start];
        }
        return;
    }
    if let (2, pairs) = (columns.taps, columns.weights.chunks_exact(2)) {
        for ((sample, start), weights) in into.iter_mut().zip(&columns.starts).zip(pairs) {
            let (a, b) = (u16::from(row[*start]), u16::from(row[*start + 1]));
            *sample = ((a * weights[0] + b * weights[1] + ONE / 2) / ONE) as u8;
        }
        return;
    }
    let weights = columns.weights.chunks_exact(columns.taps);
    for ((sample, start), weights) in into.iter_mut().zip(&columns.starts).zip(weights) {
        let products = row[*start..].iter().zip(weights);
        let sum: u16 = products.map(|(sample, weight)| u16::from(*sample) * weight).sum();
        *sample = ((sum + ONE / 2) / ONE) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plain and slow: the same definition in floating point, pixel by pixel.
    fn reference(source: &[u8], from: Size, to: Size, filter: Filter) -> Vec<f64> {
        let weight = |i: u32, s: u32, from: u32, to: u32| {
            let step = f64::from(from) / f64::from(to);
            match filter {
                Filter::Sharp => {
                    let (a, b) = (f64::from(i) * step, f64::from(i + 1) * step);
                    (b.min(f64::from(s + 1)) - a.max(f64::from(s))).max(0.0) / step
                }
                Filter::Smooth => {
                    let reach = step.max(1.0);
                    let middle = (f64::from(i) + 0.5) * step - 0.5;
                    // Samples beyond the edges look like the edges.
                    let virtuals = (-40i32..from as i32 + 40)
                        .filter(|v| (*v).clamp(0, from as i32 - 1) == s as i32);
                    let height = |v: i32| (1.0 - (f64::from(v) - middle).abs() / reach).max(0.0);
                    let all: f64 = (-40..from as i32 + 40).map(height).sum();
                    virtuals.map(height).sum::<f64>() / all
                }
            }
        };
        let mut out = Vec::new();
        for y in 0..to.height {
            for x in 0..to.width {
                let mut sum = 0.0;
                for sy in 0..from.height {
                    for sx in 0..from.width {
                        sum += f64::from(source[(sy * from.width + sx) as usize])
                            * weight(y, sy, from.height, to.height)
                            * weight(x, sx, from.width, to.width);
                    }
                }
                out.push(sum);
            }
        }
        out
    }

    #[test]
    fn it_agrees_with_the_plain_definition() {
        let from = Size::new(11, 7);
        // Noise with a fixed seed, both extremes included.
        let mut seed = 12_345u32;
        let mut source: Vec<u8> = (0..77)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8
            })
            .collect();
        source[0] = 255;
        source[76] = 0;
        for to in [(11, 7), (22, 14), (17, 9), (5, 3), (1, 1), (33, 4), (4, 20)] {
            let to = Size::new(to.0, to.1);
            for filter in [Filter::Sharp, Filter::Smooth] {
                let mut resampler = Resampler::new(from, to, filter);
                // Rows with a gap, whose bytes must not be used.
                let mut padded = vec![99; 7 * 13];
                for (row, own) in padded.chunks_mut(13).zip(source.chunks(11)) {
                    row[..11].copy_from_slice(own);
                }
                let mut result = vec![0; resampler.len()];
                resampler.resample(&padded, 13, &mut result);
                let expected = reference(&source, from, to, filter);
                for (i, (got, wanted)) in result.iter().zip(&expected).enumerate() {
                    let off = (f64::from(*got) - wanted).abs();
                    // Two roundings, and weights to 1/256 on either axis.
                    assert!(off <= 3.0, "{to}, {filter:?}, sample {i}: {got} for {wanted}");
                }
            }
        }
    }

    #[test]
    fn even_areas_stay_as_they_are() {
        for value in [0, 1, 127, 255] {
            for filter in [Filter::Sharp, Filter::Smooth] {
                let mut resampler = Resampler::new(Size::new(13, 9), Size::new(29, 5), filter);
                let mut result = vec![7; resampler.len()];
                resampler.resample(&[value; 13 * 9], 13, &mut result);
                assert!(result.iter().all(|s| *s == value), "{value}, {filter:?}");
            }
        }
    }
}
