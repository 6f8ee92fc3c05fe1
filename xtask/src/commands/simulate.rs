//! `cargo xtask simulate`: the whole app under chance (`simulation/`), in the profile of its own. Arguments go to it: `--seeds N`, `--seed S`,
//! `--trace`.

use crate::steps::{self, Steps, THREADS};
use crate::workspace::{SIMULATION, Workspace};

/// In `Cargo.toml`.
const PROFILE: &str = "simulation";

/// Plays the seeds of the tests: 500, those that broke a promise once, and an app that is broken on purpose for each oracle.
pub fn tests(workspace: &Workspace, steps: &mut Steps) {
    steps.run("500 plays of the whole app under chance", || {
        let mut cargo = workspace.cargo(&["test", "--profile", PROFILE, "--package", SIMULATION]);
        steps::program(cargo.args(["--test", "plays", "--", "--nocapture"]).env(THREADS, "1"))
    });
}

pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    steps.run("play seeds", || {
        let mut cargo =
            workspace.cargo(&["run", "--quiet", "--profile", PROFILE, "--package", SIMULATION, "--"]);
        steps::program(cargo.args(arguments))
    });
}
