//! Asking a compositor for its globals.

use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::{Connection, Dispatch, QueueHandle};

use crate::failure::{Failure, chain};

/// Hears nothing after the first list: it ends before anything can change.
struct Deaf;

impl Dispatch<WlRegistry, GlobalListContents> for Deaf {
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

/// Interface and version of each global of the compositor in `$WAYLAND_DISPLAY`, in the order in
/// which it names them. `name` is the value of that variable.
///
/// # Errors
/// A [`Failure`] if it cannot be reached or does not answer properly.
pub(super) fn globals(name: &str) -> Result<Vec<(String, u32)>, Failure> {
    let failed = |e: &dyn std::error::Error| {
        Failure::new(format!("ask the compositor {name} for its globals"), chain(e))
            .remedy("set WAYLAND_DISPLAY to the socket of a running compositor, or use --all")
    };
    let connection = Connection::connect_to_env().map_err(|e| failed(&e))?;
    let (list, _queue) = registry_queue_init::<Deaf>(&connection).map_err(|e| failed(&e))?;
    Ok(list.contents().with_list(|globals| {
        globals.iter().map(|global| (global.interface.clone(), global.version)).collect()
    }))
}
