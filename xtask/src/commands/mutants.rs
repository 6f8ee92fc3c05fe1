//! `cargo xtask mutants [--shard K/N] [--file GLOB...]`: breaks what decides, one place at a time, and names each break that no
//! test notices.
//!
//! `gamma.toml` says which code is broken and how. The tool is cargo-gamma, which compiles all of the breaks into one program and
//! turns on one at a time. It breaks code as cargo-mutants does, which would compile once for each of more than three thousand.

use std::path::Path;

use crate::steps::{self, Outcome, Steps};
use crate::tools::cargo_install::{self, Build};
use crate::tools::mutation_report::Report;
use crate::workspace::Workspace;

/// Its last release that the compiler of `rust-toolchain.toml` builds.
const VERSION: &str = "0.4.0";
/// What must be noticed of the breaks, in percent.
const LEAST: u32 = 90;
/// Cases of each property, so that a break which is missed costs seconds. What only one case in a hundred notices counts as missed.
const CASES: (&str, &str) = ("PROPTEST_CASES", "24");

pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    let mut wanted = None;
    steps.run("choose the breaks", || match Wanted::read(arguments) {
        Ok(read) => {
            wanted = Some(read);
            Outcome::Passed
        }
        Err(why) => Outcome::Failed(why),
    });
    let Some(wanted) = wanted else { return };
    let mut programs = None;
    steps.run("install cargo-gamma, which breaks code", || {
        match cargo_install::install(&workspace.tools(), "cargo-gamma", VERSION, Build::Optimised) {
            Ok(installed) => {
                programs = Some(installed);
                Outcome::Passed
            }
            Err(why) => Outcome::Skipped(why),
        }
    });
    let Some(programs) = programs else { return };
    // It reads the manifests of every platform's crates, and asks no registry for them.
    let is_fetched = steps.run("fetch the crates", || steps::program(&mut workspace.cargo(&["fetch"])));
    if !is_fetched {
        return;
    }
    let folder = workspace.target().join("mutants");
    steps.run("break the code, and see whether a test notices", || {
        let outcome = execute(workspace, &programs, &folder, &wanted);
        show(&folder);
        outcome
    });
}

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq, Default)]
struct Wanted {
    /// The arguments of cargo-gamma.
    selection: Vec<String>,
}

impl Wanted {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let mut wanted = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let value = rest.next();
            match (argument.as_str(), value) {
                ("--shard", Some(shard)) => {
                    let (number, of) = shard_of(shard).ok_or("--shard takes K/N, such as 3/20")?;
                    let selection = ["--shard-count".to_owned(), of.to_string(), "--shard-index".to_owned()];
                    wanted.selection.extend(selection);
                    wanted.selection.push((number - 1).to_string());
                }
                ("--file", Some(glob)) => wanted.selection.extend(["--re".to_owned(), names_in(glob)]),
                _ => return Err(format!("`{argument}` is neither --shard K/N nor --file GLOB")),
            }
        }
        Ok(wanted)
    }
}

/// Which part of how many: `1/20` is the first of twenty.
fn shard_of(text: &str) -> Option<(u32, u32)> {
    let (number, of) = text.split_once('/')?;
    let (number, of) = (number.parse().ok()?, of.parse().ok()?);
    (1..=of).contains(&number).then_some((number, of))
}

/// The names of the breaks in the files that match, as an expression: a break is named `FILE:LINE:COLUMN: …`. The `--file` of
/// cargo-gamma would add to the files of `gamma.toml` instead of choosing among them.
fn names_in(glob: &str) -> String {
    let mut expression = String::from("^");
    let mut rest = glob;
    while let Some(first) = rest.chars().next() {
        let (matched, pattern) = match first {
            _ if rest.starts_with("**/") => (3, "(.*/)?"),
            _ if rest.starts_with("**") => (2, ".*"),
            '*' => (1, "[^/]*"),
            '?' => (1, "[^/]"),
            other => (other.len_utf8(), ""),
        };
        if pattern.is_empty() {
            if !first.is_alphanumeric() && first != '_' && first != '/' {
                expression.push('\\');
            }
            expression.push(first);
        }
        expression.push_str(pattern);
        rest = rest.get(matched..).unwrap_or_default();
    }
    expression.push(':');
    expression
}

fn execute(workspace: &Workspace, programs: &Path, folder: &Path, wanted: &Wanted) -> Outcome {
    let mut cargo = workspace.cargo(&[]);
    cargo.args(["gamma", "run", "--progress", "never", "--min-score", &LEAST.to_string()]);
    // Where systemd has no session for us, as in a container, asking it for one ends the run.
    cargo.arg("--no-relaunch");
    cargo.arg("--artifact-dir").arg(folder).args(&wanted.selection);
    let mut path = programs.as_os_str().to_owned();
    if let Some(others) = std::env::var_os("PATH") {
        path.push(":");
        path.push(others);
    }
    steps::program(cargo.env("PATH", path).env(CASES.0, CASES.1))
}

/// Prints what came of it by module; nothing where the run came to no report.
fn show(folder: &Path) {
    let read = std::fs::read(folder.join("gamma-report.json")).ok();
    if let Some(report) =
        read.and_then(|json| serde_json::from_slice(&json).ok()).map(|json| Report::of(&json))
    {
        println!("\n{}", report.table());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Vec<String>, String> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Wanted::read(&arguments).map(|wanted| wanted.selection)
    }

    #[test]
    fn the_first_shard_of_people_is_the_one_with_index_0() {
        let all: &[String] = &[];
        assert_eq!(read(&[]).unwrap(), all);
        assert_eq!(read(&["--shard", "1/20"]).unwrap(), ["--shard-count", "20", "--shard-index", "0"]);
        assert_eq!(read(&["--shard", "20/20"]).unwrap()[3], "19");
    }

    #[test]
    fn a_file_that_is_named_is_chosen_among_those_of_the_settings() {
        let expressions = [
            ("**/budget.rs", r"^(.*/)?budget\.rs:"),
            ("crates/azure/**", "^crates/azure/.*:"),
            ("**/write_guard.?s", r"^(.*/)?write_guard\.[^/]s:"),
            ("a+b/*.rs", r"^a\+b/[^/]*\.rs:"),
        ];
        for (glob, expression) in expressions {
            assert_eq!(read(&["--file", glob]).unwrap(), ["--re", expression]);
        }
    }

    #[test]
    fn what_is_to_be_broken_and_the_tests_that_are_left_out_are_there() {
        let workspace = Workspace::find();
        let of = |file: &str| std::fs::read_to_string(workspace.root().join(file)).unwrap();
        let settings = of("gamma.toml");
        let texts: Vec<&str> =
            settings.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\",")).collect();
        let files: Vec<_> = texts.iter().filter(|text| text.starts_with("crates/")).collect();
        assert!(files.len() > 3);
        for file in files {
            assert!(workspace.root().join(file.trim_end_matches("/**")).exists(), "{file}");
        }
        let left_out: Vec<_> = texts.iter().filter_map(|text| text.strip_prefix("--skip=")).collect();
        assert_eq!(left_out.len(), 4);
        let tests =
            ["sync/tests/search.rs", "sync/tests/diagram.rs", "next_step/tests.rs", "alerting/tests.rs"];
        for (test, file) in left_out.iter().zip(tests) {
            let text = of(&format!("crates/certificate-management/src/{file}"));
            assert!(test.contains("::") || text.contains(&format!("fn {test}(")), "{test}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for wrong in
            [&["--shard", "0/20"][..], &["--shard", "21/20"], &["--shard", "3"], &["--shard"], &["plan"]]
        {
            assert!(read(wrong).unwrap_err().contains("--shard"), "{wrong:?}");
        }
    }
}
