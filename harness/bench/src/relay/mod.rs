//! What passing messages on costs: direct, a bare byte relay, Stratus, wl-proxy, waypipe.

mod carry;
pub(crate) mod client;
pub(crate) mod contestants;
pub(crate) mod counts;
mod measure;
mod server;
mod socket;
mod tables;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::machine::{self, Facts};
use crate::programs::{Place, STRATUS, cargo_build, release_folder, version};
use crate::report::Output;
use client::Workload;
use contestants::{Contestant, Kind};
use tables::Figures;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
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
    #[command(flatten)]
    output: Output,
}

const WORKLOADS: [Workload; 4] =
    [Workload::Sync(1), Workload::Sync(32), Workload::Pools(16), Workload::Frame];

/// Measures, and prints what was found.
///
/// # Errors
/// If Stratus or the bench's own parts cannot be started; peers that cannot are left out.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
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
    let figures = Figures { pinned, contestants, versions, workloads, turns, counts };
    args.output.put(&figures.report(facts))
}

/// The compositor of the bench, for ever.
///
/// # Errors
/// If there is no such socket to be made.
pub(crate) fn serve(listen: &Path) -> anyhow::Result<()> {
    Ok(server::serve(listen)?)
}

/// The bare byte relay, for ever.
///
/// # Errors
/// If there is no such socket to be made.
pub(crate) fn carry(listen: &Path, upstream: &Path) -> anyhow::Result<()> {
    Ok(carry::relay(listen, upstream)?)
}

/// A folder for all that lies about, and the bench's compositor; both end with this.
pub(crate) struct Stage {
    compositor: Child,
    pub(crate) upstream: PathBuf,
    pub(crate) folder: tempfile::TempDir,
}

impl Stage {
    /// Starts the compositor and waits for it.
    ///
    /// # Errors
    /// If it does not start.
    pub(crate) fn set() -> anyhow::Result<Self> {
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
fn contestants(args: &Args) -> anyhow::Result<(Vec<Contestant>, Vec<String>)> {
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

fn binaries(args: &Args) -> anyhow::Result<Vec<(String, PathBuf)>> {
    if args.stratus.is_empty() {
        let folder = Place::default().folder(&[STRATUS])?;
        return Ok(vec![("stratus".to_owned(), folder.join("stratus"))]);
    }
    let named = args.stratus.iter().map(|text| match text.split_once('=') {
        Some((name, path)) => (name.to_owned(), path.into()),
        None => ("stratus".to_owned(), text.into()),
    });
    Ok(named.collect())
}

/// The program around wl-proxy, and the library's version. It is a workspace of its own, so that
/// nothing of Stratus needs it to be built.
fn wl_proxy(build: bool) -> anyhow::Result<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/peers/wl-proxy");
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
