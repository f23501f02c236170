//! What games want of a gamepad's motors: effects that they upload, play and stop (the kernel's
//! `FF_RUMBLE`), as the two strengths that they come to.

use std::collections::HashMap;
use std::time::Duration;

use stratus_frame::MonoTime;
use stratus_frame::input::Rumble;

/// An effect as a game uploads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effect {
    pub(super) strong: u16,
    pub(super) weak: u16,
    /// How long it plays, ms; 0: until it is stopped.
    pub(super) length: u16,
    /// How long after the play it begins, ms.
    pub(super) delay: u16,
}

/// The effects of one pad.
#[derive(Debug)]
pub(super) struct Effects {
    uploaded: HashMap<i16, Effect>,
    /// From when to when each plays.
    playing: HashMap<i16, (MonoTime, MonoTime)>,
    /// Of 65535.
    gain: u16,
    /// What the player's motors do, and until when.
    told: (u16, u16, MonoTime),
    /// When it was last asked what to do.
    polled: MonoTime,
}

/// For an effect without an end.
const FOR_EVER: MonoTime = MonoTime::from_nanos(u64::MAX);

impl Default for Effects {
    fn default() -> Self {
        let told = (0, 0, MonoTime::UNSET);
        let (uploaded, playing) = (HashMap::new(), HashMap::new());
        Self { uploaded, playing, gain: u16::MAX, told, polled: MonoTime::UNSET }
    }
}

impl Effects {
    /// A game uploads an effect, or changes one, even while it plays.
    pub(super) fn upload(&mut self, id: i16, effect: Effect) {
        self.uploaded.insert(id, effect);
    }

    pub(super) fn erase(&mut self, id: i16) {
        self.uploaded.remove(&id);
        self.playing.remove(&id);
    }

    /// Plays an effect `count` times; 0 stops it.
    pub(super) fn play(&mut self, id: i16, count: u32, now: MonoTime) {
        let Some(effect) = self.uploaded.get(&id).filter(|_| count > 0) else {
            self.playing.remove(&id);
            return;
        };
        let from = now.after(Duration::from_millis(effect.delay.into()));
        let until = match effect.length {
            0 => FOR_EVER,
            length => from.after(Duration::from_millis(u64::from(length) * u64::from(count))),
        };
        self.playing.insert(id, (from, until));
    }

    pub(super) fn set_gain(&mut self, gain: u16) {
        self.gain = gain;
    }

    /// What the player's pad is to do from now on, if that is not what it does.
    pub(super) fn poll(&mut self, pad: u8, now: MonoTime) -> Option<Rumble> {
        self.polled = now;
        self.playing.retain(|_, (_, until)| *until > now);
        let (mut strong, mut weak, mut until) = (0u16, 0u16, MonoTime::UNSET);
        for (id, (_, end)) in self.playing.iter().filter(|(_, (from, _))| *from <= now) {
            let Some(effect) = self.uploaded.get(id) else { continue };
            let scaled =
                |n: u16| (u32::from(n) * u32::from(self.gain) / u32::from(u16::MAX)) as u16;
            strong = strong.saturating_add(scaled(effect.strong));
            weak = weak.saturating_add(scaled(effect.weak));
            until = until.max(*end);
        }
        if self.told.2 <= now {
            // It stopped by itself.
            self.told = (0, 0, MonoTime::UNSET);
        }
        // The longest that can be told, for one that lasts longer.
        let longest = now.after(Duration::from_millis(u16::MAX.into()));
        let told_enough = self.told.2 >= until.min(longest) || self.told.2 > now && until > longest;
        let same = (strong, weak) == (self.told.0, self.told.1);
        if same && ((strong, weak) == (0, 0) || told_enough) {
            return None;
        }
        let ends = until.min(longest);
        self.told = (strong, weak, ends);
        let duration_ms =
            ends.since(now).as_nanos().div_ceil(1_000_000).min(u16::MAX.into()) as u16;
        Some(Rumble { pad, strong, weak, duration_ms })
    }

    /// When [`Effects::poll`] may have something to tell, if nothing else happens.
    pub(super) fn poll_timeout(&self) -> Option<MonoTime> {
        let mut due: Vec<MonoTime> = Vec::new();
        for (from, until) in self.playing.values() {
            due.extend([*from, *until]);
        }
        if !self.playing.is_empty() {
            due.push(self.told.2);
        }
        // What was due before is told.
        due.into_iter().filter(|at| *at > self.polled && *at != FOR_EVER).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> MonoTime {
        MonoTime::from_nanos(1 + n * 1_000_000)
    }

    fn rumble(strong: u16, weak: u16, duration_ms: u16) -> Option<Rumble> {
        Some(Rumble { pad: 2, strong, weak, duration_ms })
    }

    #[test]
    fn an_effect_plays_and_ends_by_itself() {
        let mut effects = Effects::default();
        effects.upload(3, Effect { strong: 100, weak: 50, length: 200, delay: 0 });
        assert_eq!(effects.poll(2, ms(0)), None);
        effects.play(3, 1, ms(10));
        assert_eq!(effects.poll(2, ms(10)), rumble(100, 50, 200));
        assert_eq!(effects.poll(2, ms(100)), None, "it is known");
        assert_eq!(effects.poll_timeout(), Some(ms(210)));
        assert_eq!(effects.poll(2, ms(210)), None, "the player's pad stops by itself");
        assert_eq!(effects.poll_timeout(), None);
    }

    #[test]
    fn effects_add_up_and_stop_and_change() {
        let mut effects = Effects::default();
        effects.upload(0, Effect { strong: 60_000, weak: 0, length: 100, delay: 0 });
        effects.upload(1, Effect { strong: 10_000, weak: 7, length: 300, delay: 0 });
        effects.play(0, 1, ms(0));
        effects.play(1, 1, ms(0));
        assert_eq!(effects.poll(2, ms(0)), rumble(65_535, 7, 300));
        assert_eq!(effects.poll(2, ms(100)), rumble(10_000, 7, 200), "the first ended");
        effects.upload(1, Effect { strong: 5, weak: 6, length: 300, delay: 0 });
        assert_eq!(effects.poll(2, ms(150)), rumble(5, 6, 150), "changed as it plays");
        effects.set_gain(0x8000);
        assert_eq!(effects.poll(2, ms(160)), rumble(2, 3, 140));
        effects.play(1, 0, ms(170));
        assert_eq!(effects.poll(2, ms(170)), rumble(0, 0, 0));
        assert_eq!(effects.poll(2, ms(171)), None);
        effects.erase(1);
        effects.play(1, 1, ms(180));
        assert_eq!(effects.poll(2, ms(180)), None, "there is no such effect");
    }

    #[test]
    fn long_ones_are_told_again_and_late_ones_later() {
        let mut effects = Effects::default();
        effects.upload(0, Effect { strong: 1, weak: 0, length: 0, delay: 40 });
        effects.play(0, 1, ms(0));
        assert_eq!(effects.poll(2, ms(0)), None);
        assert_eq!(effects.poll_timeout(), Some(ms(40)));
        assert_eq!(effects.poll(2, ms(40)), rumble(1, 0, 65_535));
        assert_eq!(effects.poll_timeout(), Some(ms(40 + 65_535)));
        assert_eq!(effects.poll(2, ms(1000)), None);
        assert_eq!(effects.poll(2, ms(40 + 65_535)), rumble(1, 0, 65_535));
        effects.upload(1, Effect { strong: 1, weak: 0, length: 1000, delay: 0 });
        effects.erase(0);
        assert_eq!(effects.poll(2, ms(70_000)), rumble(0, 0, 0));
        effects.play(1, 3, ms(80_000));
        assert_eq!(effects.poll(2, ms(80_000)), rumble(1, 0, 3000), "three times");
    }
}
