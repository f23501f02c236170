//! Messages written by hand, and a session that a tap watches.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::File;
use std::sync::Arc;
use std::task::Waker;

use stratus_proxy_core::{
    ClientId, GlobalPolicy, Hook, Observed, PassThrough, Rules, Session, Side,
};
use stratus_trace::{Feed, Hub, Options, Printer, QUEUE_LIMIT, Tap};

/// A message of 32-bit arguments.
pub fn message(object: u32, opcode: u16, words: &[u32]) -> Vec<u8> {
    let size = 8 + 4 * words.len() as u32;
    let mut bytes = object.to_ne_bytes().to_vec();
    bytes.extend((size << 16 | u32::from(opcode)).to_ne_bytes());
    bytes.extend(words.iter().flat_map(|w| w.to_ne_bytes()));
    bytes
}

/// The words of an array argument.
pub fn array(bytes: &[u8]) -> Vec<u32> {
    let mut words = vec![bytes.len() as u32];
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    words.extend(bytes.chunks(4).map(|c| u32::from_ne_bytes([c[0], c[1], c[2], c[3]])));
    words
}

/// The words of a string argument.
pub fn text(text: &[u8]) -> Vec<u32> {
    array(&[text, b"\0"].concat())
}

pub fn global(name: u32, interface: &str, version: u32) -> Vec<u8> {
    message(2, 0, &[vec![name], text(interface.as_bytes()), vec![version]].concat())
}

pub fn bind(name: u32, interface: &str, version: u32, id: u32) -> Vec<u8> {
    message(2, 0, &[vec![name], text(interface.as_bytes()), vec![version, id]].concat())
}

/// A session that a tap watches, with its hub.
pub struct Stage<H = PassThrough> {
    pub hub: Hub,
    pub hook: Observed<H, Tap>,
    pub session: Session,
}

impl<H: Hook> Stage<H> {
    pub fn new(hook: H) -> Self {
        let (hub, tap) = Hub::new(Waker::noop().clone());
        let rules = Arc::new(Rules::new(&hook.interests(), GlobalPolicy::default()));
        let session = Session::new(ClientId(1), rules);
        Self { hub, hook: Observed { hook, observer: tap }, session }
    }

    /// Lets a peer say this, with as many fds, as the proxy's loop would.
    pub fn say(&mut self, from: Side, bytes: &[u8], fds: usize) {
        self.session.set_observed(self.hook.observes());
        let open = |_| File::open("/dev/null").unwrap().into();
        let fds = (0..fds).map(open).collect();
        // A breach of the protocol is a part of what is traced.
        let _ = self.session.feed(from, bytes, fds, 0, &mut self.hook);
    }

    pub fn request(&mut self, bytes: &[u8]) {
        self.say(Side::Client, bytes, 0);
    }

    pub fn event(&mut self, bytes: &[u8]) {
        self.say(Side::Compositor, bytes, 0);
    }

    /// Registry (2) with the globals, numbered from 1, in the newest version of the tables.
    pub fn globals(&mut self, interfaces: &[&str]) {
        self.request(&message(1, 1, &[2]));
        for (name, interface) in (1..).zip(interfaces) {
            let version = stratus_protocols::InterfaceId::find(interface).unwrap().version();
            self.event(&global(name, interface, version));
        }
    }

    pub fn feed(&self) -> Feed {
        self.hub.attach(QUEUE_LIMIT)
    }

    /// Ends the session, and gives the lines of all that `feed` heard.
    pub fn lines(self, feed: Feed, options: &Options) -> Vec<String> {
        drop(self.hook);
        let mut out = Vec::new();
        Printer::new(options).unwrap().print_all(feed, &mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }
}
