//! The fleet at a glance: a few figures.

use certificate_management::report::Report;

use super::lifetimes::Lifetimes;
use super::lines::Share;
use super::words;

/// One figure.
pub struct Figure {
    pub label: &'static str,
    pub value: String,
    pub note: Option<String>,
    pub class: &'static str,
}

/// The figures, in the order in which they are shown.
pub fn of(report: &Report, lifetimes: Option<&Lifetimes>) -> Vec<Figure> {
    let counts = &report.summary;
    let (trust, groups) = (&counts.trust, &counts.enrollment_groups);
    let trusting = trust.trusted + trust.leftover;
    let pairs = trusting + trust.stale + trust.missing + trust.unreadable;
    let unreadable = counts.unreadable_namespaces;
    let mut figures = vec![
        Figure {
            label: "Namespaces",
            value: words::thousands(counts.namespaces as u64),
            note: Some(if unreadable == 0 {
                format!("{}, {}", words::count(counts.policies, "policy"), words::count(counts.hubs, "hub"))
            } else {
                format!("{} could not be read", words::thousands(unreadable as u64))
            }),
            class: if unreadable == 0 { "unknown" } else { "bad" },
        },
        share(
            "Hubs trusting policies",
            Share { part: trusting, whole: pairs },
            "no hub or no active policy",
            "bad",
        ),
        share(
            "Enrollment groups with a policy",
            Share { part: groups.assigned, whole: groups.total.saturating_sub(groups.opted_out) },
            "no enrollment group was seen",
            "fair",
        ),
    ];
    figures.extend(lifetimes.and_then(|lifetimes| lifetimes.bars.first()).map(|next| Figure {
        label: "Next CA to end",
        value: next.left.clone(),
        note: Some(format!("{} / {}", next.namespace, next.policy)),
        class: next.class,
    }));
    if let Some(in_flight) = counts.requests_in_flight {
        figures.push(Figure {
            label: "Sync requests under way",
            value: words::thousands(in_flight as u64),
            note: None,
            class: "unknown",
        });
    }
    figures
}

fn share(label: &'static str, share: Share, none: &str, else_class: &'static str) -> Figure {
    if share.whole == 0 {
        return Figure { label, value: "–".to_owned(), note: Some(none.to_owned()), class: "unknown" };
    }
    let class = if share.is_whole() { "good" } else { else_class };
    let missing = share.whole - share.part;
    let note = if missing == 0 {
        "all of them".to_owned()
    } else {
        format!("{} not", words::thousands(missing as u64))
    };
    Figure { label, value: share.to_string(), note: Some(note), class }
}
