//! `cargo xtask fuzz [TARGET...] [--executions N]`: the targets of `fuzz/` under libFuzzer, one after the other.
//!
//! The stable compiler can do it: the pass that counts coverage is part of its LLVM. The programs are built in a target folder of
//! their own, since every crate is compiled with it. New inputs stay in `target/fuzz/corpora`, so that a later run goes on from
//! there, and what breaks a property is kept in `target/fuzz/finds`.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::steps::{self, Outcome, Steps};
use crate::tools::debian;
use crate::tools::libfuzzer::{HEAD, Told};
use crate::workspace::Workspace;

/// Executions of each target, unless said otherwise.
const EXECUTIONS: u64 = 100_000;
/// The package of the targets.
const PACKAGE: &str = "fuzz";
/// The flags of cargo-fuzz, without those of the sanitizers, which take a nightly compiler: count each edge, keep a table of them,
/// and see comparisons.
const FLAGS: [&str; 9] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Clink-dead-code",
    "--cfg",
    "fuzzing",
];
/// The limits of each execution: a second, 256 MiB of the whole process, and so many bytes of an input.
const LIMITS: [&str; 3] = ["-timeout=1", "-rss_limit_mb=256", "-max_len=8192"];

pub fn run(workspace: &Workspace, steps: &mut Steps, arguments: &[String]) {
    let mut wanted = None;
    steps.run("choose the targets", || match Wanted::read(arguments, &all(workspace)) {
        Ok(read) => {
            wanted = Some(read);
            Outcome::Passed
        }
        Err(why) => Outcome::Failed(why),
    });
    let Some(Wanted { targets, executions }) = wanted else { return };
    let Some(programs) = build(workspace, steps, &targets) else { return };
    let mut table = Vec::new();
    for target in &targets {
        steps.run(&format!("fuzz {target}, {executions} executions"), || {
            let mut told = Told::default();
            let outcome = execute(workspace, &programs.join(target), target, executions, &mut told);
            table.push(told.row(target));
            outcome
        });
    }
    println!("\n{HEAD}\n{}", table.join("\n"));
}

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    targets: Vec<String>,
    executions: u64,
}

impl Wanted {
    fn read(arguments: &[String], all: &[String]) -> Result<Self, String> {
        let mut wanted = Self { targets: Vec::new(), executions: EXECUTIONS };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            if argument == "--executions" {
                let number = rest.next().and_then(|number| number.replace('_', "").parse().ok());
                wanted.executions = number.ok_or("--executions takes a number")?;
            } else if all.contains(argument) {
                wanted.targets.push(argument.clone());
            } else {
                return Err(format!("there is no target `{argument}`; there is {}", all.join(", ")));
            }
        }
        if wanted.targets.is_empty() {
            wanted.targets = all.to_vec();
        }
        Ok(wanted)
    }
}

/// The names of the targets: each has a program.
fn all(workspace: &Workspace) -> Vec<String> {
    let programs = std::fs::read_dir(workspace.root().join("fuzz/fuzz_targets"));
    let files = programs.into_iter().flatten().flatten().map(|entry| entry.path());
    let mut names: Vec<String> = files
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// Builds the programs of these targets; the folder that they are in.
fn build(workspace: &Workspace, steps: &mut Steps, targets: &[String]) -> Option<PathBuf> {
    let has_compiler =
        steps.run("find a C++ compiler, for libFuzzer", || match debian::ensure("c++", &["g++"]) {
            Ok(()) => Outcome::Passed,
            Err(why) => Outcome::Skipped(why),
        });
    let mut host = None;
    let knows_host = has_compiler
        && steps.run("ask the compiler for its machine", || {
            match steps::output(Command::new("rustc").arg("-vV")) {
                Ok(version) => {
                    host = version.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned);
                    host.as_ref().map_or_else(
                        || Outcome::Failed("`rustc -vV` names none".to_owned()),
                        |_| Outcome::Passed,
                    )
                }
                Err(failed) => failed,
            }
        });
    let host = host.filter(|_| knows_host)?;
    let folder = workspace.target().join("fuzz");
    let is_built = steps.run("build the targets with coverage", || {
        // With a target named, build scripts and macros are compiled without the flags, with which they would not run.
        let mut cargo =
            workspace.cargo(&["build", "--package", PACKAGE, "--profile", "fuzz", "--target", &host]);
        cargo.arg("--target-dir").arg(&folder).env("RUSTFLAGS", FLAGS.join(" "));
        for target in targets {
            cargo.args(["--bin", target]);
        }
        steps::program(&mut cargo)
    });
    is_built.then(|| folder.join(host).join("fuzz"))
}

/// Runs one target; what its engine tells goes on as it comes, but for each single input.
fn execute(
    workspace: &Workspace,
    program: &PathBuf,
    target: &str,
    executions: u64,
    told: &mut Told,
) -> Outcome {
    let own = workspace.target().join("fuzz");
    let (kept, finds) = (own.join("corpora").join(target), own.join("finds").join(target));
    for folder in [&kept, &finds] {
        if let Err(error) = std::fs::create_dir_all(folder) {
            return Outcome::Failed(format!("{} cannot be made: {error}", folder.display()));
        }
    }
    let sources = workspace.root().join("fuzz");
    let mut engine = Command::new(program);
    engine.args(LIMITS).arg(format!("-runs={executions}")).arg("-print_final_stats=1");
    engine.arg(format!("-artifact_prefix={}/", finds.display()));
    engine.arg(format!("-dict={}", sources.join("dictionary.txt").display()));
    engine.arg(kept).arg(sources.join("corpora").join(target)).stderr(Stdio::piped());
    let mut running = match engine.spawn() {
        Ok(running) => running,
        Err(error) => return Outcome::Failed(format!("{} did not start: {error}", program.display())),
    };
    for line in running.stderr.take().into_iter().flat_map(|said| BufReader::new(said).split(b'\n')).flatten()
    {
        let line = String::from_utf8_lossy(&line);
        if told.hear(&line) {
            println!("{line}");
        }
    }
    match running.wait() {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => {
            Outcome::Failed(format!("{target} ended with {status}; the input is in {}", finds.display()))
        }
        Err(error) => Outcome::Failed(format!("{target} cannot be waited for: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Wanted, String> {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        Wanted::read(&texts(arguments), &texts(&["envelope", "records"]))
    }

    #[test]
    fn no_target_means_every_one() {
        let all = read(&[]).unwrap();
        assert_eq!((all.targets.len(), all.executions), (2, EXECUTIONS));
        let one = read(&["records", "--executions", "10_000_000"]).unwrap();
        assert_eq!((one.targets.as_slice(), one.executions), (&["records".to_owned()][..], 10_000_000));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(read(&["record"]).unwrap_err().contains("there is envelope, records"));
        for arguments in [&["--executions"][..], &["--executions", "many"]] {
            assert!(read(arguments).is_err());
        }
    }

    #[test]
    fn the_targets_of_this_repository_are_found() {
        let all = all(&Workspace::find());
        assert!(all.contains(&"envelope".to_owned()) && all.is_sorted(), "{all:?}");
    }
}
