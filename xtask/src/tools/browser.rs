//! Chromium and chromedriver from Debian, and axe-core from npm: what the tests of the status page need.

use std::path::{Path, PathBuf};

use crate::tools::{debian, npm};

const PACKAGE: &str = include_str!("../../axe-core/package.json");
const LOCK: &str = include_str!("../../axe-core/package-lock.json");

/// Names the browser to the tests. A value that a person sets wins.
const CHROMIUM: &str = "CHROMIUM";
/// Names its `WebDriver`, in the same way. The two have to be of one major version.
const CHROMEDRIVER: &str = "CHROMEDRIVER";
/// Names the script of axe-core.
const AXE: &str = "AXE";

/// The environment variables by which the tests find the browser.
pub type Environment = Vec<(&'static str, PathBuf)>;

/// Installs the missing programs, or says in words why it cannot.
pub fn install(tools: &Path) -> Result<Environment, String> {
    let folder = tools.join("axe-core");
    let axe = folder.join("node_modules").join("axe-core").join("axe.min.js");
    npm::install(&folder, PACKAGE, LOCK, &axe)?;
    Ok(vec![
        (CHROMIUM, program(CHROMIUM, "chromium")?),
        (CHROMEDRIVER, program(CHROMEDRIVER, "chromedriver")?),
        (AXE, axe),
    ])
}

fn program(variable: &str, usual: &str) -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os(variable).filter(|named| !named.is_empty()) {
        return Ok(named.into());
    }
    let installed = debian::ensure(usual, &["chromium", "chromium-driver"]);
    installed.map_err(|why| format!("{why}; {variable} may name one that is elsewhere"))?;
    // The driver does not look along PATH for its browser.
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join(usual))
        .find(|candidate| candidate.is_file());
    found.ok_or_else(|| format!("{usual} starts, but is nowhere along PATH"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_pins_the_version_that_is_asked_for() {
        npm::check_lock("axe-core", PACKAGE, LOCK);
    }
}
