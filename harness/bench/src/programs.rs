//! The programs that are measured: where they lie, and their versions.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

/// Where the programs lie.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Place {
    /// Measure the programs in this folder [default: cargo builds them first]
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
}

/// `stratus`.
pub(crate) const STRATUS: Program = Program { package: "stratus", name: "stratus" };
/// The scripted client.
pub(crate) const CLIENT: Program = Program { package: "stratus-harness", name: "harness-client" };
/// What plays rounds of messages in memory.
pub(crate) const COUNTS: Program = Program { package: "stratus-counts", name: "stratus-counts" };
/// What plays rounds of pictures in memory.
pub(crate) const PICTURES: Program =
    Program { package: "stratus-counts", name: "stratus-pictures" };

/// A program of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    package: &'static str,
    pub(crate) name: &'static str,
}

impl Place {
    /// The folder that these programs lie in, built if they have to be.
    ///
    /// # Errors
    /// If they are not there or cannot be built.
    pub(crate) fn folder(&self, programs: &[Program]) -> anyhow::Result<PathBuf> {
        let Some(folder) = &self.programs else {
            let what = programs.iter().flat_map(|p| ["--package", p.package, "--bin", p.name]);
            return built(&what.collect::<Vec<_>>());
        };
        for program in programs {
            let path = folder.join(program.name);
            ensure!(path.exists(), "there is no {}", path.display());
        }
        // Others are started in folders of their own.
        folder.canonicalize().with_context(|| format!("finding {}", folder.display()))
    }
}

/// The folder of release builds, which lies beside that of this program.
pub(crate) fn release_folder() -> anyhow::Result<PathBuf> {
    let this = std::env::current_exe()?;
    let target = this.ancestors().nth(2).context("a program lies in a folder of a target")?;
    Ok(target.join("release"))
}

/// Has cargo build these, or else an old program would be measured for the new one; and where
/// they lie.
fn built(what: &[&str]) -> anyhow::Result<PathBuf> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let release = release_folder()?;
    let target = release.parent().context("a target")?.to_string_lossy().into_owned();
    cargo_build(&[what, &["--manifest-path", root, "--target-dir", &target]].concat())?;
    Ok(release)
}

pub(crate) fn cargo_build(args: &[&str]) -> anyhow::Result<()> {
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
pub(crate) fn version(program: &Path) -> anyhow::Result<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let output = output.with_context(|| {
        format!("{} cannot be run; build it with cargo build --release", program.display())
    })?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
}
