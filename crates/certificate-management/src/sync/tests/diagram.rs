//! Compares the state diagram of `ARCHITECTURE.md` with the machine: the diagram has every transition that the searches
//! have seen, and no other one.

use std::collections::BTreeSet;

use super::model::{Action, Answer, Fault};
use super::page;
use super::search::Search;
use super::search::plans::ALL;
use crate::sync::{Phase, step};

/// Most states of each search: enough to see every transition.
const MOST: usize = 30_000;

/// The words of the page for what moves a sync, by the event and by the phase that it leads to.
const WORDS: [(&str, &str, &str); 8] = [
    ("requested", "gathering", "a request comes"),
    ("observed", "claimed", "a look finds a request that needs the POST"),
    ("observed", "watching", "a look finds none that needs the POST, and one without an outcome"),
    ("observed", "gathering", "a look finds a request that needs the POST"),
    ("POST ended", "started", "the service accepts the POST"),
    ("POST ended", "gathering", "the POST had no effect, and may be sent again"),
    ("concluded", "ended", "every request has its outcome"),
    ("concluded", "gathering", "its requests have their outcome, and a later one opens the next sync"),
];

fn words(event: &str, after: &str) -> &'static str {
    let known = WORDS.iter().find(|(of_event, to, _)| *of_event == event && *to == after);
    known.unwrap_or_else(|| panic!("no words for `{event}` that leads to `{after}`")).2
}

/// A search that begins in a state which the others reach late: one hub trusts, and the other one could not be read.
fn of_a_watch() -> Search {
    let Search { start: mut model, setting, .. } = ALL[1].search(step, MOST);
    model.hubs[0].has_current[0] = true;
    model.hubs[1].is_readable = false;
    model.act(Action::Submit(0), &setting);
    while model.record.as_ref().is_none_or(|record| record.phase != Phase::Watching) {
        let is_idle = model.workers[0].is_none();
        let action = if is_idle { Action::Deliver(0, 0) } else { Action::Go(0, Answer::Well) };
        model.act(action, &setting);
    }
    let start = model.allow(Fault::PushedByOthers, 1);
    Search { start, setting, with_ends: false, most: MOST }
}

/// The transitions that the searches have seen, as lines of the diagram in the order of the phases.
fn seen() -> Vec<String> {
    let mut ways = BTreeSet::new();
    let searches = ALL.iter().map(|plan| plan.search(step, MOST));
    for search in searches.chain([of_a_watch()]) {
        let found = Search { with_ends: false, ..search }.run();
        assert!(found.violation.is_none());
        ways.extend(found.edges);
    }
    let place = |name: &str| Phase::ALL.iter().position(|phase| phase.to_string() == name);
    let mut lines: Vec<_> = ways
        .iter()
        .map(|(before, after, event)| {
            let line = format!("{before} --> {after}: {}", words(event, after));
            (place(before), place(after), line)
        })
        .collect();
    lines.sort();
    lines.into_iter().map(|(.., line)| line).collect()
}

#[test]
fn the_page_draws_every_way_of_a_sync_and_no_other() {
    let (seen, drawn) = (seen(), page::diagram());
    let lacks = |lines: &[String], others: &[String]| -> Vec<String> {
        lines.iter().filter(|line| !others.contains(line)).cloned().collect()
    };
    let (missing, never_seen) = (lacks(&seen, &drawn), lacks(&drawn, &seen));
    let block = seen.iter().map(|line| format!("    {line}\n")).collect::<String>();
    assert!(
        seen == drawn,
        "ARCHITECTURE.md lacks {missing:#?}\nand draws what was never seen {never_seen:#?}\nThe block to paste:\n\n\
         ```mermaid\nstateDiagram-v2\n{block}```\n"
    );
    for phase in Phase::ALL {
        let name = phase.to_string();
        assert!(drawn.iter().any(|line| line.contains(&name)), "the page does not draw `{name}`");
    }
}

#[test]
fn every_word_of_the_diagram_is_used() {
    let drawn = page::diagram();
    for (event, after, words) in WORDS {
        let end = format!("--> {after}: {words}");
        assert!(drawn.iter().any(|line| line.ends_with(&end)), "`{event}` leads nowhere: `{end}`");
    }
}
