//! One who watches all messages of a session.

use stratus_proxy_core::{ClientId, Observer, Seen, Step};

/// Counts what it is shown.
#[derive(Default)]
pub(super) struct Watch {
    pub(super) active: bool,
    pub(super) clients: usize,
    pub(super) came: u64,
}

impl Observer for Watch {
    fn active(&self) -> bool {
        self.active
    }

    fn client_added(&mut self, _client: ClientId, _process: Option<u32>) {
        self.clients += 1;
    }

    fn seen(&mut self, seen: &Seen<'_>) {
        assert!(self.active, "nobody else is shown anything");
        self.came += u64::from(seen.step == Step::Came);
    }

    fn client_gone(&mut self, _client: ClientId) {
        self.clients -= 1;
    }
}
