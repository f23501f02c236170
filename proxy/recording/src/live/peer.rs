//! One client of a recording, and its connection to the compositor.
//!
//! Two sessions follow what is said: one the recording, the other the compositor. The ids that
//! the client chose are the same in both; what the compositor chooses is translated.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stratus_protocols::{
    InterfaceId, wl_display, wl_registry, wl_seat, wl_shell_surface, wl_surface, xdg_wm_base,
};
use stratus_proxy::socket::{receive, send};
use stratus_proxy_core::{ClientId, Direction, ObjectId, Rules, Session, Side, Writer};

use super::heard::{Heard, Inbox};
use super::made::{Globals, Made};
use super::serials;
use super::waits::Waits;
use super::{LeftOut, Problem};

/// What a compositor does of its own accord may not come at all: it is waited for so long.
const GRACE: Duration = Duration::from_millis(500);

/// What becomes of a request now.
pub(super) enum Turn {
    Send,
    LeaveOut,
    /// This event has to come first.
    Wait(String),
}

/// The serials of the `configure` events of one surface.
#[derive(Default)]
struct Configures {
    told: Vec<u32>,
    live: Vec<u32>,
    /// How many of `live` are answered, later ones answering those before.
    answered: usize,
}

pub(super) struct Peer {
    socket: UnixStream,
    told: Session,
    live: Session,
    inbox: Inbox,
    globals: Globals,
    made: Made,
    waits: Waits,
    configures: HashMap<ObjectId, Configures>,
    /// By serial: the recorded event that brought it.
    serials_told: HashMap<u32, (ObjectId, u16)>,
    /// By event: the newest serial of the compositor.
    serials_live: HashMap<(ObjectId, u16), u32>,
    capabilities: HashMap<ObjectId, u32>,
    /// Objects that stand for others which the compositor cannot make.
    stand_ins: HashSet<ObjectId>,
    /// Ids of the client that the compositor has not given back.
    used: HashSet<ObjectId>,
    highest: u32,
    /// The callback of the last `wl_display.sync`, until it is done.
    asked: Option<ObjectId>,
}

impl Peer {
    pub(super) fn connect(path: &Path, client: u64, rules: &Arc<Rules>) -> Result<Self, Problem> {
        let socket = stratus_proxy::connect(path).map_err(Problem::Connect)?;
        let session = || {
            let mut session = Session::new(ClientId(client), Arc::clone(rules));
            session.set_observed(true);
            session
        };
        Ok(Self {
            socket,
            told: session(),
            live: session(),
            inbox: Inbox::default(),
            globals: Globals::default(),
            made: Made::default(),
            waits: Waits::default(),
            configures: HashMap::new(),
            serials_told: HashMap::new(),
            serials_live: HashMap::new(),
            capabilities: HashMap::new(),
            stand_ins: HashSet::new(),
            used: HashSet::new(),
            highest: ObjectId::DISPLAY.0,
            asked: None,
        })
    }

    pub(super) fn socket(&self) -> &UnixStream {
        &self.socket
    }

    /// Lets a recorded message pass the session of the recording.
    fn tell(&mut self, from: Side, bytes: &[u8], fds: usize) -> Result<Vec<Heard>, Problem> {
        let null = |_| File::open("/dev/null").map(OwnedFd::from).map_err(Problem::Connection);
        let fds = (0..fds).map(null).collect::<Result<_, _>>()?;
        let fed = self.told.feed(from, bytes, fds, 0, &mut self.inbox);
        self.told.take(Side::Client);
        self.told.take(Side::Compositor);
        fed.map_err(Problem::Recorded)?;
        Ok(std::mem::take(&mut self.inbox.0))
    }

    /// An event of the recording.
    pub(super) fn told_event(&mut self, bytes: &[u8], fds: usize) -> Result<(), Problem> {
        for event in self.tell(Side::Compositor, bytes, fds)? {
            let Heard { sender, opcode, .. } = event;
            self.waits.recorded(&event);
            for id in event.made() {
                self.made.told(sender, opcode, id);
            }
            let Some(first) = event.word(0) else { continue };
            if event.is(InterfaceId::WlRegistry, wl_registry::EVT_GLOBAL_OPCODE) {
                if let Some((interface, _)) = event.string(4) {
                    self.globals.told(first, interface);
                }
            } else if serials::is_configure(&event) {
                self.configures.entry(sender).or_default().told.push(first);
            } else if serials::brings(event.interface, opcode) {
                self.serials_told.insert(first, (sender, opcode));
            }
        }
        Ok(())
    }

    /// A request of the recording, to be sent when it is its turn.
    pub(super) fn told_request(&mut self, bytes: &[u8], fds: usize) -> Result<Heard, Problem> {
        let request = self.tell(Side::Client, bytes, fds)?.pop();
        // The session of the recording is over: a last message that nobody heard.
        request.ok_or(Problem::HungUp)
    }

    /// Whether the request can be sent `waited` after its time, and changes what must be changed
    /// in it once it can.
    pub(super) fn turn(
        &mut self,
        request: &mut Heard,
        waited: Duration,
        left_out: &mut LeftOut,
    ) -> Result<Turn, Problem> {
        if serials::is_pong(request) {
            // The compositor's own pings are answered as they come.
            return Ok(Turn::LeaveOut);
        }
        if let Some(event) = self.waits.missing() {
            return Ok(Turn::Wait(event.to_owned()));
        }
        let made = request.made();
        if let Some(id) = made.iter().find(|id| self.used.contains(id)) {
            // libwayland's servers queue a `delete_id` until another event goes out.
            if self.has_answered() {
                self.ask_to_answer()?;
            }
            return Ok(Turn::Wait(format!("wl_display@1.delete_id({id})")));
        }
        if !self.exists(request) {
            if self.may_come(request) && waited < GRACE {
                return Ok(Turn::Wait(format!("an object that {} is about", request.name())));
            }
            left_out.without_object += 1;
            return Ok(self.stand_in(request, &made));
        }
        if request.is(InterfaceId::WlRegistry, wl_registry::REQ_BIND_OPCODE) {
            return self.bind(request, waited);
        }
        if serials::is_ack(request) {
            return Ok(self.acknowledge(request, waited, left_out));
        }
        if request.is(InterfaceId::WlSurface, wl_surface::REQ_ATTACH_OPCODE) {
            let buffer = ObjectId(request.word(0).unwrap_or(0));
            if !self.waits.is_released(buffer) {
                if waited < GRACE {
                    return Ok(Turn::Wait(format!("wl_buffer@{buffer}.release")));
                }
                left_out.early_buffers += 1;
            }
        }
        self.give_back_serial(request);
        Ok(Turn::Send)
    }

    /// Whether all objects of the request exist at the compositor as well.
    fn exists(&self, request: &Heard) -> bool {
        let named = request.named().into_iter().map(|(_, id)| id);
        let mut all = named.chain([request.sender]);
        let is_there = |id| !self.stand_ins.contains(&id) && self.made.to_live(id).is_some();
        all.all(is_there) && self.has_device(request)
    }

    /// Whether time may bring what is missing: the compositor's objects come by its events.
    fn may_come(&self, request: &Heard) -> bool {
        let named = request.named().into_iter().map(|(_, id)| id);
        named.chain([request.sender]).any(|id| self.made.to_live(id).is_none())
    }

    /// It is an error to ask a seat for a device that it never had (`wl_seat`).
    fn has_device(&self, request: &Heard) -> bool {
        if request.interface != InterfaceId::WlSeat {
            return true;
        }
        // `wl_seat.capability`
        let needed = match request.opcode {
            wl_seat::REQ_GET_POINTER_OPCODE => 1,
            wl_seat::REQ_GET_KEYBOARD_OPCODE => 2,
            wl_seat::REQ_GET_TOUCH_OPCODE => 4,
            _ => return true,
        };
        self.capabilities.get(&request.sender).is_some_and(|has| has & needed != 0)
    }

    /// What the client makes must be made, or its ids and the compositor's part: a callback takes
    /// the place of what cannot be.
    fn stand_in(&mut self, request: &mut Heard, made: &[ObjectId]) -> Turn {
        let Some(&id) = made.first() else { return Turn::LeaveOut };
        *request = Heard {
            direction: Direction::Request,
            sender: ObjectId::DISPLAY,
            interface: InterfaceId::WlDisplay,
            opcode: wl_display::REQ_SYNC_OPCODE,
            body: id.0.to_ne_bytes().to_vec(),
        };
        self.stand_ins.insert(id);
        Turn::Send
    }

    fn bind(&mut self, request: &mut Heard, waited: Duration) -> Result<Turn, Problem> {
        let (name, interface) = (request.word(0), request.string(4));
        let (Some(name), Some((interface, range))) = (name, interface) else {
            return Ok(Turn::Send);
        };
        let interface = String::from_utf8_lossy(interface).into_owned();
        let wanted = request.word(range.end / 4).unwrap_or(0);
        match self.globals.to_live(name) {
            None if waited < 2 * GRACE => Ok(Turn::Wait(format!("a global {interface}"))),
            None => Err(Problem::NoGlobal { interface }),
            Some((_, offered)) if offered < wanted => {
                Err(Problem::OldGlobal { interface, wanted, offered })
            }
            Some((live, _)) => {
                request.patch(0, live);
                Ok(Turn::Send)
            }
        }
    }

    fn acknowledge(
        &mut self,
        request: &mut Heard,
        waited: Duration,
        left_out: &mut LeftOut,
    ) -> Turn {
        let configures = self.configures.entry(request.sender).or_default();
        let recorded = configures.told.iter().position(|told| Some(*told) == request.word(0));
        // As many as had come, or all that have.
        let answered = recorded.map_or(1, |index| index + 1).min(configures.live.len());
        if answered <= configures.answered {
            if configures.answered > 0 && waited >= GRACE {
                left_out.acks += 1;
                return Turn::LeaveOut;
            }
            return Turn::Wait(format!("{}@{}.configure", request.interface, request.sender));
        }
        configures.answered = answered;
        request.patch(0, configures.live[answered - 1]);
        Turn::Send
    }

    fn give_back_serial(&self, request: &mut Heard) {
        let Some(word) = serials::gives_back(request.interface, request.opcode) else { return };
        let serial = request.word(word);
        let event = serial.and_then(|serial| self.serials_told.get(&serial));
        if let Some(serial) = event.and_then(|event| self.serials_live.get(event)) {
            request.patch(word * 4, *serial);
        }
    }

    /// Sends a request whose turn has come.
    pub(super) fn send(&mut self, request: &Heard, fds: Vec<OwnedFd>) -> Result<(), Problem> {
        let mut request = request.clone();
        for id in request.made() {
            self.highest = self.highest.max(id.0);
            self.used.insert(id);
            self.waits.forget(id);
            self.made.forget(id);
            self.configures.remove(&id);
            self.capabilities.remove(&id);
            let is_stand_in = request.is(InterfaceId::WlDisplay, wl_display::REQ_SYNC_OPCODE);
            if !is_stand_in {
                self.stand_ins.remove(&id);
            }
        }
        for (at, id) in request.named() {
            request.patch(at, self.made.to_live(id).unwrap_or(id).0);
        }
        let sender = self.made.to_live(request.sender).unwrap_or(request.sender);
        self.say(sender, request.opcode, &request.body, fds)
    }

    fn say(
        &mut self,
        sender: ObjectId,
        opcode: u16,
        body: &[u8],
        fds: Vec<OwnedFd>,
    ) -> Result<(), Problem> {
        let mut bytes = Vec::new();
        Writer::message(&mut bytes, sender, opcode, |w| {
            for word in body.chunks_exact(4) {
                w.uint(u32::from_ne_bytes([word[0], word[1], word[2], word[3]]));
            }
        });
        let fed = self.live.feed(Side::Client, &bytes, fds, 0, &mut self.inbox);
        self.inbox.0.retain(|heard| heard.direction == Direction::Event);
        fed.map(drop).map_err(Problem::Live)
    }

    /// Sends what waits. `false` if the socket is full.
    pub(super) fn flush(&mut self) -> Result<bool, Problem> {
        while let Some(transmit) = self.live.poll_transmit(Side::Compositor) {
            match send(&self.socket, &transmit) {
                Ok(sent) => self.live.handle_transmitted(Side::Compositor, sent),
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => return Ok(false),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => {
                    // What the compositor has to say about it may wait to be read.
                    self.listen()?;
                    return Err(Problem::Connection(e));
                }
            }
        }
        Ok(true)
    }

    /// Reads what the compositor said, and takes note of it.
    pub(super) fn listen(&mut self) -> Result<(), Problem> {
        let mut fds = Vec::new();
        loop {
            let received = match receive(&self.socket, self.live.spare(Side::Compositor), &mut fds)
            {
                Ok(received) => received,
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(Problem::Connection(e)),
            };
            if received.len == 0 {
                return Err(Problem::HungUp);
            }
            let from = Side::Compositor;
            let passed =
                self.live.handle_received(from, received.len, &mut fds, 0, &mut self.inbox);
            self.live.take(Side::Client);
            for event in std::mem::take(&mut self.inbox.0) {
                self.hear(&event)?;
            }
            passed.map_err(Problem::Live)?;
        }
    }

    /// An event of the compositor.
    fn hear(&mut self, event: &Heard) -> Result<(), Problem> {
        let (sender, opcode) = (self.made.to_told(event.sender), event.opcode);
        self.waits.came(sender, opcode);
        for id in event.made() {
            self.made.live(sender, opcode, id);
        }
        let Some(first) = event.word(0) else { return Ok(()) };
        match (event.interface, opcode) {
            (InterfaceId::WlDisplay, wl_display::EVT_ERROR_OPCODE) => return Err(refusal(event)),
            (InterfaceId::WlDisplay, wl_display::EVT_DELETE_ID_OPCODE) => {
                self.used.remove(&ObjectId(first));
            }
            (InterfaceId::WlRegistry, wl_registry::EVT_GLOBAL_OPCODE) => {
                if let Some((interface, range)) = event.string(4) {
                    let version = event.word(range.end / 4).unwrap_or(0);
                    self.globals.live(first, interface, version);
                }
            }
            (InterfaceId::WlSeat, wl_seat::EVT_CAPABILITIES_OPCODE) => {
                self.capabilities.insert(sender, first);
            }
            (InterfaceId::WlCallback, _) if self.asked == Some(event.sender) => self.asked = None,
            (InterfaceId::XdgWmBase, xdg_wm_base::EVT_PING_OPCODE) => {
                self.say(event.sender, xdg_wm_base::REQ_PONG_OPCODE, &event.body, Vec::new())?;
            }
            (InterfaceId::WlShellSurface, wl_shell_surface::EVT_PING_OPCODE) => {
                self.say(event.sender, wl_shell_surface::REQ_PONG_OPCODE, &event.body, Vec::new())?;
            }
            _ if serials::is_configure(event) => {
                self.configures.entry(sender).or_default().live.push(first);
            }
            (interface, _) if serials::brings(interface, opcode) => {
                self.serials_live.insert((sender, opcode), first);
            }
            _ => {}
        }
        Ok(())
    }

    /// Sends a `wl_display.sync` of our own, behind all that the client said. Its id is the next
    /// that was never used, and free again with the answer, before the client comes to use it.
    pub(super) fn ask_to_answer(&mut self) -> Result<(), Problem> {
        let id = ObjectId(self.highest + 1);
        self.highest = id.0;
        self.used.insert(id);
        self.asked = Some(id);
        let body = id.0.to_ne_bytes();
        self.say(ObjectId::DISPLAY, wl_display::REQ_SYNC_OPCODE, &body, Vec::new())
    }

    pub(super) fn has_answered(&self) -> bool {
        self.asked.is_none()
    }
}

/// `wl_display.error(object_id, code, message)`
fn refusal(event: &Heard) -> Problem {
    let text = event.string(8).map(|(text, _)| String::from_utf8_lossy(text).into_owned());
    Problem::Refused {
        object: format!("object {}", event.word(0).unwrap_or(0)),
        code: event.word(1).unwrap_or(0),
        text: text.unwrap_or_default(),
    }
}

#[cfg(test)]
#[path = "peer_tests.rs"]
mod tests;
