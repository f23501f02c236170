//! The programs that are compared, and what is done with each.

/// When a program is stopped.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    /// As soon as its picture stands still.
    Still,
    /// After so many frames, in the midst of whatever it is doing.
    Frames(u64),
}

/// A program and what is done with it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) command: &'static [&'static str],
    pub(crate) when: When,
    /// Where it is clicked at, one after the other, each time once the picture stands still.
    pub(crate) clicks: &'static [(u32, u32)],
    /// Levels of a channel by which pixels may differ: none, unless something is scaled.
    pub(crate) tolerance: u8,
    /// The Sways, by major and minor version, that show it rightly.
    pub(crate) sways: fn((u32, u32)) -> bool,
}

/// Versions that put a window which is smaller than the screen into the corner, not the middle.
pub(crate) const CORNERED: [(u32, u32); 2] = [(1, 10), (1, 11)];

fn shows_dialogs(version: (u32, u32)) -> bool {
    version != (1, 10)
}

const fn still(name: &'static str, command: &'static [&'static str]) -> Case {
    Case { name, command, when: When::Still, clicks: &[], tolerance: 0, sways: |_| true }
}

const fn moving(name: &'static str, frames: u64, command: &'static [&'static str]) -> Case {
    Case { when: When::Frames(frames), ..still(name, command) }
}

const fn clicked(
    name: &'static str,
    clicks: &'static [(u32, u32)],
    command: &'static [&'static str],
) -> Case {
    Case { clicks, ..still(name, command) }
}

const fn scaled(name: &'static str, command: &'static [&'static str]) -> Case {
    Case { tolerance: 2, ..still(name, command) }
}

const TEXT: &str = "seq 1 12; printf '\\033[1;31mred \\033[44mon blue\\033[0m\\n'; sleep 600";
const LINES: &str = "while :; do date +%N; sleep 0.02; done";
const VIDEO: &str = "av://lavfi:testsrc2=size=320x240:rate=30";

/// All of them.
pub(crate) const CASES: &[Case] = &[
    still("foot", &["foot", "--config=/dev/null", "-o", "cursor.blink=no", "sh", "-c", TEXT]),
    moving("foot, scrolling", 40, &["foot", "--config=/dev/null", "sh", "-c", LINES]),
    moving("mpv", 30, &["mpv", "--no-config", "--vo=wlshm", "--no-audio", "--fs", VIDEO]),
    moving("Xwayland", 40, &["FOLDER/x11"]),
    still("weston-image", &["weston-image", "/usr/share/weston/wayland.png"]),
    still("weston-transformed", &["weston-transformed"]),
    // Crops from the middle of a pixel to the middle of another. Sway's software renderer takes no
    // notice of crops before 1.10, and rounds them to whole pixels there.
    Case { sways: |version| version > (1, 10), ..scaled("weston-scaler", &["weston-scaler"]) },
    still("weston-flower", &["weston-flower"]),
    moving("weston-subsurfaces", 30, &["weston-subsurfaces"]),
    // A window and a dialog, which Sway shows over one that fills the screen, but 1.10 does not.
    Case {
        sways: shows_dialogs,
        ..clicked("gtk3 menu", &[(406, 251)], &["gtk3-demo", "--run=menus"])
    },
    Case {
        sways: shows_dialogs,
        ..clicked("gtk3 list", &[(400, 260)], &["gtk3-demo", "--run=combobox"])
    },
    still(
        "yad",
        &[
            "yad",
            "--text=a dialog",
            "--form",
            "--field=a switch:CHK",
            "--field=a choice:CB",
            "one!two!three",
        ],
    ),
    moving("gtk4 factory", 40, &["gtk4-widget-factory"]),
    still("gtk4", &["gtk4-demo"]),
    // A small window with a popup. Sway 1.10 and 1.11 put the window into the corner.
    Case {
        sways: |version| !CORNERED.contains(&version),
        ..clicked("gtk4 list", &[(285, 209)], &["gtk4-demo", "--run=dropdown"])
    },
    clicked("featherpad", &[(20, 12)], &["featherpad", "--standalone"]),
    moving("qt6", 20, &["/usr/lib/qt6/bin/qml", "FOLDER/window.qml"]),
    moving(
        "chromium",
        10,
        &[
            "chromium",
            "--no-sandbox",
            "--disable-gpu",
            "--ozone-platform=wayland",
            "--kiosk",
            "--no-first-run",
            "file://FOLDER/page.html",
        ],
    ),
    moving(
        "supertux2",
        60,
        &["supertux2", "--geometry", "800x600", "--disable-sound", "--disable-music"],
    ),
];

/// Starts an X server in a window, and programs in it. A program that runs at all finds its
/// display by the number that the server writes.
pub(crate) const X11: &str = "#!/bin/sh
cd \"$(dirname \"$0\")\" || exit
rm -f display
Xwayland -displayfd 3 -noreset 3>display &
while [ ! -s display ]; do sleep 0.05; done
DISPLAY=:$(cat display)
export DISPLAY
xclock -geometry 300x300+40+40 -update 1 &
xeyes -geometry 200x150+200+280 &
exec glxgears -geometry 240x240+450+200
";

/// A page that moves.
pub(crate) const PAGE: &str =
    "<!doctype html><style>body { background: teal; font: 40px sans-serif }
p { position: absolute; opacity: 0.8; animation: drift 1s linear infinite }
@keyframes drift { to { transform: translate(300px, 200px) rotate(90deg) } }</style><p>words";

/// A window of Qt's that moves.
pub(crate) const QML: &str = "import QtQuick
import QtQuick.Window
Window {
    visible: true; width: 300; height: 200; color: \"teal\"
    Rectangle {
        x: 40; y: 30; width: 200; height: 100; color: \"#80ff0000\"
        RotationAnimation on rotation { from: 0; to: 360; duration: 3000; loops: Animation.Infinite }
    }
}
";
