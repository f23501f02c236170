//! What one client was offered in its registries, and what it may bind.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use stratus_protocols::InterfaceId;

use crate::objects::Objects;
use crate::policy::{GlobalPolicy, Visibility};
use crate::violation::Problem;
use crate::{Args, Malformed, ObjectId};

/// The policy, and the memory of what was logged of it for all clients.
pub(crate) struct Gate {
    policy: GlobalPolicy,
    logged: Mutex<BTreeSet<String>>,
}

impl Gate {
    pub(crate) fn new(policy: GlobalPolicy) -> Self {
        Self { policy, logged: Mutex::default() }
    }

    /// Runs `log` if nothing was logged of this interface before.
    fn once(&self, interface: &str, log: impl FnOnce()) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if !logged.contains(interface) {
            logged.insert(interface.to_owned());
            log();
        }
    }
}

#[derive(Clone, Copy)]
struct Offer {
    name: u32,
    /// `None` if it is hidden.
    shown: Option<(InterfaceId, u32)>,
}

/// What becomes of a `wl_registry.global` event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    AsItIs,
    /// The version, which stands at this byte of the arguments, becomes lower.
    Clamped {
        at: usize,
        version: u32,
    },
    Hidden,
}

/// A `bind` that is in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bind {
    pub(crate) interface: InterfaceId,
    pub(crate) version: u32,
    pub(crate) id: ObjectId,
}

/// The globals of one client, the hidden ones included, by name.
#[derive(Default)]
pub(crate) struct Globals {
    /// Sorted by name. All registries of a client hear the same.
    offers: Vec<Offer>,
    /// Ids of `wl_fixes` whose version lets the client acknowledge removals. Those of objects that
    /// are gone are dropped when one is looked for.
    fixes: BTreeSet<ObjectId>,
}

/// Since this version of `wl_fixes` a client acknowledges each removal of a global.
const ACKNOWLEDGED_SINCE: u32 = 2;

impl Globals {
    /// `wl_registry.global(name, interface, version)`.
    pub(crate) fn offer(&mut self, mut args: Args<'_>, gate: &Gate) -> Result<Offered, Malformed> {
        let len = args.rest();
        let name = args.uint()?;
        let interface = args.string()?.ok_or(Malformed)?;
        let at = len - args.rest();
        let version = args.uint()?;
        let shown = judge(interface, version, gate);
        let offered = match shown {
            None => Offered::Hidden,
            Some((_, known)) if known < version => Offered::Clamped { at, version: known },
            Some(_) => Offered::AsItIs,
        };
        let offer = Offer { name, shown };
        match self.offers.binary_search_by_key(&name, |o| o.name) {
            Ok(at) => self.offers[at] = offer,
            Err(at) => self.offers.insert(at, offer),
        }
        Ok(offered)
    }

    /// Whether the client heard of the global that `wl_registry.global_remove` names. A removed
    /// global stays bindable here: the client may not have read the event yet, and the compositor
    /// answers such a bind with an inert object.
    pub(crate) fn is_shown(&self, name: u32) -> bool {
        self.find(name).is_some()
    }

    /// The client made what `bind` asks for.
    pub(crate) fn bound(&mut self, bind: Bind) {
        if bind.interface == InterfaceId::WlFixes && bind.version >= ACKNOWLEDGED_SINCE {
            self.fixes.insert(bind.id);
        }
    }

    /// Who acknowledges the removal of global `name` for the client, if the client would have
    /// heard of it had we not hidden it: "after all clients acknowledge the removal of the global,
    /// the compositor can safely destroy it" (`wl_fixes.ack_global_remove`).
    pub(crate) fn acknowledger(&mut self, name: u32, objects: &Objects) -> Option<ObjectId> {
        self.offers.binary_search_by_key(&name, |o| o.name).ok()?;
        while let Some(id) = self.fixes.first().copied() {
            let lives = objects.lookup(id).is_some_and(|fixes| {
                let same = fixes.interface == InterfaceId::WlFixes && !fixes.destroyed;
                same && fixes.version >= ACKNOWLEDGED_SINCE
            });
            if lives {
                return Some(id);
            }
            self.fixes.pop_first();
        }
        None
    }

    fn find(&self, name: u32) -> Option<(InterfaceId, u32)> {
        let at = self.offers.binary_search_by_key(&name, |o| o.name).ok()?;
        self.offers[at].shown
    }

    /// `wl_registry.bind(name, interface, version, id)`, checked as libwayland's server does.
    pub(crate) fn bind(&self, mut args: Args<'_>) -> Result<Bind, Problem> {
        let name = args.uint()?;
        let asked = args.string()?.ok_or(Malformed)?;
        let version = args.uint()?;
        let id = args.object()?;
        let Some((interface, offered)) =
            self.find(name).filter(|(i, _)| i.name().as_bytes() == asked)
        else {
            let interface = String::from_utf8_lossy(&asked[..asked.len().min(64)]).into_owned();
            return Err(Problem::UnknownGlobal { name, interface });
        };
        if version == 0 || version > offered {
            return Err(Problem::GlobalVersion { interface, offered, wanted: version });
        }
        Ok(Bind { interface, version, id })
    }
}

impl From<Malformed> for Problem {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// The interface and version that a client gets to see; `None` if nothing.
fn judge(name: &[u8], version: u32, gate: &Gate) -> Option<(InterfaceId, u32)> {
    let ruling = gate.policy.of(name);
    let (Visibility::Forwarded, Some(id)) = (ruling.visibility, ruling.table) else {
        let name = String::from_utf8_lossy(name);
        gate.once(&name, || tracing::info!("hiding global {name}: {}", ruling.reason));
        return None;
    };
    let known = id.version();
    if version > known {
        gate.once(id.name(), || {
            tracing::info!(
                "offering global {id} in version {known}, not {version}: no newer is known"
            );
        });
    }
    Some((id, version.min(known)))
}
