//! `cargo xtask test`: the one command after a fresh clone. Installs what the tests need, runs them, and checks the
//! production build.

use crate::commands::package::{self, Extent};
use crate::commands::{bench_figures, calendar, check, contract, infra, simulate};
use crate::steps::{self, Steps, THREADS};
use crate::tools::needs::{self, Environment};
use crate::workspace::{PRODUCT, Workspace};

/// Twice as many as there are cores: the whole-app tests wait for clocks and processes more than they compute.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get() * 2)
}

pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    let environment = needs::environment(workspace, steps);
    run_with(workspace, steps, arguments, &environment);
    calendar::sample(workspace, steps, &environment);
}

/// Everything but the tests with the clock ahead. `environment` is that of the tests.
pub fn run_with(workspace: &Workspace, steps: &mut Steps, arguments: &[String], environment: &Environment) {
    steps.run("cargo test", || {
        let mut cargo = workspace.cargo(&["test"]);
        if !names_packages(arguments) {
            cargo.arg("--workspace");
        }
        cargo.args(arguments).envs(environment.iter().cloned());
        if std::env::var_os(THREADS).is_none() {
            cargo.env(THREADS, threads().to_string());
        }
        steps::program(&mut cargo)
    });
    simulate::tests(workspace, steps);
    contract::run(workspace, steps, &[]);
    infra::run(workspace, steps, &[]);
    check::production(workspace, steps);
    packaged(workspace, steps);
}

/// Counts the instructions of the app as it ships, and tells the demo's story with it: the stand-in for the Functions host runs
/// the package.
fn packaged(workspace: &Workspace, steps: &mut Steps) {
    let Some(package) = package::build(workspace, steps, Extent::default()) else { return };
    bench_figures::guard(workspace, steps);
    steps.run("the demo's story, told from the package", || {
        // With the profile of the tests, which have built all of it.
        let demo = ["run", "--quiet", "--profile", "test", "--package", PRODUCT, "--", "demo", "--package"];
        steps::program(workspace.cargo(&demo).arg(package))
    });
}

/// Whether the caller wants some packages only. Arguments after `--` are for the tests themselves.
fn names_packages(arguments: &[String]) -> bool {
    let ours = arguments.iter().take_while(|argument| *argument != "--");
    ours.into_iter().any(|argument| {
        matches!(argument.as_str(), "-p" | "--package" | "--workspace")
            || argument.starts_with("--package=")
            || (argument.starts_with("-p") && !argument.starts_with("--"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[&str]) -> bool {
        names_packages(&arguments.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn naming_a_package_replaces_the_whole_workspace() {
        assert!(names(&["-p", "state"]) && names(&["--package", "state"]) && names(&["--package=state"]));
        assert!(names(&["-pstate"]) && names(&["--workspace"]));
    }

    #[test]
    fn filters_and_what_the_tests_themselves_get_do_not() {
        assert!(!names(&[]) && !names(&["--profile", "dev"]) && !names(&["contract"]));
        assert!(!names(&["--", "-p"]) && !names(&["--", "--package"]));
    }
}
