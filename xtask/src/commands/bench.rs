//! `cargo xtask bench NAME`: a campaign at its full size, with the figures that the product is judged by.
//!
//! The campaigns are a program of their own (`campaigns/`), since they need the simulated Azure. Both it and the
//! `policysync` that it attacks are built as they ship, optimised.

use crate::commands::bench_figures;
use crate::steps::{self, Outcome, Steps};
use crate::tools::{azurite, faketime};
use crate::workspace::{CAMPAIGNS, PRODUCT, Workspace};

/// The campaigns that `bench` can run, by name.
const BENCHES: [&str; 3] = ["sync", "kill", "soak"];

pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    match arguments.split_first() {
        Some((name, rest)) if BENCHES.contains(&name.as_str()) => {
            campaigns(workspace, steps, &[(name, rest.to_vec())]);
        }
        Some((name, rest)) if bench_figures::BENCHES.contains(&name.as_str()) => {
            bench_figures::run(workspace, steps, name, rest);
        }
        Some((name, [])) if name == "host" => super::bench_host::run(workspace, steps),
        Some((name, [])) if name == "page" => super::bench_page::run(workspace, steps),
        given => {
            let named = given.map_or_else(
                || "no bench is named".to_owned(),
                |(name, _)| format!("there is no bench `{name}`"),
            );
            steps.run("bench", || {
                let figures = bench_figures::BENCHES.join(", ");
                Outcome::Failed(format!("{named}; there is {}, {figures}, host, page", BENCHES.join(", ")))
            });
        }
    }
}

/// Runs campaigns, by name and with their arguments, at their full size.
pub fn campaigns(workspace: &Workspace, steps: &mut Steps, campaigns: &[(&str, Vec<String>)]) {
    let mut program = None;
    steps.run("install Azurite, the storage emulator", || match azurite::install(&workspace.tools()) {
        Ok(installed) => {
            program = Some(installed);
            Outcome::Passed
        }
        Err(why) => Outcome::Skipped(why),
    });
    let Some(program) = program else { return };
    let mut clock = None;
    steps.run("install libfaketime, which moves clocks", || match faketime::install() {
        Ok(installed) => {
            clock = Some(installed);
            Outcome::Passed
        }
        Err(why) => Outcome::Skipped(why),
    });
    let packages = ["build", "--release", "--package", PRODUCT, "--package", CAMPAIGNS];
    let is_built = steps.run("build the product and the campaigns, optimised", || {
        steps::program(&mut workspace.cargo(&packages))
    });
    if !is_built {
        return;
    }
    for (name, arguments) in campaigns {
        let title = ["campaign", name].into_iter().chain(arguments.iter().map(String::as_str));
        steps.run(&title.collect::<Vec<_>>().join(" "), || {
            let mut cargo =
                workspace.cargo(&["run", "--quiet", "--release", "--package", CAMPAIGNS, "--", name]);
            cargo.args(arguments).env(azurite::VARIABLE, &program);
            steps::program(cargo.envs(clock.iter().map(|library| (faketime::VARIABLE, library))))
        });
    }
}
