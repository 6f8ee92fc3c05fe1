//! The campaign `instructions`: how many instructions of the processor an invocation takes, and how many each message of it.
//!
//! Unlike a time this repeats from run to run and from machine to machine, so it is the guard: more than 5 % away from what was
//! recorded (`benches/instructions.json`) is a failure, in either direction, since a gain that is not recorded
//! can be lost again unseen. It is judged only for the compiler that it was recorded with.

use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::contest::load::{self, LARGE_BATCH};
use crate::contest::process::Process;
use crate::contest::{self, Contestant, Programs};
use crate::error::CampaignError;
use crate::verdict::Verdict;

const VALGRIND: &str = "valgrind";
/// How far a count may be from the recorded one: a twentieth of it.
const TOLERATED_PART: u64 = 20;
/// The names of the counts in the record.
const PER_INVOCATION: &str = "perInvocation";
const PER_MESSAGE: &str = "perMessage";
const COMPILER: &str = "compiler";

/// What the campaign is run with.
#[derive(Args, Clone)]
pub struct Arguments {
    #[command(flatten)]
    programs: Programs,
    /// Invocations that are counted, of each kind
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    counted: u32,
    /// Compare with what is recorded in this file
    #[arg(long, value_name = "FILE", requires = "compiler")]
    record: Option<PathBuf>,
    /// Which compiler built the program
    #[arg(long, value_name = "VERSION")]
    compiler: Option<String>,
    /// Record what is counted instead of comparing it
    #[arg(long, requires = "record")]
    renew: bool,
}

/// Instructions, all threads together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Of an invocation with no message.
    pub per_invocation: u64,
    /// Of each message.
    pub per_message: u64,
}

/// Runs it.
///
/// # Errors
/// When the program could not be run to its end.
pub fn run(arguments: &Arguments) -> Result<Verdict, CampaignError> {
    let folder = TempDir::with_prefix("instructions-").map_err(CampaignError::file("a folder"))?;
    let contestant = contest::policysync(&arguments.programs, folder.path())?;
    let mut verdict = Verdict::default();
    let counted = match count(&contestant, arguments.counted as usize) {
        Ok(counted) => counted,
        Err(CampaignError::NoValgrind(why)) => {
            verdict.figure("skipped", why);
            return Ok(verdict);
        }
        Err(error) => return Err(error),
    };
    verdict.figure("instructions of an invocation with nothing in it", counted.per_invocation);
    verdict.figure("instructions of each message", counted.per_message);
    let (Some(file), Some(compiler)) = (&arguments.record, &arguments.compiler) else { return Ok(verdict) };
    let place = file.display().to_string();
    if arguments.renew {
        let record = json!({COMPILER: compiler, PER_INVOCATION: counted.per_invocation,
            PER_MESSAGE: counted.per_message});
        let text = serde_json::to_string_pretty(&record).unwrap_or_default() + "\n";
        std::fs::write(file, text).map_err(CampaignError::file(place))?;
        return Ok(verdict);
    }
    let text = std::fs::read_to_string(file).map_err(CampaignError::file(place.clone()))?;
    let record: Value =
        serde_json::from_str(&text).map_err(|error| CampaignError::unanswered(place, error))?;
    match judged(counted, &record, compiler) {
        Ok(broken) => verdict.broken(broken),
        Err(why) => verdict.figure("not judged", why),
    }
    Ok(verdict)
}

/// What is too far from the record; an error says why the two cannot be compared.
fn judged(counted: Counted, record: &Value, compiler: &str) -> Result<Vec<String>, String> {
    let recorded = record[COMPILER].as_str().unwrap_or_default();
    if recorded != compiler {
        return Err(format!("the record is of {recorded}, and the program was built by {compiler}"));
    }
    let mut broken = Vec::new();
    for (name, count) in [(PER_INVOCATION, counted.per_invocation), (PER_MESSAGE, counted.per_message)] {
        let Some(recorded) = record[name].as_u64().filter(|recorded| *recorded > 0) else {
            broken.push(format!("the record has no {name}"));
            continue;
        };
        if count.abs_diff(recorded).saturating_mul(TOLERATED_PART) > recorded {
            let ratio = count as f64 / recorded as f64;
            broken.push(format!(
                "{name}: {count} instructions are {ratio:.2} times the recorded {recorded}; if that is meant, \
                 `cargo xtask bench invocation --write` records it"
            ));
        }
    }
    Ok(broken)
}

/// Counts, by three runs that differ only in what they are called with: what starting, ending and the first calls take is in all
/// of them.
///
/// # Errors
/// [`CampaignError::NoValgrind`], and whatever keeps the program from its work.
pub fn count(contestant: &Contestant, invocations: usize) -> Result<Counted, CampaignError> {
    let said = Command::new(VALGRIND).arg("--version").output();
    if !said.is_ok_and(|said| said.status.success()) {
        return Err(CampaignError::NoValgrind("valgrind is not installed".to_owned()));
    }
    let base = total(contestant, invocations, 0)?;
    let empty = total(contestant, 2 * invocations, 0)?;
    let full = total(contestant, invocations, LARGE_BATCH)?;
    let messages = (invocations * LARGE_BATCH) as u64;
    Ok(Counted {
        per_invocation: empty.saturating_sub(base) / invocations as u64,
        per_message: full.saturating_sub(base) / messages,
    })
}

/// All instructions of a process that is called so often with so many messages.
fn total(contestant: &Contestant, invocations: usize, messages: usize) -> Result<u64, CampaignError> {
    let folder = TempDir::with_prefix("callgrind-").map_err(CampaignError::file("a folder"))?;
    let file = folder.path().join("counts");
    let options = ["--tool=callgrind".to_owned(), format!("--callgrind-out-file={}", file.display())];
    let command = [contestant.program.display().to_string()];
    let watched = Contestant {
        program: VALGRIND.into(),
        arguments: [options.as_slice(), &command, &contestant.arguments].concat(),
        ..contestant.clone()
    };
    let mut process = Process::start(&watched)?;
    let request = process.invocation(&load::envelope(messages));
    for _ in 0..invocations {
        let (answer, _) = process.call(&request)?;
        contestant.judge(&answer, messages)?;
    }
    process.terminate()?;
    let text = std::fs::read_to_string(&file).map_err(CampaignError::file("callgrind's counts"))?;
    totals(&text)
        .ok_or_else(|| CampaignError::unanswered("callgrind", "its file does not say how many there were"))
}

fn totals(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("totals: "))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_percent_in_either_direction_are_allowed_and_not_more() {
        let record = json!({"compiler": "rustc 1", "perInvocation": 1_000, "perMessage": 100});
        let judge = |per_invocation, per_message| {
            judged(Counted { per_invocation, per_message }, &record, "rustc 1").unwrap().len()
        };
        assert_eq!([judge(1_000, 100), judge(1_050, 95), judge(1_051, 100), judge(900, 106)], [0, 0, 1, 2]);
        assert_eq!(judged(Counted { per_invocation: 1, per_message: 1 }, &json!({}), "").unwrap().len(), 2);
    }

    #[test]
    fn another_compiler_is_not_judged() {
        let record = json!({"compiler": "rustc 1", "perInvocation": 1_000, "perMessage": 100});
        assert!(judged(Counted { per_invocation: 1, per_message: 1 }, &record, "rustc 2").is_err());
    }

    #[test]
    fn the_record_is_one_that_can_be_compared() {
        let record: Value = serde_json::from_str(include_str!("../../benches/instructions.json")).unwrap();
        let compiler = record["compiler"].as_str().unwrap();
        let counted = |name: &str| record[name].as_u64().unwrap();
        let same = Counted { per_invocation: counted(PER_INVOCATION), per_message: counted(PER_MESSAGE) };
        assert_eq!(judged(same, &record, compiler), Ok(Vec::new()));
    }

    #[test]
    fn the_totals_of_a_file_of_callgrind_are_read() {
        assert_eq!(totals("events: Ir\nsummary: 7\n\ntotals: 123456\n"), Some(123_456));
        assert_eq!(totals("events: Ir\n"), None);
    }
}
