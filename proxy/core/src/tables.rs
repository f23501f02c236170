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

#[derive(Clone, Copy)]
struct Span {
    start: u16,
    count: u16,
}

/// The messages of one direction.
#[derive(Clone)]
struct Half {
    spans: Box<[Span]>,
    infos: Box<[MessageInfo]>,
}

impl Half {
    fn new(direction: Direction, interests: &[Interest]) -> Self {
        let mut spans = Vec::with_capacity(InterfaceId::ALL.len());
        let mut infos = Vec::new();
        for &id in InterfaceId::ALL {
            let messages = descriptions(id, direction);
            // Some 1,800 messages exist in all; both numbers fit by far.
            spans.push(Span { start: infos.len() as u16, count: messages.len() as u16 });
            infos.extend(messages.iter().enumerate().map(|(opcode, message)| {
                let wanted = Interest { interface: id, direction, opcode: opcode as u16 };
                let hooked = interests.contains(&wanted);
                describe(message, role(wanted), wanted == DELETE_ID, hooked)
            }));
        }
        Self { spans: spans.into(), infos: infos.into() }
    }

    #[inline]
    fn info(&self, interface: InterfaceId, opcode: u16) -> Option<MessageInfo> {
        let span = self.spans[interface as usize];
        if opcode >= span.count {
            return None;
        }
        Some(self.infos[usize::from(span.start + opcode)])
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
            for info in &mut half.infos {
                info.flags |= OBSERVE;
            }
        }
        tables
    }

    /// `None` if the interface has no such message.
    #[inline]
    pub(crate) fn info(
        &self,
        direction: Direction,
        interface: InterfaceId,
        opcode: u16,
    ) -> Option<MessageInfo> {
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
        Tables::new(&[]).info(Direction::Request, interface, opcode).expect("known")
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
        let info = |direction| tables.info(direction, InterfaceId::WlKeyboard, 0).unwrap();
        assert_eq!(info(Direction::Event).flags, FDS | HOOK);
        assert_eq!(info(Direction::Request).flags, DESTROYS);
        let offer = Tables::new(&[])
            .info(
                Direction::Event,
                InterfaceId::WlDataDevice,
                wl_data_device::EVT_DATA_OFFER_OPCODE,
            )
            .unwrap();
        assert_eq!((offer.flags, offer.child), (NEW_ID, InterfaceId::WlDataOffer));
    }

    #[test]
    fn an_opcode_past_the_last_is_unknown() {
        let tables = Tables::new(&[]);
        for &id in InterfaceId::ALL {
            for direction in [Direction::Request, Direction::Event] {
                let count = descriptions(id, direction).len() as u16;
                assert!(tables.info(direction, id, count).is_none());
                assert!(tables.info(direction, id, u16::MAX).is_none());
                assert!((0..count).all(|o| tables.info(direction, id, o).is_some()));
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
