//! Measures Stratus beside its limits and its peers, on one machine in the same minutes.

mod client;
mod contestants;
mod counts;
mod gate;
mod machine;
mod measure;
mod relay;
mod report;
mod server;
mod socket;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::{Args, Parser, Subcommand};

use crate::client::Workload;
use crate::contestants::{Contestant, Kind};
use crate::machine::Facts;
use crate::report::Report;

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
    Relay(RelayArgs),
    /// Compare instructions, allocations and system calls with benches/counts.toml
    Counts(CountsArgs),
    /// The compositor of the bench
    #[command(hide = true)]
    Serve { listen: PathBuf },
    /// The bare byte relay
    #[command(hide = true)]
    Carry { listen: PathBuf, upstream: PathBuf },
}

#[derive(Debug, Args)]
struct RelayArgs {
    /// Turns of each contestant with each workload
    #[arg(long, default_value_t = 9)]
    turns: u32,
    /// Length of a turn in milliseconds
    #[arg(long, default_value_t = 100)]
    turn: u64,
    /// Leave it to the kernel on which processors things run
    #[arg(long)]
    unpinned: bool,
    /// Count instructions (valgrind) and system calls (strace) too; takes some minutes
    #[arg(long)]
    counts: bool,
    /// Build the program around wl-proxy first
    #[arg(long)]
    build_peers: bool,
    /// Leave the peers out
    #[arg(long)]
    no_peers: bool,
    /// A `stratus` to measure, may be repeated to compare builds
    /// [default: the one beside this program, which cargo builds first]
    #[arg(long, value_name = "[NAME=]FILE")]
    stratus: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct CountsArgs {
    /// Write what is counted into the file
    #[arg(long)]
    update: bool,
    /// Measure the programs in this folder [default: cargo builds them first]
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
}

const WORKLOADS: [Workload; 4] =
    [Workload::Sync(1), Workload::Sync(32), Workload::Pools(16), Workload::Frame];

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Bench::Relay(args) => relay(&args),
        Bench::Counts(args) => counts(&args),
        Bench::Serve { listen } => server::serve(&listen).map_err(Into::into),
        Bench::Carry { listen, upstream } => relay::relay(&listen, &upstream).map_err(Into::into),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e:#}");
            ExitCode::FAILURE
        }
    }
}

fn relay(args: &RelayArgs) -> anyhow::Result<()> {
    let facts = Facts::gather();
    let (contestants, versions) = contestants(args)?;
    let pinned = if args.unpinned { None } else { Some(machine::pin()?) };
    let stage = Stage::set()?;
    let length = (args.turns, Duration::from_millis(args.turn));
    let places = (stage.folder.path(), &*stage.upstream);
    let turns = measure::measure(&contestants, &WORKLOADS, length, places);
    let counts =
        if args.counts { counts::count(&contestants, &WORKLOADS, places) } else { Vec::new() };
    drop(stage);
    let workloads = WORKLOADS.to_vec();
    let report = Report { facts, pinned, contestants, versions, workloads, turns, counts };
    if args.json {
        println!("{:#}", report.json());
    } else {
        print!("{}", report.text());
    }
    Ok(())
}

fn counts(args: &CountsArgs) -> anyhow::Result<()> {
    let programs = match &args.programs {
        Some(programs) => programs.clone(),
        None => built(&["--package", "stratus", "--package", "stratus-counts", "--bins"])?,
    };
    let stage = Stage::set()?;
    let gate = gate::Gate {
        file: Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/counts.toml"),
        driver: programs.join("stratus-counts"),
        stratus: programs.join("stratus"),
        folder: stage.folder.path().to_owned(),
        upstream: stage.upstream.clone(),
    };
    if args.update { gate.update() } else { gate.check() }
}

/// A folder for all that lies about, and the bench's compositor; both end with this.
struct Stage {
    compositor: Child,
    upstream: PathBuf,
    folder: tempfile::TempDir,
}

impl Stage {
    fn set() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let upstream = folder.path().join("compositor");
        let compositor = Command::new(std::env::current_exe()?)
            .arg("serve")
            .arg(&upstream)
            .stdin(Stdio::null())
            .spawn()
            .context("starting the bench's compositor")?;
        let stage = Self { compositor, upstream, folder };
        client::Client::connect(&stage.upstream, Duration::from_secs(10))?;
        Ok(stage)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.compositor.kill();
        let _ = self.compositor.wait();
    }
}

/// Who takes part, and the version of each.
fn contestants(args: &RelayArgs) -> anyhow::Result<(Vec<Contestant>, Vec<String>)> {
    let own = concat!("stratus-bench ", env!("CARGO_PKG_VERSION")).to_owned();
    let mut all = vec![
        (Contestant::new("direct", Kind::Direct), String::new()),
        (Contestant::new("byte relay", Kind::Relay), own),
    ];
    for (name, binary) in binaries(args)? {
        let version = version(&binary)?;
        for (what, capture) in [("off", false), ("on", true)] {
            let kind = Kind::Stratus { binary: binary.clone(), capture };
            let contestant = Contestant::new(&format!("{name}, capture {what}"), kind);
            all.push((contestant, version.clone()));
        }
    }
    if !args.no_peers {
        match wl_proxy(args.build_peers) {
            Ok((binary, version)) => {
                all.push((Contestant::new("wl-proxy", Kind::WlProxy { binary }), version));
            }
            Err(e) => eprintln!("wl-proxy is left out: {e:#}"),
        }
        match version(Path::new("waypipe")) {
            Ok(version) => all.push((Contestant::new("waypipe", Kind::Waypipe), version)),
            Err(_) => eprintln!("waypipe is left out: it is not installed"),
        }
    }
    Ok(all.into_iter().unzip())
}

fn binaries(args: &RelayArgs) -> anyhow::Result<Vec<(String, PathBuf)>> {
    if args.stratus.is_empty() {
        let folder = built(&["--package", "stratus", "--bin", "stratus"])?;
        return Ok(vec![("stratus".to_owned(), folder.join("stratus"))]);
    }
    let named = args.stratus.iter().map(|text| match text.split_once('=') {
        Some((name, path)) => (name.to_owned(), path.into()),
        None => ("stratus".to_owned(), text.into()),
    });
    Ok(named.collect())
}

/// The folder of release builds, which lies beside that of this program.
fn release_folder() -> anyhow::Result<PathBuf> {
    let this = std::env::current_exe()?;
    let target = this.ancestors().nth(2).context("a program lies in a folder of a target")?;
    Ok(target.join("release"))
}

/// Has cargo build these, or else an old program would be measured for the new one; and where
/// they lie.
fn built(what: &[&str]) -> anyhow::Result<PathBuf> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let release = release_folder()?;
    let target = release.parent().context("a target")?.to_string_lossy().into_owned();
    cargo_build(&[what, &["--manifest-path", root, "--target-dir", &target]].concat())?;
    Ok(release)
}

fn cargo_build(args: &[&str]) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--locked"])
        .args(args)
        .status()
        .context("starting cargo")?;
    ensure!(built.success(), "cargo build {} failed", args.join(" "));
    Ok(())
}

/// The first line of what `--version` prints.
fn version(program: &Path) -> anyhow::Result<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let output = output.with_context(|| {
        format!("{} cannot be run; build it with cargo build --release", program.display())
    })?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
}

/// The program around wl-proxy, and the library's version. It is a workspace of its own, so that
/// nothing of Stratus needs it to be built.
fn wl_proxy(build: bool) -> anyhow::Result<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/peers/wl-proxy");
    let target = release_folder()?.join("peers");
    if build {
        let (manifest, target) = (folder.join("Cargo.toml"), target.to_string_lossy());
        let manifest = manifest.to_string_lossy();
        cargo_build(&["--manifest-path", &manifest, "--target-dir", &target])?;
    }
    let binary = target.join("release/wl-proxy-peer");
    ensure!(binary.exists(), "it is not built; --build-peers does that");
    let version = version(&binary)?;
    Ok((binary, version))
}
