//! Steps of a command: each runs even when the one before has failed, and a summary at the end says how each went.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// How many tests of one program run at once; libtest reads it.
pub const THREADS: &str = "RUST_TEST_THREADS";

/// How a step went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// Not done, and why. A failure in CI.
    Skipped(String),
    /// Failed, and why.
    Failed(String),
}

struct Step {
    name: String,
    outcome: Outcome,
    took: Duration,
}

/// The steps done so far.
pub struct Steps {
    done: Vec<Step>,
    ci: bool,
}

impl Steps {
    pub fn new(ci: bool) -> Self {
        Self { done: Vec::new(), ci }
    }

    /// Does `work` and notes how it went. True when it passed.
    pub fn run(&mut self, name: &str, work: impl FnOnce() -> Outcome) -> bool {
        println!("==> {name}");
        let started = Instant::now();
        let outcome = match work() {
            Outcome::Skipped(why) if self.ci => {
                Outcome::Failed(format!("skipped, which CI does not accept: {why}"))
            }
            outcome => outcome,
        };
        match &outcome {
            Outcome::Passed => {}
            Outcome::Skipped(why) => println!("skipped: {name}: {why}"),
            Outcome::Failed(why) => println!("failed: {name}: {why}"),
        }
        let passed = outcome == Outcome::Passed;
        self.done.push(Step { name: name.to_owned(), outcome, took: started.elapsed() });
        passed
    }

    /// Prints a line per step. Fails when a step failed.
    pub fn finish(self, command: &str) -> ExitCode {
        println!("\ncargo xtask {command}:");
        for step in &self.done {
            println!("{}", line(step));
        }
        if self.done.iter().any(|step| matches!(step.outcome, Outcome::Failed(_))) {
            return ExitCode::FAILURE;
        }
        ExitCode::SUCCESS
    }
}

fn line(step: &Step) -> String {
    let seconds = step.took.as_secs_f64();
    match &step.outcome {
        Outcome::Passed => format!("  passed   {seconds:>7.1} s  {}", step.name),
        Outcome::Skipped(why) => format!("  skipped: {}: {why}", step.name),
        Outcome::Failed(why) => format!("  FAILED   {seconds:>7.1} s  {}: {why}", step.name),
    }
}

/// Runs a program to its end, and shows its output as it comes.
pub fn program(command: &mut Command) -> Outcome {
    match command.status() {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(format!("{} ended with {status}", shown(command))),
        Err(error) => Outcome::Failed(format!("{} did not start: {error}", shown(command))),
    }
}

/// Runs a program to its end and returns what it wrote to stdout.
pub fn output(command: &mut Command) -> Result<String, Outcome> {
    match command.stderr(Stdio::inherit()).output() {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => Err(Outcome::Failed(format!("{} ended with {}", shown(command), output.status))),
        Err(error) => Err(Outcome::Failed(format!("{} did not start: {error}", shown(command)))),
    }
}

/// The program and its first argument: enough to know it again.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or(command.get_program());
    let first = command.get_args().next().map(|argument| format!(" {}", argument.to_string_lossy()));
    format!("`{}{}`", program.to_string_lossy(), first.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipped() -> Outcome {
        Outcome::Skipped("npm is not installed".to_owned())
    }

    #[test]
    fn a_skip_is_a_failure_in_ci_only() {
        let mut laptop = Steps::new(false);
        laptop.run("install", skipped);
        assert_eq!(laptop.finish("test"), ExitCode::SUCCESS);
        let mut ci = Steps::new(true);
        ci.run("install", skipped);
        assert_eq!(ci.finish("test"), ExitCode::FAILURE);
    }

    #[test]
    fn one_failure_fails_the_command_whatever_comes_after() {
        let mut steps = Steps::new(false);
        assert!(!steps.run("first", || Outcome::Failed("broken".to_owned())));
        assert!(steps.run("second", || Outcome::Passed));
        assert_eq!(steps.finish("test"), ExitCode::FAILURE);
    }

    #[test]
    fn a_program_that_fails_or_is_missing_fails_its_step() {
        assert!(matches!(program(&mut Command::new("no-such-program-anywhere")), Outcome::Failed(_)));
        let mut cargo = Command::new(env!("CARGO"));
        assert!(matches!(program(cargo.arg("--no-such-option").stderr(Stdio::null())), Outcome::Failed(_)));
    }
}
