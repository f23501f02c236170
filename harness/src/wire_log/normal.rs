//! What may differ between any two runs, taken out.

use std::collections::HashMap;

use super::parse::object_of;
use super::{Message, Way};

/// A message without ids, times, serials and fd numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    /// Which way it went.
    pub way: Way,
    /// Its object, as `interface#n`: the n-th object of its interface in this connection.
    pub object: String,
    /// Its interface.
    pub interface: String,
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub args: Vec<String>,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let arrow = if self.way == Way::Sent { "->" } else { "<-" };
        write!(f, "{arrow} {}.{}({})", self.object, self.name, self.args.join(", "))
    }
}

/// Arguments that differ from run to run: interface, message, index.
const TIMES: &[(&str, &str, usize)] = &[
    ("wl_callback", "done", 0),
    ("wl_keyboard", "key", 1),
    ("wl_pointer", "motion", 0),
    ("wl_pointer", "button", 1),
    ("wl_pointer", "axis", 0),
    ("wl_pointer", "axis_stop", 0),
    ("wl_touch", "down", 1),
    ("wl_touch", "up", 1),
    ("wl_touch", "motion", 0),
    ("wl_data_device", "motion", 0),
    ("zwp_relative_pointer_v1", "relative_motion", 0),
    ("zwp_relative_pointer_v1", "relative_motion", 1),
    ("wp_presentation_feedback", "presented", 0),
    ("wp_presentation_feedback", "presented", 1),
    ("wp_presentation_feedback", "presented", 2),
    ("wp_presentation_feedback", "presented", 4),
    ("wp_presentation_feedback", "presented", 5),
    ("xdg_activation_token_v1", "done", 0),
];

/// Serials, which must lead back to the event that brought them: interface, message, index.
const SERIALS: &[(&str, &str, usize)] = &[
    ("xdg_surface", "configure", 0),
    ("xdg_surface", "ack_configure", 0),
    ("xdg_wm_base", "ping", 0),
    ("xdg_wm_base", "pong", 0),
    ("wl_keyboard", "enter", 0),
    ("wl_keyboard", "leave", 0),
    ("wl_keyboard", "key", 0),
    ("wl_keyboard", "modifiers", 0),
    ("wl_pointer", "enter", 0),
    ("wl_pointer", "leave", 0),
    ("wl_pointer", "button", 0),
    ("wl_pointer", "set_cursor", 0),
    ("wl_touch", "down", 0),
    ("wl_touch", "up", 0),
    ("wl_data_device", "enter", 0),
    ("wl_data_device", "set_selection", 1),
    ("zwp_primary_selection_device_v1", "set_selection", 1),
    ("wp_cursor_shape_device_v1", "set_shape", 0),
    ("zwp_text_input_v3", "done", 0),
    ("xdg_toplevel", "move", 1),
    ("xdg_toplevel", "resize", 1),
    ("xdg_popup", "grab", 1),
    ("xdg_activation_token_v1", "set_serial", 0),
];

/// Fds, which wayland-rs prints as bare numbers: interface, message, index.
const FDS: &[(&str, &str, usize)] = &[
    ("wl_shm", "create_pool", 1),
    ("wl_keyboard", "keymap", 1),
    ("wl_data_source", "send", 1),
    ("wl_data_offer", "receive", 1),
    ("zwp_linux_buffer_params_v1", "add", 0),
    ("zwp_linux_dmabuf_feedback_v1", "format_table", 0),
];

/// Names for objects that do not depend on how ids were given out.
#[derive(Default)]
struct Names {
    /// By id: the interface and which object of it.
    living: HashMap<u32, (String, u32)>,
    made: HashMap<String, u32>,
    serials: HashMap<String, usize>,
}

impl Names {
    fn create(&mut self, interface: &str, id: u32) -> String {
        let count = self.made.entry(interface.to_owned()).or_default();
        *count += 1;
        self.living.insert(id, (interface.to_owned(), *count));
        format!("{interface}#{count}")
    }

    /// The name of an object; one that was never made is made by its first mention, as wayland-rs
    /// prints no `new id`.
    fn name(&mut self, interface: &str, id: u32) -> String {
        match self.living.get(&id) {
            Some((known, count)) if known == interface || interface == "[unknown]" => {
                format!("{known}#{count}")
            }
            _ => self.create(interface, id),
        }
    }

    fn serial(&mut self, text: &str) -> String {
        // Compositors count from below; the capture's own configures do from here on.
        if text.parse().is_ok_and(|serial: u32| serial >= 1 << 31) {
            return "serial of the proxy".to_owned();
        }
        let next = self.serials.len() + 1;
        format!("serial {}", self.serials.entry(text.to_owned()).or_insert(next))
    }

    fn argument(&mut self, message: &Message, index: usize) -> String {
        let text = message.args[index].as_str();
        let listed = |list: &[(&str, &str, usize)]| {
            list.contains(&(message.interface.as_str(), message.name.as_str(), index))
        };
        if listed(TIMES) {
            return "time".to_owned();
        }
        if listed(SERIALS) {
            return self.serial(text);
        }
        if let Some(object) = text.strip_prefix("new id ") {
            let Some((interface, id)) = object_of(object) else { return text.to_owned() };
            // wl_registry.bind names the interface in the argument before the version.
            let interface = if interface == "[unknown]" {
                message.args.get(1).map_or(interface, |name| name.trim_matches('"'))
            } else {
                interface
            };
            return format!("new id {}", self.create(interface, id));
        }
        if text.starts_with("fd ") || listed(FDS) {
            return "fd".to_owned();
        }
        match object_of(text) {
            Some((interface, id)) => self.name(interface, id),
            None => text.to_owned(),
        }
    }

    fn line(&mut self, message: &Message) -> Line {
        let Message { way, interface, id, name, .. } = message;
        let object = self.name(interface, *id);
        let mut args: Vec<String> =
            (0..message.args.len()).map(|index| self.argument(message, index)).collect();
        if (interface.as_str(), name.as_str()) == ("wl_display", "delete_id")
            && let Some(id) = message.args.first().and_then(|id| id.parse::<u32>().ok())
            && let Some((interface, count)) = self.living.remove(&id)
        {
            args = vec![format!("{interface}#{count}")];
        }
        let interface = object.split('#').next().unwrap_or_default().to_owned();
        Line { way: *way, object, interface, name: name.clone(), args }
    }
}

/// Normalises a whole log. Events that the client discards are left out: whether an event meets
/// a destroyed object depends on timing.
pub(super) fn lines(messages: &[Message]) -> Vec<Line> {
    let mut names = Names::default();
    messages.iter().filter(|m| !m.discarded).map(|message| names.line(message)).collect()
}
