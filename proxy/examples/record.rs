//! Records what the first client says and hears, for the bench `forward`.
//!
//! Usage: `record SOCKET-PATH COMPOSITOR-PATH FILE SECONDS`; then start a program with
//! WAYLAND_DISPLAY set to the socket's path. A record in the file is one byte for the way (0: to
//! the compositor, 1: to the client), one for the number of fds, two of padding, and the message.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::Duration;

use anyhow::Context as _;
use stratus_protocols::InterfaceId;
use stratus_proxy::core::{
    ClientId, Context, Direction, GlobalPolicy, HEADER_LEN, Hook, Interest, Malformed, Message,
    Verdict,
};
use stratus_proxy::{Proxy, ProxyConfig, SocketName, Wakeup};

struct Recorder {
    file: BufWriter<File>,
    first: Option<ClientId>,
}

impl Recorder {
    fn write(&mut self, cx: &Context<'_>, m: &Message<'_>, way: u8) -> Verdict {
        if *self.first.get_or_insert(cx.client()) == cx.client() {
            let size = (HEADER_LEN + m.body().len()) as u32;
            let word = size << 16 | u32::from(m.opcode);
            let parts: [&[u8]; 4] = [
                &[way, m.fd_count() as u8, 0, 0],
                &m.sender.0.to_ne_bytes(),
                &word.to_ne_bytes(),
                m.body(),
            ];
            for part in parts {
                if let Err(error) = self.file.write_all(part) {
                    tracing::error!("cannot write the record: {error}");
                }
            }
        }
        Verdict::Forward
    }
}

impl Hook for Recorder {
    fn interests(&self) -> Vec<Interest> {
        let of = |interface: InterfaceId, direction, count: usize| {
            (0..count as u16).map(move |opcode| Interest { interface, direction, opcode })
        };
        InterfaceId::ALL
            .iter()
            .flat_map(|&id| {
                let table = id.interface();
                of(id, Direction::Request, table.requests.len()).chain(of(
                    id,
                    Direction::Event,
                    table.events.len(),
                ))
            })
            .collect()
    }

    fn request(&mut self, cx: &mut Context<'_>, m: &mut Message<'_>) -> Result<Verdict, Malformed> {
        Ok(self.write(cx, m, 0))
    }

    fn event(&mut self, cx: &mut Context<'_>, m: &mut Message<'_>) -> Result<Verdict, Malformed> {
        Ok(self.write(cx, m, 1))
    }
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [socket, upstream, file, seconds] = &args[..] else {
        anyhow::bail!("usage: record SOCKET-PATH COMPOSITOR-PATH FILE SECONDS");
    };
    let file = BufWriter::new(File::create(file).with_context(|| format!("creating {file}"))?);
    let config = ProxyConfig {
        socket: SocketName::new(OsStr::new(socket), None)?,
        upstream: upstream.into(),
        policy: GlobalPolicy::default(),
    };
    let proxy = Proxy::bind(config, Recorder { file, first: None }, Wakeup::new()?)?;
    let (handle, seconds) = (proxy.handle(), seconds.parse()?);
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(seconds));
        handle.stop();
    });
    Ok(proxy.run()?)
}
