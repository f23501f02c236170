//! Configures of our own, and whose serial is acknowledged.
//!
//! A client acknowledges a configure by its serial (`xdg_surface.ack_configure`), and one
//! acknowledgement stands for all configures before it. The compositor must hear of its own only,
//! and of each that it waits for. So the serials that a window was told and has not acknowledged
//! are kept in their order, each with what it is to the compositor. A serial of ours is never one
//! of them; where the compositor comes to use one of ours, the client is told another in its place.

use std::collections::VecDeque;

use stratus_proxy_core::ObjectId;

use crate::graph::ToplevelKey;

/// Configures of our own that a client may leave unacknowledged; with so many on their way to it,
/// another says nothing new.
const MOST_OURS: usize = 16;

/// Configures of the compositor that are kept. A client acknowledges the newest that it read, so
/// older ones matter only to one that hangs.
const MOST_THEIRS: usize = 64;

/// Our serials begin here, far from where compositors begin to count.
const FIRST_SERIAL: u32 = 0x8000_0000;

/// A configure that was told and not acknowledged.
#[derive(Clone, Copy, Debug)]
struct Outstanding {
    /// The serial that the client knows.
    told: u32,
    /// The compositor's serial; none of ours has one.
    theirs: Option<u32>,
}

/// What becomes of an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acknowledged {
    /// The compositor hears it with this serial.
    Forward(u32),
    /// It was about configures of ours only.
    Swallow,
}

/// The configures of one `xdg_surface` that is, or was, a window.
#[derive(Debug)]
pub(crate) struct Configures {
    pub(crate) toplevel: ToplevelKey,
    pub(crate) xdg_surface: ObjectId,
    /// Whether the compositor is within a sequence: `xdg_toplevel.configure` passed and
    /// `xdg_surface.configure`, which makes it count, has not.
    pub(crate) midst: bool,
    /// Whether the window is to get a configure of ours.
    pub(crate) owed: bool,
    outstanding: VecDeque<Outstanding>,
    next: u32,
}

impl Configures {
    pub(crate) fn new(toplevel: ToplevelKey, xdg_surface: ObjectId) -> Self {
        Self {
            toplevel,
            xdg_surface,
            midst: false,
            owed: false,
            outstanding: VecDeque::new(),
            next: FIRST_SERIAL,
        }
    }

    /// The surface becomes a window anew. What the client was told as the former one it may
    /// still acknowledge, and the compositor must not hear of that.
    pub(crate) fn renew(&mut self, toplevel: ToplevelKey, xdg_surface: ObjectId) {
        self.restart();
        (self.toplevel, self.xdg_surface) = (toplevel, xdg_surface);
        (self.midst, self.owed) = (false, false);
    }

    /// The compositor configures for the first time since the window was unmapped: it has
    /// forgotten what it waited for.
    pub(crate) fn restart(&mut self) {
        self.outstanding.retain(|o| o.theirs.is_none());
    }

    /// A serial that the client does not know for anything else.
    fn fresh(&mut self) -> u32 {
        loop {
            let serial = self.next;
            self.next = self.next.wrapping_add(1).max(FIRST_SERIAL);
            if self.outstanding.iter().all(|o| o.told != serial) {
                return serial;
            }
        }
    }

    /// The serial of a configure of ours; `None` if the client has enough of them to answer.
    pub(crate) fn add_ours(&mut self) -> Option<u32> {
        if self.outstanding.iter().filter(|o| o.theirs.is_none()).count() >= MOST_OURS {
            return None;
        }
        let told = self.fresh();
        self.outstanding.push_back(Outstanding { told, theirs: None });
        Some(told)
    }

    /// The compositor's configure passes. Answers the serial that the client is told.
    pub(crate) fn add_theirs(&mut self, serial: u32) -> u32 {
        if self.outstanding.iter().filter(|o| o.theirs.is_some()).count() >= MOST_THEIRS
            && let Some(oldest) = self.outstanding.iter().position(|o| o.theirs.is_some())
        {
            self.outstanding.remove(oldest);
        }
        let other = |o: &Outstanding| o.told == serial && o.theirs != Some(serial);
        let taken = self.outstanding.iter().any(other);
        let told = if taken { self.fresh() } else { serial };
        self.outstanding.push_back(Outstanding { told, theirs: Some(serial) });
        told
    }

    /// The client acknowledges `serial`. `configured` says that the compositor has configured the
    /// window since it was unmapped last: older serials it no longer knows.
    pub(crate) fn acknowledge(&mut self, serial: u32, configured: bool) -> Acknowledged {
        // The newest, should the compositor have said the same serial twice.
        let Some(at) = self.outstanding.iter().rposition(|o| o.told == serial) else {
            // The client's mistake, which the compositor tells it of.
            return Acknowledged::Forward(serial);
        };
        let mut newest = None;
        let mut last = None;
        for answered in self.outstanding.drain(..=at) {
            newest = answered.theirs.or(newest);
            last = Some(answered);
        }
        match (last.and_then(|o| o.theirs), newest) {
            (Some(theirs), _) => Acknowledged::Forward(theirs),
            // It acknowledges the newest that it was told; the compositor waits for the newest of
            // its own among those.
            (None, Some(theirs)) if configured => Acknowledged::Forward(theirs),
            (None, _) => Acknowledged::Swallow,
        }
    }

    /// Whether the client has acknowledged all configures of ours.
    pub(crate) fn ours_are_acknowledged(&self) -> bool {
        self.outstanding.iter().all(|o| o.theirs.is_some())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::BTreeSet;

    use super::Acknowledged::{Forward, Swallow};
    use super::*;

    fn configures() -> Configures {
        Configures::new(ToplevelKey::default(), ObjectId(7))
    }

    #[test]
    fn ours_are_swallowed_and_theirs_pass() {
        let mut all = configures();
        assert_eq!(all.add_theirs(5), 5);
        assert_eq!(all.acknowledge(5, true), Forward(5));
        let ours = all.add_ours().unwrap();
        assert!(!all.ours_are_acknowledged());
        assert_eq!(all.acknowledge(ours, true), Swallow);
        assert!(all.ours_are_acknowledged());
        assert_eq!(all.acknowledge(ours, true), Forward(ours), "twice is the client's mistake");
    }

    #[test]
    fn an_acknowledgement_of_ours_stands_for_theirs_before_it() {
        let mut all = configures();
        all.add_theirs(5);
        all.add_theirs(6);
        let ours = all.add_ours().unwrap();
        all.add_theirs(9);
        assert_eq!(all.acknowledge(ours, true), Forward(6));
        assert_eq!(all.acknowledge(9, true), Forward(9));
    }

    #[test]
    fn serials_of_before_an_unmap_never_reach_the_compositor_through_ours() {
        let mut all = configures();
        all.add_theirs(5);
        let ours = all.add_ours().unwrap();
        assert_eq!(all.acknowledge(ours, false), Swallow);
        all.add_theirs(6);
        let ours = all.add_ours().unwrap();
        all.restart();
        all.add_theirs(7);
        assert_eq!(all.acknowledge(ours, true), Swallow);
        assert_eq!(all.acknowledge(7, true), Forward(7));
    }

    #[test]
    fn a_serial_of_ours_that_the_compositor_uses_is_told_under_another_name() {
        let mut all = configures();
        let ours = all.add_ours().unwrap();
        let told = all.add_theirs(ours);
        assert_ne!(told, ours);
        assert_eq!(all.acknowledge(told, true), Forward(ours));
        let ours = all.add_ours().unwrap();
        let told = all.add_theirs(ours);
        assert_eq!(all.acknowledge(ours, true), Swallow);
        assert_eq!(all.acknowledge(told, true), Forward(ours));
    }

    #[test]
    fn neither_kind_grows_without_end() {
        let mut all = configures();
        let ours: BTreeSet<u32> = (0..100).map_while(|_| all.add_ours()).collect();
        assert_eq!(ours.len(), MOST_OURS);
        for serial in 0..1000 {
            all.add_theirs(serial);
        }
        assert_eq!(all.outstanding.len(), MOST_OURS + MOST_THEIRS);
        assert_eq!(all.acknowledge(999, true), Forward(999));
        assert!(all.outstanding.is_empty());
    }

    /// Against the rule itself, written without a queue: the compositor hears the newest of its
    /// serials up to the one acknowledged, each at most once, and never one of ours.
    #[test]
    fn any_order_of_configures_and_acknowledgements() {
        let mut seed = 1u32;
        let mut random = move |below: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) % below
        };
        for _ in 0..2000 {
            let mut all = configures();
            // What the client was told, in order, and what it means to the compositor.
            let mut told: Vec<(u32, Option<u32>)> = Vec::new();
            let mut acknowledged = 0;
            let mut theirs = FIRST_SERIAL - 1 + random(4);
            for _ in 0..30 {
                match random(3) {
                    0 => told.extend(all.add_ours().map(|serial| (serial, None))),
                    1 => {
                        theirs = theirs.wrapping_add(1);
                        told.push((all.add_theirs(theirs), Some(theirs)));
                    }
                    _ if acknowledged < told.len() => {
                        let left = (told.len() - acknowledged) as u32;
                        let to = acknowledged + random(left) as usize;
                        let rule = told[acknowledged..=to].iter().rev().find_map(|(_, t)| *t);
                        let heard = all.acknowledge(told[to].0, true);
                        assert_eq!(heard, rule.map_or(Swallow, Forward), "{told:?} {to}");
                        acknowledged = to + 1;
                    }
                    _ => {}
                }
                let waiting: BTreeSet<u32> = told[acknowledged..].iter().map(|t| t.0).collect();
                assert_eq!(waiting.len(), told.len() - acknowledged, "a serial means two things");
            }
        }
    }
}
