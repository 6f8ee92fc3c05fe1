//! `cargo xtask test`: the one command after a fresh clone. Installs what the tests need, runs them, and checks the
//! production build.

use crate::commands::package::{self, Extent};
use crate::commands::{check, contract, infra};
use crate::steps::{self, Outcome, Steps};
use crate::tools::{azurite, browser};
use crate::workspace::{PRODUCT, Workspace};

/// Names Azurite's program to the tests; without it those that need it are skipped in words.
const AZURITE: &str = "AZURITE";

pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    run_with(workspace, steps, arguments, &[]);
}

/// The same with further environment variables for the tests.
pub fn run_with(
    workspace: &Workspace,
    steps: &mut Steps,
    arguments: &[String],
    environment: &[(&str, &str)],
) {
    let mut program = None;
    steps.run("install Azurite, the storage emulator", || match azurite::install(&workspace.tools()) {
        Ok(installed) => {
            program = Some(installed);
            Outcome::Passed
        }
        Err(why) => Outcome::Skipped(why),
    });
    let mut browser = browser::Environment::new();
    steps.run("install Chromium, chromedriver and axe-core", || match browser::install(&workspace.tools()) {
        Ok(installed) => {
            browser = installed;
            Outcome::Passed
        }
        Err(why) => Outcome::Skipped(why),
    });
    steps.run("cargo test", || {
        let mut cargo = workspace.cargo(&["test"]);
        if !names_packages(arguments) {
            cargo.arg("--workspace");
        }
        cargo.args(arguments).envs(environment.iter().copied());
        if let Some(program) = program {
            cargo.env(AZURITE, program);
        }
        cargo.envs(browser);
        steps::program(&mut cargo)
    });
    contract::run(workspace, steps, &[]);
    infra::run(workspace, steps, &[]);
    check::production(workspace, steps);
    packaged(workspace, steps);
}

/// Tells the demo's story with the app as it ships: the stand-in for the Functions host runs the package.
fn packaged(workspace: &Workspace, steps: &mut Steps) {
    let Some(package) = package::build(workspace, steps, Extent::default()) else { return };
    steps.run("the demo's story, told from the package", || {
        let demo = ["run", "--quiet", "--package", PRODUCT, "--", "demo", "--package"];
        steps::program(workspace.cargo(&demo).arg(package))
    });
}

/// Whether the caller wants some packages only. What follows `--` is for the tests themselves.
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
