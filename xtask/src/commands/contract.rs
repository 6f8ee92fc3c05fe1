//! `cargo xtask contract`: runs Microsoft's own Python clients against the simulator, and schemathesis against the app's own
//! API with its description, so that code of others checks what our tests rely on.

use std::process::Command;

use crate::steps::{self, Outcome, Steps};
use crate::tools::needs::Environment;
use crate::tools::python;
use crate::workspace::{PRODUCT, Workspace};

/// Names the program that the tests start.
const PROGRAM: &str = "POLICYSYNC";

/// Tests with programs of others. Two versions of one package are among the clients, so each suite has an environment of
/// its own.
struct Suite {
    /// Name of the environment.
    name: &'static str,
    /// Folder of its tests, below `tests`.
    folder: &'static str,
    /// The packages that it needs, below `tests`.
    requirements: &'static str,
    install: &'static str,
    title: &'static str,
}

const SUITES: [Suite; 3] = [
    Suite {
        name: "credentials",
        folder: "contract/credentials",
        requirements: "contract/requirements/credentials.txt",
        install: "install Microsoft's Python clients of generation A",
        title: "contract tests of generation A",
    },
    Suite {
        name: "certificate-authorities",
        folder: "contract/certificate_authorities",
        requirements: "contract/requirements/certificate-authorities.txt",
        install: "install Microsoft's Python clients of generation B",
        title: "contract tests of generation B",
    },
    Suite {
        name: "openapi",
        folder: "openapi",
        requirements: "openapi/requirements.txt",
        install: "install schemathesis",
        title: "the app's API against its description",
    },
];

/// `arguments` go to pytest.
pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    run_with(workspace, steps, arguments, &Environment::new());
}

/// The same with further environment variables for the tests, and so for the simulator that they start.
pub fn run_with(workspace: &Workspace, steps: &mut Steps, arguments: &[String], environment: &Environment) {
    let built = steps.run("build the app and the simulator for the contract tests", || {
        steps::program(&mut workspace.cargo(&["build", "--package", PRODUCT, "--bin", PRODUCT]))
    });
    for suite in &SUITES {
        let mut interpreter = None;
        steps.run(suite.install, || {
            let requirements = folder(workspace).join(suite.requirements);
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
        steps.run(suite.title, || {
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
    workspace.root().join("tests")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_pinned_by_hash_and_no_index_is_named() {
        for (suite, package) in SUITES.iter().zip(["azure-core", "azure-core", "schemathesis"]) {
            python::check_requirements(&folder(&Workspace::find()).join(suite.requirements), package);
        }
    }

    #[test]
    fn every_suite_has_tests() {
        for suite in &SUITES {
            let files = std::fs::read_dir(folder(&Workspace::find()).join(suite.folder)).unwrap();
            let tests = files
                .filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().starts_with("test_"));
            assert!(tests.count() > 0, "{}", suite.folder);
        }
    }
}
