//! Sets the environment by which the tests find their tools.

use std::ffi::OsString;
use std::process::Command;

use crate::steps::{Outcome, Steps};
use crate::tools::{azurite, browser, debian, faketime};
use crate::workspace::Workspace;

/// Environment variables of the tests, by name.
pub type Environment = Vec<(&'static str, OsString)>;

/// Installs what the tests need, and returns the variables by which they find it.
pub fn environment(workspace: &Workspace, steps: &mut Steps) -> Environment {
    let mut environment = Environment::new();
    steps.run("install Azurite, the storage emulator", || match azurite::install(&workspace.tools()) {
        Ok(installed) => {
            environment.push((azurite::VARIABLE, installed.into()));
            Outcome::Passed
        }
        Err(why) => Outcome::Skipped(why),
    });
    steps.run("install Chromium, chromedriver and axe-core", || match browser::install(&workspace.tools()) {
        Ok(installed) => {
            environment.extend(installed.into_iter().map(|(name, path)| (name, path.into())));
            Outcome::Passed
        }
        Err(why) => Outcome::Skipped(why),
    });
    steps.run("install libfaketime, which moves clocks", || match faketime::install() {
        Ok(installed) => {
            environment.push((faketime::VARIABLE, installed.into()));
            Outcome::Passed
        }
        Err(why) => Outcome::Skipped(why),
    });
    steps.run("install OpenSSL, which makes the chains of the customer's own root", || {
        // Its older versions know no `--version`.
        let is_there =
            || Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success());
        debian::ensure_that(is_there, "openssl", &["openssl"])
            .map_or_else(Outcome::Skipped, |()| Outcome::Passed)
    });
    environment
}
