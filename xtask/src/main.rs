//! The project's own commands: `cargo xtask COMMAND`. Real logic that would otherwise be shell.
//!
//! To add one: a file in `commands/` and a line in [`COMMANDS`].

mod commands;
mod steps;
mod tools;
mod workspace;

use std::process::ExitCode;

use steps::Steps;
use workspace::Workspace;

/// A command of `cargo xtask`.
struct Command {
    name: &'static str,
    summary: &'static str,
    /// Adds the command's steps. The arguments are those after the command's name.
    run: fn(&Workspace, &mut Steps, &[String]),
}

const COMMANDS: &[Command] = &[
    Command {
        name: "check",
        summary: "compile every member of the workspace by itself, run nothing; prove that the production build has no simulator",
        run: commands::check::run,
    },
    Command {
        name: "test",
        summary: "install what the tests need, run them all, then check the production build; arguments go to cargo test",
        run: commands::test::run,
    },
    Command {
        name: "full",
        summary: "the same with sixteen times as many cases per property, the tests a year ahead, then the campaigns at their full size; arguments go to cargo test",
        run: commands::full::run,
    },
    Command {
        name: "calendar",
        summary: "run all tests with the clock a year ahead; arguments go to cargo test",
        run: commands::calendar::run,
    },
    Command {
        name: "bench",
        summary: "measure and judge: `bench sync` is 1,000 sync requests over 1,000 hubs; `bench start --write` and others of its kind fill docs/performance.md; further arguments go to the campaign",
        run: commands::bench::run,
    },
    Command {
        name: "contract",
        summary: "run Microsoft's own Python clients against the simulator; arguments go to pytest",
        run: commands::contract::run,
    },
    Command {
        name: "fuzz",
        summary: "throw made-up input at what reads it, with libFuzzer: every target, or those that are named; --executions N of each",
        run: commands::fuzz::run,
    },
    Command {
        name: "infra",
        summary: "check the templates in infra/ with the Bicep compiler; --write renews their format and snapshots",
        run: commands::infra::run,
    },
    Command {
        name: "mutants",
        summary: "break what decides, one place at a time, and name each break that no test notices; --shard 3/20 or --file GLOB is a part of it",
        run: commands::mutants::run,
    },
    Command {
        name: "package",
        summary: "build target/package/policysync.zip: the production binary for every Functions image, and what lies beside it",
        run: commands::package::run,
    },
    Command {
        name: "simulate",
        summary: "play the whole app under chance: `--seeds 500` plays that many, `--seed 7 --trace` shows one line by line",
        run: commands::simulate::run,
    },
];

/// Wrong usage, as in the `policysync` command (`EX_USAGE` of sysexits.h).
const WRONG_USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        eprint!("{}", usage());
        return ExitCode::from(WRONG_USAGE);
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprint!("there is no command `{name}`\n\n{}", usage());
        return ExitCode::from(WRONG_USAGE);
    };
    let mut steps = Steps::new(is_ci());
    (command.run)(&Workspace::find(), &mut steps, rest);
    steps.finish(name)
}

/// In CI a skipped step counts as failed, since no person reads the line that says so.
fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

fn usage() -> String {
    let width = COMMANDS.iter().map(|command| command.name.len()).max().unwrap_or_default();
    let line = |command: &Command| format!("  {:width$}  {}\n", command.name, command.summary);
    format!("Usage: cargo xtask COMMAND [ARGUMENTS]\n\n{}", COMMANDS.iter().map(line).collect::<String>())
}
