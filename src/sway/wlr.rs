//! The output of a compositor that lets itself be configured (`wlr-output-management`).

use std::os::unix::net::UnixStream;
use std::path::Path;

use stratus_frame::Size;
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::{Connection, Dispatch, EventQueue, Proxy, QueueHandle, event_created_child};
use wayland_protocols_wlr::output_management::v1::client::{
    zwlr_output_configuration_head_v1::ZwlrOutputConfigurationHeadV1,
    zwlr_output_configuration_v1::{self, ZwlrOutputConfigurationV1},
    zwlr_output_head_v1::{self, ZwlrOutputHeadV1},
    zwlr_output_manager_v1::{self, ZwlrOutputManagerV1},
    zwlr_output_mode_v1::ZwlrOutputModeV1,
};

use crate::failure::chain;

/// What the compositor told.
#[derive(Default)]
struct Told {
    heads: Vec<(ZwlrOutputHeadV1, bool)>,
    /// All heads are told as of this serial.
    serial: Option<u32>,
    /// Whether the configuration was taken.
    taken: Option<bool>,
}

fn connect(socket: &Path) -> Result<(EventQueue<Told>, ZwlrOutputManagerV1), String> {
    let stream = UnixStream::connect(socket).map_err(|e| e.to_string())?;
    let connection = Connection::from_socket(stream).map_err(|e| chain(&e))?;
    let (globals, queue) = registry_queue_init::<Told>(&connection).map_err(|e| chain(&e))?;
    let manager = globals.bind(&queue.handle(), 1..=1, ()).map_err(|e| chain(&e))?;
    Ok((queue, manager))
}

/// Gives the only enabled output of the compositor at `socket` this mode.
///
/// # Errors
/// Why that cannot be.
pub(super) fn set_mode(socket: &Path, size: Size, refresh_mhz: u32) -> Result<(), String> {
    let (mut queue, manager) = connect(socket)?;
    let mut told = Told::default();
    while told.serial.is_none() {
        queue.blocking_dispatch(&mut told).map_err(|e| chain(&e))?;
    }
    let serial = told.serial.unwrap_or_default();
    // Sway may still tell of its only output as it was before it was enabled.
    let only = told.heads.len() == 1;
    let mut heads = told.heads.iter().filter(|(_, enabled)| *enabled || only).map(|(head, _)| head);
    let (Some(head), None) = (heads.next(), heads.next()) else {
        return Err("it has several outputs, or none".into());
    };
    let handle = queue.handle();
    let configuration = manager.create_configuration(serial, &handle, ());
    let int = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    configuration.enable_head(head, &handle, ()).set_custom_mode(
        int(size.width),
        int(size.height),
        int(refresh_mhz),
    );
    configuration.apply();
    loop {
        match told.taken {
            Some(true) => return Ok(()),
            Some(false) => return Err(format!("the compositor refuses a mode of {size}")),
            None => queue.blocking_dispatch(&mut told).map_err(|e| chain(&e))?,
        };
    }
}

impl Dispatch<WlRegistry, GlobalListContents> for Told {
    fn event(
        _: &mut Self,
        _: &WlRegistry,
        _: wl_registry::Event,
        _: &GlobalListContents,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}

impl Dispatch<ZwlrOutputManagerV1, ()> for Told {
    fn event(
        told: &mut Self,
        _: &ZwlrOutputManagerV1,
        event: zwlr_output_manager_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            zwlr_output_manager_v1::Event::Head { head } => told.heads.push((head, false)),
            zwlr_output_manager_v1::Event::Done { serial } => told.serial = Some(serial),
            _ => {}
        }
    }

    event_created_child!(Self, ZwlrOutputManagerV1, [
        zwlr_output_manager_v1::EVT_HEAD_OPCODE => (ZwlrOutputHeadV1, ()),
    ]);
}

impl Dispatch<ZwlrOutputHeadV1, ()> for Told {
    fn event(
        told: &mut Self,
        head: &ZwlrOutputHeadV1,
        event: zwlr_output_head_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let zwlr_output_head_v1::Event::Enabled { enabled } = event {
            for (_, is) in told.heads.iter_mut().filter(|(other, _)| other.id() == head.id()) {
                *is = enabled != 0;
            }
        }
    }

    event_created_child!(Self, ZwlrOutputHeadV1, [
        zwlr_output_head_v1::EVT_MODE_OPCODE => (ZwlrOutputModeV1, ()),
    ]);
}

impl Dispatch<ZwlrOutputConfigurationV1, ()> for Told {
    fn event(
        told: &mut Self,
        _: &ZwlrOutputConfigurationV1,
        event: zwlr_output_configuration_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        told.taken = Some(matches!(event, zwlr_output_configuration_v1::Event::Succeeded));
    }
}

/// What is told of these does not matter.
macro_rules! ignore {
    ($($interface:ty),*) => {$(
        impl Dispatch<$interface, ()> for Told {
            fn event(
                _: &mut Self,
                _: &$interface,
                _: <$interface as Proxy>::Event,
                (): &(),
                _: &Connection,
                _: &QueueHandle<Self>,
            ) {
            }
        }
    )*};
}

ignore!(ZwlrOutputModeV1, ZwlrOutputConfigurationHeadV1);
