//! What the client does with seats, outputs, the selection and globals; and the list of all that
//! it can do.

use super::{Player, State, pick};
use crate::arg::Arg;

/// One thing to do; four bytes choose with what. Where there is nothing to do it with, or it
/// would break a rule, nothing is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Barrier,
    Flush,
    Show,
    Window,
    Acknowledge,
    Command,
    CreateSurface,
    DestroySurface,
    Attach,
    Detach,
    Damage,
    Frame,
    Commit,
    SetOnSurface,
    Region,
    CreatePool,
    ManyPools,
    ResizePool,
    DestroyPool,
    CreateBuffer,
    CreatePixel,
    DestroyBuffer,
    GetSubsurface,
    Subsurface,
    Viewport,
    Feedback,
    Toplevel,
    Geometry,
    Positioner,
    Popup,
    Reposition,
    DestroyRole,
    DestroyXdgSurface,
    Pong,
    Bind,
    Registry,
    Input,
    SetCursor,
    Selection,
    Receive,
    DestroySomething,
}

impl Act {
    /// All acts, those of which many are wanted several times.
    pub(crate) const CHOICE: &[Self] = &[
        Self::Barrier,
        Self::Barrier,
        Self::Barrier,
        Self::Barrier,
        Self::Flush,
        Self::Flush,
        Self::Show,
        Self::Show,
        Self::Show,
        Self::Show,
        Self::Window,
        Self::Window,
        Self::Acknowledge,
        Self::Acknowledge,
        Self::Acknowledge,
        Self::Acknowledge,
        Self::Command,
        Self::Command,
        Self::Command,
        Self::Command,
        Self::CreateSurface,
        Self::CreateSurface,
        Self::DestroySurface,
        Self::Attach,
        Self::Detach,
        Self::Damage,
        Self::Frame,
        Self::Commit,
        Self::Commit,
        Self::SetOnSurface,
        Self::Region,
        Self::CreatePool,
        Self::ManyPools,
        Self::ResizePool,
        Self::DestroyPool,
        Self::CreateBuffer,
        Self::CreateBuffer,
        Self::CreatePixel,
        Self::DestroyBuffer,
        Self::GetSubsurface,
        Self::GetSubsurface,
        Self::Subsurface,
        Self::Subsurface,
        Self::Subsurface,
        Self::Viewport,
        Self::Feedback,
        Self::Toplevel,
        Self::Toplevel,
        Self::Geometry,
        Self::Positioner,
        Self::Popup,
        Self::Popup,
        Self::Reposition,
        Self::DestroyRole,
        Self::DestroyXdgSurface,
        Self::Pong,
        Self::Bind,
        Self::Registry,
        Self::Input,
        Self::Input,
        Self::SetCursor,
        Self::Selection,
        Self::Selection,
        Self::Receive,
        Self::DestroySomething,
    ];
}

impl Player {
    /// Does it, or nothing. Fails only if an answer does not come.
    pub(crate) fn act(&mut self, act: Act, s: [u8; 4]) -> anyhow::Result<()> {
        let done = match act {
            Act::Barrier => {
                let open = self.barrier()?;
                anyhow::ensure!(open, "the connection ended after a legal request");
                Some(())
            }
            Act::Flush => {
                self.send(0)?;
                Some(())
            }
            Act::Show => self.show(s),
            Act::Window => self.window(s),
            Act::Acknowledge => self.acknowledge(s),
            Act::Command => self.spell(s),
            Act::CreateSurface => self.create_surface(s[0]).map(drop),
            Act::DestroySurface => self.destroy_surface(s[0]),
            Act::Attach => self.attach(s).map(drop),
            Act::Detach => self.detach(s[0]),
            Act::Damage => self.any_surface(s[0]).map(|id| self.damage(id, s)),
            Act::Frame => self.any_surface(s[0]).map(|id| self.frame(id)),
            Act::Commit => self.commit_one(s[0]),
            Act::SetOnSurface => self.set_on_surface(s),
            Act::Region => self.region(s),
            Act::CreatePool => self.create_pool(s[0]).map(drop),
            // More fds than go with one system call.
            Act::ManyPools => (0..s[0] % 64).try_for_each(|_| self.create_pool(s[1]).map(drop)),
            Act::ResizePool => self.resize_pool(s),
            Act::DestroyPool => self.destroy_one("wl_shm_pool", "destroy", s[0]),
            Act::CreateBuffer => self.create_buffer(s).map(drop),
            Act::CreatePixel => self.create_pixel(s).map(drop),
            Act::DestroyBuffer => self.destroy_buffer(s[0]),
            Act::GetSubsurface => self.get_subsurface(s).map(drop),
            Act::Subsurface => self.subsurface(s),
            Act::Viewport => self.viewport(s),
            Act::Feedback => self.feedback(s),
            Act::Toplevel => self.toplevel(s),
            Act::Geometry => self.geometry(s),
            Act::Positioner => self.positioner(s),
            Act::Popup => self.popup(s),
            Act::Reposition => self.reposition(s),
            Act::DestroyRole => self.destroy_role(s),
            Act::DestroyXdgSurface => self.destroy_xdg_surface(s[0]),
            Act::Pong => self.pong(),
            Act::Bind => self.bind_again(s),
            Act::Registry => {
                self.create(1, "get_registry", vec![Arg::New(0)], None);
                Some(())
            }
            Act::Input => self.input(s),
            Act::SetCursor => self.set_cursor(s),
            Act::Selection => self.selection(s),
            Act::Receive => self.receive(s),
            Act::DestroySomething => self.destroy_something(s),
        };
        // Nothing was there to do it with.
        let _ = done;
        Ok(())
    }

    fn any_surface(&self, choice: u8) -> Option<u32> {
        pick(&self.all("wl_surface"), choice)
    }

    fn destroy_one(&mut self, interface: &str, how: &str, choice: u8) -> Option<()> {
        let id = self.one(interface, how, choice)?;
        self.request(id, how, vec![], None);
        Some(())
    }

    fn spell(&mut self, s: [u8; 4]) -> Option<()> {
        const SPELLS: [&str; 11] = [
            "tick",
            "configure",
            "prefer",
            "close",
            "dismiss",
            "ping",
            "point",
            "type",
            "keymap",
            "offer",
            "global",
        ];
        let spell = match s[0] % 12 {
            11 => format!("mode {} {}", 640 + u32::from(s[1]), 480),
            1 => format!("configure {} {}", 100 + u32::from(s[1]), 80 + u32::from(s[2])),
            number => SPELLS[usize::from(number)].to_owned(),
        };
        self.command(spell);
        Some(())
    }

    fn bind_again(&mut self, s: [u8; 4]) -> Option<()> {
        let count = self.globals();
        let index = (count > 0).then(|| usize::from(s[0]) % count)?;
        let most = self.global_version(index);
        self.bind(index, 1 + u32::from(s[1]) % most).map(drop)
    }

    fn input(&mut self, s: [u8; 4]) -> Option<()> {
        let name = ["get_pointer", "get_keyboard", "get_touch"][usize::from(s[1] % 3)];
        if s[2].is_multiple_of(4) {
            let interface = ["wl_pointer", "wl_keyboard", "wl_touch"][usize::from(s[1] % 3)];
            return self.destroy_one(interface, "release", s[3]);
        }
        let seat = self.one("wl_seat", name, s[0])?;
        self.create(seat, name, vec![Arg::New(0)], None);
        Some(())
    }

    fn set_cursor(&mut self, s: [u8; 4]) -> Option<()> {
        use super::surface::Role;
        let pointer = self.one("wl_pointer", "set_cursor", s[0])?;
        let free = self.surfaces(|surface| {
            matches!(surface.role, Role::None | Role::Cursor) && surface.xdg.is_none()
        });
        let surface = pick(&free, s[1]).filter(|_| !s[2].is_multiple_of(4));
        let object = Arg::Object(surface.unwrap_or(0));
        let args = vec![Arg::Uint(self.serial), object, Arg::Int(1), Arg::Int(2)];
        self.request(pointer, "set_cursor", args, None);
        if let Some(surface) = surface {
            self.surface_mut(surface).role = Role::Cursor;
        }
        Some(())
    }

    fn selection(&mut self, s: [u8; 4]) -> Option<()> {
        let manager = self.one("wl_data_device_manager", "get_data_device", s[0])?;
        let mut sources = self.all("wl_data_source");
        sources.retain(|id| {
            matches!(self.objects[id].state, State::Source { used: false }) && *id != self.wand
        });
        let device = pick(&self.all("wl_data_device"), s[0]);
        match (s[1] % 4, device, pick(&sources, s[2])) {
            (0, _, _) => {
                let seat = Arg::Object(pick(&self.all("wl_seat"), s[2])?);
                self.create(manager, "get_data_device", vec![Arg::New(0), seat], None);
            }
            (2, Some(device), Some(source)) => {
                let args = vec![Arg::Object(source), Arg::Uint(self.serial)];
                self.request(device, "set_selection", args, None);
                if let Some(object) = self.objects.get_mut(&source) {
                    object.state = State::Source { used: true };
                }
            }
            (3, Some(device), _) if s[2].is_multiple_of(4) => {
                let args = vec![Arg::Object(0), Arg::Uint(self.serial)];
                self.request(device, "set_selection", args, None);
            }
            _ => {
                let state = State::Source { used: false };
                let made = vec![Arg::New(0)];
                let source = self.create(manager, "create_data_source", made, state);
                for mime in ["text/plain", "image/png"] {
                    self.request(source, "offer", vec![Arg::Text(mime.to_owned())], None);
                }
            }
        }
        Some(())
    }

    /// Asks for a selection; the fd comes back through the source, which is ours too.
    fn receive(&mut self, s: [u8; 4]) -> Option<()> {
        let (offer, mime) = pick(&self.mimes, s[0])?;
        if s[1].is_multiple_of(4) {
            self.request(offer, "destroy", vec![], None);
            return Some(());
        }
        let (read, write) = nix::unistd::pipe().ok()?;
        drop(read);
        self.files += 1;
        let label = format!("pipe {}", self.files);
        self.identities.name(&write, label.clone());
        self.request(offer, "receive", vec![Arg::Text(mime), Arg::Fd(label)], Some(write));
        Some(())
    }

    /// One of the objects that may go at any time.
    fn destroy_something(&mut self, s: [u8; 4]) -> Option<()> {
        const WHAT: [(&str, &str); 10] = [
            ("wl_output", "release"),
            ("wl_seat", "release"),
            ("wl_data_device", "release"),
            ("wl_data_source", "destroy"),
            ("zxdg_output_v1", "destroy"),
            ("wl_subcompositor", "destroy"),
            ("wp_viewporter", "destroy"),
            ("wp_presentation", "destroy"),
            ("wp_single_pixel_buffer_manager_v1", "destroy"),
            ("xdg_wm_base", "destroy"),
        ];
        let (interface, how) = WHAT[usize::from(s[0]) % WHAT.len()];
        if s[1].is_multiple_of(2) {
            let manager = self.one("zxdg_output_manager_v1", "get_xdg_output", s[2])?;
            let output = Arg::Object(pick(&self.all("wl_output"), s[3])?);
            self.create(manager, "get_xdg_output", vec![Arg::New(0), output], None);
            return Some(());
        }
        let id = self.one(interface, how, s[2])?;
        let has_surfaces = interface == "xdg_wm_base" && !self.all("xdg_surface").is_empty();
        if id == self.wand || has_surfaces {
            return None;
        }
        self.request(id, how, vec![], None);
        Some(())
    }
}
