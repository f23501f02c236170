//! What must be known of each message to let it pass, in flat arrays made once for all clients.
//!
//! The interface tables answer the same questions by walking signatures; asking them for every
//! message would cost more than the rest of the proxy together.

use stratus_protocols::{
    ArgumentType, InterfaceId, MessageDesc, wl_display, wl_fixes, wl_registry,
};

use crate::{Direction, Interest};

/// Set in [`MessageInfo::flags`] if fds come with the message.
pub(crate) const FDS: u8 = 1;
/// It makes an object.
pub(crate) const NEW_ID: u8 = 2;
/// It is a destructor of its sender.
pub(crate) const DESTROYS: u8 = 4;
/// The hook wants to see it.
pub(crate) const HOOK: u8 = 8;
/// The proxy itself acts on it, see [`Role`].
pub(crate) const ROLE: u8 = 16;

/// It is `wl_display.delete_id`, which is as frequent as new ids are.
pub(crate) const FREES: u8 = 32;
/// Somebody watches all messages. Set in all, or in none, see [`Tables::observed`].
pub(crate) const OBSERVE: u8 = 64;

/// There is no such message.
pub(crate) const UNKNOWN: u8 = 128;

/// What the proxy does with the few messages that are its own business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    None,
    /// `wl_registry.bind`: an untyped new id behind a string.
    Bind,
    /// `wl_registry.global`.
    Global,
    /// `wl_registry.global_remove`.
    GlobalRemove,
    /// `wl_fixes.destroy_registry`: destroys an object that is not its sender.
    RegistryEnds,
    /// `wl_display.error`.
    Error,
}

/// Where a message's new id stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NewIdAt {
    /// At this word, counted from the first argument.
    Word(u8),
    /// Behind a string or array: [`new_id_offset`] has to walk.
    Behind,
}

/// All that the session must know of one message to let it pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageInfo {
    /// Zero for the usual message, which just passes.
    pub(crate) flags: u8,
    pub(crate) fds: u8,
    pub(crate) role: Role,
    pub(crate) new_id: NewIdAt,
    /// The interface of the object that it makes, if [`NEW_ID`] is set.
    pub(crate) child: InterfaceId,
}

impl MessageInfo {
    /// Of a message that there is not.
    const UNKNOWN: Self = Self {
        flags: UNKNOWN,
        fds: 0,
        role: Role::None,
        new_id: NewIdAt::Word(0),
        child: InterfaceId::WlDisplay,
    };
}

/// As many messages of one direction as any interface has, and as many places as a row has: where
/// a message stands then follows from its numbers alone.
const ROW: usize = 64;

/// The messages of one direction, a row for each interface.
#[derive(Clone)]
struct Half(Box<[[MessageInfo; ROW]]>);

impl Half {
    fn new(direction: Direction, interests: &[Interest]) -> Self {
        let rows = InterfaceId::ALL.iter().map(|&interface| {
            let mut row = [MessageInfo::UNKNOWN; ROW];
            let messages = descriptions(interface, direction);
            for (opcode, (info, message)) in (0..).zip(row.iter_mut().zip(messages)) {
                let wanted = Interest { interface, direction, opcode };
                let hooked = interests.contains(&wanted);
                *info = describe(message, role(wanted), wanted == DELETE_ID, hooked);
            }
            row
        });
        Self(rows.collect())
    }

    #[inline]
    fn info(&self, interface: InterfaceId, opcode: u16) -> MessageInfo {
        let info = self.0.get(interface as usize).and_then(|row| row.get(usize::from(opcode)));
        info.copied().unwrap_or(MessageInfo::UNKNOWN)
    }
}

/// The facts of every message in both directions, with the hook's interests worked in.
#[derive(Clone)]
pub(crate) struct Tables {
    requests: Half,
    events: Half,
}

impl Tables {
    pub(crate) fn new(interests: &[Interest]) -> Self {
        Self {
            requests: Half::new(Direction::Request, interests),
            events: Half::new(Direction::Event, interests),
        }
    }

    /// The same, for a session that is observed.
    pub(crate) fn observed(&self) -> Self {
        let mut tables = self.clone();
        for half in [&mut tables.requests, &mut tables.events] {
            for info in half.0.as_flattened_mut() {
                info.flags |= OBSERVE;
            }
        }
        tables
    }

    /// Has the flag [`UNKNOWN`] if the interface has no such message.
    #[inline]
    pub(crate) fn info(
        &self,
        direction: Direction,
        interface: InterfaceId,
        opcode: u16,
    ) -> MessageInfo {
        match direction {
            Direction::Request => self.requests.info(interface, opcode),
            Direction::Event => self.events.info(interface, opcode),
        }
    }
}

/// The messages of an interface in one direction.
pub(crate) fn descriptions(id: InterfaceId, direction: Direction) -> &'static [MessageDesc] {
    match direction {
        Direction::Request => id.interface().requests,
        Direction::Event => id.interface().events,
    }
}

/// Where the new id stands in the arguments `body`, in bytes; `None` if they end before it.
pub(crate) fn new_id_offset(message: &MessageDesc, body: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    for argument in message.signature {
        match argument {
            ArgumentType::NewId => return (at + 4 <= body.len()).then_some(at),
            ArgumentType::Fd => {}
            ArgumentType::Str(_) | ArgumentType::Array => {
                let word = body.get(at..at.checked_add(4)?)?;
                let len = u32::from_ne_bytes([word[0], word[1], word[2], word[3]]) as usize;
                at = at.checked_add(4)?.checked_add(len.checked_next_multiple_of(4)?)?;
            }
            _ => at = at.checked_add(4)?,
        }
    }
    None
}

fn role(message: Interest) -> Role {
    use Direction::{Event, Request};
    match (message.interface, message.direction, message.opcode) {
        (InterfaceId::WlRegistry, Request, wl_registry::REQ_BIND_OPCODE) => Role::Bind,
        (InterfaceId::WlRegistry, Event, wl_registry::EVT_GLOBAL_OPCODE) => Role::Global,
        (InterfaceId::WlRegistry, Event, wl_registry::EVT_GLOBAL_REMOVE_OPCODE) => {
            Role::GlobalRemove
        }
        (InterfaceId::WlFixes, Request, wl_fixes::REQ_DESTROY_REGISTRY_OPCODE) => {
            Role::RegistryEnds
        }
        (InterfaceId::WlDisplay, Event, wl_display::EVT_ERROR_OPCODE) => Role::Error,
        _ => Role::None,
    }
}

const DELETE_ID: Interest = Interest {
    interface: InterfaceId::WlDisplay,
    direction: Direction::Event,
    opcode: wl_display::EVT_DELETE_ID_OPCODE,
};

fn describe(message: &MessageDesc, role: Role, frees: bool, hooked: bool) -> MessageInfo {
    let count = |kind| message.signature.iter().filter(|a| **a == kind).count();
    let fds = count(ArgumentType::Fd) as u8;
    // The untyped new id of `bind` is handled by its role.
    let child = message.child_interface.and_then(InterfaceId::of);
    let mut flags = 0;
    for (flag, set) in [
        (FDS, fds > 0),
        (NEW_ID, child.is_some()),
        (DESTROYS, message.is_destructor),
        (HOOK, hooked),
        (ROLE, role != Role::None),
        (FREES, frees),
    ] {
        flags |= if set { flag } else { 0 };
    }
    MessageInfo {
        flags,
        fds,
        role,
        new_id: new_id_at(message),
        child: child.unwrap_or(InterfaceId::WlDisplay),
    }
}

fn new_id_at(message: &MessageDesc) -> NewIdAt {
    let prefix = message.signature.iter().take_while(|a| **a != ArgumentType::NewId);
    let mut words = 0;
    for argument in prefix {
        match argument {
            ArgumentType::Fd => {}
            ArgumentType::Str(_) | ArgumentType::Array => return NewIdAt::Behind,
            _ => words += 1,
        }
    }
    NewIdAt::Word(words)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use stratus_protocols::{wl_data_device, wl_keyboard, wl_shm, wl_surface, xdg_toplevel};

    use super::*;

    fn request(interface: InterfaceId, opcode: u16) -> MessageInfo {
        Tables::new(&[]).info(Direction::Request, interface, opcode)
    }

    #[test]
    fn the_usual_message_has_no_flags() {
        let info = request(InterfaceId::WlSurface, wl_surface::REQ_DAMAGE_OPCODE);
        assert_eq!(info.flags, 0);
    }

    #[test]
    fn fds_new_ids_destructors_and_interests_are_flagged() {
        let pool = request(InterfaceId::WlShm, wl_shm::REQ_CREATE_POOL_OPCODE);
        assert_eq!((pool.flags, pool.fds), (FDS | NEW_ID, 1));
        assert_eq!((pool.child, pool.new_id), (InterfaceId::WlShmPool, NewIdAt::Word(0)));
        let destroy = request(InterfaceId::XdgToplevel, xdg_toplevel::REQ_DESTROY_OPCODE);
        assert_eq!(destroy.flags, DESTROYS);

        let keymap = Interest {
            interface: InterfaceId::WlKeyboard,
            direction: Direction::Event,
            opcode: wl_keyboard::EVT_KEYMAP_OPCODE,
        };
        let tables = Tables::new(&[keymap]);
        let info = |direction| tables.info(direction, InterfaceId::WlKeyboard, 0);
        assert_eq!(info(Direction::Event).flags, FDS | HOOK);
        assert_eq!(info(Direction::Request).flags, DESTROYS);
        let offer = Tables::new(&[]).info(
            Direction::Event,
            InterfaceId::WlDataDevice,
            wl_data_device::EVT_DATA_OFFER_OPCODE,
        );
        assert_eq!((offer.flags, offer.child), (NEW_ID, InterfaceId::WlDataOffer));
    }

    #[test]
    fn an_opcode_past_the_last_is_unknown() {
        let tables = Tables::new(&[]);
        let unknown =
            |direction, id, opcode| tables.info(direction, id, opcode).flags & UNKNOWN != 0;
        for &id in InterfaceId::ALL {
            for direction in [Direction::Request, Direction::Event] {
                let count = descriptions(id, direction).len() as u16;
                assert!(usize::from(count) <= ROW, "{id}");
                assert!(unknown(direction, id, count));
                assert!(unknown(direction, id, u16::MAX));
                assert!((0..count).all(|o| !unknown(direction, id, o)));
            }
        }
    }

    #[test]
    fn a_new_id_behind_a_string_is_found_by_walking() {
        let bind = &InterfaceId::WlRegistry.interface().requests[0];
        assert_eq!(new_id_at(bind), NewIdAt::Behind);
        let mut body = 7u32.to_ne_bytes().to_vec();
        body.extend(6u32.to_ne_bytes());
        body.extend(b"wl_xy\0\0\0");
        body.extend(3u32.to_ne_bytes());
        body.extend(9u32.to_ne_bytes());
        assert_eq!(new_id_offset(bind, &body), Some(20));
        assert_eq!(new_id_offset(bind, &body[..20]), None);
        body[4..8].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert_eq!(new_id_offset(bind, &body), None);
    }

    #[test]
    fn no_message_carries_more_fds_than_one_sendmsg_may() {
        for &id in InterfaceId::ALL {
            for direction in [Direction::Request, Direction::Event] {
                for message in descriptions(id, direction) {
                    let fds = message.signature.iter().filter(|a| **a == ArgumentType::Fd);
                    assert!(fds.count() <= crate::MAX_FDS_OUT, "{id}.{}", message.name);
                }
            }
        }
    }
}
