//! What all sessions of a proxy share.

use crate::globals::Gate;
use crate::tables::Tables;
use crate::{GlobalPolicy, Interest};

/// The facts of every message and the policy for globals, made once for all sessions.
pub struct Rules {
    /// For sessions that nobody observes: the usual message has no flags there and just passes.
    quiet: Tables,
    /// The same facts, each message flagged to be shown to the observer.
    observed: Tables,
    pub(crate) gate: Gate,
}

impl Rules {
    /// Rules for a hook with these interests.
    #[must_use]
    pub fn new(interests: &[Interest], policy: GlobalPolicy) -> Self {
        let quiet = Tables::new(interests);
        Self { observed: quiet.observed(), quiet, gate: Gate::new(policy) }
    }

    /// The tables for a session that is observed, or is not.
    pub(crate) fn tables(&self, observed: bool) -> &Tables {
        if observed { &self.observed } else { &self.quiet }
    }
}
