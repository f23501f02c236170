//! wl-proxy passing everything through: prints the name of its socket, then serves.

use std::process::ExitCode;

use wl_proxy::baseline::Baseline;
use wl_proxy::protocols::wayland::wl_display::WlDisplayHandler;
use wl_proxy::simple::SimpleProxy;

/// Forwards what it is given, as all handlers do by default.
struct Display;

impl WlDisplayHandler for Display {}

/// The version that Cargo.lock names.
fn version() -> &'static str {
    let package = include_str!("../Cargo.lock").split("name = \"wl-proxy\"\n").nth(1);
    package.and_then(|rest| rest.split('"').nth(1)).unwrap_or("unknown")
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("--version") {
        println!("wl-proxy {}", version());
        return ExitCode::SUCCESS;
    }
    match SimpleProxy::new(Baseline::ALL_OF_THEM) {
        Ok(proxy) => {
            println!("{}", proxy.display());
            eprintln!("{}", proxy.run(|| Display));
        }
        Err(e) => eprintln!("{e}"),
    }
    ExitCode::FAILURE
}
