//! `cargo xtask package`: the zip that a function app runs: the production binary beside `host.json`, a folder per function
//! at the root, and `policysync.toml`.
//!
//! The binary is linked against the glibc of Debian 11, so that it runs on every Functions image (`cargo-zigbuild`, from `PyPI`).

mod elf;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::steps::{self, Outcome, Steps};
use crate::workspace::{PRODUCT, Workspace};

/// The glibc of the oldest image: 2.31, Debian 11.
const GLIBC_MINOR: u32 = 31;
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// Smaller in the place of faster: the app waits for Azure, and a small package starts sooner on a new instance.
const SMALL: [(&str, &str); 3] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s"),
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
];
/// Largest zip, in bytes.
const LARGEST: u64 = 6 * 1024 * 1024;
const REQUIREMENTS: &str = include_str!("../../package/requirements.txt");
const ZIP: &str = include_str!("../../package/reproducible_zip.py");
/// What `host.json` starts.
const HANDLER: &str = "policysync";
const CONFIGURATION: &str = "policysync.toml";

pub fn run(workspace: &Workspace, steps: &mut Steps, _arguments: &[String]) {
    let tools = workspace.tools().join("zigbuild");
    if !steps.run("install cargo-zigbuild", || outcome(install(&tools))) {
        return;
    }
    let target = workspace.target();
    let is_built = steps.run("build for glibc 2.31, without the simulator", || {
        let triple = format!("{TARGET}.2.{GLIBC_MINOR}");
        let mut cargo = workspace.cargo(&["zigbuild", "--release", "--package", PRODUCT, "--bin", PRODUCT]);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = [tools.join("bin")].into_iter().chain(std::env::split_paths(&path));
        let Ok(path) = std::env::join_paths(paths) else {
            return Outcome::Failed("PATH cannot be extended".to_owned());
        };
        steps::program(
            cargo.args(["--no-default-features", "--target", &triple]).env("PATH", path).envs(SMALL),
        )
    });
    if !is_built {
        return;
    }
    let binary = target.join(TARGET).join("release").join(PRODUCT);
    steps.run("the binary runs on every Functions image", || match fs::read(&binary) {
        Ok(bytes) => {
            let problems = elf::problems(&bytes, GLIBC_MINOR);
            println!(
                "{} MB, glibc 2.{} or later",
                megabytes(bytes.len() as u64),
                elf::newest_glibc(&bytes).unwrap_or_default()
            );
            if problems.is_empty() { Outcome::Passed } else { Outcome::Failed(problems.join("; ")) }
        }
        Err(error) => Outcome::Failed(format!("{}: {error}", binary.display())),
    });
    let folder = target.join("package");
    steps.run("put the package together, twice the same", || {
        outcome(put_together(workspace.root(), &binary, &folder))
    });
}

fn outcome(result: Result<(), String>) -> Outcome {
    result.map_or_else(Outcome::Failed, |()| Outcome::Passed)
}

/// A virtual environment of Python with the pinned wheels.
fn install(tools: &Path) -> Result<(), String> {
    let stamp = tools.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == REQUIREMENTS) {
        return Ok(());
    }
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(tools))?;
    let requirements = tools.join("requirements.txt");
    let failed = |error: std::io::Error| format!("{}: {error}", tools.display());
    fs::write(&requirements, REQUIREMENTS).map_err(failed)?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
    succeed(Command::new(tools.join("bin/python")).args(pip).arg("--requirement").arg(&requirements))?;
    fs::write(stamp, REQUIREMENTS).map_err(failed)
}

fn succeed(command: &mut Command) -> Result<(), String> {
    match steps::program(command) {
        Outcome::Passed => Ok(()),
        Outcome::Skipped(why) | Outcome::Failed(why) => Err(why),
    }
}

/// Lays the files out and zips them, twice: the same content has to give the same bytes.
fn put_together(root: &Path, binary: &Path, folder: &Path) -> Result<(), String> {
    let staged = folder.join("content");
    if staged.exists() {
        fs::remove_dir_all(&staged).map_err(|error| format!("{}: {error}", staged.display()))?;
    }
    if !root.join(CONFIGURATION).exists() {
        println!(
            "there is no {CONFIGURATION} at the root: the package has the default, which looks after nothing"
        );
    }
    for (from, to) in layout(root, binary)? {
        let to = staged.join(to);
        let failed = |error: std::io::Error| format!("{} to {}: {error}", from.display(), to.display());
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        fs::copy(&from, &to).map_err(failed)?;
    }
    let package = folder.join("policysync.zip");
    let again = folder.join("again.zip");
    let mut bytes = Vec::new();
    for zip in [&package, &again] {
        succeed(Command::new("python3").args(["-c", ZIP]).arg(&staged).arg(zip).arg(HANDLER))?;
        bytes.push(fs::read(zip).map_err(|error| format!("{}: {error}", zip.display()))?);
    }
    if bytes[0] != bytes[1] {
        return Err("the same content made two different zips".to_owned());
    }
    fs::remove_file(&again).map_err(|error| format!("{}: {error}", again.display()))?;
    let size = bytes[0].len() as u64;
    println!("{}: {} MB", package.display(), megabytes(size));
    if size > LARGEST { Err(format!("it is larger than {} MB", megabytes(LARGEST))) } else { Ok(()) }
}

/// Which file goes where. The real host looks for functions in the folders beside `host.json` and nowhere else.
fn layout(root: &Path, binary: &Path) -> Result<Vec<(PathBuf, PathBuf)>, String> {
    let own = root.join(CONFIGURATION);
    let configuration = if own.exists() { own } else { root.join("xtask/package").join(CONFIGURATION) };
    let mut files = vec![
        (root.join("host.json"), "host.json".into()),
        (configuration, CONFIGURATION.into()),
        (binary.to_path_buf(), HANDLER.into()),
    ];
    let definitions = root.join("function-definitions");
    let entries =
        fs::read_dir(&definitions).map_err(|error| format!("{}: {error}", definitions.display()))?;
    for entry in entries {
        let name = entry.map_err(|error| error.to_string())?.file_name();
        files.push((definitions.join(&name).join("function.json"), Path::new(&name).join("function.json")));
    }
    files.sort();
    Ok(files)
}

/// With one decimal.
fn megabytes(bytes: u64) -> String {
    format!("{}.{}", bytes / (1024 * 1024), bytes % (1024 * 1024) * 10 / (1024 * 1024))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A root like ours, without a configuration.
    fn root() -> PathBuf {
        let root = std::env::temp_dir().join(format!("policysync-layout-{}", std::process::id()));
        for folder in ["function-definitions/one", "function-definitions/two"] {
            fs::create_dir_all(root.join(folder)).unwrap();
            fs::write(root.join(folder).join("function.json"), "{}").unwrap();
        }
        fs::write(root.join("host.json"), "{}").unwrap();
        root
    }

    #[test]
    fn functions_lie_beside_host_json_and_ones_own_configuration_comes_before_the_default() {
        let root = root();
        let files = || layout(&root, Path::new("bin")).unwrap();
        let names: BTreeSet<PathBuf> = files().into_iter().map(|(_, to)| to).collect();
        let expected = ["host.json", "one/function.json", HANDLER, CONFIGURATION, "two/function.json"];
        assert_eq!(names, expected.map(PathBuf::from).into());
        let configuration = || files().into_iter().find(|(_, to)| to == Path::new(CONFIGURATION)).unwrap().0;
        assert!(configuration().starts_with(root.join("xtask")));
        fs::write(root.join(CONFIGURATION), "").unwrap();
        assert_eq!(configuration(), root.join(CONFIGURATION));
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn the_handler_is_the_one_that_host_json_names() {
        let host = fs::read_to_string(Workspace::find().root().join("host.json")).unwrap();
        let host: serde_json::Value = serde_json::from_str(&host).unwrap();
        assert_eq!(host["customHandler"]["description"]["defaultExecutablePath"], HANDLER);
    }
}
