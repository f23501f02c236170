//! What the user asked for: command line, then environment, then config file, then defaults.

mod file;
mod values;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use stratus_frame::input::Layout;
use stratus_frame::{Codec, Size};
use stratus_stream::CertificateFiles;

pub use file::load;
pub use values::{
    Bitrate, Capture, KeyboardLayout, LogFormat, PixelFormats, SharedClipboard, StreamCodec,
    StreamSize, TakeSound,
};

use crate::failure::Failure;

/// The frames a second that a screen can have.
pub const FPS: std::ops::RangeInclusive<u32> = 1..=240;

/// The most that may watch: each costs the machine's uplink a whole stream.
const MAX_VIEWERS: u32 = 64;

/// The options of a stream, each absent if it was not given.
///
/// The command line and the environment fill one of these (through clap), the config file another
/// (through serde): the names are the same because the fields are.
#[derive(Clone, Debug, Default, clap::Args, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct StreamOptions {
    /// Width and height of the picture in pixels, both even [default: 1280x720]
    #[arg(long, env = "STRATUS_SIZE", value_name = "WxH")]
    pub size: Option<StreamSize>,

    /// Frames a second that the game is told the screen shows, 1 to 240 [default: 60]
    #[arg(long, env = "STRATUS_FPS", value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=240))]
    pub fps: Option<u32>,

    /// Pictures a second that a game is asked for while nobody watches; 0 does not slow it down
    /// [default: 10]
    #[arg(long, env = "STRATUS_IDLE_FPS", value_name = "N",
          value_parser = clap::value_parser!(u32).range(0..=240))]
    pub idle_fps: Option<u32>,

    /// Codec of the stream: h264 [default: h264]
    #[arg(long, env = "STRATUS_CODEC", value_name = "NAME")]
    pub codec: Option<StreamCodec>,

    /// Bit rate of the stream in bit/s, with k or M [default: 12M]
    #[arg(long, env = "STRATUS_BITRATE", value_name = "RATE")]
    pub bitrate: Option<Bitrate>,

    /// Address to serve players on, in UDP and TCP; port 0 takes a free one [default: 127.0.0.1:0]
    #[arg(long, env = "STRATUS_LISTEN", value_name = "IP:PORT")]
    pub listen: Option<SocketAddr>,

    /// Name or address by which players know this machine, for the link [default: that of --listen]
    #[arg(long, env = "STRATUS_PUBLIC_HOST", value_name = "HOST")]
    pub public_host: Option<String>,

    /// Certificate chain in PEM, for a machine that browsers know by name [default: a certificate
    /// that the link names by its hash]
    #[arg(long, env = "STRATUS_CERT", value_name = "FILE")]
    pub cert: Option<PathBuf>,

    /// Private key of --cert in PEM
    #[arg(long, env = "STRATUS_KEY", value_name = "FILE")]
    pub key: Option<PathBuf>,

    /// How many may watch beside the player, 0 to 64; with more than 0 the second line printed is
    /// their link [default: 0]
    #[arg(long, env = "STRATUS_VIEWERS", value_name = "N",
          value_parser = clap::value_parser!(u32).range(0..=64))]
    pub viewers: Option<u32>,

    /// Wayland socket that games connect to, in the runtime directory [default: stratus-0]
    #[arg(long, env = "STRATUS_SOCKET", value_name = "NAME")]
    pub socket: Option<String>,

    /// Whether to take frames, or only to pass messages through [default: on]
    #[arg(long, env = "STRATUS_CAPTURE", value_name = "WHEN", value_enum)]
    pub capture: Option<Capture>,

    /// Whether to take the sound of games [default: on]
    #[arg(long, env = "STRATUS_SOUND", value_name = "WHEN", value_enum)]
    pub sound: Option<TakeSound>,

    /// Pixel formats that games are offered [default: direct]
    #[arg(long, env = "STRATUS_PIXEL_FORMATS", value_name = "WHICH", value_enum)]
    pub pixel_formats: Option<PixelFormats>,

    /// Layout of the keyboard of a player who does not tell its own, as XKB names it: de, or
    /// de(nodeadkeys) [default: us]
    #[arg(long, env = "STRATUS_KEYBOARD_LAYOUT", value_name = "LAYOUT")]
    pub keyboard_layout: Option<KeyboardLayout>,

    /// Whether texts pass between the player's clipboard and the game's [default: on]
    #[arg(long, env = "STRATUS_CLIPBOARD", value_name = "WHEN", value_enum)]
    pub clipboard: Option<SharedClipboard>,

    /// Show games this global although it is hidden by default; may be repeated
    #[arg(long, env = "STRATUS_ALLOW_GLOBAL", value_name = "INTERFACE", value_delimiter = ',')]
    pub allow_global: Vec<String>,

    /// Hide this global from games; may be repeated
    #[arg(long, env = "STRATUS_HIDE_GLOBAL", value_name = "INTERFACE", value_delimiter = ',')]
    pub hide_global: Vec<String>,

    /// Threads of the encoder, 1 to 64 [default: one a processor, at most 4]
    #[arg(long, env = "STRATUS_ENCODER_THREADS", value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=64))]
    pub encoder_threads: Option<u32>,

    /// Make the encoder take this many milliseconds longer for each frame.
    ///
    /// For tests of what happens when the encoder cannot keep up.
    #[arg(long, env = "STRATUS_SLOW_ENCODER", value_name = "MS", hide = true,
          value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub slow_encoder: Option<u32>,

    /// How log lines look on standard error [default: human]
    #[arg(long, env = "STRATUS_LOG_FORMAT", value_name = "FORMAT", value_enum)]
    pub log_format: Option<LogFormat>,
}

impl StreamOptions {
    /// These options, and where one is absent, that of `weaker`.
    #[must_use]
    pub fn or(self, weaker: Self) -> Self {
        let list = |strong: Vec<String>, weak| if strong.is_empty() { weak } else { strong };
        Self {
            size: self.size.or(weaker.size),
            fps: self.fps.or(weaker.fps),
            idle_fps: self.idle_fps.or(weaker.idle_fps),
            codec: self.codec.or(weaker.codec),
            bitrate: self.bitrate.or(weaker.bitrate),
            listen: self.listen.or(weaker.listen),
            public_host: self.public_host.or(weaker.public_host),
            cert: self.cert.or(weaker.cert),
            key: self.key.or(weaker.key),
            viewers: self.viewers.or(weaker.viewers),
            socket: self.socket.or(weaker.socket),
            capture: self.capture.or(weaker.capture),
            sound: self.sound.or(weaker.sound),
            pixel_formats: self.pixel_formats.or(weaker.pixel_formats),
            keyboard_layout: self.keyboard_layout.or(weaker.keyboard_layout),
            clipboard: self.clipboard.or(weaker.clipboard),
            allow_global: list(self.allow_global, weaker.allow_global),
            hide_global: list(self.hide_global, weaker.hide_global),
            encoder_threads: self.encoder_threads.or(weaker.encoder_threads),
            slow_encoder: self.slow_encoder.or(weaker.slow_encoder),
            log_format: self.log_format.or(weaker.log_format),
        }
    }

    /// Fills in the defaults.
    ///
    /// # Errors
    /// A usage [`Failure`] for a value that parsed but cannot be used.
    pub fn settle(self) -> Result<Settings, Failure> {
        let fps = self.fps.unwrap_or(60);
        if !FPS.contains(&fps) {
            return Err(Failure::usage(format!("stream {fps} frames a second"), "out of range")
                .remedy("choose a rate from 1 to 240 (--fps)"));
        }
        let idle_fps = self.idle_fps.unwrap_or(10);
        if idle_fps > *FPS.end() {
            return Err(Failure::usage(
                format!("ask for {idle_fps} pictures a second"),
                "too many",
            )
            .remedy("choose 0 to 240 (--idle-fps)"));
        }
        if let Some(threads) = self.encoder_threads.filter(|t| !(1..=64).contains(t)) {
            return Err(Failure::usage(format!("encode with {threads} threads"), "out of range")
                .remedy("choose 1 to 64 (--encoder-threads)"));
        }
        let viewers = self.viewers.unwrap_or(0);
        if viewers > MAX_VIEWERS {
            return Err(Failure::usage(format!("let {viewers} viewers in"), "too many")
                .remedy("choose 0 to 64 (--viewers)"));
        }
        let certificate = match (self.cert, self.key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(CertificateFiles { certificate, key }),
            _ => {
                return Err(Failure::usage("use a certificate", "it goes with its private key")
                    .remedy("give both files: --cert and --key"));
            }
        };
        let socket = self.socket.unwrap_or_else(|| "stratus-0".into());
        check_socket_name(&socket)?;
        Ok(Settings {
            size: self.size.map_or(Size::new(1280, 720), |s| s.0),
            fps,
            idle_fps,
            codec: self.codec.map_or(Codec::H264, |c| c.0),
            bitrate: self.bitrate.map_or(12_000_000, |b| b.0),
            listen: self.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
            public_host: self.public_host,
            certificate,
            viewers,
            socket,
            capture: self.capture.unwrap_or_default() == Capture::On,
            sound: self.sound.unwrap_or_default() == TakeSound::On,
            pixel_formats: self.pixel_formats.unwrap_or_default(),
            keyboard_layout: self.keyboard_layout.unwrap_or_default().0,
            clipboard: self.clipboard.unwrap_or_default() == SharedClipboard::On,
            allow_globals: self.allow_global,
            hide_globals: self.hide_global,
            encoder_threads: self.encoder_threads,
            slow_encoder: Duration::from_millis(self.slow_encoder.unwrap_or(0).into()),
        })
    }
}

/// Everything about a stream that can be chosen, chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Width and height of the picture in pixels; both even.
    pub size: Size,
    /// Frames a second.
    pub fps: u32,
    /// Pictures a second that games are asked for while nobody watches; 0: as many as ever.
    pub idle_fps: u32,
    /// The codec.
    pub codec: Codec,
    /// Bits a second.
    pub bitrate: u32,
    /// Where players connect.
    pub listen: SocketAddr,
    /// How the link names this machine, if not by `listen`.
    pub public_host: Option<String>,
    /// The certificate to show, if there is one.
    pub certificate: Option<CertificateFiles>,
    /// How many may watch beside the player.
    pub viewers: u32,
    /// The name of the games' socket, without a directory.
    pub socket: String,
    /// Whether frames are taken.
    pub capture: bool,
    /// Whether sound is taken; only with frames.
    pub sound: bool,
    /// Pixel formats that games are offered.
    pub pixel_formats: PixelFormats,
    /// The layout of a player's keyboard, until it tells its own.
    pub keyboard_layout: Layout,
    /// Whether texts pass between the player's clipboard and the game's.
    pub clipboard: bool,
    /// Globals shown although hidden by default.
    pub allow_globals: Vec<String>,
    /// Globals hidden although shown by default.
    pub hide_globals: Vec<String>,
    /// Threads of the encoder; `None` is as many as suit the machine.
    pub encoder_threads: Option<u32>,
    /// What each frame takes longer in the encoder, for tests.
    pub slow_encoder: Duration,
}

/// libwayland takes a name with a slash for a path, and the lock file needs a name as well.
fn check_socket_name(name: &str) -> Result<(), Failure> {
    let fine = !name.is_empty()
        && name.len() <= 32
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if fine {
        return Ok(());
    }
    Err(Failure::usage(
        format!("use {name:?} as the name of a socket"),
        "a name has 1 to 32 letters, digits, '-', '_' or '.', and does not start with '.'",
    )
    .remedy("choose another with --socket; it is made in $XDG_RUNTIME_DIR"))
}

/// Where the config file lies if none is named.
#[must_use]
pub fn default_config_path() -> Option<PathBuf> {
    let directory = match std::env::var_os("XDG_CONFIG_HOME").filter(|d| Path::new(d).is_absolute())
    {
        Some(directory) => PathBuf::from(directory),
        None => PathBuf::from(std::env::var_os("HOME").filter(|h| !h.is_empty())?).join(".config"),
    };
    Some(directory.join("stratus/config.toml"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn the_stronger_source_wins_and_defaults_fill_the_rest() {
        let strong = StreamOptions {
            fps: Some(30),
            hide_global: vec!["wl_drm".into()],
            ..StreamOptions::default()
        };
        let weak = StreamOptions {
            fps: Some(120),
            bitrate: Some(Bitrate(5_000_000)),
            hide_global: vec!["wp_viewporter".into()],
            allow_global: vec!["zwlr_screencopy_manager_v1".into()],
            ..StreamOptions::default()
        };
        let settings = strong.or(weak).settle().unwrap();
        assert_eq!((settings.fps, settings.bitrate), (30, 5_000_000));
        assert_eq!(settings.hide_globals, ["wl_drm"]);
        assert_eq!(settings.allow_globals, ["zwlr_screencopy_manager_v1"]);
        assert_eq!(settings.size, Size::new(1280, 720));
        assert!(settings.capture && settings.slow_encoder.is_zero());
    }

    #[test]
    fn socket_names_cannot_leave_the_runtime_directory() {
        for name in ["", "a/b", "/tmp/x", "..", ".hidden", "a b", "ü", &"x".repeat(33)] {
            let options = StreamOptions { socket: Some(name.into()), ..StreamOptions::default() };
            assert!(options.settle().is_err(), "{name:?}");
        }
        assert!(check_socket_name("stratus-0").is_ok());
    }
}
