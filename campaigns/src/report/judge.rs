//! What a report has to say of the fleet, and what it may call for it.

use std::collections::BTreeSet;

use azure_simulator::log::Entry;
use serde_json::Value;

use super::fleet::{self, POLICIES, Size};
use crate::assign::calls::{Calls, OPERATIONS_PER_MINUTE, is_write};
use crate::verdict::Verdict;

/// Calls of a DPS for its list of groups in one report: two pages of 100, and room for a page size that is smaller.
const MOST_CALLS_FOR_GROUPS: usize = 4;
/// Calls of a DPS for the devices that came before their group had a policy: ten groups of each DPS are counted in a report, two
/// pages of each (`handlers/reporting/counting.rs`).
const MOST_CALLS_FOR_DEVICES: usize = 20;
/// Namespaces that a run has in hand at once, of one subscription and in all (`handlers/pace.rs`).
const IN_HAND: [usize; 2] = [4, 16];

/// The overview knows of everything, and says of each namespace what is so.
pub fn overview(size: &Size, report: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    let lines = report["lines"].as_array().map(Vec::as_slice).unwrap_or_default();
    if lines.len() != size.namespaces {
        broken.push(format!("the overview has {} of {} namespaces", lines.len(), size.namespaces));
    }
    for (index, line) in lines.iter().enumerate() {
        let expected = size.expected(index);
        let is = |name: &str, wanted: usize| line[name] == wanted;
        let is_right = line["id"] == size.id(index)
            && line["seenAt"].is_string()
            && line["unreadable"].is_null()
            && is("pairs", expected.pairs)
            && is("trusting", expected.trusting)
            && is("groups", expected.groups)
            && is("assigned", expected.assigned);
        if !is_right {
            broken.push(format!("{}: {expected:?} is so, and the overview says {line}", fleet::name(index)));
        }
    }
    let total = |of: fn(fleet::Expected) -> usize| -> usize {
        (0..size.namespaces).map(|index| of(size.expected(index))).sum()
    };
    let summary = &report["summary"];
    for (place, wanted) in [
        ("/namespaces", size.namespaces),
        ("/unreadableNamespaces", 0),
        ("/policies", size.namespaces * POLICIES.len()),
        ("/hubs", size.hubs()),
        ("/trust/trusted", total(|it| it.trusting)),
        ("/trust/missing", total(|it| it.pairs - it.trusting)),
        ("/enrollmentGroups/total", total(|it| it.groups)),
        ("/enrollmentGroups/assigned", total(|it| it.assigned)),
        ("/unread", 0),
    ] {
        if summary.pointer(place).and_then(Value::as_u64) != u64::try_from(wanted).ok() {
            broken.push(format!("the overview counts {summary}, and {place} is {wanted}"));
        }
    }
    broken
}

/// The report of one namespace has all that there is to know.
pub fn section(size: &Size, index: usize, report: &Value) -> Option<String> {
    let expected = size.expected(index);
    let namespace = &report["namespaces"][0];
    let count = |value: &Value| value.as_array().map_or(0, Vec::len);
    let trusted = namespace["trust"].as_array().into_iter().flatten();
    let trusted = trusted.filter(|pair| pair["trust"] == "trusted" && pair["evidence"].is_object()).count();
    let services = namespace["provisioningServices"].as_array().into_iter().flatten();
    let groups: u64 = services.filter_map(|service| service["enrollmentGroups"]["total"].as_u64()).sum();
    let is_right = count(&report["namespaces"]) == 1
        && namespace["name"] == fleet::name(index)
        && namespace["unreadable"].is_null()
        && count(&namespace["hubs"]) == size.shape.hubs
        && count(&namespace["policies"]) == POLICIES.len()
        && count(&namespace["trust"]) == expected.pairs
        && trusted == expected.trusting
        && groups == expected.groups as u64;
    (!is_right).then(|| format!("{}: {expected:?} is so, and its report is {report}", fleet::name(index)))
}

/// How many findings an overview counts.
pub fn findings(report: &Value) -> usize {
    let counts = &report["summary"]["findings"];
    let of = |severity: &str| counts[severity].as_u64().and_then(|count| usize::try_from(count).ok());
    ["critical", "warning", "information"].into_iter().filter_map(of).sum()
}

/// A run after a kill goes on where the one before it was: each namespace is looked at once before any is looked at again. Those that
/// were in hand at a kill have had their turn and come last, since the run may have died of them; and one subscription may be ahead of
/// another.
pub fn goes_on(size: &Size, kills: usize, entries: &[Entry]) -> Option<String> {
    let looks = entries.iter().filter(|entry| entry.method == "GET" && entry.path.ends_with("/policies"));
    let in_hand = kills * IN_HAND[1].min(IN_HAND[0] * size.subscriptions());
    let most = size.namespaces + in_hand + size.namespaces / 10;
    let (mut seen, mut until_most) = (BTreeSet::new(), 0);
    for (number, look) in looks.enumerate() {
        if seen.insert(&look.path) && seen.len() + in_hand <= size.namespaces {
            until_most = number + 1;
        }
    }
    if seen.len() < size.namespaces {
        return Some(format!("{} of {} namespaces were looked at", seen.len(), size.namespaces));
    }
    (until_most > most).then(|| {
        let named = size.namespaces.saturating_sub(in_hand);
        format!("it took {until_most} looks until {named} namespaces had one; {most} are allowed")
    })
}

/// A report calls ARM and each DPS no more than it must, and writes and sends nothing.
pub fn calls(size: &Size, entries: &[Entry], (reads, seconds): (usize, f64), verdict: &mut Verdict) {
    let needed = size.needed_reads(seconds);
    verdict.figure("  ARM reads, needed", format!("{reads}, {needed}"));
    if reads > needed {
        verdict.broken(vec![format!("{reads} reads of ARM, and {needed} are enough")]);
    }
    nothing_is_written(entries, verdict);
    let names: Vec<String> = size.service_names().collect();
    let calls: Vec<Calls<'_>> = names.iter().map(|name| Calls::to(entries, name)).collect();
    let busiest = calls.iter().map(Calls::busiest_minute).max().unwrap_or_default();
    verdict.figure(
        "  calls of all DPS, in the busiest minute of one",
        format!("{}, {busiest} of {OPERATIONS_PER_MINUTE}", calls.iter().map(Calls::count).sum::<usize>()),
    );
    for (of_what, fits, limit) in [
        ("groups", is_for_groups as fn(&str) -> bool, MOST_CALLS_FOR_GROUPS),
        ("devices", is_for_devices, MOST_CALLS_FOR_DEVICES),
        ("anything else", |path| !is_for_groups(path) && !is_for_devices(path), 0),
    ] {
        let most = calls.iter().map(|calls| calls.count_of(fits)).max().unwrap_or_default();
        if most > limit {
            verdict.broken(vec![format!("a DPS was called {most} times for {of_what}, more than {limit}")]);
        }
    }
    if calls.iter().any(|calls| calls.count() == 0) {
        verdict.broken(vec!["a DPS was not looked at".to_owned()]);
    }
}

/// Nothing was written to Azure and nothing put on a queue.
pub fn nothing_is_written(entries: &[Entry], verdict: &mut Verdict) {
    let writes = entries.iter().filter(|entry| is_write(entry)).count();
    // A report counts dead letters, which puts nothing on a queue.
    let is_send = |path: &str| path.starts_with("/servicebus/") && !path.contains("/$deadletterqueue/");
    let messages = entries.iter().filter(|entry| is_send(&entry.path)).count();
    if writes + messages > 0 {
        verdict.broken(vec![format!(
            "reports on a fleet that needs no sync made {writes} writes and {messages} messages"
        )]);
    }
}

fn is_for_groups(path: &str) -> bool {
    path == "enrollmentgroups/query"
}

fn is_for_devices(path: &str) -> bool {
    path.starts_with("registrations/") && path.ends_with("/query")
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::OffsetDateTime;

    use super::super::fleet::Shape;
    use super::*;

    fn size(namespaces: usize) -> Size {
        let shape =
            Shape { namespaces_per_subscription: 250, hubs: 1, namespaces_per_service: 9, groups: 20 };
        Size { namespaces, shape }
    }

    fn looks(size: &Size, order: &[usize]) -> Vec<Entry> {
        let entry = |index: &usize| Entry {
            method: "GET".to_owned(),
            path: format!("{}/credentials/default/policies", size.id(*index)),
            query: String::new(),
            status: Some(200),
            at: OffsetDateTime::UNIX_EPOCH,
            lost: false,
        };
        order.iter().map(entry).collect()
    }

    #[test]
    fn a_run_that_begins_anew_after_a_kill_is_named() {
        let size = size(100);
        let all: Vec<usize> = (0..100).collect();
        let goes_on = |order: &[usize]| super::goes_on(&size, 1, &looks(&size, order));
        // Those that were in hand come last.
        assert_eq!(goes_on(&[&all[..46], &all[50..], &all[..50]].concat()), None);
        assert!(goes_on(&[&all[..50], &all[..]].concat()).unwrap().contains("146 looks"));
        assert!(goes_on(&all[..99]).unwrap().contains("99 of 100"));
    }

    #[test]
    fn an_overview_that_lacks_a_namespace_or_says_what_is_not_so_is_named() {
        let size = size(2);
        let line = |index: usize| {
            let expected = size.expected(index);
            json!({"id": size.id(index), "seenAt": "2026-11-29T14:05:00Z", "pairs": expected.pairs,
                "trusting": expected.trusting, "groups": expected.groups, "assigned": expected.assigned})
        };
        let mut report = json!({"lines": [line(0), line(1)], "summary": {
            "namespaces": 2, "unreadableNamespaces": 0, "policies": 6, "hubs": 2, "unread": 0,
            "trust": {"trusted": 6, "missing": 0}, "enrollmentGroups": {"total": 20, "assigned": 19}}});
        assert_eq!(overview(&size, &report), Vec::<String>::new());
        report["lines"][1]["trusting"] = json!(2);
        report["summary"]["unread"] = json!(1);
        assert_eq!(overview(&size, &report).len(), 2);
        report["lines"] = json!([line(0)]);
        assert_eq!(overview(&size, &report).len(), 2);
    }

    #[test]
    fn a_write_and_a_message_are_named() {
        let size = size(1);
        for path in
            [format!("{}/credentials/default/synchronize", size.id(0)), "/servicebus/q/messages".into()]
        {
            let mut entries = looks(&size, &[0]);
            (entries[0].method, entries[0].path) = ("POST".to_owned(), path);
            let mut verdict = Verdict::default();
            nothing_is_written(&entries, &mut verdict);
            assert!(!verdict.print("test"));
        }
    }
}
