//! What must be known of messages that the proxy or a hook queued itself.

use crate::message::parse_header;
use crate::objects::Objects;
use crate::tables::{FDS, FREES, NEW_ID, OBSERVE, Role, Tables, UNKNOWN};
use crate::{Args, ClientId, Direction, HEADER_LEN, Hook, ObjectId, Seen, Step};

/// Takes note of messages of our own, after they were queued.
pub(crate) struct Review<'a, H: ?Sized> {
    pub(crate) client: ClientId,
    pub(crate) now_ns: u64,
    pub(crate) tables: &'a Tables,
    pub(crate) objects: &'a mut Objects,
    pub(crate) hook: &'a mut H,
}

impl<H: Hook + ?Sized> Review<'_, H> {
    /// Shows each message of `own` to whoever observes. A `delete_id` of our own frees the id
    /// like the compositor's, and messages that would part the ids of the two sides are reported
    /// as our bug.
    pub(crate) fn run(&mut self, direction: Direction, mut own: &[u8]) {
        while let Some(header) = own.first_chunk() {
            let (sender, opcode, size) = parse_header(*header);
            let Some((message, rest)) = own.split_at_checked(size.max(HEADER_LEN)) else { return };
            own = rest;
            self.message(direction, sender, opcode, &message[HEADER_LEN..]);
        }
    }

    fn message(&mut self, direction: Direction, sender: ObjectId, opcode: u16, body: &[u8]) {
        let object = self.objects.lookup(sender);
        let known = object.map(|o| (o, self.tables.info(direction, o.interface, opcode)));
        let Some((object, info)) = known.filter(|(_, info)| info.flags & UNKNOWN == 0) else {
            tracing::error!(
                "a hook queued message {opcode} of object {sender}, which there is not"
            );
            return;
        };
        if info.flags & OBSERVE != 0 {
            self.hook.observe(&Seen {
                client: self.client,
                now_ns: self.now_ns,
                direction,
                step: Step::Own,
                sender,
                interface: object.interface,
                version: object.version,
                opcode,
                body,
                fds: &[],
                objects: self.objects,
            });
        }
        if info.flags & FREES != 0 {
            if let Ok(id) = Args::new(body, &[]).object() {
                self.objects.delete_id(id);
            }
        } else if info.flags & (FDS | NEW_ID) != 0 || info.role == Role::Bind {
            tracing::error!(
                "a hook queued message {opcode} of object {sender}, which carries a new id or an fd"
            );
        }
    }
}
