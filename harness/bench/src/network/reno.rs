//! How fast a download may send, by the rules of TCP Reno (RFC 5681): slow start, one packet more a
//! round trip, half as many after a loss. No socket and no clock.

use std::collections::VecDeque;

/// Packets acknowledged behind one that is not, after which that one is lost.
const REORDERED: u64 = 3;
/// The least time without an acknowledgement after which all is lost, ns (RFC 6298 has a second;
/// Linux this).
const LEAST_TIMEOUT: u64 = 200_000_000;
/// Packets that may be on the way at first (RFC 6928).
const FIRST_WINDOW: f64 = 10.0;

/// Packets are numbered from 0; what is lost is not sent again, as nobody reads it.
pub(super) struct Reno {
    window: f64,
    /// Above it the window grows slowly.
    threshold: f64,
    /// Numbers on the way, each with when it was sent, oldest first.
    flying: VecDeque<(u64, u64)>,
    next: u64,
    /// A loss of one that was sent before this one was is no news.
    recovered_at: u64,
    /// Smoothed round trip, ns.
    round_trip: u64,
    last_news: u64,
}

impl Reno {
    pub(super) fn new(now: u64) -> Self {
        Self {
            window: FIRST_WINDOW,
            threshold: f64::INFINITY,
            flying: VecDeque::new(),
            next: 0,
            recovered_at: 0,
            round_trip: 100_000_000,
            last_news: now,
        }
    }

    /// The number of a packet to send now, if there is room for one.
    pub(super) fn poll_send(&mut self, now: u64) -> Option<u64> {
        if self.flying.len() as f64 >= self.window.floor() {
            return None;
        }
        let number = self.next;
        self.next += 1;
        if self.flying.is_empty() {
            self.last_news = now;
        }
        self.flying.push_back((number, now));
        Some(number)
    }

    /// Packet `number` has arrived.
    pub(super) fn handle_ack(&mut self, number: u64, now: u64) {
        let Some(place) = self.flying.iter().position(|(n, _)| *n == number) else { return };
        let sent = self.flying.remove(place).map_or(now, |(_, sent)| sent);
        self.last_news = now;
        self.round_trip = (self.round_trip * 7 + now.saturating_sub(sent)) / 8;
        self.window += if self.window < self.threshold { 1.0 } else { 1.0 / self.window.max(1.0) };
        while let Some((oldest, _)) = self.flying.front().copied() {
            if oldest + REORDERED > number {
                break;
            }
            self.flying.pop_front();
            self.handle_loss(oldest);
        }
    }

    /// One window is halved once, however many of it are lost.
    fn handle_loss(&mut self, number: u64) {
        if number >= self.recovered_at {
            self.threshold = (self.window / 2.0).max(2.0);
            self.window = self.threshold;
            self.recovered_at = self.next;
        }
    }

    /// Begins anew if nothing came back for too long. Call it now and then.
    pub(super) fn handle_time(&mut self, now: u64) {
        let patience = (self.round_trip * 3).max(LEAST_TIMEOUT);
        if !self.flying.is_empty() && now.saturating_sub(self.last_news) > patience {
            self.threshold = (self.window / 2.0).max(2.0);
            self.window = 1.0;
            self.flying.clear();
            self.recovered_at = self.next;
            self.last_news = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn send_all(reno: &mut Reno, now: u64) -> Vec<u64> {
        std::iter::from_fn(|| reno.poll_send(now)).collect()
    }

    #[test]
    fn the_window_doubles_until_a_loss_and_then_is_half() {
        let mut reno = Reno::new(0);
        let first = send_all(&mut reno, 0);
        assert_eq!(first.len(), 10);
        for n in &first {
            reno.handle_ack(*n, 10 * MS);
        }
        let second = send_all(&mut reno, 10 * MS);
        assert_eq!(second.len(), 20);
        // The first of these does not come: half, once, although two more are missing.
        for n in second.iter().skip(3) {
            reno.handle_ack(*n, 20 * MS);
        }
        let third = send_all(&mut reno, 20 * MS).len();
        assert!((10..=13).contains(&third), "{third}");
        // From here on one more a round trip.
        let flying: Vec<u64> = reno.flying.iter().map(|(n, _)| *n).collect();
        for n in flying {
            reno.handle_ack(n, 30 * MS);
        }
        let fourth = send_all(&mut reno, 30 * MS).len();
        assert!(fourth == third || fourth == third + 1, "{third} {fourth}");
    }

    #[test]
    fn silence_begins_anew_with_one_packet() {
        let mut reno = Reno::new(0);
        assert_eq!(send_all(&mut reno, 0).len(), 10);
        reno.handle_time(100 * MS);
        assert!(send_all(&mut reno, 100 * MS).is_empty());
        reno.handle_time(400 * MS);
        assert_eq!(send_all(&mut reno, 400 * MS), [10]);
        // What was given up may come after all, and means nothing then.
        reno.handle_ack(0, 401 * MS);
        assert!(send_all(&mut reno, 401 * MS).is_empty());
        reno.handle_ack(10, 410 * MS);
        assert_eq!(send_all(&mut reno, 410 * MS).len(), 2);
    }
}
