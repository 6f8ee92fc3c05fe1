//! A program from npm: exactly the packages of a committed lock file, by their hashes.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::tools::debian;

/// A complete installation leaves this file behind: the lock file that it was made from.
const STAMP: &str = "installed.json";

/// Installs into `folder` what `package` asks for and `lock` pins, unless it is there already. `file` is the one that
/// the caller needs. Otherwise says in words why there is none.
pub fn install(folder: &Path, package: &str, lock: &str, file: &Path) -> Result<(), String> {
    let is_current = fs::read_to_string(folder.join(STAMP)).is_ok_and(|stamp| stamp == lock);
    if is_current && file.exists() {
        return Ok(());
    }
    debian::ensure(&name_of("npm"), &["npm"])?;
    let not_written = |error: io::Error| format!("{} cannot be written: {error}", folder.display());
    prepare(folder, package, lock).map_err(not_written)?;
    let npm = Command::new(name_of("npm"))
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])
        // Without a network this ends soon, and in words.
        .args(["--fetch-retries=2", "--fetch-timeout=60000"])
        .current_dir(folder)
        .status();
    match npm {
        Ok(status) if status.success() && file.exists() => {}
        Ok(status) => return Err(format!("`npm ci` ended with {status}")),
        Err(error) => return Err(format!("npm did not start: {error}")),
    }
    fs::write(folder.join(STAMP), lock).map_err(not_written)
}

fn prepare(folder: &Path, package: &str, lock: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    match fs::remove_file(folder.join(STAMP)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::write(folder.join("package.json"), package)?;
    fs::write(folder.join("package-lock.json"), lock)
}

/// npm and the programs that it installs are scripts, which have an ending on Windows.
pub fn name_of(script: &str) -> String {
    if cfg!(windows) { format!("{script}.cmd") } else { script.to_owned() }
}

/// Checks a pair of `package.json` and `package-lock.json`.
#[cfg(test)]
pub fn check_lock(name: &str, package: &str, lock: &str) {
    let version = package.split_once(&format!("\"{name}\": \"")).and_then(|(_, rest)| rest.split_once('"'));
    let (version, _) = version.expect("package.json asks for it");
    assert!(version.starts_with(|c: char| c.is_ascii_digit()), "`{version}` is a range");
    let pinned = format!("\"node_modules/{name}\": {{\n      \"version\": \"{version}\"");
    assert!(lock.contains(&pinned), "package-lock.json does not pin {name} {version}");
    assert!(!lock.contains("\"resolved\""), "package-lock.json names a registry");
    let packages = lock.matches("\"node_modules/").count();
    assert_eq!(lock.matches("\"integrity\": \"sha512-").count(), packages, "each package has a hash");
}
