//! Saved plans: what they hold, and when an entry is no longer performed.

use super::*;
use crate::attribution::Attribution;
use crate::configuration::Configuration;
use crate::hold::Hold;
use crate::plan::condition::{self, Insisted};
use crate::plan::permit;
use crate::plan::saved::{Place, PlannedAssignment, SavedPlan, Step, Wish};

fn place(configuration: &NamespaceConfiguration) -> Place<'_> {
    Place { configuration, provisioning_service: "contoso-dps", hubs: &*BOTH }
}

fn by_wish(current: Option<&str>, policy: Option<&str>, observation: &Observation) -> SavedPlan {
    let configuration = configuration("long", false);
    let mut plan = SavedPlan::empty("1.0.0", NOW);
    let wish = Wish { policy, origin: "a copy of contoso-dps/line-1" };
    plan.add_by_wish(place(&configuration), &group(current, &[]), wish, observation);
    plan
}

fn written(plan: &SavedPlan) -> &PlannedAssignment {
    assert_eq!(plan.left_alone, []);
    &plan.assignments[0]
}

#[test]
fn a_plan_survives_its_file_and_refuses_what_it_does_not_know() {
    let observation = world(&["short", "long"], &["short"]);
    let configuration = configuration("short", false);
    let mut plan = SavedPlan::empty("1.0.0", NOW);
    plan.add_by_rules(place(&configuration), &group(None, &[]), &observation);
    plan.add_sync(&configuration, &observation);
    assert_eq!((plan.assignments.len(), plan.syncs[0].untrusting.len()), (1, 1));
    assert_eq!(plan.assignments[0].policy_ca_not_after, Some(END));
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<SavedPlan>(&text).unwrap(), plan);
    let later = text.replacen(r#""unchanged""#, r#""unheardOf":1,"unchanged""#, 1);
    assert!(serde_json::from_str::<SavedPlan>(&later).is_err());
}

#[test]
fn a_person_may_replace_a_policy_but_not_against_the_hubs_or_the_group() {
    let trusting = world(&["short", "long"], &["short", "long"]);
    let plan = by_wish(Some("long"), Some("SHORT"), &trusting);
    assert_eq!(
        (written(&plan).before.as_deref(), written(&plan).after.as_deref()),
        (Some("long"), Some("short"))
    );
    assert_eq!(written(&by_wish(Some("long"), None, &world(&[], &[]))).after, None);
    assert_eq!(by_wish(Some("Short"), Some("short"), &trusting).unchanged, 1);
    for (wanted, observation, reason) in [
        ("short", world(&["short"], &[]), Reason::WaitingForTrust),
        ("medium", trusting.clone(), Reason::PolicyNotFound),
    ] {
        let plan = by_wish(None, Some(wanted), &observation);
        assert_eq!((plan.assignments.len(), plan.left_alone[0].reason), (0, reason));
    }
    let mut opted_out = group(None, &[]);
    opted_out.tags.insert("policysync".into(), "off".into());
    let configuration = configuration("long", false);
    let mut plan = SavedPlan::empty("1.0.0", NOW);
    let wish = Wish { policy: Some("short"), origin: "a copy" };
    plan.add_by_wish(place(&configuration), &opted_out, wish, &trusting);
    assert_eq!((plan.assignments.len(), plan.left_alone[0].reason), (0, Reason::OptedOut));
}

#[test]
fn a_rule_that_would_change_it_back_is_mentioned() {
    let configuration = configuration("long", true);
    let mut plan = SavedPlan::empty("1.0.0", NOW);
    let observation = world(&["short", "long"], &["short", "long"]);
    let wish = Wish { policy: Some("short"), origin: "a copy" };
    plan.add_by_wish(place(&configuration), &group(None, &[]), wish, &observation);
    assert!(written(&plan).detail.contains("next reconcile would change it back"));
}

#[test]
fn what_is_left_alone_says_what_the_group_has_what_was_wanted_and_why() {
    let plan = by_wish(Some("long"), Some("SHORT"), &world(&["short"], &[]));
    let entry = &plan.left_alone[0];
    assert_eq!((entry.before.as_deref(), entry.after.as_deref()), (Some("long"), Some("short")));
    assert_eq!((entry.etag.as_deref(), entry.policy_ca_not_after), (Some("\"1\""), Some(END)));
    assert_eq!(
        (entry.rule.as_str(), entry.enrollment_group.as_str()),
        ("a copy of contoso-dps/line-1", "line-7")
    );
    assert_eq!(entry.untrusting_hubs, ["h2"]);
    assert_eq!(entry.detail, "`short` is not trusted by h2");

    let configuration = configuration("long", false);
    let mut plan = SavedPlan::empty("1.0.0", NOW);
    let wish = Wish { policy: Some("short"), origin: "a copy" };
    let refusal = (Reason::GroupMoved, "it has another policy now".to_owned());
    plan.add_refused(place(&configuration), &group(Some("long"), &[]), wish, refusal);
    let entry = &plan.left_alone[0];
    assert_eq!((entry.reason, entry.detail.as_str()), (Reason::GroupMoved, "it has another policy now"));
    assert_eq!((entry.before.as_deref(), entry.after.as_deref()), (Some("long"), Some("short")));
}

#[test]
fn what_the_rules_assign_before_trust_names_the_hubs_that_do_not_trust_yet() {
    let before = NamespaceConfiguration { assign_before_trust: true, ..configuration("short", false) };
    let mut plan = SavedPlan::empty("1.0.0", NOW);
    plan.add_by_rules(place(&before), &group(None, &[]), &world(&["short"], &[]));
    assert_eq!(written(&plan).untrusting_hubs, ["h2"]);
    assert!(written(&plan).detail.contains("h2"), "{}", written(&plan).detail);

    let mut waiting = SavedPlan::empty("1.0.0", NOW);
    let configuration = configuration("short", false);
    waiting.add_by_rules(place(&configuration), &group(None, &[]), &world(&["short"], &[]));
    let entry = &waiting.left_alone[0];
    assert_eq!(
        (entry.reason, entry.untrusting_hubs.as_slice()),
        (Reason::WaitingForTrust, &["h2".to_owned()][..])
    );
    assert!(entry.detail.contains("h2"), "{}", entry.detail);
}

#[test]
fn a_revert_says_that_the_group_is_held_and_a_wish_what_the_rules_do_next() {
    let configuration = configuration("long", false);
    let trusting = world(&["short", "long"], &["short", "long"]);
    let none = Wish { policy: None, origin: "run 7 is taken back" };
    let mut plan = SavedPlan::empty("1.0.0", NOW);
    plan.add_by_wish(place(&configuration), &group(Some("short"), &[]), none, &trusting);
    assert!(written(&plan).detail.contains("the next reconcile would assign that"));
    let mut plan = SavedPlan::empty("1.0.0", NOW);
    plan.add_by_revert(place(&configuration), &group(Some("short"), &[]), none, &trusting);
    let detail = &written(&plan).detail;
    assert!(detail.starts_with("run 7 is taken back; ") && detail.contains("holds release"), "{detail}");
    assert!(!detail.contains("next reconcile"), "{detail}");
    // What the rules say too needs no word.
    assert_eq!(written(&by_wish(None, Some("LONG"), &trusting)).detail, "a copy of contoso-dps/line-1");
}

#[test]
fn a_hold_keeps_its_group_out_of_every_plan_but_that_of_the_same_revert() {
    let hold = |reverts: Option<&str>| Hold {
        run: "8".to_owned(),
        woken_by: "assign".to_owned(),
        reverts: reverts.map(str::to_owned),
        attribution: Attribution::default(),
        at: NOW,
        released: None,
    };
    let trusting = world(&["short", "long"], &["short", "long"]);
    let (of_a_person, of_run_7) = (hold(None), hold(Some("7")));
    for (held, reverts, is_written) in [
        (None, None, true),
        (Some(&of_a_person), None, false),
        (Some(&of_run_7), None, false),
        (Some(&of_a_person), Some("7"), false),
        (Some(&of_run_7), Some("7"), true),
        (Some(&of_run_7), Some("6"), false),
    ] {
        let mut plan = by_wish(None, Some("short"), &trusting);
        plan.leave_held(
            |service, group| held.filter(|_| (service, group) == ("contoso-dps", "line-7")),
            reverts,
        );
        assert_eq!(plan.assignments.len(), usize::from(is_written), "{held:?} {reverts:?}");
        let left: Vec<_> = plan.left_alone.iter().map(|entry| (entry.reason, entry.detail.clone())).collect();
        let expected = held.filter(|_| !is_written).map(|hold| (Reason::Held, hold.why()));
        assert_eq!(left, Vec::from_iter(expected), "{held:?} {reverts:?}");
    }
}

#[test]
fn a_write_in_audit_mode_says_how_it_is_performed() {
    let trusting = world(&["short", "long"], &["short", "long"]);
    for (mode, asked) in [(Mode::Audit, vec![Insisted::EvenInAudit]), (Mode::Enforce, vec![])] {
        let configuration = NamespaceConfiguration { mode, ..configuration("short", false) };
        let mut plan = SavedPlan::empty("1.0.0", NOW);
        plan.add_by_rules(place(&configuration), &group(None, &[]), &trusting);
        let conditions = &written(&plan).conditions;
        assert_eq!(conditions.iter().map(|one| one.option).collect::<Vec<_>>(), asked);
    }
}

/// The sentence that would break it: a plan shows a write of a group that is frozen by its tags like any other, and `apply` refuses it.
#[test]
fn a_write_says_that_it_is_frozen_exactly_where_a_person_would_be_refused() {
    let trusting = world(&["short", "long"], &["short", "long"]);
    let window = |to: &str, tags: &str| {
        format!("{{ from = 2020-01-01T00:00:00Z, to = {to}T00:00:00Z, reason = \"peak season\"{tags} }}")
    };
    let north = ", tags = { site = \"north-*\" }";
    for (windows, site, is_frozen) in [
        (vec![window("2100-01-01", north)], "north-7", true),
        (vec![window("2100-01-01", north)], "south-7", false),
        (vec![window("2021-01-01", north)], "north-7", false),
        (vec![window("2100-01-01", "")], "south-7", true),
        (vec![window("2100-01-01", ""), window("2099-01-01", north)], "north-7", true),
    ] {
        let text = format!(
            "[[namespace]]\nid = \"{}\"\nmode = \"enforce\"\nfreeze = [{}]\ndefault_policy = \"short\"\n",
            configuration("short", false).id,
            windows.join(", ")
        );
        let configuration = Configuration::parse(&text).unwrap().namespaces.remove(0);
        let mut group = group(None, &[]);
        group.tags.insert("site".into(), site.into());
        let mut plan = SavedPlan::empty("1.0.0", NOW);
        plan.add_by_rules(place(&configuration), &group, &trusting);
        let entry = written(&plan);
        let asked: Vec<_> = entry.conditions.iter().map(|one| one.option).collect();
        assert_eq!(asked == [Insisted::BreakFreeze], is_frozen, "{text} {site}: {asked:?}");
        assert_eq!(plan.demands().frozen, usize::from(is_frozen));
        let told = condition::told(&entry.detail, &entry.conditions);
        assert_eq!(
            told.contains("UTC: peak season: it is performed with `--break-freeze`"),
            is_frozen,
            "{told}"
        );
        let person = permit::Writer::Person(permit::Insistence::default());
        let guard =
            permit::Guard { configuration: &configuration, kill_switch: false, writer: person, now: NOW };
        let write = permit::Group { tags: &group.tags, held: permit::Held::No, reverts: None };
        assert_eq!(guard.group(write).is_err(), is_frozen, "{text} {site}");
    }
}

#[test]
fn an_entry_is_performed_only_in_the_world_that_the_plan_saw() {
    let trusting = world(&["short", "long"], &["short", "long"]);
    let plan = by_wish(None, Some("short"), &trusting);
    let entry = written(&plan);
    let configuration = configuration("long", false);
    let step = |group: Option<&EnrollmentGroup>, observation: &Observation| {
        entry.recheck(group, place(&configuration), observation)
    };
    let refused = |step: Step| match step {
        Step::Refuse { reason, .. } => Some(reason),
        _ => None,
    };
    let same = group(None, &[]);
    assert_eq!(step(Some(&same), &trusting), Step::Write);
    assert_eq!(step(Some(&group(Some("SHORT"), &[])), &trusting), Step::Done);
    assert_eq!(refused(step(None, &trusting)), Some(Reason::GroupGone));
    assert_eq!(refused(step(Some(&group(Some("long"), &[])), &trusting)), Some(Reason::GroupMoved));
    let written = EnrollmentGroup { etag: Some("\"2\"".into()), ..same.clone() };
    assert_eq!(refused(step(Some(&written), &trusting)), Some(Reason::GroupMoved));
    // Without a version nothing tells whether it was written in between.
    let unversioned = EnrollmentGroup { etag: None, ..same.clone() };
    let blind = PlannedAssignment { etag: None, ..entry.clone() };
    let step_of_blind = blind.recheck(Some(&unversioned), place(&configuration), &trusting);
    assert_eq!(refused(step_of_blind), Some(Reason::GroupMoved));
    assert_eq!(refused(step(Some(&same), &world(&["short"], &[]))), Some(Reason::WaitingForTrust));
    let mut renewed = trusting.clone();
    renewed.policies[0].issuing_ca.not_after = Some(END + time::Duration::seconds(1));
    let Step::Refuse { reason, detail } = step(Some(&same), &renewed) else { panic!("it was to be refused") };
    assert_eq!(reason, Reason::WaitingForTrust);
    assert!(detail.contains("renewed since"), "{detail}");
}

proptest! {
    /// A plan that is performed again writes nothing, and the next plan does not have its entries.
    #[test]
    fn a_plan_performed_again_does_nothing(
        current in prop::option::of(prop::sample::select(vec!["short", "Long", "gone"])),
        wanted in prop::option::of(prop::sample::select(vec!["SHORT", "long", "gone"])),
        h1 in any::<bool>(),
    ) {
        let observation = world(if h1 { &["short", "long"] } else { &["long"] }, &["short", "long"]);
        let plan = by_wish(current, wanted, &observation);
        let configuration = configuration("long", false);
        for entry in &plan.assignments {
            let after = EnrollmentGroup { policy: entry.after.clone(), etag: Some("\"2\"".into()), ..group(None, &[]) };
            prop_assert_eq!(entry.recheck(Some(&after), place(&configuration), &observation), Step::Done);
            let again = by_wish(entry.after.as_deref(), wanted, &observation);
            prop_assert_eq!((again.assignments.len(), again.left_alone.len(), again.unchanged), (0, 0, 1));
        }
    }
}
