//! The config that a session's Sway gets, and the environment that it runs in.

use std::path::Path;
use std::process::Command;

use stratus_frame::Size;

use super::Tick;

/// Sway's config for one output of `size` that ticks `fps` times a second.
///
/// Nothing but the game is ever shown, so bars, bindings, and the helpers for backgrounds and
/// error messages (processes of their own) stay off. The proxy asks for fullscreen itself.
///
/// A seat that no config names never grants a pointer lock. It is given that name only when a
/// device of the machine appears, and there is none.
#[must_use]
pub fn text(size: Size, fps: u32) -> String {
    format!(
        "\
swaybg_command -
swaynag_command -
xwayland disable
output * {mode}
output * scale 1
default_border none
default_floating_border none
focus_on_window_activation focus
seat seat0 fallback true
seat seat0 pointer_constraint enable
",
        mode = Tick::nearest(fps).mode(size),
    )
}

/// Variables by which another compositor would be found, and Sway take itself for nested.
const FOREIGN: [&str; 5] = ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "SWAYSOCK", "I3SOCK"];

/// The command that runs Sway without a screen, with its sockets in `directory`.
#[must_use]
pub fn command(config: &Path, directory: &Path) -> Command {
    let mut command = Command::new("sway");
    command.arg("--config").arg(config);
    // Sway refuses to start beside NVIDIA's driver, even when it will never touch the GPU.
    if std::fs::read_to_string("/proc/modules")
        .is_ok_and(|modules| modules.lines().any(|m| m.starts_with("nvidia ")))
    {
        command.arg("--unsupported-gpu");
    }
    for name in FOREIGN {
        command.env_remove(name);
    }
    command
        .env("XDG_RUNTIME_DIR", directory)
        .env("WLR_BACKENDS", "headless")
        .env("WLR_HEADLESS_OUTPUTS", "1")
        .env("WLR_LIBINPUT_NO_DEVICES", "1");
    // This renderer makes every game use shared memory, which the encoder reads at the least cost.
    // It composes nothing that anyone looks at, so a GPU would not help.
    if std::env::var_os("WLR_RENDERER").is_none() {
        command.env("WLR_RENDERER", "pixman");
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_is_the_stream() {
        let text = text(Size::new(640, 480), 30);
        assert!(text.contains("output * mode --custom 640x480@30.303Hz\n"), "{text}");
    }

    #[test]
    fn games_may_lock_the_pointer() {
        let text = text(Size::new(640, 480), 30);
        // Without the first line Sway takes the devices away that it has.
        assert!(text.contains("seat seat0 fallback true\nseat seat0 pointer_constraint enable\n"));
    }

    #[test]
    fn sway_cannot_take_itself_for_nested() {
        let command = command(Path::new("/c"), Path::new("/d"));
        for name in FOREIGN {
            assert!(
                command.get_envs().any(|(key, value)| key == name && value.is_none()),
                "{name}"
            );
        }
        assert!(
            command.get_envs().any(|(k, v)| k == "XDG_RUNTIME_DIR" && v == Some("/d".as_ref()))
        );
    }
}
