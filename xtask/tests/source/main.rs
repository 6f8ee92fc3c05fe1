//! What holds for the source of the whole repository, as the compiler finds it.
//!
//! - [`circles`]: no files refer to one another in a circle.
//! - [`draws`]: the app tells the time, draws and makes ids in one way only.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod circles;
mod draws;
mod graph;
mod reader;
mod source;

use std::path::{Path, PathBuf};

use source::Crate;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every crate of the repository: libraries, programs, tests, benches and examples.
fn crates() -> Vec<Crate> {
    let mut list = std::process::Command::new(env!("CARGO"));
    list.env_remove("LD_PRELOAD");
    list.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(root());
    let metadata: serde_json::Value = serde_json::from_slice(&list.output().unwrap().stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let targets = packages.iter().flat_map(|package| package["targets"].as_array().unwrap());
    targets.map(|target| read(Path::new(target["src_path"].as_str().unwrap()))).collect()
}

/// The crate whose root file that is.
fn read(file: &Path) -> Crate {
    let root = root();
    let text = |file: &Path| std::fs::read_to_string(root.join(file)).ok();
    Crate::read(file.strip_prefix(&root).unwrap(), &text)
}
