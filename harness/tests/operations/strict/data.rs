//! Seats, and the selection: fds that go from a client to the compositor and back.

use std::collections::BTreeMap;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};

use nix::sys::memfd::{MFdFlags, memfd_create};
use stratus_harness::compositor::send::{Arg, int, object, text, uint};
use wayland_backend::protocol::Argument;
use wayland_backend::server::ObjectId;

use super::surface::Role;
use super::{Desk, Judged, Request, wrong};

#[derive(Default)]
pub(crate) struct Exchange {
    /// Mime types of each data source.
    sources: BTreeMap<u32, Vec<String>>,
    /// Offer to source.
    offers: BTreeMap<u32, u32>,
    selection: Option<u32>,
    keymaps: u32,
}

impl Exchange {
    pub(super) fn forget(&mut self, id: u32) {
        self.sources.remove(&id);
        self.offers.remove(&id);
        self.offers.retain(|_, source| *source != id);
        self.selection.take_if(|source| *source == id);
    }
}

fn fd(fd: &OwnedFd) -> Arg {
    // The backend duplicates it when the event is queued.
    Argument::Fd(fd.as_raw_fd())
}

impl Desk {
    pub(super) fn data_request(&mut self, interface: &str, name: &str, r: Request) -> Judged {
        match (interface, name) {
            ("wl_seat", "get_keyboard") => {
                self.keymap(r.id(0));
                self.send(r.id(0), "repeat_info", [int(25), int(600)]);
            }
            ("wl_pointer", "set_cursor") => return self.set_cursor(&r),
            ("wl_data_device_manager", "create_data_source") => {
                self.data.sources.insert(r.id(0), Vec::new());
            }
            ("wl_data_source", "offer") => {
                let spell = r.text(0).to_owned();
                if let Some(spell) = spell.strip_prefix("do ") {
                    self.obey(spell);
                } else {
                    self.data.sources.entry(r.sender).or_default().push(spell);
                }
            }
            ("wl_data_device_manager", "get_data_device") => self.offer_to(r.id(0)),
            ("wl_data_device", "set_selection") => {
                let new = Some(r.id(0)).filter(|source| *source != 0);
                let old = std::mem::replace(&mut self.data.selection, new);
                if let Some(old) = old.filter(|old| Some(*old) != new) {
                    self.send(old, "cancelled", []);
                }
                self.offer();
            }
            ("wl_data_offer", "receive") => {
                if let (Some(source), Some(pipe)) = (self.data.offers.get(&r.sender), &r.fd) {
                    self.send(*source, "send", [text(r.text(0)), fd(pipe)]);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn set_cursor(&mut self, r: &Request) -> Judged {
        const ROLE: u32 = 0;
        let id = r.id(1);
        if id == 0 {
            return Ok(());
        }
        let surface = self.surfaces.all.get_mut(&id).expect("a surface");
        if surface.xdg.is_some() || !matches!(surface.role, Role::None | Role::Cursor) {
            return wrong(r.sender, ROLE, "the surface has another role");
        }
        surface.role = Role::Cursor;
        Ok(())
    }

    /// Sends a keymap of its own to a keyboard.
    pub(super) fn keymap(&mut self, keyboard: u32) {
        self.data.keymaps += 1;
        let file = memfd_create("keymap", MFdFlags::MFD_CLOEXEC).unwrap();
        let label = format!("keymap {}", self.data.keymaps);
        nix::unistd::write(&file, label.as_bytes()).unwrap();
        self.identities.name(file.as_fd(), label.clone());
        const XKB_V1: u32 = 1;
        self.send(keyboard, "keymap", [uint(XKB_V1), fd(&file), uint(label.len() as u32)]);
    }

    /// Offers the selection to all data devices.
    pub(super) fn offer(&mut self) {
        for device in self.all("wl_data_device") {
            self.offer_to(device);
        }
    }

    fn offer_to(&mut self, device: u32) {
        let Some(device) = self.ids.get(&device).cloned() else { return };
        let Some(source) = self.data.selection else {
            let none = Argument::Object(ObjectId::null());
            return self.send(device.protocol_id(), "selection", [none]);
        };
        let (Ok(info), Ok(client)) =
            (self.handle.object_info(device.clone()), self.handle.get_client(device.clone()))
        else {
            return;
        };
        let interface = device.interface().events[0].child_interface.expect("of data_offer");
        let made = self.handle.create_object::<Self>(
            client,
            interface,
            info.version,
            std::sync::Arc::new(super::Anything),
        );
        let Ok(offer) = made else { return };
        self.learn(offer.clone());
        self.data.offers.insert(offer.protocol_id(), source);
        self.send(device.protocol_id(), "data_offer", [Argument::NewId(offer.clone())]);
        for mime in self.data.sources.get(&source).cloned().unwrap_or_default() {
            self.send(offer.protocol_id(), "offer", [text(&mime)]);
        }
        self.send(device.protocol_id(), "selection", [object(&offer)]);
    }
}
