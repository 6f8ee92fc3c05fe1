//! The difference of two versions, on a world whose groups are in every state.

use super::*;
use crate::checks::testing::{NAMESPACE, World, group};
use crate::plan::saved::Place;

fn configuration(rules: &str) -> Configuration {
    Configuration::parse(&format!("[[namespace]]\nid = \"{NAMESPACE}\"\n{rules}")).unwrap()
}

fn rule(name: &str, groups: &str, policy: &str, reassign: bool) -> String {
    format!(
        "[[namespace.rule]]\nname = \"{name}\"\nenrollment_groups = [\"{groups}\"]\npolicy = \"{policy}\"\nreassign = {reassign}\n"
    )
}

fn fates(configuration: &Configuration) -> Vec<GroupFate> {
    let world = World::healthy();
    let observation = world.observation.unwrap();
    let place = Place {
        configuration: &configuration.namespaces[0],
        provisioning_service: "contoso-dps",
        hubs: &["h1.azure-devices.net".to_owned()],
    };
    let groups = [
        group("line-new", None),
        group("line-has", Some("short")),
        group("dock-new", None),
        group("dock-has", Some("short")),
        group("test-other", Some("other")),
    ];
    groups.iter().map(|group| GroupFate::of(place, group, &observation)).collect()
}

fn changes(before: &Configuration, after: &Configuration) -> Vec<(String, GroupChange)> {
    let difference = Difference::of(before, after).with_groups(&fates(before), &fates(after), Vec::new());
    let groups = difference.groups.unwrap().into_iter();
    groups.map(|effect| (effect.enrollment_group, effect.change)).collect()
}

#[test]
fn each_group_is_told_by_what_becomes_of_it() {
    let lines = configuration(&rule("lines", "line-*", "short", false));
    let docks = configuration(&rule("docks", "dock-*", "short", false));
    assert_eq!(
        changes(&lines, &docks),
        [
            ("dock-new".to_owned(), GroupChange::NewlyAssigned),
            ("line-new".to_owned(), GroupChange::NotAssignedAnyMore),
            ("line-has".to_owned(), GroupChange::NotTouchedAnyMore),
            ("dock-has".to_owned(), GroupChange::NewlyCaredFor),
        ]
    );
    let none = configuration(&rule("lines", "line-*", "none", false));
    assert_eq!(
        changes(&lines, &none),
        [
            ("line-new".to_owned(), GroupChange::NotAssignedAnyMore),
            ("line-has".to_owned(), GroupChange::NotTouchedAnyMore),
        ]
    );
    let forced =
        configuration(&(rule("lines", "line-*", "short", false) + &rule("tests", "test-*", "short", true)));
    assert_eq!(changes(&lines, &forced), [("test-other".to_owned(), GroupChange::ChangesPolicy)]);
}

#[test]
fn a_namespace_that_functions_may_write_to_names_every_group_that_they_then_write() {
    let of = |mode: &str, policy: &str| {
        configuration(&format!("mode = \"{mode}\"\n{}", rule("lines", "line-*", policy, false)))
    };
    let (audit, enforce) = (of("audit", "short"), of("enforce", "short"));
    let line = |change| [("line-new".to_owned(), change)];
    assert_eq!(changes(&audit, &enforce), line(GroupChange::NewlyAssigned));
    assert_eq!(changes(&enforce, &audit), line(GroupChange::NotAssignedAnyMore));
    assert_eq!(changes(&audit, &audit), []);
    let why = |before: &Configuration, after: &Configuration| {
        let difference = Difference::of(before, after).with_groups(&fates(before), &fates(after), Vec::new());
        let groups = difference.groups.unwrap();
        groups.iter().find(|effect| effect.enrollment_group == "line-new").unwrap().why.clone()
    };
    assert!(!why(&audit, &enforce).contains("planned only"));
    assert!(why(&of("audit", "none"), &audit).contains("planned only"), "nothing is written in audit mode");
}

#[test]
fn the_same_version_changes_nothing_and_another_layout_is_the_same_version() {
    let one = configuration(&rule("lines", "line-*", "short", false));
    let text = format!(
        "# a comment\nretention_days = 90\n[[namespace]]\nid = \"{NAMESPACE}\"\nmode = \"audit\"\n{}",
        rule("lines", "line-*", "short", false)
    );
    let other = Configuration::parse(&text).unwrap();
    assert_eq!(changes(&one, &other), []);
    assert!(Difference::of(&one, &other).is_empty());
}

#[test]
fn namespaces_that_come_and_go_and_each_key_that_differs_are_told() {
    let before = configuration(&rule("lines", "line-*", "short", false));
    let other = NAMESPACE.replace("contoso", "fabrikam");
    let text = format!(
        "retention_days = 30\n[[namespace]]\nid = \"{other}\"\n[[namespace]]\nid = \"{NAMESPACE}\"\nmode = \"enforce\"\nsync = \"ask\"\n{}",
        rule("lines", "line-*", "short", true)
    );
    let after = Configuration::parse(&text).unwrap();
    let difference = Difference::of(&before, &after);
    assert_eq!(difference.added, [ArmId::parse(&other).unwrap()]);
    assert_eq!((difference.removed.len(), difference.keys.clone()), (0, vec!["retention_days".to_owned()]));
    assert_eq!(difference.changed.len(), 1);
    assert_eq!(difference.changed[0].mode, Some((Mode::Audit, Mode::Enforce)));
    assert_eq!(difference.changed[0].keys, ["rule", "sync"]);
    let back = Difference::of(&after, &before);
    assert_eq!((back.added.len(), back.removed.len()), (0, 1));
}

#[test]
fn a_group_that_one_look_could_not_read_is_not_told_as_gone() {
    let lines = configuration(&rule("lines", "line-*", "short", false));
    let seen = fates(&lines);
    let told = |unreadable: Vec<String>| {
        Difference::of(&lines, &lines).with_groups(&seen, &[], unreadable).groups.unwrap().len()
    };
    assert_eq!(told(vec!["contoso-dps: 503".to_owned()]), 0);
    assert_eq!(told(Vec::new()), 2, "line-new is not assigned any more, and line-has not touched");
}
