//! A folder in which OpenSSL makes certificates.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use certificate_chain::{Linted, SigningRequest, Verdict, lint};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

/// Made once, and then only read.
static WORLD: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), ". \"$WORKSHOP\"; world");
    folder
});

/// Runs a shell script in a folder; what it printed.
pub fn run(folder: &Path, script: &str) -> Vec<u8> {
    let workshop = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openssl/workshop.sh");
    let mut shell = Command::new("sh");
    shell.args(["-eu", "-c", script]).current_dir(folder).env("WORKSHOP", workshop);
    let output = shell.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{said}");
    output.stdout
}

/// A folder of its own with the files of the world.
pub struct Workshop {
    folder: TempDir,
}

impl Workshop {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(WORLD.path()).unwrap().map(Result::unwrap) {
            std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
        Self { folder }
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// What a script with the words of the workshop prints.
    pub fn made(&self, script: &str) -> Vec<u8> {
        run(self.folder.path(), &format!(". \"$WORKSHOP\"; {script}"))
    }

    pub fn request(&self, name: &str) -> SigningRequest {
        let bytes = std::fs::read(self.path(&format!("{name}.csr"))).unwrap();
        SigningRequest::parse(&bytes).unwrap()
    }

    /// Judges what a script prints, so many days from now.
    pub fn lint(&self, request: &str, script: &str, days: i64) -> Linted {
        let chain = self.made(script);
        lint(&self.request(request), &chain, OffsetDateTime::now_utc() + Duration::days(days))
    }
}

/// Verdicts as a row of a table writes them: `2 expired`, `- too-large`.
pub fn written(verdicts: &[Verdict]) -> BTreeSet<String> {
    let one = |verdict: &Verdict| {
        let place = verdict.certificate.as_ref().map(|certificate| certificate.position.to_string());
        format!("{} {}", place.unwrap_or_else(|| "-".to_owned()), verdict.code.code())
    };
    verdicts.iter().map(one).collect()
}
