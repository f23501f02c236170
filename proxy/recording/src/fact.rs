//! What a recording says about itself as a whole.

use std::collections::BTreeMap;

use stratus_protocols::{Interface, InterfaceId, MessageDesc};

use crate::Digest;

/// Names and values, in the order of the names.
///
/// The recorder itself writes `byte-order` (`little` or `big`), `started` (seconds since 1970)
/// and `tables` ([`tables_digest`]).
pub type Facts = BTreeMap<String, String>;

pub(crate) const BYTE_ORDER: &str = "byte-order";
pub(crate) const STARTED: &str = "started";
pub(crate) const TABLES: &str = "tables";

pub(crate) const OUR_BYTE_ORDER: &str = if cfg!(target_endian = "big") { "big" } else { "little" };

/// Stands for all that this build knows of all interfaces: another one may take a recorded
/// session for one with unknown messages.
#[must_use]
pub fn tables_digest() -> Digest {
    let mut digest = Digest::new();
    for id in InterfaceId::ALL {
        let Interface { name, version, requests, events, .. } = id.interface();
        digest.add(name.as_bytes());
        digest.add(&version.to_le_bytes());
        for MessageDesc { name, signature, since, .. } in requests.iter().chain(*events) {
            digest.add(name.as_bytes());
            digest.add(&since.to_le_bytes());
            digest.add(format!("{signature:?}").as_bytes());
        }
    }
    digest
}
