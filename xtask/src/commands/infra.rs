//! `cargo xtask infra`: checks the templates in `infra/` with the real compiler, and by the resources that they would
//! create.
//!
//! A property of the wrong name is only a warning to Bicep, so every diagnostic is a failure here. The snapshots (which
//! resources each parameter file would create) are committed, so that a reviewer sees them change; `--write` renews them.

mod alerts;
mod breaks;
mod calendar;
mod descriptions;
mod files;
mod names;
mod parameters;
mod private;
mod regions;
mod roles;
mod rules;
mod sample_world;
mod scan;
mod settings;
mod snapshot;

use std::path::Path;

use crate::steps::{Outcome, Steps};
use crate::tools::bicep::Bicep;
use crate::tools::checkov::Checkov;
use crate::tools::faketime;
use crate::workspace::Workspace;

use files::{PARAMETER_FILES, ParameterFile};
use snapshot::Snapshot;

/// Asks for the snapshots and the format to be written instead of compared.
const WRITE: &str = "--write";

/// Templates and parameter files.
const EXTENSIONS: [&str; 2] = ["bicep", "bicepparam"];

/// Environments and regions for which the names of resources have to fit: short, ordinary and as long as allowed.
const ENVIRONMENTS: [(&str, &str); 3] =
    [("a", "uksouth"), ("prod-1", "westeurope"), ("twenty-characters-xx", "germanywestcentral")];

pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    let root = workspace.root();
    let infra = root.join("infra");
    let scratch = workspace.tools().join("infra");
    let bicep = match Bicep::find() {
        Ok(bicep) => bicep,
        Err(why) => {
            steps.run("find the Bicep compiler", || Outcome::Skipped(why));
            steps.run("infra: what the committed snapshots create", || outcome(committed(root)));
            scanned(workspace, steps);
            return;
        }
    };
    if arguments.iter().any(|argument| argument == WRITE) {
        steps.run("infra: write format and snapshots", || outcome(write(&bicep, &infra)));
    }
    steps.run("infra: every template builds, lints and is formatted", || {
        outcome(compiled(&bicep, &infra, &scratch.join("formatted")))
    });
    steps.run("infra: snapshots are current", || outcome(current(&bicep, &infra)));
    steps.run("infra: what the committed snapshots create", || outcome(committed(root)));
    steps.run("infra: names fit for a range of environments", || {
        outcome(environments(&bicep, root, &scratch.join("names")))
    });
    steps.run("infra: the sample world is made in the order that the service wants", || {
        outcome(sample_world::problems(&bicep, &infra, &scratch.join("stages")))
    });
    let has_clock = steps.run("install faketime", || match faketime::ahead(calendar::DAYS) {
        Ok(_) => Outcome::Passed,
        Err(why) => Outcome::Skipped(why),
    });
    if has_clock {
        steps.run("infra: every template builds with the clock two years ahead", || {
            outcome(calendar::problems(&bicep, &infra, &scratch.join("calendar")))
        });
    }
    let checkov = scanned(workspace, steps);
    let tools = breaks::Tools { bicep: &bicep, has_clock, checkov: checkov.as_ref() };
    steps.run("infra: a broken template is noticed", || {
        outcome(breaks::noticed(&tools, root, &scratch.join("broken")))
    });
}

/// The scanner over the committed snapshots, which needs no compiler; and the scanner itself.
fn scanned(workspace: &Workspace, steps: &mut Steps) -> Option<Checkov> {
    let root = workspace.root();
    let mut installed = None;
    steps.run("install checkov", || match Checkov::install(&workspace.tools(), root) {
        Ok(checkov) => {
            installed = Some(checkov);
            Outcome::Passed
        }
        Err(why) => Outcome::Skipped(why),
    });
    if let Some(checkov) = &installed {
        steps.run("infra: what a scanner finds is fixed or accepted with a reason", || {
            let scratch = workspace.tools().join("infra").join("scanned");
            outcome(scan::problems(checkov, &root.join("infra"), &scratch))
        });
    }
    installed
}

fn outcome(problems: Result<Vec<String>, String>) -> Outcome {
    match problems {
        Ok(problems) if problems.is_empty() => Outcome::Passed,
        Ok(problems) => Outcome::Failed(format!("\n    {}", problems.join("\n    "))),
        Err(why) => Outcome::Failed(why),
    }
}

fn write(bicep: &Bicep, infra: &Path) -> Result<Vec<String>, String> {
    for extension in EXTENSIONS {
        bicep.format(infra, extension)?;
    }
    for ParameterFile { file, place } in PARAMETER_FILES {
        bicep.snapshot(&infra.join(file), "overwrite", *place, &[])?;
    }
    Ok(Vec::new())
}

/// The problems of every file, by the compiler and by our own rules.
fn compiled(bicep: &Bicep, infra: &Path, scratch: &Path) -> Result<Vec<String>, String> {
    let mut problems = files::problems(infra)?;
    problems.extend(diagnosed(bicep, infra)?);
    files::copy(infra, scratch)?;
    for extension in EXTENSIONS {
        bicep.format(scratch, extension)?;
    }
    for file in files::templates(infra)? {
        let read = |folder: &Path| {
            std::fs::read_to_string(folder.join(&file)).map_err(|error| format!("{file}: {error}"))
        };
        if read(infra)? != read(scratch)? {
            problems.push(format!("{file}: not formatted; run `cargo xtask infra {WRITE}`"));
        }
    }
    // The compiler reports a module once for each file that uses it.
    problems.sort();
    problems.dedup();
    Ok(problems)
}

/// The diagnostics of the compiler for every file, and the problems of descriptions in the templates that it builds.
fn diagnosed(bicep: &Bicep, infra: &Path) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    for extension in EXTENSIONS {
        problems.extend(bicep.lint(infra, extension)?);
    }
    // The built templates contain their modules.
    for file in files::roots(infra)? {
        match bicep.build(&infra.join(&file)) {
            Ok(built) if file.ends_with(".bicep") => problems.extend(descriptions::problems(&file, &built)),
            Ok(_) => {}
            Err(why) => problems.push(format!("{file}: {why}")),
        }
    }
    Ok(problems)
}

fn current(bicep: &Bicep, infra: &Path) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    for ParameterFile { file, place } in PARAMETER_FILES {
        if let Err(why) = bicep.snapshot(&infra.join(file), "validate", *place, &[]) {
            problems.push(format!("{file}: {why}\n    (cargo xtask infra {WRITE} writes it)"));
        }
    }
    Ok(problems)
}

/// The rules over every committed snapshot. Needs no compiler, so the tests of this program do it too.
fn committed(root: &Path) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    for ParameterFile { file, .. } in PARAMETER_FILES {
        let snapshot = Snapshot::read(&root.join("infra"), file)?;
        problems
            .extend(rules::problems(root, file, &snapshot)?.into_iter().map(|why| format!("{file}: {why}")));
    }
    Ok(problems)
}

fn environments(bicep: &Bicep, root: &Path, scratch: &Path) -> Result<Vec<String>, String> {
    let ParameterFile { file, place } = PARAMETER_FILES[0];
    let mut problems = Vec::new();
    files::copy(&root.join("infra"), scratch)?;
    for (name, location) in ENVIRONMENTS {
        let environment = [("AZURE_ENV_NAME", name), ("AZURE_LOCATION", location)];
        bicep.snapshot(&scratch.join(file), "overwrite", place, &environment)?;
        let snapshot = Snapshot::read(scratch, file)?;
        if !snapshot.text.contains(location) {
            problems.push(format!("{name}: the parameter file does not take the region from `azd`"));
        }
        problems
            .extend(names::problems(&snapshot).into_iter().map(|why| format!("environment {name}: {why}")));
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_snapshots_keep_every_rule() {
        assert_eq!(committed(Workspace::find().root()).unwrap(), Vec::<String>::new());
    }
}
