//! `cargo xtask bench page`: size and first paint of the status page of the largest fleet, in Chromium.

use crate::steps::{self, Outcome, Steps};
use crate::tools::browser;
use crate::workspace::{PRODUCT, Workspace};

pub fn run(workspace: &Workspace, steps: &mut Steps) {
    let mut environment = None;
    steps.run("install Chromium, chromedriver and axe-core", || match browser::install(&workspace.tools()) {
        Ok(installed) => {
            environment = Some(installed);
            Outcome::Passed
        }
        Err(why) => Outcome::Skipped(why),
    });
    let Some(environment) = environment else { return };
    steps.run("bench page", || {
        let arguments = ["bench", "--quiet", "--package", PRODUCT, "--bench", "page"];
        steps::program(workspace.cargo(&arguments).envs(environment))
    });
}
