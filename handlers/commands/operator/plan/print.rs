//! Shows a plan to the person who is to approve it.

use certificate_management::ArmId;
use certificate_management::next_step::{self, Caller, Situation};
use certificate_management::plan::condition;
use certificate_management::plan::saved::{PlannedAssignment, PlannedResource, SavedPlan};
use certificate_management::plural;
use certificate_management::reason::Reason;
use certificate_management::reference;

use crate::commands::screen::Screen;
use crate::commands::table::{self, Output, Table};
use crate::commands::terminal::line;
use crate::commands::tone::Tone;
use crate::fleet::Fleet;

/// Prints the plan.
pub fn show(fleet: &Fleet, plan: &SavedPlan, output: Output) {
    match output {
        Output::Json => say!("{}", table::json(plan)),
        Output::Table => {
            screen(plan, |namespace| next_step::of(Reason::PolicyMissing, &situation(fleet, namespace)))
                .print();
        }
    }
}

/// What a person sees of a plan. `next`: what is to be done about a namespace that needs a sync.
pub fn screen(plan: &SavedPlan, next: impl Fn(&ArmId) -> String) -> Screen {
    let (tone, verdict) = verdict(plan);
    let declared = plan.declared.iter().map(|planned: &PlannedResource| {
        vec![
            line(&format!("{}/{}", planned.namespace_id.name(), planned.step.resource)),
            planned.step.action.word().to_owned(),
            line(&condition::told(&planned.detail, &planned.conditions)),
        ]
    });
    let written = plan.assignments.iter().map(|entry| {
        vec![
            name(entry),
            policy(&entry.namespace_id, entry.before.as_deref()),
            policy(&entry.namespace_id, entry.after.as_deref()),
            line(&entry.rule),
            line(&condition::told(&entry.detail, &entry.conditions)),
        ]
    });
    let left_alone = plan.left_alone.iter().map(|entry| {
        vec![
            name(entry),
            policy(&entry.namespace_id, entry.before.as_deref()),
            policy(&entry.namespace_id, entry.after.as_deref()),
            entry.reason.to_string(),
            line(&entry.detail),
        ]
    });
    let mut screen = Screen::verdict(tone, verdict);
    if !plan.unreadable.is_empty() {
        let unreadable = plan.unreadable.iter().map(|why| line(why));
        screen = screen.heading("Not everything could be read:").list("-", unreadable);
    }
    screen = screen
        .section(
            "Authorities and policies",
            Table::of(&["authority or policy", "do", "detail"], declared).states(1),
        )
        .section("Would be written", Table::of(&["group", "from", "to", "by", "detail"], written))
        .section("Left alone", Table::of(&["group", "has", "wanted", "reason", "detail"], left_alone));
    for sync in &plan.syncs {
        let untrusting = sync.untrusting.iter().map(|pair| line(pair));
        screen = screen
            .heading(format!("A sync of {} is needed:", line(sync.namespace_id.name())))
            .list("-", untrusting)
            .text(format!(
                "It is not part of the plan, since it cannot be undone. {}",
                next(&sync.namespace_id)
            ));
    }
    screen
}

/// How much there is to do.
fn verdict(plan: &SavedPlan) -> (Tone, String) {
    let to_declare = plan.declared.iter().filter(|planned| planned.is_written()).count();
    let mut parts = Vec::new();
    parts.extend((to_declare > 0).then(|| {
        let what = plural::agreeing(to_declare, "authority or policy", "authorities and policies");
        format!("{to_declare} {what} to create or change")
    }));
    let groups = plan.assignments.len() + plan.left_alone.len() + plan.unchanged;
    parts.push(format!(
        "of {} {} to write, {} left alone, {} as they should be",
        plural::count(groups, "group"),
        plan.assignments.len(),
        plan.left_alone.len(),
        plan.unchanged
    ));
    let whole = if plan.unreadable.is_empty() { "" } else { " Not everything could be read." };
    let verdict = format!("Plan: {}.{whole}", parts.join("; "));
    match plan.unreadable.is_empty() {
        true => (Tone::Strong, verdict),
        false => (Tone::Bad, verdict),
    }
}

fn situation<'f>(fleet: &'f Fleet, namespace: &ArmId) -> Situation<'f> {
    match fleet.configuration.namespace(namespace) {
        Some(configuration) => {
            Situation::of(configuration, fleet.kill_switch, Caller::Person).at(fleet.now())
        }
        None => Situation::of_fleet(fleet.kill_switch, Caller::Person),
    }
}

/// A group by both of its names.
pub fn name(entry: &PlannedAssignment) -> String {
    line(&format!("{}/{}", entry.provisioning_service, entry.enrollment_group))
}

/// A policy as people of its namespace write it, or that there is none.
pub fn policy(namespace: &ArmId, name: Option<&str>) -> String {
    line(name.map_or("(none)", |name| reference::shown(name, namespace.name())))
}

#[cfg(test)]
mod tests {
    use certificate_management::plan::saved::{NeededSync, PlannedAssignment};
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::commands::golden::{self, GROUP, HUB, NAMESPACE, POLICY, SERVICE};

    /// A planned assignment with long names, in a namespace in audit mode.
    fn entry(after: Option<&str>, reason: &str, detail: &str) -> PlannedAssignment {
        serde_json::from_value(json!({
            "namespaceId": NAMESPACE, "provisioningService": SERVICE, "enrollmentGroup": GROUP, "before": null,
            "after": after.map(|policy| format!("contoso-manufacturing-west-europe/{policy}")),
            "etag": "\"1\"", "rule": "rule `the robots of every assembly line`", "reason": reason, "detail": detail,
            "policyCaNotAfter": null, "untrustingHubs": [],
            "conditions": [{"option": "even-in-audit", "because": "its namespace is in audit mode"}],
        }))
        .unwrap()
    }

    fn plan() -> SavedPlan {
        let step = json!({"resource": "policy", "name": "short-lived-7-days", "authority": "assembly-lines-ica",
            "action": {"do": "write", "write": "certificatePolicy", "leafValidityDays": 7}});
        let declared = json!({
            "namespaceId": NAMESPACE, "detail": "create with leaf certificates of 7 days", "step": step,
        });
        SavedPlan {
            declared: vec![serde_json::from_value(declared).unwrap()],
            assignments: vec![entry(Some(POLICY), "assigned", "its hubs trust the policy")],
            left_alone: vec![PlannedAssignment {
                conditions: Vec::new(),
                ..entry(Some(POLICY), "waiting-for-trust", &format!("{HUB} does not trust it yet: missing"))
            }],
            unchanged: 1,
            syncs: vec![NeededSync {
                namespace_id: ArmId::parse(NAMESPACE).unwrap(),
                untrusting: vec![format!("{POLICY} on {HUB}: missing")],
            }],
            unreadable: vec![format!(
                "{SERVICE}: group-unreadable: the service answered 403 to a query of its enrollment groups"
            )],
            ..SavedPlan::empty("1.0.0", datetime!(2026-11-23 05:00 UTC))
        }
    }

    #[test]
    fn the_golden_plan_fits_the_width() {
        let next =
            |_: &ArmId| "Run `policysync submit --namespace contoso-manufacturing-west-europe`.".to_owned();
        golden::compare("plan", &screen(&plan(), next), &[]);
        let nothing = SavedPlan::empty("1.0.0", datetime!(2026-11-23 05:00 UTC));
        let text = screen(&nothing, next).plain(80);
        assert_eq!(text, "Plan: of 0 groups 0 to write, 0 left alone, 0 as they should be.");
    }
}
