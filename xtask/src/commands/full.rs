//! `cargo xtask full`: what `test` does, with sixteen times as many cases for each property; then every search over the states
//! of a sync at its large bound, every fuzz target under its engine, every break of the code that decides, the kills of the reconcile that makes declared authorities at
//! fifty instants, the tests with the clock a year ahead, and the campaigns at their full size: the duplicates under throttling,
//! the kills with outages of the storage and clocks two minutes apart, an hour under load, the assignments, and reports over a
//! thousand namespaces that are killed on the way.

use crate::commands::{bench, calendar, fuzz, mutants, test};
use crate::steps::{self, Steps};
use crate::tools::needs;
use crate::workspace::Workspace;

/// proptest's own default is 256.
const CASES: (&str, &str) = ("PROPTEST_CASES", "4096");
/// How often the reconcile of declared authorities is killed, for each generation.
const MANAGED_KILLS: (&str, &str) = ("POLICYSYNC_MANAGED_KILLS", "50");
/// Makes the searches over the states of a sync large.
const SEARCH: (&str, &str) = ("POLICYSYNC_SEARCH", "large");
/// The campaigns: at their ordinary size, with ten times as many requests, and with records that are as far away as those of a
/// storage account in another region.
const CAMPAIGNS: [(&str, &[&str]); 9] = [
    ("sync", &[]),
    ("sync", &["--requests", "10000"]),
    ("sync", &["--storage-latency-ms", "30"]),
    ("kill", &["--kills", "500", "--outages", "25", "--skew-seconds", "60"]),
    ("kill", &["--requests", "10000", "--kills", "50"]),
    ("kill", &["--storage-latency-ms", "30", "--kills", "50"]),
    ("soak", &[]),
    ("assign", &[]),
    ("report", &["--namespaces", "1000"]),
];

pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    let environment = needs::environment(workspace, steps);
    let mut more_cases = environment.clone();
    more_cases.push((CASES.0, CASES.1.into()));
    test::run_with(workspace, steps, arguments, &more_cases);
    searches(workspace, steps);
    fuzz::run(workspace, steps, &[]);
    mutants::run(workspace, steps, &[]);
    managed_kills(workspace, steps);
    calendar::whole(workspace, steps, arguments, &environment);
    let campaigns =
        CAMPAIGNS.map(|(name, arguments)| (name, arguments.iter().map(ToString::to_string).collect()));
    bench::campaigns(workspace, steps, &campaigns);
}

/// Kills the functions that make what a file declares, between any two of their calls.
fn managed_kills(workspace: &Workspace, steps: &mut Steps) {
    steps.run("kill the reconcile of declared authorities at 50 instants", || {
        let kills = ["test", "--package", "policysync", "--test", "app", "managed_kills"];
        steps::program(workspace.cargo(&kills).env(MANAGED_KILLS.0, MANAGED_KILLS.1))
    });
}

/// Searches the states of a sync up to the large bounds, and shows how many there were.
fn searches(workspace: &Workspace, steps: &mut Steps) {
    steps.run("search the states of a sync, at the large bounds", || {
        let search = ["test", "--package", "certificate-management", "--lib", "sync::tests::search"];
        let mut cargo = workspace.cargo(&search);
        steps::program(cargo.args(["--", "--nocapture"]).env(SEARCH.0, SEARCH.1))
    });
}
