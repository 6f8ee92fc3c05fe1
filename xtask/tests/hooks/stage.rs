//! A stage for a script: programs that play `az` and others, by a list of calls with their answers.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The real programs that a script may call. No others are on its PATH.
const TOOLS: [&str; 15] = [
    "awk", "cat", "cut", "dirname", "grep", "mktemp", "rm", "sed", "sh", "sort", "tee", "tr", "true", "wc",
    "basename",
];
/// Plays any program. A call that no rule answers fails, which the test sees.
const STANDIN: &str = r#"#!/bin/sh
call="$(basename "$0") $*"
printf '%s\n' "$call" >>"$STAGE/calls"
for rule in "$STAGE"/rules/*; do
  pattern=$(cat "$rule/pattern")
  case $call in
    $pattern)
      n=$(cat "$rule/count")
      n=$((n + 1))
      echo "$n" >"$rule/count"
      while [ ! -e "$rule/$n.code" ]; do n=$((n - 1)); done
      cat "$rule/$n.out"
      cat "$rule/$n.err" >&2
      while [ $# -gt 0 ]; do
        [ "$1" != --outfile ] || cat "$rule/$n.file" >"$2"
        shift
      done
      exit "$(cat "$rule/$n.code")"
      ;;
  esac
done
echo "no rule plays: $call" >&2
exit 97
"#;

/// What a played program does: its exit code, what it prints where, and what it writes to its `--outfile`.
#[derive(Default)]
pub struct Reply {
    code: u8,
    out: String,
    err: String,
    file: String,
}

/// It succeeds and prints.
pub fn prints(out: &str) -> Reply {
    Reply { out: format!("{out}\n"), ..Reply::default() }
}

/// It succeeds and prints nothing.
pub fn succeeds() -> Reply {
    Reply::default()
}

/// It fails as `az` does: exit code 1, a word on stderr.
pub fn fails(err: &str) -> Reply {
    Reply { code: 1, err: format!("{err}\n"), ..Reply::default() }
}

/// It succeeds and writes to the file that `--outfile` names.
pub fn writes(file: &str) -> Reply {
    Reply { file: file.to_owned(), ..Reply::default() }
}

pub struct Stage {
    folder: tempfile::TempDir,
    rules: usize,
    variables: Vec<(String, String)>,
}

/// The exit of a script, with its output and calls.
pub struct Ending {
    pub is_success: bool,
    pub out: String,
    pub err: String,
    /// Each call of a played program, in order.
    pub calls: Vec<String>,
}

impl Stage {
    /// With `programs` on PATH, each played.
    pub fn new(programs: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["bin", "rules"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("calls"), "").unwrap();
        let bin = folder.path().join("bin");
        for program in programs.iter().chain(&["sleep"]) {
            let path = bin.join(program);
            fs::write(&path, STANDIN).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for tool in TOOLS {
            symlink(found(tool), bin.join(tool)).unwrap();
        }
        let mut stage = Self { folder, rules: 100, variables: Vec::new() };
        stage.on("sleep *", [succeeds()]);
        stage
    }

    /// Answers calls that match the shell pattern: the first with the first reply and so on, later ones with the last.
    /// A rule comes before those that were there already.
    pub fn on<const N: usize>(&mut self, pattern: &str, replies: [Reply; N]) -> &mut Self {
        self.rules -= 1;
        let rule = self.folder.path().join(format!("rules/{:03}", self.rules));
        fs::create_dir(&rule).unwrap();
        fs::write(rule.join("pattern"), pattern).unwrap();
        fs::write(rule.join("count"), "0").unwrap();
        for (index, Reply { code, out, err, file: written }) in replies.into_iter().enumerate() {
            let file = |kind: &str| rule.join(format!("{}.{kind}", index + 1));
            fs::write(file("code"), code.to_string()).unwrap();
            fs::write(file("out"), out).unwrap();
            fs::write(file("err"), err).unwrap();
            fs::write(file("file"), written).unwrap();
        }
        self
    }

    /// Sets a variable for the script.
    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs `infra/hooks/{script}`, from a folder that is not the repository's.
    pub fn run(&self, script: &str, arguments: &[&str]) -> Ending {
        let output = Command::new(found("sh"))
            .arg(super::root().join("infra/hooks").join(script))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", self.folder.path().join("bin"))
            .env("STAGE", self.folder.path())
            .env("DEPLOY_TRIES", "4")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap();
        let ending = Ending {
            is_success: output.status.success(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            calls: fs::read_to_string(self.folder.path().join("calls"))
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect(),
        };
        assert!(
            !ending.all().contains("no rule plays") && !ending.all().contains(": not found"),
            "{}",
            ending.all()
        );
        ending
    }
}

impl Ending {
    /// The whole output that a person sees.
    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    /// How many calls contain `part`.
    pub fn count(&self, part: &str) -> usize {
        self.calls.iter().filter(|call| call.contains(part)).count()
    }

    /// The place of the first call that contains `part`.
    pub fn place(&self, part: &str) -> usize {
        self.calls
            .iter()
            .position(|call| call.contains(part))
            .unwrap_or_else(|| panic!("no call of {part}: {:#?}", self.calls))
    }

    pub fn succeeded(self) -> Self {
        assert!(self.is_success, "{}\n{:#?}", self.all(), self.calls);
        self
    }

    /// It failed, and says `why` on stderr.
    pub fn stopped(self, why: &str) -> Self {
        assert!(!self.is_success, "{}", self.all());
        assert!(self.err.contains(why), "it does not say `{why}`:\n{}", self.all());
        self
    }
}

fn found(tool: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .map(|folder| folder.join(tool))
        .find(|path| Path::exists(path))
        .unwrap_or_else(|| panic!("{tool} is not on PATH"))
}
