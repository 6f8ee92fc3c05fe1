//! What was seen of a namespace, as it is stored, and the report that is made of it.

use certificate_management::configuration::{Configuration, NamespaceConfiguration};
use certificate_management::facts::NamespaceFacts;
use certificate_management::report::{Fold, Report};
use certificate_management::section::Section;

use crate::cloud::NOW;
use crate::input::{parts, text};
use crate::targets::kept;

/// Two looks at a namespace come together as the same section in either order, and once more changes nothing; and of whatever
/// section a report can be made, which can be stored and read again.
///
/// # Panics
/// When that does not hold.
pub fn run(input: &[u8]) {
    check(input, false);
}

/// Takes the second look in alone.
pub fn broken(input: &[u8]) {
    check(input, true);
}

fn check(input: &[u8], is_broken: bool) {
    let sections: Vec<Section> = parts(input)
        .into_iter()
        .filter_map(|part| serde_json::from_str(&text(part)).ok())
        .filter(Section::is_understood)
        .collect();
    for section in &sections {
        report(section.clone());
    }
    let [one, other, ..] = sections.as_slice() else { return };
    if one.namespace_id != other.namespace_id {
        return;
    }
    let together = |first: &Section, second: &Section| {
        let mut section = first.clone();
        section.take(second.clone());
        section
    };
    let forth = together(one, other);
    let back = if is_broken { other.clone() } else { together(other, one) };
    report(forth.clone());
    // Two looks of one instant that saw different things have no order.
    if !is_tied(one, other) {
        assert_eq!(forth, back, "the order of two looks matters");
    }
    let twice = together(&forth, other);
    assert_eq!(twice, together(&twice, other), "a look that is taken in twice counts twice");
}

/// Whether a part was looked at by both at the same instant.
fn is_tied(one: &Section, other: &Section) -> bool {
    let times = |section: &Section| {
        let (namespace, services, counted) = (&section.namespace, &section.services, &section.counted);
        let (unnamed, declared, links) = (&section.unnamed, &section.declared, &section.links);
        [
            (namespace.looked_at(), namespace.seen_at()),
            (services.looked_at(), services.seen_at()),
            (counted.looked_at(), counted.seen_at()),
            (unnamed.looked_at(), unnamed.seen_at()),
            (declared.looked_at(), declared.seen_at()),
            (links.looked_at(), links.seen_at()),
        ]
    };
    times(one).iter().zip(times(other)).any(|(one, other)| {
        let seen = [one.0, one.1, other.0, other.1];
        seen.iter().flatten().count() > 0
            && (one.0.is_some() && one.0 == other.0 || one.1.is_some() && one.1 == other.1)
    })
}

fn report(section: Section) {
    let configuration = Configuration { namespaces: vec![of(&section)], ..Configuration::default() };
    let input = section.into_input(&configuration.namespaces[0]);
    let facts = NamespaceFacts::of(&input);
    let mut fold = Fold::new(&configuration, false, Some(Vec::new()), NOW);
    fold.add(facts, Vec::new());
    let report: Report = fold.finish(None, &[]);
    assert_eq!(kept(&report), report, "a report is another one when it is stored");
}

/// A configuration of the namespace: with rules, so that the groups of the section are judged by them.
fn of(section: &Section) -> NamespaceConfiguration {
    let id = section.namespace_id.to_string();
    let namespace = serde_json::json!({
        "id": id,
        "mode": "enforce",
        "rule": [{"name": "lines", "enrollment_groups": ["l*"], "policy": "short"}],
        "default_policy": "short",
    });
    serde_json::from_value(namespace).unwrap_or_else(|error| panic!("the id of a section is an id: {error}"))
}
