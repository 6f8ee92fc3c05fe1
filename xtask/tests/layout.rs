//! Checks one convention for modules: a module `name` is in `name.rs`, and its children are in the folder `name/`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file does not take its only child in where it would grow longer than this.
const LONGEST: usize = 300;
/// A bench shares two files with the tests; a library for them alone would be one more crate.
const SHARED: &str = "tests/bench/page.rs";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every source file of the repository with its text.
fn sources() -> BTreeMap<String, String> {
    let mut list = Command::new("git");
    list.args(["ls-files", "*.rs", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    let names = String::from_utf8(list.output().unwrap().stdout).unwrap();
    let text = |name: &str| Some((name.to_owned(), std::fs::read_to_string(root().join(name)).ok()?));
    names.lines().filter_map(text).collect()
}

/// What breaks the convention, a line each.
fn breaches(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in files {
        if name.ends_with("/mod.rs") {
            found.push(format!("{name}: a module's file has its name, not `mod.rs`"));
        }
        if name != SHARED && text.lines().any(|line| line.trim_start().starts_with("#[path")) {
            found.push(format!("{name}: a module is in the folder of its parent, without `#[path]`"));
        }
        let stem = name.trim_end_matches(".rs");
        let children: Vec<&String> =
            files.keys().filter(|file| file.starts_with(&format!("{stem}/"))).collect();
        if let [only] = children.as_slice() {
            let length = text.lines().count() + files[*only].lines().count();
            if length <= LONGEST {
                found.push(format!("{only}: a folder with a single file; with {name} it has {length} lines"));
            }
        }
    }
    found
}

#[test]
fn every_module_is_where_the_convention_says() {
    let files = sources();
    assert!(files.len() > 500, "only {} files were found", files.len());
    let breaches = breaches(&files);
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn each_breach_is_told() {
    let files = |files: &[(&str, &str)]| {
        let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        files.iter().map(own).collect::<BTreeMap<String, String>>()
    };
    let right = files(&[("a.rs", ""), ("a/b.rs", ""), ("a/c.rs", ""), ("tests/one.rs", "")]);
    assert_eq!(breaches(&right), [""; 0]);
    let long = "\n".repeat(LONGEST);
    assert_eq!(breaches(&files(&[("a.rs", &long), ("a/tests.rs", "fn f() {}")])), [""; 0]);
    for wrong in [
        files(&[("a/mod.rs", "")]),
        files(&[("a.rs", "#[path = \"x.rs\"]\nmod b;")]),
        files(&[("a.rs", ""), ("a/tests.rs", "")]),
    ] {
        assert_eq!(breaches(&wrong).len(), 1, "{wrong:?}");
    }
}
