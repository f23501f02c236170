//! A network between a player and its server that can break.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The largest datagram.
const MOST: usize = 65_536;

/// Passes datagrams on, for as long as the test's process lives.
pub(crate) struct Relay {
    /// The server's link, by way of this.
    pub(crate) link: String,
    whole: Arc<AtomicBool>,
}

impl Relay {
    /// In front of the server of a link.
    pub(crate) fn new(link: &str) -> Self {
        let rest = link.strip_prefix("http://127.0.0.1:").unwrap();
        let (port, secret) = rest.split_once('/').unwrap();
        let server = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
        let front = UdpSocket::bind("127.0.0.1:0").unwrap();
        let link = format!("http://{}/{secret}", front.local_addr().unwrap());
        let whole = Arc::new(AtomicBool::new(true));
        let passes = Arc::clone(&whole);
        thread::spawn(move || serve(&front, server, &passes));
        Self { link, whole }
    }

    /// Nothing arrives any more, until [`Relay::mend`].
    pub(crate) fn tear(&self) {
        self.whole.store(false, Ordering::Relaxed);
    }

    pub(crate) fn mend(&self) {
        self.whole.store(true, Ordering::Relaxed);
    }
}

/// Each player has a socket of its own towards the server, as it has behind a router.
fn serve(front: &UdpSocket, server: SocketAddr, whole: &Arc<AtomicBool>) {
    let mut players: HashMap<SocketAddr, UdpSocket> = HashMap::new();
    let mut buffer = vec![0; MOST];
    loop {
        let Ok((len, from)) = front.recv_from(&mut buffer) else { continue };
        if !whole.load(Ordering::Relaxed) {
            continue;
        }
        let back = players.entry(from).or_insert_with(|| {
            let back = UdpSocket::bind("127.0.0.1:0").unwrap();
            back.connect(server).unwrap();
            let (back_in, front_out) = (back.try_clone().unwrap(), front.try_clone().unwrap());
            let whole = Arc::clone(whole);
            thread::spawn(move || answer(&back_in, &front_out, from, &whole));
            back
        });
        let _ = back.send(&buffer[..len]);
    }
}

fn answer(back: &UdpSocket, front: &UdpSocket, player: SocketAddr, whole: &AtomicBool) {
    let mut buffer = vec![0; MOST];
    loop {
        match back.recv(&mut buffer) {
            Ok(len) if whole.load(Ordering::Relaxed) => {
                let _ = front.send_to(&buffer[..len], player);
            }
            Ok(_) => {}
            // Nobody listens: the next datagram may find somebody.
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
}
