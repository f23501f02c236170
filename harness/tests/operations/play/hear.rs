//! What the client makes of events.

use anyhow::{Context as _, bail, ensure};
use stratus_harness::raw::RawEvent;
use wayland_backend::protocol::ArgumentType;

use super::{Heard, Object, Player, State};
use crate::arg::Arg;

impl Player {
    /// Takes note of an event. Its fds must have come with or before its bytes.
    pub(super) fn hear(&mut self, raw: RawEvent) -> anyhow::Result<()> {
        let Some(object) = self.objects.get(&raw.sender) else {
            bail!("an event from object {}, which there is not: {raw:?}", raw.sender);
        };
        let (interface, version) = (object.interface, object.version);
        let event = interface.events.get(usize::from(raw.opcode));
        let event = event.with_context(|| format!("{} has no such event", interface.name))?;
        let args = self.decode(&raw, event.signature)?;
        if let (Some(interface), Some(Arg::New(id))) =
            (event.child_interface, args.iter().find(|arg| matches!(arg, Arg::New(_))))
        {
            let object = Object { interface, version, alive: true, state: State::Plain };
            self.objects.insert(*id, object);
        }
        let heard = Heard { interface: interface.name, name: event.name, args, raw };
        self.learn(&heard);
        if event.is_destructor {
            self.let_go(heard.raw.sender);
        }
        self.heard.push(heard);
        Ok(())
    }

    fn decode(&mut self, raw: &RawEvent, signature: &[ArgumentType]) -> anyhow::Result<Vec<Arg>> {
        let (mut at, mut args) = (0, Vec::new());
        for kind in signature {
            if let ArgumentType::Fd = kind {
                let fd = self.way.take_fd().context("an event came before its fd")?;
                args.push(Arg::Fd(self.identities.label(&fd)));
                continue;
            }
            let word = raw.word(at).context("an event is too short")?;
            at += 1;
            args.push(match kind {
                ArgumentType::Int => Arg::Int(word as i32),
                ArgumentType::Fixed => Arg::Fixed(word as i32),
                ArgumentType::Uint => Arg::Uint(word),
                ArgumentType::Object(_) => Arg::Object(word),
                ArgumentType::NewId => Arg::New(word),
                ArgumentType::Str(_) => {
                    let text = raw.string(at - 1).unwrap_or_default();
                    at += (word as usize).div_ceil(4);
                    Arg::Text(text)
                }
                ArgumentType::Array => {
                    let bytes = raw.body.get(at * 4..at * 4 + word as usize);
                    at += (word as usize).div_ceil(4);
                    Arg::Bytes(bytes.context("an array is too short")?.to_vec())
                }
                ArgumentType::Fd => unreachable!("taken above"),
            });
        }
        ensure!(at * 4 == raw.body.len(), "an event has bytes that its signature does not");
        Ok(args)
    }

    fn learn(&mut self, heard: &Heard) {
        let (sender, raw) = (heard.raw.sender, &heard.raw);
        let word = |index| raw.word(index).unwrap_or_default();
        // Events may be under way to what the client has destroyed.
        let alive = self.objects.get(&sender).is_some_and(|object| object.alive);
        match (heard.interface, heard.name) {
            ("wl_display", "delete_id") => {
                self.objects.remove(&word(0));
                self.free.push(word(0));
            }
            ("wl_registry", "global") => {
                let name = raw.string(1).unwrap_or_default();
                // Word 1 is the string's length.
                let version = word(2 + (word(1) as usize).div_ceil(4));
                if !self.globals.iter().any(|(number, _, _)| *number == word(0)) {
                    self.globals.push((word(0), name, version));
                }
            }
            ("wl_registry", "global_remove") => {
                self.globals.retain(|(number, _, _)| *number != word(0));
            }
            // One of the capture's own, which no compositor sent: the client leaves it open, as it
            // may, and so does the same with and without the capture.
            ("xdg_surface", "configure") if word(0) >= 1 << 31 => {}
            ("xdg_surface", "configure") => self.configured(sender, word(0)),
            ("xdg_wm_base", "ping") if alive => self.pings.push((sender, word(0))),
            ("wl_pointer" | "wl_keyboard", "enter") => self.serial = word(0),
            ("wl_data_offer", "offer") if alive => {
                self.mimes.push((sender, raw.string(0).unwrap_or_default()));
            }
            _ => {}
        }
    }
}
