//! `cargo xtask contract`: runs Microsoft's own Python clients against the simulator, so that code of others checks
//! what our tests rely on.

use std::process::Command;

use crate::steps::{self, Outcome, Steps};
use crate::tools::needs::Environment;
use crate::tools::python;
use crate::workspace::{PRODUCT, Workspace};

/// Names the program whose `simulator` the clients are pointed at.
const PROGRAM: &str = "POLICYSYNC";

/// The clients of one generation of the API. Two versions of one package are among them, so each has an environment
/// of its own.
struct Suite {
    /// Name of the requirements file and of the environment.
    name: &'static str,
    /// Folder of its tests, below `tests/contract`.
    folder: &'static str,
    title: &'static str,
}

const SUITES: [Suite; 2] = [
    Suite { name: "credentials", folder: "credentials", title: "generation A" },
    Suite { name: "certificate-authorities", folder: "certificate_authorities", title: "generation B" },
];

/// `arguments` go to pytest.
pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    run_with(workspace, steps, arguments, &Environment::new());
}

/// The same with further environment variables for the tests, and so for the simulator that they start.
pub fn run_with(workspace: &Workspace, steps: &mut Steps, arguments: &[String], environment: &Environment) {
    let built = steps.run("build the simulator for the contract tests", || {
        steps::program(&mut workspace.cargo(&["build", "--package", PRODUCT, "--bin", PRODUCT]))
    });
    for suite in &SUITES {
        let mut interpreter = None;
        let install = format!("install Microsoft's Python clients of {}", suite.title);
        steps.run(&install, || {
            let requirements = folder(workspace).join("requirements").join(format!("{}.txt", suite.name));
            let environment = workspace.tools().join("contract").join(suite.name);
            match python::install(&environment, &requirements) {
                Ok(installed) => {
                    interpreter = Some(installed);
                    Outcome::Passed
                }
                Err(why) => Outcome::Skipped(why),
            }
        });
        let (Some(interpreter), true) = (interpreter, built) else { continue };
        steps.run(&format!("contract tests of {}", suite.title), || {
            let program = workspace.target().join("debug").join(PRODUCT);
            let program = program.with_extension(std::env::consts::EXE_EXTENSION);
            let mut pytest = Command::new(&interpreter);
            pytest
                .args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider"])
                .arg(folder(workspace).join(suite.folder))
                .args(arguments)
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .env(PROGRAM, program)
                .envs(environment.iter().cloned());
            steps::program(&mut pytest)
        });
    }
}

fn folder(workspace: &Workspace) -> std::path::PathBuf {
    workspace.root().join("tests").join("contract")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_pinned_by_hash_and_no_index_is_named() {
        for suite in &SUITES {
            let path = folder(&Workspace::find()).join("requirements").join(format!("{}.txt", suite.name));
            python::check_requirements(&path, "azure-core");
        }
    }

    #[test]
    fn every_suite_has_tests() {
        for suite in &SUITES {
            let files = std::fs::read_dir(folder(&Workspace::find()).join(suite.folder)).unwrap();
            let tests = files
                .filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().starts_with("test_"));
            assert!(tests.count() > 1, "{}", suite.folder);
        }
    }
}
