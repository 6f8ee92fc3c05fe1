//! `cargo xtask package`: the zip that a function app runs: the production binary beside `host.json`, a folder per function
//! at the root, `policysync.toml`, and the papers: licences and a bill of materials.
//!
//! The binary is linked against the glibc of Debian 11, so that it runs on every Functions image (`cargo-zigbuild`, from `PyPI`).

mod archive;
mod elf;
mod layout;
mod papers;
mod serving;

use std::fs;
use std::path::{Path, PathBuf};

use crate::steps::{self, Outcome, Steps};
use crate::tools::python;
use crate::workspace::{PRODUCT, Workspace};

pub use layout::Extent;

/// The glibc of the oldest image: 2.31, Debian 11.
const GLIBC_MINOR: u32 = 31;
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// The profile of what ships, in `Cargo.toml`.
const PROFILE: &str = "production";
/// Largest zip and largest binary, in bytes (`contracts.md` §5).
const LARGEST_ZIP: u64 = 5_000_000;
const LARGEST_BINARY: u64 = 11_000_000;
/// The wheels of cargo-zigbuild, by their hashes.
const REQUIREMENTS: &str = "xtask/package/requirements.txt";
/// Below `target/package`.
const PACKAGE: &str = "policysync.zip";
const CONFIGURATION: &str = "policysync.toml";

pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    match Extent::parse(arguments) {
        Ok(extent) => {
            build(workspace, steps, extent);
        }
        Err(why) => {
            steps.run("package", || Outcome::Failed(why));
        }
    }
}

/// Builds the package and looks at it from all sides; its path, when there is one.
pub fn build(workspace: &Workspace, steps: &mut Steps, extent: Extent) -> Option<PathBuf> {
    let tools = workspace.tools().join("zigbuild");
    let is_installed = steps.run("install cargo-zigbuild", || {
        let installed = python::install(&tools, &workspace.root().join(REQUIREMENTS));
        installed.map_or_else(Outcome::Skipped, |_| Outcome::Passed)
    });
    if !is_installed {
        return None;
    }
    let is_built = steps.run("build for glibc 2.31, without the simulator", || {
        let triple = format!("{TARGET}.2.{GLIBC_MINOR}");
        let what = ["zigbuild", "--profile", PROFILE, "--package", PRODUCT, "--bin", PRODUCT];
        let mut cargo = workspace.cargo(&what);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = [tools.join("bin")].into_iter().chain(std::env::split_paths(&path));
        let Ok(path) = std::env::join_paths(paths) else {
            return Outcome::Failed("PATH cannot be extended".to_owned());
        };
        steps::program(cargo.args(["--no-default-features", "--target", &triple]).env("PATH", path))
    });
    if !is_built {
        return None;
    }
    let binary = binary(workspace);
    steps.run("the binary runs on every Functions image", || outcome(runs_everywhere(&binary)));
    let mut programs = None;
    steps.run("install cargo-cyclonedx", || match papers::install(&workspace.tools()) {
        Ok(installed) => {
            programs = Some(installed);
            Outcome::Passed
        }
        Err(why) => Outcome::Skipped(why),
    });
    let programs = programs?;
    let mut papers = Vec::new();
    let are_told = steps.run("tell every crate that is linked, with its licence", || {
        outcome(papers::files(workspace, &programs).map(|files| papers = files))
    });
    if !are_told {
        return None;
    }
    let folder = workspace.target().join("package");
    let mut package = None;
    steps.run("put the package together, twice the same", || {
        let contents = Contents { binary: &binary, extent, papers: &papers };
        outcome(put_together(workspace.root(), &contents, &folder).map(|path| package = Some(path)))
    });
    let package = package?;
    steps.run("the package serves soon and waits small", || outcome(serves(&package)));
    Some(package)
}

/// The program that the package holds, once it was built.
pub fn binary(workspace: &Workspace) -> PathBuf {
    workspace.target().join(TARGET).join(PROFILE).join(PRODUCT)
}

fn runs_everywhere(binary: &Path) -> Result<(), String> {
    let bytes = fs::read(binary).map_err(|error| format!("{}: {error}", binary.display()))?;
    let size = bytes.len() as u64;
    let newest = elf::newest_glibc(&bytes).unwrap_or_default();
    println!("{} MB, glibc 2.{newest} or later", megabytes(size));
    let mut problems = elf::problems(&bytes, GLIBC_MINOR);
    problems.extend(within(size, LARGEST_BINARY, "binary").err());
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
}

fn passed((): ()) -> Outcome {
    Outcome::Passed
}

fn outcome(result: Result<(), String>) -> Outcome {
    result.map_or_else(Outcome::Failed, passed)
}

/// The files of a package that the workspace does not hold.
struct Contents<'a> {
    binary: &'a Path,
    extent: Extent,
    papers: &'a [(String, Vec<u8>)],
}

/// Zips the files twice, since the same content has to give the same bytes, and unpacks the zip beside itself.
fn put_together(root: &Path, contents: &Contents<'_>, folder: &Path) -> Result<PathBuf, String> {
    if !root.join(CONFIGURATION).exists() {
        println!(
            "there is no {CONFIGURATION} at the root: the package has an empty one, with which the app refuses to start"
        );
    }
    let files = || -> Result<_, String> {
        let mut files = layout::files(root, contents.binary, contents.extent)?;
        files.extend(contents.papers.iter().cloned());
        files.sort();
        Ok(files)
    };
    let zip = archive::zipped(&files()?, layout::HANDLER)?;
    if zip != archive::zipped(&files()?, layout::HANDLER)? {
        return Err("the same content made two different zips".to_owned());
    }
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let package = folder.join(PACKAGE);
    fs::write(&package, &zip).map_err(|error| format!("{}: {error}", package.display()))?;
    let shown = package.strip_prefix(root).unwrap_or(&package);
    println!("{}: {} MB", shown.display(), megabytes(zip.len() as u64));
    within(zip.len() as u64, LARGEST_ZIP, "zip").map(|()| package)
}

/// Measures the time until the handler of the package serves, and its memory while it waits.
fn serves(package: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| format!("no folder to unpack to: {error}"))?;
    let file = fs::File::open(package).map_err(|error| format!("{}: {error}", package.display()))?;
    zip::ZipArchive::new(file)
        .and_then(|mut archive| archive.extract(folder.path()))
        .map_err(|error| format!("{}: {error}", package.display()))?;
    let (text, problems) = serving::measured(folder.path(), layout::HANDLER)?;
    println!("{text}");
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
}

fn within(size: u64, largest: u64, what: &str) -> Result<(), String> {
    if size <= largest { Ok(()) } else { Err(format!("the {what} is larger than {} MB", megabytes(largest))) }
}

/// In millions of bytes, as the pages count, with two decimals.
fn megabytes(bytes: u64) -> String {
    format!("{}.{:02}", bytes / 1_000_000, bytes % 1_000_000 / 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_over_its_limit_is_told() {
        assert_eq!(within(LARGEST_ZIP, LARGEST_ZIP, "zip"), Ok(()));
        assert_eq!(
            within(LARGEST_ZIP + 1, LARGEST_ZIP, "zip"),
            Err("the zip is larger than 5.00 MB".to_owned())
        );
    }
}
