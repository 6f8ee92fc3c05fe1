//! Where things are, and which cargo to call.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The root package: the binary that is shipped.
pub const PRODUCT: &str = "policysync";

/// The workspace that this command was started in.
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The folder above this crate.
    pub fn find() -> Self {
        // Cargo says it at run time too, which stays right when the folder was moved since the build.
        let own = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        Self { root: own.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf) }
    }

    /// The workspace's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where things go that the tests need and cargo does not bring. Deleted with the target folder.
    pub fn tools(&self) -> PathBuf {
        self.target().join("tools")
    }

    /// Where cargo builds.
    pub fn target(&self) -> PathBuf {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
        self.root.join(target)
    }

    /// The cargo that runs us, in the workspace's root.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(arguments).current_dir(&self.root);
        cargo
    }
}
