//! Interfaces as small numbers, and the ways from a name or a table to one.

use std::sync::LazyLock;

use wayland_backend::protocol::Interface;

pub use crate::list::InterfaceId;

/// All interfaces in the order of their names, for [`InterfaceId::find`].
static BY_NAME: LazyLock<Vec<InterfaceId>> = LazyLock::new(|| {
    let mut all = InterfaceId::ALL.to_vec();
    all.sort_unstable_by_key(|id| id.name());
    all
});

impl InterfaceId {
    /// The interface's table: names and signatures of its messages, and the newest version known.
    #[must_use]
    pub fn interface(self) -> &'static Interface {
        Self::TABLES[self as usize]
    }

    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.interface().name
    }

    /// The newest version that the table knows.
    #[must_use]
    pub fn version(self) -> u32 {
        self.interface().version
    }

    /// The interface of that name, as it stands in `wl_registry.global`.
    #[must_use]
    pub fn find(name: impl AsRef<[u8]>) -> Option<Self> {
        let name = name.as_ref();
        let at = BY_NAME.binary_search_by(|id| id.name().as_bytes().cmp(name)).ok()?;
        Some(BY_NAME[at])
    }

    /// The id of a table, by its name: two crates may each have a table of one interface.
    /// `None` for [`wayland_backend::protocol::ANONYMOUS_INTERFACE`] and for foreign tables.
    #[must_use]
    pub fn of(interface: &Interface) -> Option<Self> {
        Self::find(interface.name)
    }
}

impl std::fmt::Display for InterfaceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
