//! `cargo xtask simulate`: plays seeds and adds them up.

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use simulation::minimize::minimize;
use simulation::report::Report;
use simulation::variation::Variation;
use simulation::{Played, play, several};

/// Plays the whole app under chance.
#[derive(Parser)]
struct Arguments {
    /// How many seeds, from 0 on, or from --seed on.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print what happened in each play, line by line.
    #[arg(long)]
    trace: bool,
    /// Find which parts of a play each broken promise needs, and play no others.
    #[arg(long)]
    minimize: bool,
    /// How many plays go on at once; one for each core when absent.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
}

/// A play could not be made: neither good nor bad.
const UNPLAYABLE: u8 = 3;

fn main() -> ExitCode {
    let Arguments { seeds, seed, trace, minimize: shrinks, threads } = Arguments::parse();
    let mut report = Report::default();
    let mut is_playable = true;
    let work =
        |seed| play(seed, &Variation::default()).map(|played| if shrinks { smaller(played) } else { played });
    let begun = Instant::now();
    several::each(
        seed..seed.saturating_add(seeds),
        threads.unwrap_or_else(several::cores),
        work,
        |seed, played| {
            match played {
                Ok(played) => show(&mut report, &played, trace),
                Err(unplayable) => {
                    eprintln!("seed {seed}: {unplayable}");
                    is_playable = false;
                }
            }
            is_playable
        },
    );
    if !is_playable {
        return ExitCode::from(UNPLAYABLE);
    }
    print!("{report}");
    println!("\n{seeds} seeds in {} s", begun.elapsed().as_secs());
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn show(report: &mut Report, played: &Played, trace: bool) {
    if trace {
        print!("{}", played.trace);
    }
    for violation in &played.violations {
        println!("seed {}: {}: {}", played.seed, violation.oracle, violation.what);
    }
    report.add(played);
}

/// The first broken promise with as little around it as possible; the play as it is when it broke none.
fn smaller(played: Played) -> Played {
    let Some(first) = played.violations.first() else { return played };
    match minimize(played.seed, first.oracle, &Variation::default()) {
        Ok(Some(minimal)) => {
            let needs: Vec<String> = minimal.needs.iter().map(ToString::to_string).collect();
            println!("seed {}: {} needs {}", played.seed, first.oracle, needs.join(", "));
            minimal.played
        }
        Ok(None) | Err(_) => played,
    }
}
