//! `cargo xtask check`: checks that every member of the workspace compiles by itself, and that the production build
//! holds no stand-in.
//!
//! In a build of the whole workspace each member gets the features that any other asks for, so one that forgot to ask
//! compiles all the same, until it is built alone.

use serde_json::Value;

use crate::steps::{self, Outcome, Steps};
use crate::workspace::{PRODUCT, Workspace};

/// The crates that stand in for Azure and for the Functions host. No production build has them (`contracts.md` §2).
const STAND_INS: [&str; 3] = ["azure-simulator", "functions-host-stand-in", "trigger-sources"];

pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    let mut members = Vec::new();
    steps.run("list the members of the workspace", || match list(workspace) {
        Ok(found) => {
            members = found;
            Outcome::Passed
        }
        Err(failed) => failed,
    });
    for member in &members {
        steps.run(&format!("compile {member} by itself"), || alone(workspace, member, &[], arguments));
    }
    steps.run(&format!("compile {PRODUCT} and its tests without its features"), || {
        alone(workspace, PRODUCT, &["--no-default-features"], arguments)
    });
    production(workspace, steps);
}

/// The members, in the order that cargo names them in.
fn list(workspace: &Workspace) -> Result<Vec<String>, Outcome> {
    let metadata = steps::output(&mut workspace.cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata)
        .map_err(|error| Outcome::Failed(format!("`cargo metadata` said nothing readable: {error}")))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let names: Vec<String> =
        packages.filter_map(|package| package["name"].as_str().map(str::to_owned)).collect();
    if names.is_empty() {
        return Err(Outcome::Failed("`cargo metadata` names no package".to_owned()));
    }
    Ok(names)
}

/// Every target of one member, with no features but those that it asks for itself.
fn alone(workspace: &Workspace, member: &str, features: &[&str], arguments: &[String]) -> Outcome {
    let mut cargo = workspace.cargo(&["check", "--package", member, "--all-targets"]);
    steps::program(cargo.args(features).args(arguments))
}

/// The steps that look at the production build, `--no-default-features`.
pub fn production(workspace: &Workspace, steps: &mut Steps) {
    steps.run("compile the production build", || {
        steps::program(&mut workspace.cargo(&["check", "--package", PRODUCT, "--no-default-features"]))
    });
    steps.run("no stand-in in the production build", || {
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
    match STAND_INS.into_iter().find(|name| has(name)) {
        Some(name) => Outcome::Failed(format!("`{name}` is in the dependency tree of `{PRODUCT}`")),
        None => Outcome::Passed,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Stdio;

    use super::*;
    use crate::workspace::{CAMPAIGNS, SIMULATION};

    /// `careless` calls what `library` has behind a feature; only `careful` asks for that.
    const FILES: [(&str, &str); 7] = [
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"library\", \"careful\", \"careless\"]\n"),
        ("library/Cargo.toml", "[package]\nname = \"library\"\nedition = \"2024\"\n[features]\nextra = []\n"),
        ("library/src/lib.rs", "#[cfg(feature = \"extra\")]\npub fn extra() {}\n"),
        (
            "careful/Cargo.toml",
            "[package]\nname = \"careful\"\nedition = \"2024\"\n[dependencies]\nlibrary = { path = \"../library\", features = [\"extra\"] }\n",
        ),
        ("careful/src/lib.rs", "pub fn work() { library::extra() }\n"),
        (
            "careless/Cargo.toml",
            "[package]\nname = \"careless\"\nedition = \"2024\"\n[dependencies]\nlibrary = { path = \"../library\" }\n",
        ),
        ("careless/src/lib.rs", "pub fn work() { library::extra() }\n"),
    ];

    #[test]
    fn a_member_that_lives_on_the_features_of_another_does_not_pass() {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in FILES {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let workspace = Workspace::at(folder.path().to_owned());
        let target = ["--target-dir".to_owned(), folder.path().join("target").display().to_string()];
        let mut lock = std::process::Command::new(env!("CARGO"));
        lock.args(["generate-lockfile", "--offline"]).current_dir(folder.path()).stderr(Stdio::null());
        lock.env_remove("LD_PRELOAD");
        assert_eq!(steps::program(&mut lock), Outcome::Passed);
        let mut whole = workspace.cargo(&["check", "--quiet", "--workspace", "--all-targets"]);
        assert_eq!(steps::program(whole.args(&target)), Outcome::Passed, "together they compile");
        let members = list(&workspace).unwrap();
        let passes = |member: &&str| alone(&workspace, member, &["--quiet"], &target) == Outcome::Passed;
        let mut passed: Vec<&str> = members.iter().map(String::as_str).filter(passes).collect();
        passed.sort_unstable();
        assert_eq!((members.len(), passed), (3, vec!["careful", "library"]));
    }

    #[test]
    fn the_members_are_those_of_this_workspace() {
        let members = list(&Workspace::find()).unwrap();
        for name in [PRODUCT, CAMPAIGNS, SIMULATION, "fuzz", "xtask"].into_iter().chain(STAND_INS) {
            assert!(members.iter().any(|member| member == name), "{name}");
        }
        let crates = fs::read_dir(Workspace::find().root().join("crates")).unwrap().count();
        // The product, campaigns, fuzz, simulation and xtask are elsewhere.
        assert_eq!(members.len(), crates + 5);
    }

    #[test]
    fn a_tree_with_a_stand_in_anywhere_in_it_fails() {
        let clean = "policysync v0.1.0 (/repo)\nserde v1.0.0\nazure v0.1.0 (/repo/crates/azure)\n";
        assert_eq!(judge(clean), Outcome::Passed);
        for name in STAND_INS {
            let dirty = format!("{clean}{name} v0.1.0 (/repo/crates/{name})\n");
            assert!(matches!(judge(&dirty), Outcome::Failed(_)), "{name}");
        }
    }

    #[test]
    fn an_empty_tree_proves_nothing() {
        assert!(matches!(judge(""), Outcome::Failed(_)));
    }

    #[test]
    fn an_advisory_is_ignored_only_while_its_crate_is_here() {
        let root = Workspace::find();
        let read = |file: &str| fs::read_to_string(root.root().join(file)).unwrap();
        let (deny, lock) = (read("deny.toml"), read("Cargo.lock"));
        let ignored = deny.lines().filter(|line| line.trim_start().starts_with("{ id = \"RUSTSEC-"));
        let mut number = 0;
        for line in ignored {
            let (_, rest) = line.split_once("reason = \"`").unwrap();
            let (name, rest) = rest.split_once("` ").unwrap();
            let version = rest.split(' ').next().unwrap();
            let pinned = format!("name = \"{name}\"\nversion = \"{version}\"\n");
            assert!(lock.contains(&pinned), "{name} {version} is gone, and so is the reason for: {line}");
            number += 1;
        }
        assert_eq!(number, deny.matches("\"RUSTSEC-").count());
    }
}
