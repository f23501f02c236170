//! The commands, and how the process ends after them.

mod doctor;
mod globals;
mod play;
mod proxy;
mod replay;
mod resize;
mod run;
mod trace;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::cli::{Cli, Command, Streaming};
use crate::failure::{Failure, USAGE};
use crate::options::{LogFormat, Settings, load};
use crate::print::print;
use crate::process::{Marker, janitor, open_files};
use crate::{assemble, cli, logging};

pub use play::PlayArgs;
pub use replay::ReplayArgs;

/// Does what `args` say and returns what to end the process with.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version come this way too, with code 0. Nobody hears of a closed pipe.
            let _ = e.print();
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(USAGE));
        }
    };
    match dispatch(cli.command) {
        Ok(code) => code,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "stratus: {failure}");
            failure.exit_code()
        }
    }
}

fn dispatch(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Run(args) => run::run(&settle(args.streaming)?, &args.game),
        Command::Proxy(args) => proxy::run(&settle(args.streaming)?),
        Command::Play(args) => play::run(args),
        Command::Resize(args) => resize::run(&args),
        Command::Trace(args) => trace::run(args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Globals(args) => globals::run(args),
        Command::Replay(args) => replay::run(&args),
        Command::Completions(args) => completions(&args),
        Command::Janitor(args) => {
            logging::start(LogFormat::Human);
            janitor::work(&Marker::new(&args.session), &args.directory)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Joins what the command line and the config file say, starts logging as they wish, and raises the
/// limit of open files.
fn settle(streaming: Streaming) -> Result<Settings, Failure> {
    let options = streaming.options.or(load(streaming.config.as_deref())?);
    logging::start(options.log_format.unwrap_or_default());
    open_files::raise();
    let settings = options.settle()?;
    // Names of globals are checked here too: before anything is started.
    assemble::policy(&settings)?;
    Ok(settings)
}

fn completions(args: &cli::CompletionsArgs) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "stratus", &mut script);
    print(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Runs `session` on the main thread: children are tied to the thread that starts them.
fn on_this_thread<T>(session: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new("start the event loop", e))?
        .block_on(session)
}
