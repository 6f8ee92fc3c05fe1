//! Plays a few seeds: no promise is broken, one seed gives one trace, and every oracle finds an app that is broken on purpose.

use std::collections::BTreeSet;

use simulation::fault::Fault;
use simulation::report::Report;
use simulation::sabotage::Sabotage;
use simulation::variation::Variation;
use simulation::{Played, play, several};

/// So many seeds are played in every run of the tests.
const SEEDS: u64 = 500;
/// Within so many seeds an oracle finds its sabotage.
const FOUND_WITHIN: u64 = 100;

fn told(played: &Played) -> String {
    let violations = played.violations.iter();
    violations
        .map(|violation| format!("seed {}: {}: {}\n", played.seed, violation.oracle, violation.what))
        .collect()
}

#[test]
fn many_seeds_break_no_promise_and_every_fault_strikes() {
    let (mut report, mut broken, mut requests) = (Report::default(), String::new(), 0);
    let mut waits: BTreeSet<&str> = ["has died", "synchronize", "PUT /dps/", "has lost its lock"].into();
    several::each(
        0..SEEDS,
        several::cores(),
        |seed| play(seed, &Variation::default()),
        |_, played| {
            let played = played.unwrap();
            report.add(&played);
            broken += &told(&played);
            requests += played.requests;
            waits.retain(|happens| !played.trace.contains(happens));
            true
        },
    );
    assert!(broken.is_empty(), "{broken}");
    // A simulation in which nothing happens proves nothing.
    assert!(requests as u64 > SEEDS && waits.is_empty(), "{requests} requests, and nothing {waits:?}");
    let never: Vec<&str> =
        Fault::ALL.into_iter().filter(|fault| report.hits(*fault) == 0).map(Fault::name).collect();
    assert!(never.is_empty(), "never struck: {never:?}\n{report}");
}

#[test]
fn seeds_that_were_broken_once_are_not_broken_again() {
    let lines = include_str!("../regressions.txt").lines().filter(|line| !line.starts_with('#'));
    let seeds = lines.map(|line| line.split(' ').next().unwrap().parse::<u64>().unwrap());
    let plays: Vec<Played> = seeds.map(|seed| play(seed, &Variation::default()).unwrap()).collect();
    assert!(!plays.is_empty());
    let broken: String = plays.iter().map(told).collect();
    assert!(broken.is_empty(), "{broken}");
}

#[test]
fn one_seed_gives_one_trace_byte_for_byte_and_another_seed_another() {
    for seed in [3, 11, 17] {
        let (one, same) =
            (play(seed, &Variation::default()).unwrap(), play(seed, &Variation::default()).unwrap());
        let lines = one.trace.lines().zip(same.trace.lines()).enumerate();
        if let Some((number, (one, same))) = lines.into_iter().find(|(_, (one, same))| one != same) {
            panic!("seed {seed}, line {number}:\n{one}\n{same}");
        }
        assert_eq!(one.trace.len(), same.trace.len(), "seed {seed}");
        assert!(one.trace.lines().count() > 500);
        assert_ne!(one.trace, play(seed + 1, &Variation::default()).unwrap().trace);
    }
}

#[test]
fn each_oracle_finds_an_app_that_is_broken_on_purpose() {
    let mut blind = Vec::new();
    // What was found in which play: several oracles find the same broken app.
    let mut known: Vec<(Sabotage, u64, Vec<&str>)> = Vec::new();
    for (sabotage, oracle) in Sabotage::ALL {
        let finds = |seed: &u64| {
            let is_known = known.iter().any(|(of, at, _)| *of == sabotage && at == seed);
            if !is_known {
                let played = play(*seed, &Variation::broken(sabotage)).unwrap();
                let oracles: Vec<&str> = played.violations.iter().map(|violation| violation.oracle).collect();
                known.push((sabotage, *seed, oracles));
            }
            known.iter().any(|(of, at, oracles)| *of == sabotage && at == seed && oracles.contains(&oracle))
        };
        match (0..FOUND_WITHIN).find(finds) {
            Some(seed) => println!("{oracle} finds {sabotage:?} at seed {seed}"),
            None => blind.push(format!("{oracle} does not find {sabotage:?}")),
        }
    }
    assert!(blind.is_empty(), "{blind:?}");
}
