//! `cargo xtask full`: what `test` does, with sixteen times as many cases for each property.

use crate::commands::test;
use crate::steps::Steps;
use crate::workspace::Workspace;

/// proptest's own default is 256.
const CASES: &str = "4096";

pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    test::run_with(workspace, steps, arguments, &[("PROPTEST_CASES", CASES)]);
}
