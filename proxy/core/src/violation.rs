//! Breaches of the protocol: what happened, in which message, and whose fault it is.

use std::fmt;

use stratus_protocols::InterfaceId;

use crate::tables::descriptions;
use crate::{ClientId, Direction, ObjectId};

/// One of the two peers of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The game, which sends requests.
    Client,
    /// The compositor, which sends events.
    Compositor,
}

impl Side {
    /// The one at the other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Compositor,
            Self::Compositor => Self::Client,
        }
    }

    /// What this side sends.
    #[must_use]
    pub const fn direction(self) -> Direction {
        match self {
            Self::Client => Direction::Request,
            Self::Compositor => Direction::Event,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Compositor => "compositor",
        })
    }
}

/// What a peer did that a session cannot survive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A header states a size below 8 or no multiple of 4.
    #[error("the header states a size of {0} bytes")]
    Size(u16),
    /// No object has this id.
    #[error("there is no such object")]
    UnknownObject,
    /// The client destroyed the object before.
    #[error("the object was destroyed before")]
    DeadObject,
    /// The interface has no message of this number.
    #[error("there is no message number {0}")]
    UnknownOpcode(u16),
    /// The arguments end too early or contradict the signature.
    #[error("the arguments do not fit the signature")]
    Malformed,
    /// Fewer fds came than the signature says.
    #[error("{wanted} fds belong to it and {found} came")]
    MissingFds {
        /// How many the signature has.
        wanted: usize,
        /// How many were there.
        found: usize,
    },
    /// Fds keep coming without messages that they belong to.
    #[error("{0} fds came that belong to no message")]
    TooManyFds(usize),
    /// The kernel could not hand over all fds (MSG_CTRUNC): too many at once, or our limit of
    /// open files is reached.
    #[error("fds were lost on their way (too many at once, or no file descriptors left)")]
    TruncatedFds,
    /// A new id of 0 or from the range of the other side.
    #[error("new id {0} is outside of the sender's range")]
    NewIdRange(ObjectId),
    /// A new id that is in use.
    #[error("new id {0} is in use")]
    NewIdTaken(ObjectId),
    /// A new id that leaves a gap behind the ids so far.
    #[error("new id {0} leaves a gap")]
    NewIdGap(ObjectId),
    /// More objects than a session may have.
    #[error("there are too many objects")]
    TooManyObjects,
    /// `bind` of a name that the client was not offered.
    #[error("there is no global {name} of interface {interface}")]
    UnknownGlobal {
        /// The number of the global.
        name: u32,
        /// The interface that the client asks for.
        interface: String,
    },
    /// `bind` with a version of 0 or above the offered one.
    #[error("{interface} is offered in version {offered}, not {wanted}")]
    GlobalVersion {
        /// The interface.
        interface: InterfaceId,
        /// The version of the offer.
        offered: u32,
        /// The version asked for.
        wanted: u32,
    },
    /// The client left too much unread.
    #[error("{0} bytes wait unread")]
    TooMuchUnread(u64),
    /// The client left too many fds unread.
    #[error("{0} fds wait unread")]
    TooManyFdsUnread(usize),
}

impl Problem {
    /// The code for `wl_display.error` (enum `wl_display.error`) that libwayland's server would
    /// give, when a client is at fault.
    pub(crate) fn display_code(&self) -> u32 {
        const INVALID_OBJECT: u32 = 0;
        const INVALID_METHOD: u32 = 1;
        const NO_MEMORY: u32 = 2;
        match self {
            Self::UnknownObject
            | Self::DeadObject
            | Self::UnknownGlobal { .. }
            | Self::GlobalVersion { .. } => INVALID_OBJECT,
            Self::Size(_)
            | Self::UnknownOpcode(_)
            | Self::Malformed
            | Self::MissingFds { .. }
            | Self::NewIdRange(_)
            | Self::NewIdTaken(_)
            | Self::NewIdGap(_) => INVALID_METHOD,
            Self::TooManyFds(_)
            | Self::TruncatedFds
            | Self::TooManyObjects
            | Self::TooMuchUnread(_)
            | Self::TooManyFdsUnread(_) => NO_MEMORY,
        }
    }

    /// Whether the error belongs to the object of the message. All others belong to `wl_display`,
    /// whose codes they have: on another object a code would mean what that interface says.
    pub(crate) fn blames_object(&self) -> bool {
        matches!(self, Self::UnknownGlobal { .. } | Self::GlobalVersion { .. })
    }
}

/// The message at which something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The object that it names.
    pub object: ObjectId,
    /// Its interface, if the object is known.
    pub interface: Option<InterfaceId>,
    /// Which message.
    pub opcode: u16,
    /// Which way it went.
    pub direction: Direction,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(interface) = self.interface else {
            return write!(f, "object {}, message {}", self.object, self.opcode);
        };
        let messages = descriptions(interface, self.direction);
        match messages.get(usize::from(self.opcode)) {
            Some(message) => write!(f, "{interface}@{}.{}", self.object, message.name),
            None => write!(f, "{interface}@{}, message {}", self.object, self.opcode),
        }
    }
}

/// The end of one client's session by somebody's fault. Other sessions do not notice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("client {}: the {fault} broke the protocol{}: {problem}", .client.0, at(.place.as_ref()))]
pub struct Violation {
    /// Whose session it is.
    pub client: ClientId,
    /// Who is to blame.
    pub fault: Side,
    /// In which message, if it was in one.
    pub place: Option<Place>,
    /// What was wrong.
    pub problem: Problem,
}

fn at(place: Option<&Place>) -> String {
    place.map(|p| format!(" at {p}")).unwrap_or_default()
}
