//! The papers in a package: a bill of materials (`CycloneDX`, made by cargo-cyclonedx), and the licences of every crate
//! that is linked, with the texts that it was published with.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::TARGET;
use crate::steps::{self, Outcome};
use crate::tools::cargo_install::{self, Build};
use crate::workspace::{PRODUCT, Workspace};

/// The plugin with its version.
const CYCLONEDX: (&str, &str) = ("cargo-cyclonedx", "0.5.9");
/// The beginning of the names of licence files, in upper case.
const TEXTS: [&str; 4] = ["LICENSE", "LICENCE", "COPYING", "NOTICE"];
/// Names in the package.
const BILL: &str = "policysync.cdx.json";
const LICENCES: &str = "THIRD-PARTY-LICENCES.txt";
/// The earliest time that a zip can say, 1980-01-01, as seconds of Unix.
const EARLIEST: &str = "315532800";
/// Our own.
const OWN: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// Builds the plugin where it is not there; otherwise says in words why there is none.
pub fn install(tools: &Path) -> Result<PathBuf, String> {
    let (name, version) = CYCLONEDX;
    // A package build uses it once, and it waits for cargo.
    Ok(cargo_install::install(tools, name, version, Build::Quick)?.join(name))
}

/// Every file, by its name in the package.
pub fn files(workspace: &Workspace, cyclonedx: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let linked = linked(workspace)?;
    let bill = bill(workspace, cyclonedx)?;
    let missing = missing(&bill, &linked);
    if !missing.is_empty() {
        return Err(format!("not in the bill of materials: {}", missing.join(", ")));
    }
    let licences = licences(workspace, &linked)?;
    let text = serde_json::to_vec_pretty(&bill).map_err(|error| error.to_string())?;
    let mut files = vec![(BILL.to_owned(), text), (LICENCES.to_owned(), licences.into_bytes())];
    for name in OWN {
        let path = workspace.root().join(name);
        files.push((name.to_owned(), fs::read(&path).map_err(|error| format!("{name}: {error}"))?));
    }
    Ok(files)
}

/// Every crate of crates.io that cargo links into the program, with its version.
fn linked(workspace: &Workspace) -> Result<Vec<(String, String)>, String> {
    let tree = ["tree", "--package", PRODUCT, "--no-default-features", "--edges", "normal,no-proc-macro"];
    let lines = ["--target", TARGET, "--prefix", "none", "--format", "{p}"];
    match steps::output(workspace.cargo(&tree).args(lines)) {
        Ok(tree) => Ok(parsed(&tree)),
        Err(Outcome::Failed(why) | Outcome::Skipped(why)) => Err(why),
        Err(Outcome::Passed) => Ok(Vec::new()),
    }
}

/// Reads one package per line: `name v1.2.3`, ours with a path behind.
fn parsed(tree: &str) -> Vec<(String, String)> {
    let package = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        let is_ours = words.next().is_some_and(|word| word.starts_with("(/"));
        (!is_ours).then(|| (name.to_owned(), version.to_owned()))
    };
    let mut packages: Vec<(String, String)> = tree.lines().filter_map(package).collect();
    packages.sort();
    packages.dedup();
    packages
}

/// The bill, the same for the same crates, and without the place of the workspace.
fn bill(workspace: &Workspace, cyclonedx: &Path) -> Result<Value, String> {
    let name = BILL.trim_end_matches(".json");
    let mut command = Command::new(cyclonedx);
    command
        .args([
            "cyclonedx",
            "--format",
            "json",
            "--spec-version",
            "1.5",
            "--no-default-features",
            "--no-build-deps",
        ])
        .args(["--target", TARGET, "--override-filename", name])
        // With this it writes no random number, and this time.
        .env("SOURCE_DATE_EPOCH", EARLIEST)
        .current_dir(workspace.root());
    succeed(&mut command)?;
    let made = workspace.root().join(BILL);
    let text = fs::read_to_string(&made).map_err(|error| format!("{BILL}: {error}"));
    // The plugin writes a bill for each member of the workspace.
    for folder in members(workspace)? {
        let _ = fs::remove_file(folder.join(BILL));
    }
    let place = workspace.root().display().to_string();
    let text = text?.replace(&format!("{place}/"), "").replace(&place, "");
    let bill = serde_json::from_str(&text).map_err(|error| format!("{BILL}: {error}"))?;
    Ok(without_prose(bill))
}

/// A bill without what the components say of themselves: it identifies none of them, and is a quarter of the bill in the package.
fn without_prose(mut bill: Value) -> Value {
    let components = bill.get_mut("components").and_then(Value::as_array_mut);
    for component in components.into_iter().flatten() {
        if let Some(component) = component.as_object_mut() {
            component.shift_remove("description");
        }
    }
    bill
}

fn members(workspace: &Workspace) -> Result<Vec<PathBuf>, String> {
    let metadata = ["metadata", "--no-deps", "--format-version", "1"];
    let text =
        steps::output(&mut workspace.cargo(&metadata)).map_err(|_| "`cargo metadata` failed".to_owned())?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let manifests = metadata["packages"].as_array().into_iter().flatten();
    let manifests = manifests.filter_map(|package| package["manifest_path"].as_str());
    Ok(manifests.filter_map(|path| Path::new(path).parent()).map(Path::to_path_buf).collect())
}

/// The linked crates that the bill does not have.
fn missing(bill: &Value, linked: &[(String, String)]) -> Vec<String> {
    let components = || bill["components"].as_array().into_iter().flatten();
    let has = |name: &str, version: &str| {
        components().any(|component| component["name"] == name && component["version"] == version)
    };
    let missing = linked.iter().filter(|(name, version)| !has(name, version));
    missing.map(|(name, version)| format!("{name} {version}")).collect()
}

/// For every crate the expression of its licence, and the texts in its own sources, each text once.
fn licences(workspace: &Workspace, linked: &[(String, String)]) -> Result<String, String> {
    let metadata = ["metadata", "--format-version", "1", "--filter-platform", TARGET];
    let text =
        steps::output(&mut workspace.cargo(&metadata)).map_err(|_| "`cargo metadata` failed".to_owned())?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let packages = || metadata["packages"].as_array().into_iter().flatten();
    let mut list = String::from("What is linked into policysync, and the licence that it comes under.\n\n");
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, version) in linked {
        let untold = || format!("the licence of {name} {version} is not told");
        let package = packages().find(|package| package["name"] == *name && package["version"] == *version);
        let package = package.ok_or_else(untold)?;
        let expression = package["license"].as_str().ok_or_else(untold)?;
        let _ = writeln!(list, "{name} {version}: {expression}");
        let folder =
            package["manifest_path"].as_str().map(Path::new).and_then(Path::parent).ok_or_else(untold)?;
        for text in published(folder)? {
            texts.entry(text).or_default().push(format!("{name} {version}"));
        }
    }
    for (text, crates) in texts {
        let line = "=".repeat(80);
        let _ = write!(list, "\n{line}\n{}\n{line}\n\n{}\n", crates.join(", "), text.trim_end());
    }
    Ok(list)
}

/// The texts of licences at the root of a crate.
fn published(folder: &Path) -> Result<Vec<String>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if entry.path().is_file() && TEXTS.iter().any(|beginning| name.starts_with(beginning)) {
            files.push(entry.path());
        }
    }
    files.sort();
    files
        .into_iter()
        .map(|file| Ok(String::from_utf8_lossy(&fs::read(file).map_err(failed)?).into_owned()))
        .collect()
}

fn succeed(command: &mut Command) -> Result<(), String> {
    match steps::program(command) {
        Outcome::Passed => Ok(()),
        Outcome::Skipped(why) | Outcome::Failed(why) => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_that_is_linked_and_in_no_paper_is_noticed() {
        let tree = "policysync v0.1.0 (/repo)\nserde v1.0.1\nserde v1.0.1 (*)\nazure v0.1.0 (/repo/crates/azure)\nlog v0.4.2\n";
        let linked = parsed(tree);
        assert_eq!(
            linked,
            [("log", "0.4.2"), ("serde", "1.0.1")].map(|(name, version)| (name.into(), version.into()))
        );
        let bill = serde_json::json!({"components": [{"name": "serde", "version": "1.0.1"}, {"name": "log", "version": "0.4.1"}]});
        assert_eq!(missing(&bill, &linked), ["log 0.4.2"]);
    }

    #[test]
    fn a_bill_loses_its_prose_and_nothing_else() {
        let bill = serde_json::json!({"version": 1, "components": [
            {"name": "serde", "description": "A framework", "version": "1.0.1"}, {"name": "log"}]});
        let kept = serde_json::json!({"version": 1, "components": [{"name": "serde", "version": "1.0.1"}, {"name": "log"}]});
        assert_eq!(without_prose(bill), kept);
        assert_eq!(without_prose(serde_json::json!({})), serde_json::json!({}));
    }

    #[test]
    fn every_crate_that_is_linked_has_its_licence_and_texts() {
        let workspace = Workspace::find();
        let linked = linked(&workspace).unwrap();
        let licences = licences(&workspace, &linked).unwrap();
        assert!(linked.len() > 100 && licences.contains("\nserde 1") && licences.contains("Apache License"));
        let unknown = [("no-such-crate".to_owned(), "1.0.0".to_owned())];
        assert!(super::licences(&workspace, &unknown).unwrap_err().contains("no-such-crate 1.0.0"));
    }
}
