//! The scripts of `infra/hooks/`, run by the `sh` of this machine against stand-ins of `az`, `cargo` and `sleep` that
//! answer, fail and recover as the real ones do. No test waits: the stand-in of `sleep` records its argument.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod azure_yaml;
mod container;
mod deploy;
mod preflight;
mod remove;
mod stage;

use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// A file of the repository.
fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}
