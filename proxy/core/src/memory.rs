//! A session driven in memory, without sockets: for tests, benches and replay.

use std::os::fd::OwnedFd;

use crate::{Hook, Session, Side, Violation};

impl Session {
    /// Gives `bytes` and `fds` of `from` to the session as if they had been received. Returns how
    /// many bytes it took: fewer than there are when it stopped wanting them.
    ///
    /// # Errors
    /// As [`Session::handle_received`].
    pub fn feed<H: Hook + ?Sized>(
        &mut self,
        from: Side,
        bytes: &[u8],
        mut fds: Vec<OwnedFd>,
        now_ns: u64,
        hook: &mut H,
    ) -> Result<usize, Violation> {
        let mut rest = bytes;
        while !rest.is_empty() && self.wants_read(from) {
            let spare = self.spare(from);
            let len = spare.len().min(rest.len());
            let (now, later) = rest.split_at(len);
            spare[..len].copy_from_slice(now);
            rest = later;
            self.handle_received(from, len, &mut fds, now_ns, hook)?;
        }
        Ok(bytes.len() - rest.len())
    }

    /// Takes all that waits to go to `to`.
    pub fn take(&mut self, to: Side) -> (Vec<u8>, Vec<OwnedFd>) {
        let (mut bytes, mut fds) = (Vec::new(), Vec::new());
        while let Some(transmit) = self.poll_transmit(to) {
            for slice in transmit.slices() {
                bytes.extend_from_slice(slice);
            }
            let len = transmit.len();
            fds.extend(self.take_fds(to));
            self.handle_transmitted(to, len);
        }
        (bytes, fds)
    }
}
