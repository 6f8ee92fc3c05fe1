//! `cargo xtask simulate`: plays seeds and adds them up.

use std::process::ExitCode;

use clap::Parser;
use simulation::minimize::minimize;
use simulation::report::Report;
use simulation::variation::Variation;
use simulation::{Played, play};

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
}

/// A play could not be made: neither good nor bad.
const UNPLAYABLE: u8 = 3;

fn main() -> ExitCode {
    let Arguments { seeds, seed, trace, minimize: shrinks } = Arguments::parse();
    let mut report = Report::default();
    for seed in seed..seed.saturating_add(seeds) {
        let played = match play(seed, &Variation::default()) {
            Ok(played) if shrinks => smaller(played),
            Ok(played) => played,
            Err(unplayable) => {
                eprintln!("seed {seed}: {unplayable}");
                return ExitCode::from(UNPLAYABLE);
            }
        };
        if trace {
            print!("{}", played.trace);
        }
        for violation in &played.violations {
            println!("seed {seed}: {}: {}", violation.oracle, violation.what);
        }
        report.add(&played);
    }
    print!("{report}");
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
