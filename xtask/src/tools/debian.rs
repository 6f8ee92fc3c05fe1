//! Installs system packages where this machine allows it: as root on Debian only.

use std::path::Path;
use std::process::{Command, Stdio};

/// Makes sure that a program can be started, by installing the packages that bring it. Otherwise says in words why not.
pub fn ensure(program: &str, packages: &[&str]) -> Result<(), String> {
    ensure_that(|| starts(program), program, packages)
}

/// The same for more than a program. `name`: the thing that is missing when `is_there` is false.
pub fn ensure_that(is_there: impl Fn() -> bool, name: &str, packages: &[&str]) -> Result<(), String> {
    if is_there() {
        return Ok(());
    }
    if !Path::new("/etc/debian_version").exists() {
        return Err(format!(
            "{name} is not installed, and this is no Debian to install {} on",
            packages.join(" ")
        ));
    }
    if !is_root() {
        return Err(format!("{name} is not installed; run `apt-get install {}` as root", packages.join(" ")));
    }
    apt_get(&["update"])?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], packages].concat())?;
    if is_there() { Ok(()) } else { Err(format!("{name} does not start after it was installed")) }
}

fn starts(program: &str) -> bool {
    let quiet = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// The effective user id is the second number of the line `Uid:`.
fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
    line.split_whitespace().nth(1) == Some("0")
}

fn apt_get(arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new("apt-get");
    command.args(["-qq", "-o=Dpkg::Use-Pty=0"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`apt-get {}` ended with {status}", arguments.join(" "))),
        Err(error) => Err(format!("apt-get did not start: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_there_needs_nothing() {
        assert_eq!(ensure("cargo", &["no-such-package"]), Ok(()));
    }
}
