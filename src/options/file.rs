//! The config file: TOML, with the names of the long options as keys.

use std::io::ErrorKind;
use std::path::Path;

use super::{StreamOptions, default_config_path};
use crate::failure::Failure;

/// Reads the options in `named`, or in the default place, where it is no error to find none.
///
/// # Errors
/// A usage [`Failure`] if the file cannot be read or says something unknown.
pub fn load(named: Option<&Path>) -> Result<StreamOptions, Failure> {
    let default = if named.is_none() { default_config_path() } else { None };
    let Some(path) = named.or(default.as_deref()) else {
        return Ok(StreamOptions::default());
    };
    let failed = |cause: &dyn std::fmt::Display| {
        Failure::usage(format!("use the config file {}", path.display()), cause)
    };
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text).map_err(|why| {
            failed(&why).remedy("keys are the long options of `stratus run --help`, without `--`")
        }),
        Err(e) if named.is_none() && e.kind() == ErrorKind::NotFound => {
            Ok(StreamOptions::default())
        }
        Err(e) => Err(failed(&e).remedy("name a file that can be read, or leave out --config")),
    }
}

fn parse(text: &str) -> Result<StreamOptions, String> {
    toml::from_str(text).map_err(|e| e.to_string().trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::options::{Capture, TakeSound};

    #[test]
    fn reads_every_option_by_its_long_name() {
        let options = parse(
            r#"
            size = "640x480"
            fps = 30
            codec = "h264"
            bitrate = "3M"
            listen = "127.0.0.1:9000"
            public-host = "play.example"
            socket = "game-1"
            capture = "off"
            sound = "off"
            keyboard-layout = "de(nodeadkeys)"
            clipboard = "off"
            allow-global = ["zwlr_layer_shell_v1"]
            hide-global = ["wl_drm"]
            encoder-threads = 2
            slow-encoder = 5
            log-format = "json"
            "#,
        )
        .unwrap();
        assert_eq!(options.capture, Some(Capture::Off));
        assert_eq!(options.sound, Some(TakeSound::Off));
        let settings = options.settle().unwrap();
        assert_eq!((settings.fps, settings.bitrate), (30, 3_000_000));
        assert_eq!(settings.listen.port(), 9000);
        assert_eq!(settings.slow_encoder.as_millis(), 5);
        assert_eq!((settings.keyboard_layout.variant(), settings.clipboard), ("nodeadkeys", false));
    }

    #[test]
    fn says_which_key_is_unknown_and_which_value_is_wrong() {
        assert!(parse("sise = \"1x1\"").unwrap_err().contains("sise"));
        assert!(parse("size = \"1281x720\"").unwrap_err().contains("odd"));
        assert!(parse("bitrate = 7").unwrap_err().contains("between 100k and 500M"));
        assert!(parse("keyboard-layout = \"../x\"").unwrap_err().contains("no place there"));
        assert!(parse("fps = ").is_err());
        assert!(parse("fps = 0").unwrap().settle().is_err());
    }

    #[test]
    fn a_named_file_must_exist() {
        let failure = load(Some(Path::new("/nonexistent/stratus.toml"))).unwrap_err();
        assert!(failure.to_string().contains("/nonexistent/stratus.toml"));
    }
}
