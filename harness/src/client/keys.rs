//! Keys and buttons that the scripted client hears of.

use wayland_client::protocol::{
    wl_keyboard::{self, WlKeyboard},
    wl_pointer::{self, WlPointer},
    wl_seat::{self, Capability, WlSeat},
};
use wayland_client::{Connection, Dispatch, QueueHandle, WEnum};

use super::events::Game;
use super::moments::now;

/// What a seat has, as far as it was asked for. A virtual keyboard comes and goes with who plays.
#[derive(Default)]
pub(crate) struct Devices {
    keyboard: Option<WlKeyboard>,
    pointer: Option<WlPointer>,
}

impl Dispatch<WlSeat, ()> for Game {
    fn event(
        game: &mut Self,
        seat: &WlSeat,
        event: wl_seat::Event,
        (): &(),
        _: &Connection,
        queue: &QueueHandle<Self>,
    ) {
        let wl_seat::Event::Capabilities { capabilities: WEnum::Value(has) } = event else {
            return;
        };
        // An object of a capability that went stays silent when it comes again.
        let devices = &mut game.devices;
        if !has.contains(Capability::Keyboard) {
            devices.keyboard.take().inspect(WlKeyboard::release);
        } else if devices.keyboard.is_none() {
            devices.keyboard = Some(seat.get_keyboard(queue, ()));
        }
        if !has.contains(Capability::Pointer) {
            devices.pointer.take().inspect(WlPointer::release);
        } else if devices.pointer.is_none() {
            devices.pointer = Some(seat.get_pointer(queue, ()));
        }
    }
}

impl Dispatch<WlKeyboard, ()> for Game {
    fn event(
        game: &mut Self,
        _: &WlKeyboard,
        event: wl_keyboard::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let pressed = WEnum::Value(wl_keyboard::KeyState::Pressed);
        if matches!(event, wl_keyboard::Event::Key { state, .. } if state == pressed) {
            game.presses.push_back(now());
        }
    }
}

impl Dispatch<WlPointer, ()> for Game {
    fn event(
        game: &mut Self,
        _: &WlPointer,
        event: wl_pointer::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let pressed = WEnum::Value(wl_pointer::ButtonState::Pressed);
        if matches!(event, wl_pointer::Event::Button { state, .. } if state == pressed) {
            game.presses.push_back(now());
        }
    }
}
