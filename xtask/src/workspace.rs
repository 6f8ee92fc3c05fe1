//! Knows the folders of the workspace, and which cargo to call.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The root package: the binary that is shipped.
pub const PRODUCT: &str = "policysync";
/// The package that holds the campaigns.
pub const CAMPAIGNS: &str = "campaigns";
/// The package that plays the app under chance.
pub const SIMULATION: &str = "simulation";

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

    /// A workspace elsewhere.
    #[cfg(test)]
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// The workspace's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the tools that the tests need and cargo does not install. It is deleted with the target folder.
    pub fn tools(&self) -> PathBuf {
        self.target().join("tools")
    }

    /// Where cargo builds.
    pub fn target(&self) -> PathBuf {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
        self.root.join(target)
    }

    /// The cargo that runs us, in the workspace's root. Every call takes the versions of `Cargo.lock` and fails where that would
    /// have to change: what is tested and shipped is what was reviewed. `arguments`: the command of cargo and what follows it.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        let (command, rest) = arguments.split_at(arguments.len().min(1));
        cargo.args(command).arg("--locked").args(rest).current_dir(&self.root);
        // Cargo and the compiler keep the real clock, also where a test of ours starts them: under the library that moves it the
        // compiler waits for ever.
        cargo.env_remove("LD_PRELOAD");
        cargo
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_call_of_cargo_takes_the_versions_of_the_lock_file() {
        let cargo = Workspace::find().cargo(&["run", "--package", PRODUCT, "--", "demo"]);
        let arguments: Vec<_> = cargo.get_args().collect();
        assert_eq!(arguments, ["run", "--locked", "--package", PRODUCT, "--", "demo"]);
        let root = Workspace::find();
        let read = |file: &str| fs::read_to_string(root.root().join(file)).unwrap();
        assert!(read(".cargo/config.toml").contains("xtask = \"run --locked "));
        let script = read(".ci/run");
        let calls = script.lines().filter(|line| !line.trim_start().starts_with('#'));
        let calls = calls.filter(|line| line.contains("step cargo ") && !line.contains("cargo fmt"));
        // `cargo xtask` is the alias above.
        let calls: Vec<&str> = calls.filter(|line| !line.contains("cargo xtask ")).collect();
        assert!(!calls.is_empty() && calls.iter().all(|line| line.contains(" --locked ")), "{calls:?}");
    }
}
