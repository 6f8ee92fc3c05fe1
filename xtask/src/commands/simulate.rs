//! `cargo xtask simulate`: the whole app under chance (`simulation/`), in the profile of its own. Arguments go to it: `--seeds N`, `--seed S`,
//! `--trace`.

use crate::steps::{self, Steps};
use crate::workspace::{SIMULATION, Workspace};

/// In `Cargo.toml`.
const PROFILE: &str = "simulation";

pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    steps.run("play seeds", || {
        let mut cargo =
            workspace.cargo(&["run", "--quiet", "--profile", PROFILE, "--package", SIMULATION, "--"]);
        steps::program(cargo.args(arguments))
    });
}
