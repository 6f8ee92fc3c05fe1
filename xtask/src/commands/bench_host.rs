//! `cargo xtask bench host`: measures the cost of the Functions host stand-in, in a program of its own that fails when
//! a limit is passed.

use crate::steps::{self, Steps};
use crate::workspace::Workspace;

pub fn run(workspace: &Workspace, steps: &mut Steps) {
    let arguments = ["bench", "--quiet", "--package", "functions-host-stand-in", "--bench", "host"];
    steps.run("bench host", || steps::program(&mut workspace.cargo(&arguments)));
}
