//! Saved plans: what they hold, and when an entry is no longer performed.

use super::*;
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
