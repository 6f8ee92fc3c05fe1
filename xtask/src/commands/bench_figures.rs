//! The benches whose figures are those of `docs/performance.md`: the package as it ships, beside the same job in other
//! languages and beside a plain script. With `--write` the page gets what was measured.

use std::path::PathBuf;
use std::process::Command;

use crate::commands::package::{self, Extent};
use crate::steps::{self, Outcome, Steps};
use crate::tools::{azurite, debian};
use crate::workspace::{CAMPAIGNS, PRODUCT, Workspace};

/// The benches, each a campaign of that name.
pub const BENCHES: [&str; 6] = ["start", "invocation", "neighbour", "script", "report", "assign"];
/// Those that keep records in a storage account.
const WITH_STORAGE: [&str; 3] = ["script", "report", "assign"];
const PAGE: &str = "docs/performance.md";
/// What an invocation and a message take, in instructions.
const RECORD: &str = "benches/instructions.json";
const WRITE: &str = "--write";

/// Measures one of them, and fails when a limit is missed.
pub fn run(workspace: &Workspace, steps: &mut Steps, name: &str, arguments: &[String]) {
    let writes = arguments.iter().any(|argument| argument == WRITE);
    let Some(package) = package::build(workspace, steps, Extent::default()) else { return };
    let mut storage = None;
    if WITH_STORAGE.contains(&name) {
        steps.run("install Azurite, the storage emulator", || match azurite::install(&workspace.tools()) {
            Ok(installed) => {
                storage = Some(installed);
                Outcome::Passed
            }
            Err(why) => Outcome::Skipped(why),
        });
    }
    if name == "invocation" {
        steps.run("install valgrind", valgrind);
    }
    let mut built = vec!["build", "--release", "--package", CAMPAIGNS];
    if name == "assign" {
        // A person runs commands, and the package has none.
        built.extend(["--package", PRODUCT]);
    }
    let is_built =
        steps.run("build the campaigns, optimised", || steps::program(&mut workspace.cargo(&built)));
    if !is_built {
        return;
    }
    let campaign = |name: &str| {
        let mut campaign = workspace.cargo(&["run", "--quiet", "--release", "--package", CAMPAIGNS, "--"]);
        campaign.arg(name).arg("--handler").arg(package::binary(workspace));
        campaign
    };
    steps.run(&format!("bench {name}"), || {
        let mut bench = campaign(name);
        bench.arg("--judge").args(arguments.iter().filter(|argument| *argument != WRITE));
        if matches!(name, "start" | "invocation") {
            bench.arg("--package").arg(package);
        }
        if writes {
            bench.arg("--page").arg(workspace.root().join(PAGE));
        }
        steps::program(bench.envs(storage.map(|storage| (azurite::VARIABLE, storage))))
    });
    if writes && name == "invocation" {
        steps.run("record how many instructions there are", || match compiler(workspace) {
            Ok(compiler) => {
                let record = workspace.root().join(RECORD);
                let mut counting = campaign("instructions");
                steps::program(
                    counting.arg("--renew").args(["--compiler", &compiler, "--record"]).arg(record),
                )
            }
            Err(failed) => failed,
        });
    }
}

/// Counts the instructions of the package that was just built, and holds them against the record. The campaigns are those that
/// the tests have built.
pub fn guard(workspace: &Workspace, steps: &mut Steps) {
    if !steps.run("install valgrind", valgrind) {
        return;
    }
    steps.run("the instructions of an invocation are those that are recorded", || {
        let campaigns = built_for_tests(workspace);
        if !campaigns.is_file() {
            return Outcome::Skipped(
                "the campaigns are not built; `cargo test --workspace` builds them".to_owned(),
            );
        }
        match compiler(workspace) {
            Ok(compiler) => {
                let mut counting = Command::new(campaigns);
                counting.arg("instructions").arg("--handler").arg(package::binary(workspace));
                counting.args(["--compiler", &compiler, "--record"]).arg(workspace.root().join(RECORD));
                steps::program(&mut counting)
            }
            Err(failed) => failed,
        }
    });
}

fn built_for_tests(workspace: &Workspace) -> PathBuf {
    workspace.target().join("debug").join(format!("{CAMPAIGNS}{}", std::env::consts::EXE_SUFFIX))
}

fn valgrind() -> Outcome {
    debian::ensure("valgrind", &["valgrind"]).map_or_else(Outcome::Skipped, |()| Outcome::Passed)
}

/// The compiler of the workspace, with its version.
fn compiler(workspace: &Workspace) -> Result<String, Outcome> {
    let mut rustc = Command::new("rustc");
    let said = steps::output(rustc.arg("--version").current_dir(workspace.root()))?;
    Ok(said.trim().to_owned())
}
