//! `cargo xtask check`: everything compiles, and what is shipped is only what belongs there.

use crate::steps::{self, Outcome, Steps};
use crate::workspace::{PRODUCT, Workspace};

/// The stand-ins for Azure. Never in a production build (design §4).
const SIMULATOR: &str = "simulator";

pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    steps.run("compile everything", || {
        steps::program(workspace.cargo(&["check", "--workspace", "--all-targets"]).args(arguments))
    });
    production(workspace, steps);
}

/// The steps that look at the production build, `--no-default-features`.
pub fn production(workspace: &Workspace, steps: &mut Steps) {
    steps.run("compile the production build", || {
        steps::program(&mut workspace.cargo(&["check", "--package", PRODUCT, "--no-default-features"]))
    });
    steps.run("no simulator in the production build", || {
        let tree = ["tree", "--package", PRODUCT, "--no-default-features", "--edges", "normal,build"];
        let lines = ["--target", "all", "--prefix", "none", "--format", "{p}"];
        match steps::output(workspace.cargo(&tree).args(lines)) {
            Ok(tree) => judge(&tree),
            Err(failed) => failed,
        }
    });
}

/// Reads one package per line: `name v1.2.3 (path)`.
fn judge(tree: &str) -> Outcome {
    let has = |name: &str| tree.lines().any(|line| line.split_whitespace().next() == Some(name));
    if !has(PRODUCT) {
        return Outcome::Failed(format!("cargo tree does not show `{PRODUCT}`, so it shows nothing"));
    }
    if has(SIMULATOR) {
        return Outcome::Failed(format!("`{SIMULATOR}` is in the dependency tree of `{PRODUCT}`"));
    }
    Outcome::Passed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_with_the_simulator_anywhere_in_it_fails() {
        let clean = "policysync v0.1.0 (/repo)\nserde v1.0.0\nazure v0.1.0 (/repo/crates/azure)\n";
        assert_eq!(judge(clean), Outcome::Passed);
        let dirty = format!("{clean}simulator v0.1.0 (/repo/crates/simulator)\n");
        assert!(matches!(judge(&dirty), Outcome::Failed(_)));
    }

    #[test]
    fn an_empty_tree_proves_nothing() {
        assert!(matches!(judge(""), Outcome::Failed(_)));
    }
}
