//! `cargo xtask calendar`: the tests with the clock a year ahead. A build that is green today must not turn red by itself:
//! through a fixture with a date, a certificate or a token that ends, or a rule that counts days.
//!
//! Cargo and the compiler keep the real clock; the tests, and every process that they start, have the other one.

use std::ffi::OsString;

use crate::commands::contract;
use crate::steps::{self, Outcome, Steps};
use crate::tools::faketime;
use crate::tools::needs::{self, Environment};
use crate::workspace::{PRODUCT, Workspace};

const DAYS: u32 = 365;
/// The part that `cargo xtask test` runs: the story of a fleet through three processes, with certificates, tokens,
/// signatures and scheduled messages; a command against it; and the clients of the services.
const SAMPLE: [&[&str]; 2] = [
    &["--package", PRODUCT, "--test", "app", "--", "scenarios::", "submit::"],
    &["--package", "azure", "--package", "state", "--lib"],
];

pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    let environment = needs::environment(workspace, steps);
    whole(workspace, steps, arguments, &environment);
}

/// Every test of the workspace, and the contract tests.
pub fn whole(workspace: &Workspace, steps: &mut Steps, arguments: &[String], environment: &Environment) {
    let Some(clock) = clock(steps) else { return };
    steps.run("cargo test, a year ahead", || {
        steps::program(tests(workspace, &clock, environment).arg("--workspace").args(arguments))
    });
    contract::run_with(workspace, steps, &[], &clock);
}

/// Some of them, for every day.
pub fn sample(workspace: &Workspace, steps: &mut Steps, environment: &Environment) {
    let Some(clock) = clock(steps) else { return };
    for arguments in SAMPLE {
        steps.run(&format!("cargo test {}, a year ahead", arguments.join(" ")), || {
            steps::program(tests(workspace, &clock, environment).args(arguments))
        });
    }
}

fn clock(steps: &mut Steps) -> Option<faketime::Environment> {
    let mut clock = None;
    steps.run("move the clock a year ahead", || match faketime::ahead(DAYS) {
        Ok(moved) => {
            clock = Some(moved);
            Outcome::Passed
        }
        Err(why) => Outcome::Skipped(why),
    });
    clock
}

/// `cargo test` that starts each program of tests through `env`.
fn tests(
    workspace: &Workspace,
    clock: &faketime::Environment,
    environment: &Environment,
) -> std::process::Command {
    let runner = runner(clock);
    let mut cargo = workspace.cargo(&["test"]);
    cargo.arg("--config").arg(runner).envs(environment.iter().cloned());
    cargo
}

/// As TOML, for every target: `["env", "A=b", ...]`.
fn runner(clock: &faketime::Environment) -> OsString {
    let variables = clock.iter().map(|(name, value)| format!("{name}={}", value.to_string_lossy()));
    let words: Vec<String> = ["env".to_owned()].into_iter().chain(variables).collect();
    format!("target.'cfg(all())'.runner = {}", serde_json::json!(words)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runner_sets_every_variable_of_the_clock() {
        let clock = vec![("LD_PRELOAD", "/lib/a b.so".into()), ("FAKETIME", "+365d".into())];
        let expected = r#"target.'cfg(all())'.runner = ["env","LD_PRELOAD=/lib/a b.so","FAKETIME=+365d"]"#;
        assert_eq!(runner(&clock), expected);
    }
}
