//! What a game shows: its size, its rate, and how much changes from frame to frame.

use std::fmt;
use std::str::FromStr;

use stratus_harness::scene::Motion;

/// How much of the picture a commit changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// All of it.
    Full,
    /// Two markers of 160x96 pixels.
    Partial,
    /// Nothing, and the commit says so.
    None,
}

impl Damage {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Full, "full"), (Self::Partial, "partial"), (Self::None, "none")];

    /// The scripted client's option.
    pub(crate) fn option(self) -> Option<&'static str> {
        match self {
            Self::Full => None,
            Self::Partial => Some("--still"),
            Self::None => Some("--unchanged"),
        }
    }

    pub(crate) fn motion(self) -> Motion {
        match self {
            Self::Full => Motion::All,
            Self::Partial => Motion::MarkerOnly,
            Self::None => Motion::Nothing,
        }
    }
}

/// A game to measure with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// In pixels.
    pub(crate) size: (u32, u32),
    /// Commits a second.
    pub(crate) fps: u32,
    pub(crate) damage: Damage,
}

impl Case {
    /// Those that are measured where none is named.
    pub(crate) fn usual() -> Vec<Self> {
        let screens = [((1280, 720), 60), ((1920, 1080), 60), ((1920, 1080), 120)];
        let case = |(size, fps)| Damage::ALL.map(|(damage, _)| Self { size, fps, damage });
        screens.into_iter().flat_map(case).collect()
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Damage::ALL.iter().find(|(damage, _)| *damage == self.damage);
        write!(f, "{}p{}-{}", self.size.1, self.fps, name.map_or("", |(_, name)| name))
    }
}

impl FromStr for Case {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('-').and_then(|(screen, damage)| {
            let (height, fps) = screen.split_once('p')?;
            let height = height.parse().ok().filter(|h| (144..=4320).contains(h) && h % 2 == 0)?;
            let fps = fps.parse().ok().filter(|fps| (1..=240).contains(fps))?;
            let (damage, _) = Damage::ALL.into_iter().find(|(_, name)| *name == damage)?;
            // 16 to 9, and even.
            Some(Self { size: (height * 8 / 9 * 2, height), fps, damage })
        });
        parsed.ok_or_else(|| {
            "as in 720p60-full: height, p, frames a second, and full, partial or none".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for case in Case::usual() {
            assert_eq!(case.to_string().parse(), Ok(case));
        }
        assert_eq!("360p30-partial".parse::<Case>().unwrap().size, (640, 360));
        for wrong in ["", "720p60", "720-full", "720p0-full", "721p60-full", "720p60-half"] {
            assert!(wrong.parse::<Case>().is_err(), "{wrong}");
        }
    }
}
