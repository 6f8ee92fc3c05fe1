//! A program from crates.io, of one version, built with the versions that it was published with.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::steps::{self, Outcome};

/// How a program is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// Soon: for one that waits for cargo, and is used once.
    Quick,
    /// Optimised: for one that computes.
    Optimised,
}

/// Installs a plugin of cargo below `tools`, unless that version is there. Returns the folder to add to PATH; otherwise says in words
/// why there is none.
pub fn install(tools: &Path, name: &str, version: &str, build: Build) -> Result<PathBuf, String> {
    let folder = tools.join(format!("{name}-{version}"));
    let programs = folder.join("bin");
    if programs.join(name).with_extension(std::env::consts::EXE_EXTENSION).is_file() {
        return Ok(programs);
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["install", "--quiet", "--locked", "--version", version, "--root"]).arg(&folder);
    cargo.arg("--target-dir").arg(folder.join("build"));
    cargo.arg(name);
    if build == Build::Quick {
        cargo.arg("--debug");
    }
    match steps::program(&mut cargo) {
        Outcome::Passed => Ok(programs),
        Outcome::Failed(why) | Outcome::Skipped(why) => Err(why),
    }
}
