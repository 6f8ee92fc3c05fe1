//! Azurite, the storage emulator, from npm: exactly the packages of `azurite/package-lock.json`, by their hashes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::debian;

const PACKAGE: &str = include_str!("../../azurite/package.json");
const LOCK: &str = include_str!("../../azurite/package-lock.json");

/// Left behind by a whole installation: the lock file that it was made from.
const STAMP: &str = "installed.json";

/// Installs it below `tools`, unless it is there already. Returns the program that serves blobs; otherwise says
/// in words why there is none.
pub fn install(tools: &Path) -> Result<PathBuf, String> {
    let folder = tools.join("azurite");
    let program = folder.join("node_modules").join(".bin").join(name_of("azurite-blob"));
    let is_current = fs::read_to_string(folder.join(STAMP)).is_ok_and(|stamp| stamp == LOCK);
    if is_current && program.exists() {
        return Ok(program);
    }
    debian::ensure(&name_of("npm"), &["npm"])?;
    prepare(&folder).map_err(|error| format!("{} cannot be written: {error}", folder.display()))?;
    let npm = Command::new(name_of("npm"))
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])
        // Without a network this ends soon, and in words.
        .args(["--fetch-retries=2", "--fetch-timeout=60000"])
        .current_dir(&folder)
        .status();
    match npm {
        Ok(status) if status.success() && program.exists() => {}
        Ok(status) => return Err(format!("`npm ci` ended with {status}")),
        Err(error) => return Err(format!("npm did not start: {error}")),
    }
    fs::write(folder.join(STAMP), LOCK)
        .map_err(|error| format!("{} cannot be written: {error}", folder.display()))?;
    Ok(program)
}

fn prepare(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    match fs::remove_file(folder.join(STAMP)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::write(folder.join("package.json"), PACKAGE)?;
    fs::write(folder.join("package-lock.json"), LOCK)
}

/// npm and the programs that it installs are scripts, which have an ending on Windows.
fn name_of(script: &str) -> String {
    if cfg!(windows) { format!("{script}.cmd") } else { script.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_pins_the_version_that_is_asked_for() {
        let version = PACKAGE.split_once("\"azurite\": \"").and_then(|(_, rest)| rest.split_once('"'));
        let (version, _) = version.expect("package.json asks for azurite");
        assert!(version.starts_with(|c: char| c.is_ascii_digit()), "`{version}` is a range");
        let pinned = format!("\"node_modules/azurite\": {{\n      \"version\": \"{version}\"");
        assert!(LOCK.contains(&pinned), "package-lock.json does not pin azurite {version}");
    }

    #[test]
    fn the_lock_names_no_registry_and_has_a_hash_for_every_package() {
        assert!(!LOCK.contains("\"resolved\""));
        let packages = LOCK.matches("\"node_modules/").count();
        assert_eq!(LOCK.matches("\"integrity\": \"sha512-").count(), packages);
    }
}
