//! The rates at which Sway's headless output really ticks.

use stratus_frame::Size;

/// The time between two pictures of a headless output: whole milliseconds, because that is what
/// its timer counts in. It divides 1000 by the mode's rate and forgets the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick(u32);

impl Tick {
    /// The tick whose rate is nearest to `fps`, by their ratio.
    #[must_use]
    pub fn nearest(fps: u32) -> Self {
        let shorter = (1000 / fps.max(1)).max(1);
        let longer = shorter + 1;
        // 1000/shorter is above fps, 1000/longer below: the ratios are compared crosswise.
        let is_longer =
            u64::from(fps) * u64::from(fps) * u64::from(shorter) * u64::from(longer) < 1_000_000;
        Self(if is_longer { longer } else { shorter })
    }

    /// The rate in mHz, rounded so that a mode of it ticks like this.
    #[must_use]
    pub fn refresh_mhz(self) -> u32 {
        1_000_000 / self.0
    }

    /// The end of Sway's command for an output of this size and rate.
    #[must_use]
    pub fn mode(self, size: Size) -> String {
        let mhz = self.refresh_mhz();
        let (hz, rest) = (mhz / 1000, mhz % 1000);
        format!("mode --custom {}x{}@{hz}.{rest:03}Hz", size.width, size.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rate_gets_the_nearest_tick_and_a_mode_that_has_it() {
        for (fps, ms) in [(1, 1000), (30, 33), (60, 17), (75, 13), (90, 11), (120, 8), (144, 7)] {
            assert_eq!(Tick::nearest(fps), Tick(ms), "{fps}");
        }
        for fps in 1..=240 {
            let tick = Tick::nearest(fps);
            let ratio = f64::from(tick.refresh_mhz()) / f64::from(fps * 1000);
            assert!((0.89..1.12).contains(&ratio), "{fps}: {ratio}");
            // What the output's timer makes of the mode.
            assert_eq!(1_000_000 / tick.refresh_mhz(), tick.0, "{fps}");
        }
        assert_eq!(Tick(7).mode(Size::new(640, 480)), "mode --custom 640x480@142.857Hz");
    }
}
