//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::assemble::ScreenWish;
use crate::commands::{PlayArgs, ReplayArgs};
use crate::options::StreamOptions;

/// Streams Linux games with the least possible delay.
#[derive(Debug, Parser)]
#[command(name = "stratus", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "\
Exit codes: 0 done; 1 failed; 2 wrong usage. `stratus run` ends with the game's own code if the \
game fails by itself, or 128 + N if signal N ended it.

RUST_LOG chooses what is logged, as in RUST_LOG=debug or RUST_LOG=stratus_capture=trace.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a game in a headless Sway of its own and stream it
    Run(RunArgs),
    /// Stream the games that connect to a socket in front of $WAYLAND_DISPLAY
    Proxy(ProxyArgs),
    /// Play a session in a window, or receive its stream without one
    Play(PlayArgs),
    /// Give the games of a running session another screen
    Resize(ResizeArgs),
    /// Show the Wayland messages of a client, or of all clients of a running session
    Trace(TraceArgs),
    /// Say a recorded session again
    Replay(ReplayArgs),
    /// Say what this machine can do and what to install
    Doctor(DoctorArgs),
    /// List the globals of a compositor: which of them games see, and why
    Globals(GlobalsArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Ends what a session left behind; started by `stratus run`
    #[command(hide = true)]
    Janitor(JanitorArgs),
}

/// Options of every command that makes a stream.
#[derive(Debug, Args)]
pub struct Streaming {
    /// Config file in TOML; its keys are the long options
    /// [default: $XDG_CONFIG_HOME/stratus/config.toml, if present]
    #[arg(long, env = "STRATUS_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The options that may stand in the config file as well.
    #[command(flatten)]
    pub options: StreamOptions,
}

/// `stratus run`
#[derive(Debug, Args)]
#[command(after_help = "\
The link, for a browser or `stratus play`, is the only line on standard output, but for that of \
the viewers' if --viewers lets any in. What the game prints goes to standard error, as log lines of the target `game`.

Example: stratus run --size 1920x1080 -- chocolate-doom -fullscreen")]
pub struct RunArgs {
    /// The stream.
    #[command(flatten)]
    pub streaming: Streaming,
    /// The game and its arguments
    #[arg(last = true, required = true, value_name = "GAME")]
    pub game: Vec<OsString>,
}

/// `stratus proxy`
#[derive(Debug, Args)]
#[command(after_help = "\
The link, for a browser or `stratus play`, is the only line on standard output, but for that of \
the viewers' if --viewers lets any in. Start games with the socket, as \
in WAYLAND_DISPLAY=stratus-0 foot. SIGINT or SIGTERM ends it.")]
pub struct ProxyArgs {
    /// The stream.
    #[command(flatten)]
    pub streaming: Streaming,
}

/// `stratus resize`
#[derive(Debug, Args)]
#[command(after_help = "\
The games hear of it at once, and so does the compositor's output where that is a Sway's. The exit \
code is 0 when all were told; a game may still keep its size.

Examples: stratus resize 1920x1080
          stratus resize --socket stratus-1 1280x720@144")]
pub struct ResizeArgs {
    /// Socket of the session: its name, or its path [default: stratus-0]
    #[arg(long, value_name = "NAME")]
    pub socket: Option<PathBuf>,
    /// Width and height in pixels, both even, and the refresh rate, 1 to 240, if it is to change
    #[arg(value_name = "WxH[@HZ]")]
    pub screen: ScreenWish,
}

/// `stratus trace`
#[derive(Debug, Args)]
#[command(after_help = "\
With a CLIENT it is started behind a socket of its own in front of $WAYLAND_DISPLAY; lines go to \
standard error, and the exit code is the client's. Without one, the clients of a running `stratus \
run` or `stratus proxy` are shown from now on; lines go to standard output until Ctrl-C or until \
the session ends.

A PATTERN is an interface, a message or an object, with * and ?: wl_surface, 'xdg_*', \
wl_surface.commit, '*.configure', wl_surface@3, @3.frame.

Examples: stratus trace --only 'xdg_*' --only wl_surface.commit -- foot
          stratus trace --record foot.wlrec -- foot")]
pub struct TraceArgs {
    /// Socket of the session to attach to: its name, or its path [default: stratus-0]
    #[arg(long, value_name = "NAME", conflicts_with = "client_command")]
    pub socket: Option<PathBuf>,
    /// Show only messages that match this pattern; may be repeated
    #[arg(long, value_name = "PATTERN")]
    pub only: Vec<String>,
    /// Leave out messages that match this pattern; may be repeated
    #[arg(long, value_name = "PATTERN")]
    pub except: Vec<String>,
    /// Show only this client, by the number in braces; may be repeated
    #[arg(long, value_name = "N")]
    pub client: Vec<u64>,
    /// Show only requests, or only events
    #[arg(long, value_name = "WAY", value_enum)]
    pub direction: Option<TraceDirection>,
    /// Show only what Stratus changes, drops and adds
    #[arg(long)]
    pub changes: bool,
    /// Time in front of a line: since the start, of day in UTC, or since the line before
    #[arg(long, value_name = "TIME", value_enum, default_value = "start")]
    pub time: TraceTime,
    /// Leave enums as numbers, as WAYLAND_DEBUG does
    #[arg(long)]
    pub numbers: bool,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Write the lines to this file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Instead of showing anything, record all messages and what is drawn into this file, for
    /// `stratus replay`; of a running session, the clients that connect from now on
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "only", "except", "client", "direction", "changes", "time", "numbers", "json", "output",
    ])]
    pub record: Option<PathBuf>,
    /// Replace the file of --record if there is one
    #[arg(long, requires = "record")]
    pub force: bool,
    /// End the recording before its file has more MiB
    #[arg(long, value_name = "MIB", requires = "record", default_value_t = 16_384)]
    pub record_limit: u64,
    /// Whether to take the client's frames as `stratus run` does, to see what that changes; they
    /// are thrown away
    #[arg(long, value_name = "WHEN", value_enum, requires = "client_command")]
    pub capture: Option<crate::options::Capture>,
    /// Size of the picture with --capture on [default: 1280x720]
    #[arg(long, value_name = "WxH", requires = "client_command")]
    pub size: Option<crate::options::StreamSize>,
    /// Frames a second with --capture on, 1 to 240 [default: 60]
    #[arg(long, value_name = "N", requires = "client_command",
          value_parser = clap::value_parser!(u32).range(1..=240))]
    pub fps: Option<u32>,
    /// Show the client this global although it is hidden by default; may be repeated
    #[arg(long, value_name = "INTERFACE", value_delimiter = ',', requires = "client_command")]
    pub allow_global: Vec<String>,
    /// Hide this global from the client; may be repeated
    #[arg(long, value_name = "INTERFACE", value_delimiter = ',', requires = "client_command")]
    pub hide_global: Vec<String>,
    /// The client and its arguments
    #[arg(last = true, value_name = "CLIENT", id = "client_command")]
    pub client_command: Vec<OsString>,
}

/// Which messages a trace shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TraceDirection {
    /// From the client.
    Requests,
    /// From the compositor.
    Events,
}

/// Which time stands in front of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TraceTime {
    /// Seconds since the trace began.
    Start,
    /// Date and time of day, in UTC.
    Wall,
    /// Seconds since the line before.
    Delta,
}

/// `stratus doctor`
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 if streaming can work here, 1 if something needed is missing."
)]
pub struct DoctorArgs {
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// `stratus globals`
#[derive(Debug, Args)]
#[command(after_help = "\
Asks the compositor in $WAYLAND_DISPLAY what it offers. Without one, or with --all, the whole table \
is listed. What the config file and the options allow or hide is counted in.")]
pub struct GlobalsArgs {
    /// List all globals that are known, whatever the compositor offers
    #[arg(long)]
    pub all: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
    /// Config file in TOML, as for `stratus run`
    #[arg(long, env = "STRATUS_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Show games this global although it is hidden by default; may be repeated
    #[arg(long, env = "STRATUS_ALLOW_GLOBAL", value_name = "INTERFACE", value_delimiter = ',')]
    pub allow_global: Vec<String>,
    /// Hide this global from games; may be repeated
    #[arg(long, env = "STRATUS_HIDE_GLOBAL", value_name = "INTERFACE", value_delimiter = ',')]
    pub hide_global: Vec<String>,
}

/// `stratus completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// The hidden `stratus janitor`
#[derive(Debug, Args)]
pub struct JanitorArgs {
    /// The value of `STRATUS_SESSION` that marks the session's processes.
    #[arg(long)]
    pub session: String,
    /// The session's runtime directory.
    #[arg(long)]
    pub directory: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}
