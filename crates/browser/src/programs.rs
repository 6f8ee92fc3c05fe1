//! Finds the browser and its tools by environment variables, which `cargo xtask test` sets.

use std::path::PathBuf;

/// The program files, and the script that checks accessibility.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Chromium itself.
    pub chromium: PathBuf,
    /// Its `WebDriver`.
    pub chromedriver: PathBuf,
    /// `axe.min.js` of axe-core.
    pub axe: PathBuf,
}

impl Programs {
    /// Reads `CHROMIUM`, `CHROMEDRIVER` and `AXE`.
    ///
    /// # Errors
    /// Names the first that is not set, and who sets it.
    pub fn from_environment() -> Result<Self, String> {
        let read = |name: &str| {
            let value = std::env::var_os(name).filter(|value| !value.is_empty());
            value.map(PathBuf::from).ok_or_else(|| {
                format!("{name} is not set; `cargo xtask test` installs Chromium, chromedriver and axe-core")
            })
        };
        Ok(Self { chromium: read("CHROMIUM")?, chromedriver: read("CHROMEDRIVER")?, axe: read("AXE")? })
    }
}
