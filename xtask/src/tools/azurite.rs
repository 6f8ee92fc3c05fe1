//! Azurite, the storage emulator, from npm.

use std::path::{Path, PathBuf};

use crate::tools::npm;

const PACKAGE: &str = include_str!("../../azurite/package.json");
const LOCK: &str = include_str!("../../azurite/package-lock.json");

/// Names its program to the tests and the campaigns; without it what needs it is skipped in words.
pub const VARIABLE: &str = "AZURITE";

/// Installs it below `tools`, unless it is there already. Returns the program that serves blobs; otherwise says
/// in words why there is none.
pub fn install(tools: &Path) -> Result<PathBuf, String> {
    let folder = tools.join("azurite");
    let program = folder.join("node_modules").join(".bin").join(npm::name_of("azurite-blob"));
    npm::install(&folder, PACKAGE, LOCK, &program)?;
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_pins_the_version_that_is_asked_for() {
        npm::check_lock("azurite", PACKAGE, LOCK);
    }
}
