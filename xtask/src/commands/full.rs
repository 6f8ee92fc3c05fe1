//! `cargo xtask full`: what `test` does, with sixteen times as many cases for each property; then the tests with the clock a
//! year ahead; and then the campaigns at their full size: the duplicates under throttling, the kills, the assignments and the
//! report.

use crate::commands::{bench, calendar, test};
use crate::steps::Steps;
use crate::tools::needs;
use crate::workspace::Workspace;

/// proptest's own default is 256.
const CASES: (&str, &str) = ("PROPTEST_CASES", "4096");

pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    let environment = needs::environment(workspace, steps);
    let mut more_cases = environment.clone();
    more_cases.push((CASES.0, CASES.1.into()));
    test::run_with(workspace, steps, arguments, &more_cases);
    calendar::whole(workspace, steps, arguments, &environment);
    bench::campaigns(workspace, steps, &[("sync", &[]), ("kill", &[]), ("assign", &[]), ("report", &[])]);
}
