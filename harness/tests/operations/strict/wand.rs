//! What a compositor does by its own will, done when a data source is offered the mime type
//! "do SOMETHING": in the order of the requests, and not whenever a clock says so.

use std::sync::Arc;

use stratus_harness::compositor::send::{Arg, array, int, object, text, uint};
use wayland_server::Resource as _;
use wayland_server::protocol::wl_seat::WlSeat;

use super::{Desk, Offer};

impl Desk {
    /// Says what a client expects to hear of a global that it has just bound.
    pub(super) fn introduce(&mut self, interface: &str, id: u32) {
        match interface {
            "wl_shm" => [0, 1, 0x3033_5258].into_iter().for_each(|format| {
                self.send(id, "format", [uint(format)]);
            }),
            "wl_output" => {
                let geometry = [0, 0, 300, 200, 0].map(int).into_iter();
                let names = [text("Harness"), text("strict"), int(0)];
                self.send(id, "geometry", geometry.chain(names));
                self.mode(id, (1024, 768));
                self.send(id, "scale", [int(1)]);
                self.send(id, "name", [text("STRICT-1")]);
                self.send(id, "done", []);
            }
            "wl_seat" => {
                self.send(id, "capabilities", [uint(7)]);
                self.send(id, "name", [text("seat0")]);
            }
            "wp_presentation" => self.send(id, "clock_id", [uint(1)]),
            _ => {}
        }
    }

    fn mode(&self, output: u32, (width, height): (i32, i32)) {
        self.send(output, "mode", [uint(3), int(width), int(height), int(60_000)]);
    }

    /// Does what the spell says.
    pub(super) fn obey(&mut self, spell: &str) {
        let mut words = spell.split(' ');
        let name = words.next().unwrap_or_default();
        let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or(1);
        match name {
            "tick" => self.tick(),
            "prefer" => self.prefer(),
            "configure" => {
                let size = (number(), number());
                self.configure_all(size);
            }
            "close" => self.tell_all("xdg_toplevel", "close"),
            "dismiss" => self.tell_all("xdg_popup", "popup_done"),
            "ping" => {
                for base in self.all("xdg_wm_base") {
                    let serial = self.serial();
                    self.send(base, "ping", [uint(serial)]);
                }
            }
            "mode" => {
                let size = (number(), number());
                for output in self.all("wl_output") {
                    self.mode(output, size);
                    self.send(output, "done", []);
                }
            }
            "point" => self.point(),
            "type" => self.press_keys(),
            "keymap" => {
                for keyboard in self.all("wl_keyboard") {
                    self.keymap(keyboard);
                }
            }
            "offer" => self.offer(),
            "global" => match self.extra.take() {
                None => {
                    let seat = WlSeat::interface();
                    let made = self.handle.create_global::<Self>(seat, 7, Arc::new(Offer));
                    self.extra = Some(made);
                }
                Some(extra) => self.handle.disable_global::<Self>(extra),
            },
            _ => panic!("the wand does not know {spell:?}"),
        }
    }

    fn tell_all(&self, interface: &str, what: &str) {
        for id in self.all(interface) {
            self.send(id, what, []);
        }
    }

    fn point(&mut self) {
        let Some(surface) = self.shown() else { return };
        let (enter, button, leave) = (self.serial(), self.serial(), self.serial());
        let fixed = |value: i32| Arg::Fixed(value * 256);
        let at = || self.ids[&surface].clone();
        for pointer in self.all("wl_pointer") {
            self.send(pointer, "enter", [uint(enter), object(&at()), fixed(3), fixed(4)]);
            self.send(pointer, "frame", []);
            self.send(pointer, "motion", [uint(5), fixed(6), fixed(7)]);
            self.send(pointer, "button", [uint(button), uint(5), uint(0x110), uint(1)]);
            self.send(pointer, "axis_source", [uint(0)]);
            self.send(pointer, "axis_value120", [uint(0), int(120)]);
            self.send(pointer, "axis", [uint(5), uint(0), fixed(10)]);
            self.send(pointer, "frame", []);
            self.send(pointer, "leave", [uint(leave), object(&at())]);
        }
        for touch in self.all("wl_touch") {
            let down = [uint(button), uint(5), object(&at()), int(0), fixed(1), fixed(2)];
            self.send(touch, "down", down);
            self.send(touch, "up", [uint(leave), uint(6), int(0)]);
            self.send(touch, "frame", []);
        }
    }

    fn press_keys(&mut self) {
        let Some(surface) = self.shown() else { return };
        let at = self.ids[&surface].clone();
        for keyboard in self.all("wl_keyboard") {
            let serials = [(); 4].map(|()| self.serial());
            self.send(keyboard, "enter", [uint(serials[0]), object(&at), array(&[30, 31])]);
            self.send(keyboard, "modifiers", [serials[1], 1, 0, 0, 0].map(uint));
            self.send(keyboard, "key", [serials[2], 7, 30, 1].map(uint));
            self.send(keyboard, "leave", [uint(serials[3]), object(&at)]);
        }
    }
}
