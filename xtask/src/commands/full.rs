//! `cargo xtask full`: what `test` does, with sixteen times as many cases for each property, and then the campaigns at
//! their full size: the duplicates under throttling, the kills, and the assignments.

use crate::commands::{bench, test};
use crate::steps::Steps;
use crate::workspace::Workspace;

/// proptest's own default is 256.
const CASES: &str = "4096";

pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    test::run_with(workspace, steps, arguments, &[("PROPTEST_CASES", CASES)]);
    bench::campaigns(workspace, steps, &[("sync", &[]), ("kill", &[]), ("assign", &[])]);
}
