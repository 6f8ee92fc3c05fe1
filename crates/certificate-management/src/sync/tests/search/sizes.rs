//! The searches: each with some of what can go wrong, since all of it at once is too much for any machine.

use std::time::Instant;

use time::Duration;

use super::{Found, Search, fair};
use crate::sync::tests::model::{Fault, Machine, Model, Setting};
use crate::sync::tests::world::request;
use crate::sync::{Phase, step};

/// How many states each search visits at the most in `cargo test`.
const QUICK: usize = 30_000;
/// The same with `POLICYSYNC_SEARCH=large`.
const LARGE: usize = 4_000_000;

/// Where a search begins.
#[derive(Clone, Copy)]
pub(in crate::sync::tests) enum From {
    /// Nothing has happened.
    Start,
    /// The first request is in a sync that was claimed a moment ago; its POST is not sent yet.
    Claim,
    /// The service has accepted the POST.
    Operation,
}

/// What a search is about.
pub(in crate::sync::tests) struct Plan {
    pub name: &'static str,
    pub from: From,
    /// How many requests there are: for the whole namespace, for one hub with leave for the rest, for one hub without.
    pub requests: usize,
    /// By how many minutes the second worker's clock is ahead.
    pub ahead: i64,
    pub faults: &'static [(Fault, u8)],
}

use Fault::*;

pub(in crate::sync::tests) const ALL: [Plan; 22] = [
    Plan { name: "nothing goes wrong", from: From::Start, requests: 1, ahead: 0, faults: &[] },
    Plan { name: "two requests join at any instant", from: From::Start, requests: 2, ahead: 0, faults: &[] },
    Plan {
        name: "three requests join at any instant",
        from: From::Start,
        requests: 3,
        ahead: 0,
        faults: &[],
    },
    Plan { name: "kills before the claim", from: From::Start, requests: 1, ahead: 2, faults: &[(Kill, 2)] },
    Plan { name: "kills after the claim", from: From::Claim, requests: 2, ahead: -2, faults: &[(Kill, 2)] },
    Plan { name: "kills after the POST", from: From::Operation, requests: 2, ahead: 2, faults: &[(Kill, 2)] },
    Plan {
        name: "locks that are lost before the claim",
        from: From::Start,
        requests: 1,
        ahead: 0,
        faults: &[(LockLost, 2)],
    },
    Plan {
        name: "locks that are lost after the claim",
        from: From::Claim,
        requests: 2,
        ahead: 2,
        faults: &[(LockLost, 2), (Kill, 1)],
    },
    Plan {
        name: "duplicates and repeats",
        from: From::Start,
        requests: 1,
        ahead: 0,
        faults: &[(Duplicate, 1), (SubmittedAgain, 1), (WindowOver, 1)],
    },
    Plan {
        name: "follow-ups that are lost",
        from: From::Start,
        requests: 1,
        ahead: 2,
        faults: &[(DeadLettered, 2), (ReportedEarly, 1)],
    },
    Plan {
        name: "follow-ups that are forged",
        from: From::Start,
        requests: 1,
        ahead: 0,
        faults: &[(Forged, 2)],
    },
    Plan {
        name: "follow-ups that are forged after the claim",
        from: From::Claim,
        requests: 1,
        ahead: 2,
        faults: &[(Forged, 2), (WindowOver, 1)],
    },
    Plan {
        name: "runs that stand still after the claim",
        from: From::Claim,
        requests: 1,
        ahead: 2,
        faults: &[(Stalled, 2), (LockLost, 1)],
    },
    Plan {
        name: "a clock behind, and a run that stands still",
        from: From::Claim,
        requests: 1,
        ahead: -2,
        faults: &[(Stalled, 2), (Kill, 1)],
    },
    Plan {
        name: "the mode is switched",
        from: From::Start,
        requests: 2,
        ahead: 0,
        faults: &[(ModeSwitched, 2), (OldMode, 1)],
    },
    Plan {
        name: "the mode is switched after the claim",
        from: From::Claim,
        requests: 2,
        ahead: 0,
        faults: &[(ModeSwitched, 2), (AnswerLost, 1)],
    },
    Plan {
        name: "the namespace leaves the configuration",
        from: From::Start,
        requests: 1,
        ahead: 0,
        faults: &[(Configured, 2), (ModeSwitched, 1)],
    },
    Plan {
        name: "CAs are renewed under way",
        from: From::Claim,
        requests: 2,
        ahead: 0,
        faults: &[(Renewed, 2), (PushedByOthers, 1), (LockLost, 1)],
    },
    Plan {
        name: "hubs do not answer",
        from: From::Start,
        requests: 2,
        ahead: 0,
        faults: &[(Unreadable, 2), (Unobservable, 1)],
    },
    Plan {
        name: "POSTs are refused",
        from: From::Claim,
        requests: 2,
        ahead: 0,
        faults: &[(PostRefused, 2), (Kill, 1)],
    },
    Plan {
        name: "answers are lost",
        from: From::Claim,
        requests: 2,
        ahead: 2,
        faults: &[(AnswerLost, 2), (Kill, 1)],
    },
    Plan {
        name: "operations fail",
        from: From::Claim,
        requests: 2,
        ahead: 0,
        faults: &[(OperationFailed, 2), (Renewed, 1)],
    },
];

impl Plan {
    pub fn search(&self, machine: Machine, most: usize) -> Search {
        let patience = Duration::minutes(8);
        let setting =
            Setting { machine, ahead: Duration::minutes(self.ahead), patience, tick: Duration::minutes(2) };
        let requests = [
            request("r1", ""),
            request("r2", r#","hubs":["h1"],"allowWholeNamespace":true"#),
            request("r3", r#","hubs":["h2"]"#),
        ];
        let start = Model::new(requests.into_iter().take(self.requests).collect());
        // The way there has no fault in it, whatever the machine.
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

/// Prints what a search was.
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

#[test]
fn every_property_holds_in_every_state_up_to_the_bound() {
    let only = std::env::var("POLICYSYNC_SEARCH_ONLY").ok();
    for plan in ALL.iter().filter(|plan| only.as_ref().is_none_or(|only| plan.name.contains(only.as_str()))) {
        let search = plan.search(step, most());
        let begun = Instant::now();
        let found = search.run();
        print(plan.name, &found, begun);
        if let Some(violation) = &found.violation {
            let way = search.tell(&violation.way);
            panic!("{}: `{}` does not hold: {}\n{way}", plan.name, violation.property, violation.says);
        }
    }
}
