//! The guides for people: each page is on the map, each link leads somewhere, the picture of the workbook is that of the template, and
//! a new reader is told the command that is quick.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod links;
mod map;
mod workbook;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// A file of the repository.
fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files of the repository that match a pattern of git, new ones too.
fn files(pattern: &str) -> Vec<String> {
    let mut list = Command::new("git");
    list.args(["ls-files", "--cached", "--others", "--exclude-standard", pattern]).current_dir(root());
    let names = String::from_utf8(list.output().unwrap().stdout).unwrap();
    names.lines().filter(|name| root().join(name).exists()).map(str::to_owned).collect()
}
