//! Which globals a game gets to see: one table, one reason a row.
//!
//! Forwarded is what games need to draw, to read input and to know their screen. Hidden is what
//! reads the screen, types keys or rules the session, unless [`GlobalPolicy::allow`] opens it.
//! What has no table of its messages is always hidden, known by name or not: without signatures
//! nobody can tell which message an fd belongs to.

mod table;
mod tableless;

use std::collections::BTreeMap;

use stratus_protocols::InterfaceId;

use self::table::TABLE;
use self::tableless::TABLELESS;

/// What a game sees of a global.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// It is offered, at most in the version that our tables know.
    Forwarded,
    /// It does not exist.
    Hidden,
}

/// What becomes of a global, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// What a game sees of it.
    pub visibility: Visibility,
    /// Why, in a few words.
    pub reason: &'static str,
    /// Its table; without one it cannot be forwarded.
    pub table: Option<InterfaceId>,
}

impl Ruling {
    /// The newest version whose messages are known, if any are.
    #[must_use]
    pub fn known_version(&self) -> Option<u32> {
        self.table.map(InterfaceId::version)
    }
}

/// What is said of a global that no row names.
const UNKNOWN: Ruling =
    Ruling { visibility: Visibility::Hidden, reason: "its messages are not known", table: None };

/// Why [`GlobalPolicy::allow`] or [`GlobalPolicy::hide`] does not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GlobalNameError {
    /// Nothing of that name is known.
    #[error("no global of the name {0:?} is known, and what is not known is always hidden")]
    Unknown(String),
    /// It is known, but not what its messages look like.
    #[error(
        "{name} cannot be shown: Stratus has no table of its messages, and without one nobody can \
         tell which of them a file descriptor belongs to (it is hidden as it is: {reason})"
    )]
    Tableless {
        /// The global.
        name: String,
        /// Why it stays hidden.
        reason: &'static str,
    },
    /// An interface whose objects come from other objects and not from the registry.
    #[error("{0} is no global: its objects are made by other objects")]
    NotAGlobal(InterfaceId),
}

/// The table with the user's changes.
#[derive(Clone, Debug)]
pub struct GlobalPolicy {
    rows: BTreeMap<InterfaceId, (Visibility, &'static str)>,
}

impl Default for GlobalPolicy {
    fn default() -> Self {
        let rows = TABLE.iter().flat_map(|group| group.rows);
        Self { rows: rows.map(|r| (r.interface, (r.visibility, r.reason))).collect() }
    }
}

impl GlobalPolicy {
    /// Opens a global by the name of its interface.
    ///
    /// # Errors
    /// [`GlobalNameError`]: it could not be forwarded without a table.
    pub fn allow(&mut self, name: &str) -> Result<(), GlobalNameError> {
        self.set(name, Visibility::Forwarded, "allowed by name")
    }

    /// Hides a global by the name of its interface. Those without tables are hidden as it is.
    ///
    /// # Errors
    /// [`GlobalNameError`], to tell of a slip of the pen; what is unknown is hidden anyway.
    pub fn hide(&mut self, name: &str) -> Result<(), GlobalNameError> {
        match self.set(name, Visibility::Hidden, "hidden by name") {
            Err(GlobalNameError::Tableless { .. }) => Ok(()),
            done => done,
        }
    }

    fn set(
        &mut self,
        name: &str,
        visibility: Visibility,
        reason: &'static str,
    ) -> Result<(), GlobalNameError> {
        let Some(interface) = InterfaceId::find(name) else {
            let name = name.to_owned();
            return Err(match tableless(name.as_bytes()) {
                Some(reason) => GlobalNameError::Tableless { name, reason },
                None => GlobalNameError::Unknown(name),
            });
        };
        let row = self.rows.get_mut(&interface);
        *row.ok_or(GlobalNameError::NotAGlobal(interface))? = (visibility, reason);
        Ok(())
    }

    /// What becomes of a global of this interface, by its name on the wire.
    #[must_use]
    pub fn of(&self, name: impl AsRef<[u8]>) -> Ruling {
        let name = name.as_ref();
        match InterfaceId::find(name) {
            Some(interface) => self.ruling(interface),
            None => tableless(name).map_or(UNKNOWN, |reason| Ruling { reason, ..UNKNOWN }),
        }
    }

    fn ruling(&self, interface: InterfaceId) -> Ruling {
        let none = (Visibility::Hidden, "no global has this interface");
        let (visibility, reason) = self.rows.get(&interface).copied().unwrap_or(none);
        Ruling { visibility, reason, table: Some(interface) }
    }

    /// Every global that is known, in groups: what a group is about, and its globals by name.
    /// The last group is those without tables.
    pub fn groups(&self) -> impl Iterator<Item = (&'static str, Vec<(&'static str, Ruling)>)> {
        let with_tables = TABLE.iter().map(|group| {
            let rows = group.rows.iter().map(|row| {
                let ruling = self.ruling(row.interface);
                (row.interface.name(), ruling)
            });
            (group.about, rows.collect())
        });
        let without = TABLELESS.iter().flat_map(|kind| {
            let ruling = Ruling { reason: kind.reason, ..UNKNOWN };
            kind.names.iter().map(move |name| (*name, ruling))
        });
        with_tables.chain([("Without a table, so nothing can open them", without.collect())])
    }
}

/// Why a global that has no table stays hidden, if it is one that we know by name.
fn tableless(name: &[u8]) -> Option<&'static str> {
    let named = |kind: &&tableless::Names| kind.names.iter().any(|n| n.as_bytes() == name);
    TABLELESS.iter().find(named).map(|kind| kind.reason)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::BTreeSet;

    use stratus_protocols::InterfaceId as I;

    use super::*;

    /// Made by no message and still no global.
    const NO_GLOBALS: [InterfaceId; 2] = [I::WlDisplay, I::WpImageDescriptionReferenceV1];

    #[test]
    fn the_table_decides_on_every_interface_that_no_message_makes() {
        let made: BTreeSet<_> = InterfaceId::ALL
            .iter()
            .flat_map(|id| id.interface().requests.iter().chain(id.interface().events))
            .filter_map(|m| m.child_interface.and_then(InterfaceId::of))
            .collect();
        let expected: BTreeSet<_> = InterfaceId::ALL
            .iter()
            .copied()
            .filter(|id| !made.contains(id) && !NO_GLOBALS.contains(id))
            .collect();
        let rows: Vec<_> = TABLE.iter().flat_map(|group| group.rows).collect();
        let interfaces: BTreeSet<_> = rows.iter().map(|r| r.interface).collect();
        assert_eq!(interfaces, expected);
        assert_eq!(interfaces.len(), rows.len(), "an interface has two rows");
        assert!(rows.iter().all(|r| !r.reason.is_empty()));
    }

    #[test]
    fn what_reads_the_screen_or_types_is_hidden_until_opened() {
        let mut policy = GlobalPolicy::default();
        for name in ["zwlr_screencopy_manager_v1", "zwp_virtual_keyboard_manager_v1"] {
            assert_eq!(policy.of(name).visibility, Visibility::Hidden);
            policy.allow(name).unwrap();
            assert_eq!(policy.of(name).visibility, Visibility::Forwarded);
            policy.hide(name).unwrap();
            assert_eq!(policy.of(name).visibility, Visibility::Hidden);
        }
        assert_eq!(policy.of("wp_viewporter").visibility, Visibility::Forwarded);
        assert_eq!(policy.of("wl_surface").visibility, Visibility::Hidden);
    }

    #[test]
    fn names_without_tables_are_unique_and_have_none() {
        let names: Vec<_> = TABLELESS.iter().flat_map(|kind| kind.names).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "a name stands twice");
        for name in names {
            assert_eq!(InterfaceId::find(name), None, "{name} has a table: it belongs in TABLE");
        }
    }

    #[test]
    fn each_refusal_says_what_is_the_matter() {
        let mut policy = GlobalPolicy::default();
        let refused = policy.allow("wl_surface").unwrap_err();
        assert_eq!(refused, GlobalNameError::NotAGlobal(I::WlSurface));
        let refused = policy.allow("frog_color_management").unwrap_err();
        assert_eq!(refused, GlobalNameError::Unknown("frog_color_management".to_owned()));
        assert!(policy.hide("zwlr_screencopy").is_err());
        let refused = policy.allow("zaura_shell").unwrap_err().to_string();
        assert!(refused.contains("no table") && refused.contains("only ChromeOS"), "{refused}");
        policy.hide("zaura_shell").unwrap();
        let ruling = policy.of("zaura_shell");
        assert_eq!((ruling.visibility, ruling.table), (Visibility::Hidden, None));
        assert_ne!(ruling.reason, policy.of("zaura_shell_v9").reason);
    }

    #[test]
    fn the_groups_hold_every_name_once() {
        let policy = GlobalPolicy::default();
        let all: Vec<_> = policy.groups().flat_map(|(_, rows)| rows).collect();
        assert_eq!(all.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len(), all.len());
        for (name, ruling) in all {
            assert_eq!(policy.of(name), ruling, "{name}");
        }
    }
}
