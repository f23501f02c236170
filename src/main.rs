//! The `stratus` binary; everything it does is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    stratus::commands::main(std::env::args_os())
}
