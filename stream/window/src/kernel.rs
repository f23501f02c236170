//! Which samples of a row make up the samples of a longer or shorter one.

/// How a picture is scaled to another size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// Each pixel is the mean of what it covers, as if the picture's pixels were little squares:
    /// edges stay sharp, and a whole factor repeats pixels.
    #[default]
    Sharp,
    /// Each pixel lies on the line between its neighbours (bilinear); a smaller picture is the
    /// weighted mean of as many as it covers.
    Smooth,
}

/// The sum of the weights of one sample: products with 8-bit samples, and their sum with what
/// rounds it, fit 16 bits.
pub(crate) const ONE: u16 = 256;

/// For each sample of the result: the first sample of the source and a weight for it and each of
/// the following.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kernel {
    /// Samples of the source behind one of the result.
    pub(crate) taps: usize,
    /// The first of them; `starts[i] + taps` is within the source.
    pub(crate) starts: Vec<usize>,
    /// `taps` weights a sample, which sum up to [`ONE`].
    pub(crate) weights: Vec<u16>,
}

impl Kernel {
    /// From `source` samples to `result` samples; both are at least 1.
    pub(crate) fn new(source: usize, result: usize, filter: Filter) -> Self {
        let shares: Vec<(usize, Vec<f64>)> = (0..result)
            .map(|i| match filter {
                Filter::Sharp => covered(i, source, result),
                Filter::Smooth => between(i, source, result),
            })
            .collect();
        let taps = shares.iter().map(|(_, w)| w.len()).max().unwrap_or(1);
        let mut kernel =
            Self { taps, starts: Vec::with_capacity(result), weights: vec![0; result * taps] };
        for ((first, shares), weights) in shares.iter().zip(kernel.weights.chunks_mut(taps)) {
            // A sample near the end begins earlier, with weights of nothing.
            let start = (*first).min(source - taps);
            kernel.starts.push(start);
            quantise(shares, &mut weights[first - start..]);
        }
        kernel
    }

    /// The weights of sample `i`, and the first sample of the source that they are for.
    pub(crate) fn sample(&self, i: usize) -> (usize, &[u16]) {
        (self.starts[i], &self.weights[i * self.taps..][..self.taps])
    }

    /// Whether each sample is one of the source, unchanged.
    pub(crate) fn is_copy(&self) -> bool {
        self.taps == 1
    }
}

/// The part of each sample of the source that lies under sample `i` of the result.
fn covered(i: usize, source: usize, result: usize) -> (usize, Vec<f64>) {
    // In units of which a sample of the source has `result` and one of the result `source`.
    let (from, to) = (i * source, (i + 1) * source);
    let (first, last) = (from / result, (to - 1) / result);
    let shares = (first..=last)
        .map(|s| (to.min((s + 1) * result) - from.max(s * result)) as f64 / source as f64)
        .collect();
    (first, shares)
}

/// The height of a triangle around the middle of sample `i` over each sample of the source.
fn between(i: usize, source: usize, result: usize) -> (usize, Vec<f64>) {
    let step = source as f64 / result as f64;
    let (middle, reach) = ((i as f64 + 0.5) * step - 0.5, step.max(1.0));
    let last = source as f64 - 1.0;
    let first = (middle - reach).ceil().clamp(0.0, last) as usize;
    let end = (middle + reach).floor().clamp(0.0, last) as usize;
    let mut shares = vec![0.0; end - first + 1];
    let mut at = (middle - reach).ceil();
    while at <= middle + reach {
        // What would be beyond an edge looks like the edge.
        shares[at.clamp(0.0, last) as usize - first] += 1.0 - (at - middle).abs() / reach;
        at += 1.0;
    }
    let sum: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|s| *s /= sum);
    // Without samples at either end that count for nothing, as the triangle's own are.
    let begin = shares.iter().take_while(|s| **s < 1e-9).count();
    let kept = shares.iter().rposition(|s| *s >= 1e-9).map_or(begin + 1, |p| p + 1);
    (first + begin, shares[begin..kept].to_vec())
}

/// Rounds shares, which sum up to 1, to weights that sum up to [`ONE`].
fn quantise(shares: &[f64], weights: &mut [u16]) {
    let (mut sum, mut before) = (0.0, 0);
    for (weight, share) in weights.iter_mut().zip(shares) {
        sum += share;
        let until = (sum * f64::from(ONE)).round() as u16;
        *weight = until.min(ONE) - before;
        before = until.min(ONE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(source: usize, result: usize, filter: Filter) -> Vec<(usize, Vec<u16>)> {
        let kernel = Kernel::new(source, result, filter);
        (0..result).map(|i| (kernel.sample(i).0, kernel.sample(i).1.to_vec())).collect()
    }

    #[test]
    fn a_whole_factor_repeats_when_sharp() {
        assert_eq!(
            samples(2, 4, Filter::Sharp),
            [(0, vec![256]), (0, vec![256]), (1, vec![256]), (1, vec![256])]
        );
        for filter in [Filter::Sharp, Filter::Smooth] {
            let kernel = Kernel::new(7, 7, filter);
            assert!(kernel.is_copy() && kernel.starts == [0, 1, 2, 3, 4, 5, 6], "{filter:?}");
        }
    }

    #[test]
    fn what_lies_between_is_mixed() {
        // Two to three: the middle one covers half of each.
        assert_eq!(
            samples(2, 3, Filter::Sharp),
            [(0, vec![256, 0]), (0, vec![128, 128]), (0, vec![0, 256])]
        );
        // Two to four, bilinear: middles at -0.25, 0.25, 0.75 and 1.25.
        assert_eq!(
            samples(2, 4, Filter::Smooth),
            [(0, vec![256, 0]), (0, vec![192, 64]), (0, vec![64, 192]), (0, vec![0, 256])]
        );
        assert_eq!(samples(4, 2, Filter::Sharp), [(0, vec![128, 128]), (2, vec![128, 128])]);
    }

    #[test]
    fn weights_always_sum_up_to_one_and_stay_inside() {
        for source in [1, 2, 3, 5, 64, 319, 1280] {
            for result in [1, 2, 3, 7, 64, 320, 1919] {
                for filter in [Filter::Sharp, Filter::Smooth] {
                    let kernel = Kernel::new(source, result, filter);
                    for i in 0..result {
                        let (start, weights) = kernel.sample(i);
                        let why = format!("{source} to {result}, {filter:?}, sample {i}");
                        assert_eq!(weights.iter().sum::<u16>(), ONE, "{why}");
                        assert!(start + kernel.taps <= source, "{why}");
                    }
                }
            }
        }
    }
}
