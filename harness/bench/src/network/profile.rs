//! The links that are measured, and how a command line changes them.

use std::time::Duration;

use stratus_harness::link::{Bursts, Link, Loss, Queue, Reorder, Shape};

/// A link by name, the same both ways.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Profile {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
}

/// The links that have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Preset {
    /// 1 Gbit/s, 0.3 ms
    Lan,
    /// 100 Mbit/s, 3 ms, jitter of 2 ms, 0.1 % lost
    Wifi,
    /// 20 Mbit/s, 15 ms, a queue of 50 ms
    Dsl,
    /// 10 Mbit/s, 25 ms, jitter of 8 ms, lost in bursts
    Lte,
    /// 3 Mbit/s, 40 ms, 2 % lost
    Bad,
}

impl Preset {
    pub(crate) const ALL: [Self; 5] = [Self::Lan, Self::Wifi, Self::Dsl, Self::Lte, Self::Bad];

    pub(crate) fn profile(self) -> Profile {
        let link = |mbit: u64, queue_ms, delay_us, jitter_ms, loss| Shape {
            rate: Some(mbit * 1_000_000),
            queue: Queue::Time(Duration::from_millis(queue_ms)),
            delay: Duration::from_micros(delay_us),
            jitter: Duration::from_millis(jitter_ms),
            loss,
            ..Shape::default()
        };
        // Half a percent is lost, six packets at a time on average.
        let bursts = Bursts { begin: 0.001, end: 0.1, outside: 0.0, within: 0.6 };
        let (name, shape) = match self {
            Self::Lan => ("lan", link(1000, 10, 300, 0, Loss::Never)),
            Self::Wifi => ("wifi", link(100, 50, 3000, 2, Loss::Each(0.001))),
            Self::Dsl => ("dsl", link(20, 50, 15_000, 0, Loss::Never)),
            Self::Lte => ("lte", link(10, 100, 25_000, 8, Loss::Bursts(bursts))),
            Self::Bad => ("bad", link(3, 100, 40_000, 0, Loss::Each(0.02))),
        };
        Profile { name, shape }
    }
}

/// What of each link is to be otherwise.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Changes {
    /// Another rate in bit/s, with k, M or G
    #[arg(long, value_name = "RATE", value_parser = rate)]
    rate: Option<u64>,
    /// Another queue in front of the bottleneck, as ms of its rate
    #[arg(long, value_name = "MS")]
    queue_ms: Option<u64>,
    /// Another delay of each way, ms
    #[arg(long, value_name = "MS")]
    delay_ms: Option<f64>,
    /// Another jitter: a packet takes up to this much longer, ms
    #[arg(long, value_name = "MS")]
    jitter_ms: Option<f64>,
    /// Let packets overtake those that jitter made late
    #[arg(long)]
    jitter_reorders: bool,
    /// Lose each packet with this probability, 0 to 1, and none in bursts
    #[arg(long, value_name = "P", value_parser = probability)]
    loss: Option<f64>,
    /// Hold packets back by 5 ms with this probability, 0 to 1, so that others overtake them
    #[arg(long, value_name = "P", value_parser = probability)]
    reorder: Option<f64>,
}

impl Changes {
    /// The link as it is to be, both ways.
    pub(crate) fn applied(&self, profile: &Profile, seed: u64) -> Link {
        let Shape { rate, queue, delay, jitter, jitter_reorders, loss, reorder } = profile.shape;
        let ms = |ms: f64| Duration::from_secs_f64(ms.max(0.0) / 1e3);
        let held = |probability| Reorder { probability, by: Duration::from_millis(5) };
        let shape = Shape {
            rate: self.rate.or(rate),
            queue: self.queue_ms.map_or(queue, |n| Queue::Time(Duration::from_millis(n))),
            delay: self.delay_ms.map_or(delay, ms),
            jitter: self.jitter_ms.map_or(jitter, ms),
            jitter_reorders: self.jitter_reorders || jitter_reorders,
            loss: self.loss.map_or(loss, Loss::Each),
            reorder: self.reorder.map_or(reorder, held),
        };
        Link { up: shape, down: shape, seed }
    }
}

/// What a link is, in a line.
pub(crate) fn described(shape: &Shape) -> String {
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    let rate = shape.rate.map_or("no limit".to_owned(), |r| format!("{} Mbit/s", r as f64 / 1e6));
    let mut text = format!("{rate}, {} ms each way", ms(shape.delay));
    match shape.queue {
        Queue::Endless => {}
        Queue::Bytes(bytes) => text += &format!(", queue of {bytes} bytes"),
        Queue::Time(time) => text += &format!(", queue of {} ms", ms(time)),
    }
    if !shape.jitter.is_zero() {
        let order = if shape.jitter_reorders { "overtaking" } else { "in order" };
        text += &format!(", jitter up to {} ms, {order}", ms(shape.jitter));
    }
    match shape.loss {
        Loss::Never => {}
        Loss::Each(p) => text += &format!(", {:.2} % lost", p * 100.0),
        Loss::Bursts(Bursts { begin, end, outside, within }) => {
            let bad = begin / (begin + end);
            let lost = bad * within + (1.0 - bad) * outside;
            text += &format!(", {:.2} % lost in bursts of {:.0}", lost * 100.0, within / end);
        }
    }
    if shape.reorder.probability > 0.0 {
        let Reorder { probability, by } = shape.reorder;
        text += &format!(", {:.2} % held back by {} ms", probability * 100.0, ms(by));
    }
    text
}

/// A rate such as `20M`.
fn rate(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.strip_suffix(['k', 'M', 'G']) {
        Some(number) if text.ends_with('k') => (number, 1e3),
        Some(number) if text.ends_with('M') => (number, 1e6),
        Some(number) => (number, 1e9),
        None => (text, 1.0),
    };
    let rate = number.parse::<f64>().ok().map(|n| n * unit);
    match rate {
        Some(rate) if (1e3..=1e12).contains(&rate) => Ok(rate as u64),
        _ => Err("a rate from 1k to 1000G".to_owned()),
    }
}

fn probability(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(p) if (0.0..=1.0).contains(&p) => Ok(p),
        _ => Err("a number from 0 to 1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_units() {
        assert_eq!(rate("20M"), Ok(20_000_000));
        assert_eq!(rate("1.5k"), Ok(1500));
        assert_eq!(rate("1G"), Ok(1_000_000_000));
        for bad in ["", "M", "-1M", "12", "20m", "nan", "1e99G"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
        assert!(probability("0.5").is_ok() && probability("1.5").is_err());
    }

    #[test]
    fn changes_leave_the_rest_as_it_is() {
        let profile = Preset::Wifi.profile();
        let changes = Changes { loss: Some(0.5), ..Changes::default() };
        let link = changes.applied(&profile, 3);
        assert_eq!(link.down, Shape { loss: Loss::Each(0.5), ..profile.shape });
        assert_eq!((link.up, link.seed), (link.down, 3));
        assert_eq!(Changes::default().applied(&profile, 1).up, profile.shape);
    }

    #[test]
    fn links_are_described_with_units() {
        let texts = Preset::ALL.map(|preset| described(&preset.profile().shape));
        assert_eq!(texts[0], "1000 Mbit/s, 0.3 ms each way, queue of 10 ms");
        assert!(texts[1].ends_with("jitter up to 2 ms, in order, 0.10 % lost"), "{}", texts[1]);
        assert!(texts[3].ends_with("0.59 % lost in bursts of 6"), "{}", texts[3]);
    }
}
