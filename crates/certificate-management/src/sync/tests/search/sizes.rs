//! The bounds of the searches, and the test that runs them all.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use time::Duration;

use super::plans::{ALL, From, Plan};
use super::{Found, Search, fair};
use crate::sync::tests::model::{Machine, Model, Setting};
use crate::sync::tests::world::request;
use crate::sync::{Phase, step};

/// How many states each search visits at the most in `cargo test`.
const QUICK: usize = 20_000;
/// The same with `POLICYSYNC_SEARCH=large`.
const LARGE: usize = 1_000_000;

impl Plan {
    pub fn search(&self, machine: Machine, most: usize) -> Search {
        let patience = Duration::minutes(8);
        let setting = Setting {
            machine,
            ahead: Duration::minutes(self.ahead),
            patience,
            tick: Duration::minutes(2),
            batch: self.batch,
            most_requests: self.most_requests,
        };
        let requests = (1..).zip(self.asked).map(|(number, ask)| request(&format!("r{number}"), ask.rest()));
        let start = Model::of_policies(self.policies, requests.collect());
        // The machine without a fault leads to the first state, whichever machine the search tries.
        let right = Setting { machine: step, ..setting };
        let mut start = match self.from {
            From::Start => start,
            From::Claim => fair::led_to(start, &right, Phase::Claimed, 1),
            From::Operation => fair::led_to(start, &right, Phase::Started, 1),
        };
        for (fault, times) in self.faults {
            start = start.allow(*fault, *times);
        }
        Search { start, setting, with_ends: true, most }
    }
}

/// How large the searches are.
pub(super) fn most() -> usize {
    if std::env::var("POLICYSYNC_SEARCH").is_ok_and(|size| size == "large") { LARGE } else { QUICK }
}

/// Prints the figures of a search.
pub(super) fn print(name: &str, found: &Found, begun: Instant) {
    println!(
        "{name}: {} states, {} transitions, {} actions deep, {}; longest fair end {} actions; {:.1} s",
        found.states,
        found.transitions,
        found.depth,
        if found.is_whole { "every state" } else { "cut at the bound" },
        found.longest_end,
        begun.elapsed().as_secs_f64(),
    );
}

/// Runs one search, and prints its figures when it has ended.
fn search(plan: &Plan) {
    let search = plan.search(step, most());
    let begun = Instant::now();
    let found = search.run();
    print(plan.name, &found, begun);
    if let Some(violation) = &found.violation {
        let way = search.tell(&violation.way);
        panic!("{}: `{}` does not hold: {}\n{way}", plan.name, violation.property, violation.says);
    }
}

#[test]
fn every_property_holds_in_every_state_up_to_the_bound() {
    let only = std::env::var("POLICYSYNC_SEARCH_ONLY").ok();
    let is_wanted = |plan: &&Plan| only.as_ref().is_none_or(|only| plan.name.contains(only.as_str()));
    let plans: Vec<&Plan> = ALL.iter().filter(is_wanted).collect();
    let next = AtomicUsize::new(0);
    // As many at a time as there are processors.
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                    search(plan);
                }
            });
        }
    });
}
