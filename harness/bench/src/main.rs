//! Measures Stratus beside its limits and its peers, on one machine in the same minutes.

mod capture;
mod click;
mod density;
mod floor;
mod gate;
mod glass;
mod machine;
mod network;
mod peers;
mod programs;
mod relay;
mod report;
mod session;
mod start;
mod stats;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures Stratus beside its limits and its peers.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// What passing messages on costs: direct, a bare byte relay, Stratus, wl-proxy, waypipe
    Relay(relay::Args),
    /// From a commit to the frame in the encoder's mailbox: with several clients, and of recordings
    Capture(capture::Args),
    /// From a commit to the picture, decoded and drawn, beside the floor
    Glass(glass::Args),
    /// A key to the decoded picture that shows it: the scripted client, foot
    Click(click::Args),
    /// Commit to decoded picture beside screencopy, wf-recorder, wayvnc and pixelflux
    Peers(peers::Args),
    /// Compare instructions, allocations and system calls with benches/counts.toml
    Counts(gate::Args),
    /// How many sessions this machine carries, and processor time and memory of each
    Density(density::Args),
    /// Streams through links with limits and faults: delay, loss, recovery, bits, fairness
    Network(network::Args),
    /// From the command to the first decoded frame, with the parts of it
    Start(start::Args),
    /// The compositor of `relay`
    #[command(hide = true)]
    Serve { listen: PathBuf },
    /// The bare byte relay
    #[command(hide = true)]
    Carry { listen: PathBuf, upstream: PathBuf },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Bench::Relay(args) => relay::run(&args),
        Bench::Capture(args) => capture::run(&args),
        Bench::Glass(args) => glass::run(&args),
        Bench::Click(args) => click::run(&args),
        Bench::Peers(args) => peers::run(&args),
        Bench::Counts(args) => gate::run(&args),
        Bench::Density(args) => density::run(&args),
        Bench::Network(args) => network::run(&args),
        Bench::Start(args) => start::run(&args),
        Bench::Serve { listen } => relay::serve(&listen),
        Bench::Carry { listen, upstream } => relay::carry(&listen, &upstream),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e:#}");
            ExitCode::FAILURE
        }
    }
}
