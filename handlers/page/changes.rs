//! The page of what changed between two reports.

use std::collections::BTreeMap;

use askama::Template;
use certificate_management::report::GroupCounts;
use certificate_management::report::changes::{
    ChangedFinding, Changes, Moved, NamespaceChanges, Renewed, Whole,
};
use certificate_management::report::known_groups::{self, GroupStanding};
use certificate_management::report::snapshot::KnownFinding;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::attention::Shown;
use super::lines::Share;
use super::links::Links;
use super::words::{self, Moment};

/// How much of each list is shown; the JSON has all.
const SHOWN: usize = 100;
/// How many ways in which groups of a namespace moved are shown.
const KINDS: usize = 8;
/// How many names a sentence lists.
const NAMED: usize = 12;
/// The spans that the page has links for.
const SPANS: [(&str, Duration); 4] = [
    ("an hour", Duration::HOUR),
    ("a day", Duration::DAY),
    ("3 days", Duration::days(3)),
    ("7 days", Duration::WEEK),
];

/// What changed.
#[derive(Template)]
#[template(path = "page/changes.html")]
pub struct Document {
    headline: String,
    from: Moment,
    to: Moment,
    /// Whether the two are one report, since no earlier one is kept.
    is_alone: bool,
    lists: Vec<List>,
    namespaces: Vec<Namespace>,
    namespaces_left_out: usize,
    not_compared: usize,
    /// To other spans of time, each counted back from when the page was sent.
    spans: Vec<(&'static str, String)>,
    overview: String,
}

/// Findings of one kind.
struct List {
    id: &'static str,
    title: &'static str,
    count: usize,
    findings: Vec<Finding>,
    left_out: usize,
}

/// A finding.
struct Finding {
    severity: Shown,
    check: &'static str,
    subject: String,
    /// How it was before, where that changed.
    before: Option<String>,
}

/// A namespace.
struct Namespace {
    name: String,
    id: String,
    told: Vec<String>,
}

impl Document {
    pub fn of(changes: &Changes, now: OffsetDateTime, links: &Links) -> Self {
        let lists = [
            List::of("came", "Came", &changes.came, Finding::of),
            List::of("worse", "Changed", &changes.changed, Finding::changed),
            List::of("went", "Gone", &changes.went, Finding::of),
        ];
        let since = |(words, span): (&'static str, Duration)| {
            let at = (now - span).replace_nanosecond(0).ok()?.format(&Rfc3339).ok()?;
            Some((words, links.changes(Some(&at))))
        };
        Self {
            headline: headline(changes),
            from: words::moment(changes.from),
            to: words::moment(changes.to),
            is_alone: changes.from == changes.to,
            lists: lists.into_iter().filter(|list| list.count > 0).collect(),
            namespaces: changes.namespaces.iter().take(SHOWN).map(Namespace::of).collect(),
            namespaces_left_out: changes.namespaces.len().saturating_sub(SHOWN),
            not_compared: changes.not_compared,
            spans: SPANS.into_iter().filter_map(since).collect(),
            overview: links.overview(),
        }
    }
}

/// The whole in a few words.
fn headline(changes: &Changes) -> String {
    if changes.from == changes.to {
        return "Nothing to compare with yet".to_owned();
    }
    if changes.is_empty() {
        return "Nothing changed".to_owned();
    }
    let counts =
        [(changes.came.len(), "came"), (changes.changed.len(), "changed"), (changes.went.len(), "gone")];
    let findings = counts.iter().filter(|(count, _)| *count > 0);
    let findings: Vec<String> =
        findings.map(|(count, what)| format!("{} {what}", words::thousands(*count as u64))).collect();
    match findings.as_slice() {
        [] => format!(
            "No finding came or went; {} changed",
            words::count(changes.namespaces.len(), "namespace")
        ),
        some => format!("Findings: {}", some.join(", ")),
    }
}

impl List {
    fn of<T>(id: &'static str, title: &'static str, all: &[T], shown: impl Fn(&T) -> Finding) -> Self {
        Self {
            id,
            title,
            count: all.len(),
            findings: all.iter().take(SHOWN).map(shown).collect(),
            left_out: all.len().saturating_sub(SHOWN),
        }
    }
}

impl Finding {
    fn of(finding: &KnownFinding) -> Self {
        Self {
            severity: finding.severity.into(),
            check: finding.check.code(),
            subject: words::text(&finding.subject),
            before: None,
        }
    }

    fn changed(changed: &ChangedFinding) -> Self {
        let (before, now) = (&changed.before, &changed.now);
        let told = match before.severity == now.severity {
            true => format!("the reason was {}, and is {}", before.reason.code(), now.reason.code()),
            false => format!("it was {}", before.severity),
        };
        Self { before: Some(told), ..Self::of(now) }
    }
}

impl Namespace {
    fn of(changes: &NamespaceChanges) -> Self {
        let whole = changes.whole.map(|whole| {
            match whole {
                Whole::Came => "The configuration names it since.",
                Whole::Went => "The configuration does not name it any more.",
                Whole::BecameUnreadable => "It could be read, and now it cannot.",
                Whole::BecameReadable => "It can be read again.",
            }
            .to_owned()
        });
        let mut told: Vec<String> = whole.into_iter().collect();
        for (what, list) in [
            ("Hubs linked since", &changes.hubs_came),
            ("Hubs not seen any more", &changes.hubs_went),
            ("Policies since", &changes.policies_came),
            ("Policies not seen any more", &changes.policies_went),
        ] {
            told.extend((!list.is_empty()).then(|| format!("{what}: {}.", named(list))));
        }
        told.extend(changes.renewed.iter().map(renewed));
        told.extend(changes.trust.as_ref().map(|Moved { before, now }| {
            let share = |of: &certificate_management::report::changes::Coverage| {
                Share { part: of.trusting, whole: of.pairs }.to_string()
            };
            format!("Pairs of hub and policy that trust: {}, before {}.", share(now), share(before))
        }));
        told.extend(changes.groups.as_ref().map(groups));
        told.extend(which_groups(changes));
        Self { name: words::name(&changes.namespace), id: words::name(changes.namespace_id.as_str()), told }
    }
}

fn renewed(renewed: &Renewed) -> String {
    let end =
        |end: Option<OffsetDateTime>| end.map_or_else(|| "a time that is not known".to_owned(), words::date);
    let name = words::name(&renewed.policy);
    format!(
        "The issuing CA of policy {name} ends on {}, before on {}.",
        end(renewed.now),
        end(renewed.before)
    )
}

/// The counts that moved.
fn groups(Moved { before, now }: &Moved<GroupCounts>) -> String {
    let counts = [
        ("in all", before.total, now.total),
        ("assigned", before.assigned, now.assigned),
        ("without a policy", before.unassigned, now.unassigned),
        ("waiting", before.waiting, now.waiting),
        ("naming a policy that does not exist", before.dangling, now.dangling),
        ("opted out", before.opted_out, now.opted_out),
    ];
    let moved = counts.into_iter().filter(|(_, before, now)| before != now);
    let moved: Vec<String> =
        moved.map(|(what, before, now)| format!("{now} {what}, before {before}")).collect();
    format!("Enrollment groups: {}.", moved.join("; "))
}

/// Which groups changed, as far as both reports have them by name: those that moved alike together.
fn which_groups(changes: &NamespaceChanges) -> Vec<String> {
    if changes.groups.is_some() && !changes.are_groups_named {
        let kept = known_groups::KEPT;
        return vec![format!(
            "Which groups these are is not known: of each report {kept} groups are kept by name."
        )];
    }
    let mut told = Vec::new();
    for (what, list) in [
        ("Enrollment groups since", &changes.groups_came),
        ("Enrollment groups not seen any more", &changes.groups_went),
    ] {
        told.extend((!list.is_empty()).then(|| format!("{what}: {}.", named(list))));
    }
    let mut alike: BTreeMap<(&GroupStanding, &GroupStanding), Vec<String>> = BTreeMap::new();
    for moved in &changes.groups_moved {
        alike.entry((&moved.before, &moved.now)).or_default().push(moved.group.clone());
    }
    let more: usize = alike.values().skip(KINDS).map(Vec::len).sum();
    told.extend(alike.iter().take(KINDS).map(|((before, now), groups)| {
        format!("{}, before {}: {}.", standing(now), standing(before), named(groups))
    }));
    told.extend(
        (more > 0).then(|| {
            format!("{} changed in other ways; the JSON has them.", words::count(more, "more group"))
        }),
    );
    told
}

/// Where a group stands: its reason code, and the policy that it names.
fn standing(standing: &GroupStanding) -> String {
    match &standing.policy {
        Some(policy) => format!("{} with {}", standing.status, words::name(policy)),
        None => standing.status.to_string(),
    }
}

fn named(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| words::name(name)).collect();
    match names.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
