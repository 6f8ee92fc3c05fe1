//! The campaign `invocation`: how long an invocation takes, and the processor time of it, for each contestant in turn; and how
//! many instructions the product needs for a message.

use clap::Args;

use crate::contest::load::{self, LARGE_BATCH};
use crate::contest::process::Process;
use crate::contest::{Contestant, Field, Programs, Who};
use crate::error::CampaignError;
use crate::instructions;
use crate::page::{self, Table};
use crate::progress::Progress;
use crate::sample::{Sample, ratios};
use crate::verdict::{Limit, Verdict};

/// Blocks of a round: each contestant has one, and then each has the next.
const BLOCKS: usize = 10;

/// What the campaign is run with.
#[derive(Args, Clone)]
pub struct Arguments {
    #[command(flatten)]
    programs: Programs,
    /// Rounds, each with a median and a percentile of its own
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Invocations of each contestant in a round; a quarter as many with a large batch
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(40..))]
    invocations: u32,
    /// Invocations of each kind that only warm up
    #[arg(long, default_value_t = 2_000)]
    warm_up: u32,
    /// Invocations that are counted by callgrind, of each kind
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    counted: u32,
}

/// A contestant at work.
struct Running<'a> {
    contestant: &'a Contestant,
    process: Process,
}

/// What was measured of a contestant with one kind of invocation, a figure for each round.
#[derive(Default)]
struct Measured {
    median_us: Vec<f64>,
    late_us: Vec<f64>,
    cpu_us: Vec<f64>,
}

/// Runs it.
///
/// # Errors
/// When a contestant does not start, or does not do the job.
pub fn run(arguments: &Arguments) -> Result<Verdict, CampaignError> {
    let progress = Progress::start();
    let field = Field::gather(&arguments.programs)?;
    let mut all = Vec::new();
    for contestant in &field.contestants {
        all.push(Running { contestant, process: Process::start(contestant)? });
    }
    let mut verdict = Verdict::default();
    field.tell_absent(&mut verdict);
    verdict.page(page::measured_on(&[]));
    let calls = arguments.invocations as usize;
    for (messages, calls, title) in [
        (0, calls, "An invocation with nothing in it".to_owned()),
        (LARGE_BATCH, calls / 4, format!("A batch of {LARGE_BATCH} messages")),
    ] {
        progress.phase(&title);
        let measured = measure(arguments, &mut all, messages, calls)?;
        verdict.page(format!(
            "\n**{title}**; {} rounds of {calls} of each in turn, the median of the rounds (least to most):\n",
            arguments.rounds
        ));
        verdict.page(table(&all, &measured));
        limits(&all, &measured, messages, &mut verdict);
    }
    drop(all);
    progress.phase("counting instructions");
    let counted = instructions::count(&field.contestants[0], arguments.counted as usize);
    progress.finish();
    verdict.page(match counted {
        Ok(counted) => format!(
            "Instructions of Policysync, by callgrind: {} for an invocation with nothing in it, {} for each message.\n",
            counted.per_invocation, counted.per_message
        ),
        Err(CampaignError::NoValgrind(why)) => format!("Instructions were not counted: {why}.\n"),
        Err(error) => return Err(error),
    });
    Ok(verdict)
}

fn measure(
    arguments: &Arguments,
    all: &mut [Running<'_>],
    messages: usize,
    calls: usize,
) -> Result<Vec<Measured>, CampaignError> {
    let envelope = load::envelope(messages);
    let requests: Vec<Vec<u8>> = all.iter().map(|running| running.process.invocation(&envelope)).collect();
    for (running, request) in all.iter_mut().zip(&requests) {
        for _ in 0..arguments.warm_up {
            let (answer, _) = running.process.call(request)?;
            running.contestant.judge(&answer, messages)?;
        }
    }
    let mut measured: Vec<Measured> = all.iter().map(|_| Measured::default()).collect();
    for _ in 0..arguments.rounds {
        let cpu = |running: &Running<'_>| running.process.cpu_time();
        let before: Vec<_> = all.iter().map(cpu).collect();
        let mut took: Vec<Vec<f64>> = all.iter().map(|_| Vec::new()).collect();
        for _ in 0..BLOCKS {
            for ((running, request), took) in all.iter_mut().zip(&requests).zip(&mut took) {
                for _ in 0..calls / BLOCKS {
                    let (answer, duration) = running.process.call(request)?;
                    running.contestant.judge(&answer, messages)?;
                    took.push(duration.as_secs_f64() * 1e6);
                }
            }
        }
        for (((running, took), before), measured) in all.iter().zip(took).zip(before).zip(&mut measured) {
            let count = took.len() as f64;
            let Some(sample) = Sample::of(took) else { continue };
            measured.median_us.push(sample.median());
            measured.late_us.push(sample.at(0.99));
            let spent = cpu(running).zip(before).map(|(after, before)| after.saturating_sub(before));
            measured.cpu_us.extend(spent.map(|spent| spent.as_secs_f64() * 1e6 / count));
        }
    }
    Ok(measured)
}

fn table(all: &[Running<'_>], measured: &[Measured]) -> Table {
    let mut table =
        Table::new(["", "µs, p50", "÷ Policysync", "µs, p99", "µs of processor time", "÷ Policysync"]);
    for (running, it) in all.iter().zip(measured) {
        let ratio = |theirs: &[f64], ours: &[f64]| match running.contestant.who {
            Who::Policysync => "1".to_owned(),
            _ => ratios(theirs, ours).map_or_else(|| "–".to_owned(), |sample| sample.shown(2)),
        };
        table.row(vec![
            running.contestant.name.clone(),
            shown(&it.median_us),
            ratio(&it.median_us, &measured[0].median_us),
            shown(&it.late_us),
            shown(&it.cpu_us),
            ratio(&it.cpu_us, &measured[0].cpu_us),
        ]);
    }
    table
}

fn shown(figures: &[f64]) -> String {
    let sample = Sample::of(figures.iter().copied());
    sample.map_or_else(|| "not told by this system".to_owned(), |sample| sample.shown(0))
}

fn limits(all: &[Running<'_>], measured: &[Measured], messages: usize, verdict: &mut Verdict) {
    let ours = &measured[0];
    if messages == 0 {
        let median = Sample::of(ours.median_us.iter().copied()).map(|sample| sample.median());
        let what = "p50 of an invocation with nothing in it";
        verdict.limit(&Limit { what, measured: median, most: 150.0, unit: " µs" });
        return;
    }
    let node = all.iter().zip(measured).find(|(running, _)| running.contestant.who == Who::Node);
    let share = node.and_then(|(_, node)| ratios(&ours.cpu_us, &node.cpu_us));
    let what = "processor time of a batch of 100, of Node.js's";
    let measured = share.map(|sample| sample.median() * 100.0);
    verdict.limit(&Limit { what, measured, most: 20.0, unit: " %" });
}
