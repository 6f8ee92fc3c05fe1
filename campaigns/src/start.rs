//! The campaign `start`: from exec to the first answer, and memory, of each contestant in turn.

use std::time::Duration;

use clap::Args;

use crate::contest::load::{self, FUNCTION, ORDINARY_BATCH};
use crate::contest::process::Process;
use crate::contest::{Contestant, Field, Programs, Who};
use crate::error::CampaignError;
use crate::page::{self, Table};
use crate::progress::Progress;
use crate::sample::{Sample, ratios};
use crate::verdict::{Limit, Verdict};

/// What the campaign is run with.
#[derive(Args, Clone)]
pub struct Arguments {
    #[command(flatten)]
    programs: Programs,
    /// Starts of each contestant
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u16).range(1..))]
    starts: u16,
    /// How often the memory of each is looked at, each time in a new process
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Invocations until memory is looked at again, each a batch of 16 messages
    #[arg(long, default_value_t = 10_000)]
    invocations: usize,
    /// How long a process is left alone before its idle memory is looked at, in milliseconds
    #[arg(long, default_value_t = 1_000)]
    idle_ms: u64,
}

/// What was measured of a contestant, in the order of the rounds.
#[derive(Default)]
struct Measured {
    ready_ms: Vec<f64>,
    idle_mb: Vec<f64>,
    worked_mb: Vec<f64>,
}

/// Runs it.
///
/// # Errors
/// When a contestant does not start, or does not do the job.
pub fn run(arguments: &Arguments) -> Result<Verdict, CampaignError> {
    let progress = Progress::start();
    let field = Field::gather(&arguments.programs)?;
    let mut all: Vec<(&Contestant, Measured)> =
        field.contestants.iter().map(|contestant| (contestant, Measured::default())).collect();
    progress.phase("starting each in turn");
    // The first start of each reads its files from the disk, and is not counted.
    for start in 0..=arguments.starts {
        for (contestant, measured) in &mut all {
            let process = Process::start(contestant)?;
            if start > 0 {
                measured.ready_ms.push(process.ready_after.as_secs_f64() * 1000.0);
            }
        }
    }
    progress.phase("looking at memory");
    for _ in 0..arguments.rounds {
        for (contestant, measured) in &mut all {
            memory(arguments, contestant, measured)?;
        }
    }
    progress.finish();
    let mut verdict = Verdict::default();
    field.tell_absent(&mut verdict);
    tell(arguments, &all, &mut verdict);
    Ok(verdict)
}

fn memory(
    arguments: &Arguments,
    contestant: &Contestant,
    measured: &mut Measured,
) -> Result<(), CampaignError> {
    let mut process = Process::start(contestant)?;
    std::thread::sleep(Duration::from_millis(arguments.idle_ms));
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    measured.idle_mb.extend(process.resident_bytes().map(megabytes));
    let request = process.invocation(&load::envelope(ORDINARY_BATCH));
    for _ in 0..arguments.invocations {
        let (answer, _) = process.call(&request)?;
        contestant.judge(&answer, ORDINARY_BATCH)?;
    }
    measured.worked_mb.extend(process.resident_bytes().map(megabytes));
    Ok(())
}

fn tell(arguments: &Arguments, all: &[(&Contestant, Measured)], verdict: &mut Verdict) {
    verdict.page(page::measured_on(&[]));
    verdict.page(format!(
        "{} starts of each in turn, and {} rounds of memory: median (least to most). MB are 1,000,000 bytes.\n",
        arguments.starts, arguments.rounds
    ));
    let worked = format!("MB after {} invocations", arguments.invocations);
    let mut table = Table::new([
        "",
        "ms from exec to the first answer",
        "÷ Policysync",
        "MB idle",
        "÷ Policysync",
        worked.as_str(),
        "MB to deploy",
        "MB of runtime beside it",
    ]);
    let Some((_, ours)) = all.first() else { return };
    for (contestant, measured) in all {
        let shown = |figures: &[f64], decimals| {
            Sample::of(figures.iter().copied())
                .map_or_else(|| "not told by this system".to_owned(), |sample| sample.shown(decimals))
        };
        let ratio = |theirs: &[f64], ours: &[f64]| match contestant.who {
            Who::Policysync => "1".to_owned(),
            _ => ratios(theirs, ours).map_or_else(|| "–".to_owned(), |sample| sample.shown(1)),
        };
        let megabytes = |bytes: u64| match bytes {
            0 => "–".to_owned(),
            bytes if bytes < 100_000 => format!("{:.3}", bytes as f64 / 1e6),
            bytes => format!("{:.1}", bytes as f64 / 1e6),
        };
        table.row(vec![
            contestant.name.clone(),
            shown(&measured.ready_ms, 1),
            ratio(&measured.ready_ms, &ours.ready_ms),
            shown(&measured.idle_mb, 1),
            ratio(&measured.idle_mb, &ours.idle_mb),
            shown(&measured.worked_mb, 1),
            megabytes(contestant.package_bytes),
            megabytes(contestant.runtime_bytes),
        ]);
    }
    verdict.page(&table);
    let median = |figures: &[f64]| Sample::of(figures.iter().copied()).map(|sample| sample.median());
    let limit = |what, measured, most, unit| Limit { what, measured, most, unit };
    verdict.limit(&limit("first answer", median(&ours.ready_ms), 5.0, " ms"));
    let node = all.iter().find(|(contestant, _)| contestant.who == Who::Node);
    let share = |theirs: fn(&Measured) -> &Vec<f64>| {
        let (_, node) = node?;
        ratios(theirs(ours), theirs(node)).map(|sample| sample.median() * 100.0)
    };
    verdict.limit(&limit("first answer, of Node.js's", share(|it| &it.ready_ms), 5.0, " %"));
    verdict.limit(&limit("idle", median(&ours.idle_mb), 10.0, " MB"));
    verdict.limit(&limit("idle, of Node.js's", share(|it| &it.idle_mb), 25.0, " %"));
    let package = arguments.programs.package.as_ref().and(all.first()).map(|(contestant, _)| contestant);
    let package = package.map(|contestant| contestant.package_bytes as f64 / 1e6);
    verdict.limit(&limit("zip", package, 5.0, " MB"));
    verdict.figure("function", FUNCTION);
}
