//! `cargo xtask simulate`: the whole app under chance (`simulation/`), optimised. Arguments go to it: `--seeds N`, `--seed S`, `--trace`.

use crate::steps::{self, Steps};
use crate::workspace::{SIMULATION, Workspace};

pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    steps.run("play seeds", || {
        let mut cargo = workspace.cargo(&["run", "--quiet", "--release", "--package", SIMULATION, "--"]);
        steps::program(cargo.args(arguments))
    });
}
