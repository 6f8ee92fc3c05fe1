//! `--revert RUN`: plans to give every group that has not been changed since the run the policy that the run found.

use certificate_management::model::EnrollmentGroup;
use certificate_management::plan::saved::{PlannedAssignment, SavedPlan, Wish};
use certificate_management::reason::Reason;
use certificate_management::reason::failure::About;

use crate::assignment::journal::{self, Stage, WriteRecord};
use crate::commands::operator::command_failure::CommandFailure;
use crate::commands::operator::person::{Person, STATE};
use crate::commands::operator::plan;
use crate::commands::operator::plan::survey::Survey;
use crate::failure;

/// What to do about a group, given the record of the run and the group as it is now.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    /// There is nothing to take back.
    Nothing,
    /// The group is as the run left it: take the assignment back.
    Back,
    /// The group was changed since, and this says how.
    Moved(&'static str),
}

fn way(record: &WriteRecord, group: &EnrollmentGroup) -> Way {
    let is_version = |etag: &Option<String>| etag.is_some() && group.etag == *etag;
    if group.policy == record.before || (record.stage == Stage::Planned && is_version(&record.etag_before)) {
        return Way::Nothing;
    }
    match record.stage {
        Stage::Written if is_version(&record.etag) => Way::Back,
        Stage::Written => Way::Moved("it was written since that run"),
        Stage::Planned => Way::Moved(
            "the run was cut off before it could record its write, so whose write this is cannot be told",
        ),
    }
}

pub(super) async fn plan(person: &Person, run: &str) -> Result<SavedPlan, CommandFailure> {
    if !person.keeps_records {
        return Err(CommandFailure::Failed(format!("what run {run} did cannot be looked up. {STATE}")));
    }
    let records = journal::of_run(&person.store, run).await;
    let records =
        records.map_err(|error| CommandFailure::Failed(format!("the records of run {run}: {error}")))?;
    if records.is_empty() {
        return Err(CommandFailure::Failed(format!("there is no record of an assignment by run {run}")));
    }
    let mut survey = Survey::new(&person.fleet);
    let services = survey.services(None).await;
    let mut plan = plan::empty(&person.fleet);
    let origin = origin(run, &records);
    for record in &records {
        let wish = Wish { policy: record.before.as_deref(), origin: &origin };
        let out_of_sight = |reason, detail: &str| {
            let (service, group) = (&record.provisioning_service, &record.enrollment_group);
            let (before, refusal) = (record.after.as_deref(), (reason, detail.to_owned()));
            PlannedAssignment::out_of_sight(&record.namespace_id, service, group, before, wish, refusal)
        };
        let service = services.iter().find(|service| {
            service.configuration.id == record.namespace_id
                && service.linked.is_named(&record.provisioning_service)
        });
        let Some(service) = service else {
            let detail = "policysync.toml does not have its namespace with this provisioning service";
            plan.left_alone.push(out_of_sight(Reason::NamespaceNotConfigured, detail));
            continue;
        };
        let groups = person.fleet.azure.enrollment_groups(service.linked.generation);
        let group = match groups.get(&service.linked.endpoint, &record.enrollment_group).await {
            Ok(Some(group)) => group.view,
            Ok(None) => {
                plan.left_alone.push(out_of_sight(Reason::GroupGone, "it was deleted since"));
                continue;
            }
            Err(error) => {
                let reason = failure::reason(&error, About::EnrollmentGroup);
                plan.left_alone.push(out_of_sight(reason, &error.to_string()));
                continue;
            }
        };
        match way(record, &group) {
            Way::Nothing => plan.unchanged += 1,
            Way::Moved(why) => {
                plan.add_refused(service.place(), &group, wish, (Reason::GroupMoved, why.to_owned()));
            }
            Way::Back => {
                if let Some(observation) = survey.observation(service.configuration).await {
                    plan.add_by_revert(service.place(), &group, wish, &observation);
                }
            }
        }
    }
    plan.unreadable = survey.unreadable;
    Ok(plan)
}

/// The run that is taken back, with who it was, why, and by which plan.
fn origin(run: &str, records: &[WriteRecord]) -> String {
    let mut origin = format!("taking back run {run}");
    let Some(WriteRecord { woken_by, attribution, .. }) = records.first() else { return origin };
    origin.push_str(&format!(" of {woken_by}"));
    if let Some(caller) = &attribution.caller {
        origin.push_str(&format!(" as {caller}"));
    }
    if let Some(reason) = &attribution.reason {
        origin.push_str(&format!(", for `{reason}`"));
    }
    if let Some(plan) = attribution
        .plan
        .as_ref()
        .filter(|plan| records.iter().all(|record| record.attribution.plan.as_ref() == Some(*plan)))
    {
        origin.push_str(&format!(", plan {plan}"));
    }
    origin
}

#[cfg(test)]
mod tests {
    use certificate_management::ArmId;
    use certificate_management::attribution::Attribution;
    use certificate_management::model::Attestation;
    use time::macros::datetime;

    use super::*;

    fn record(stage: Stage) -> WriteRecord {
        let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
        WriteRecord {
            record: "assignment/v1".to_owned(),
            run: "r".to_owned(),
            woken_by: "apply".to_owned(),
            attribution: Attribution::default(),
            namespace_id: ArmId::parse(id).unwrap(),
            provisioning_service: "contoso-dps".to_owned(),
            enrollment_group: "line-1".to_owned(),
            rule: "rule `lines`".to_owned(),
            before: Some("old".to_owned()),
            after: Some("new".to_owned()),
            etag_before: Some("1".to_owned()),
            etag: (stage == Stage::Written).then(|| "2".to_owned()),
            reason: Reason::Assigned,
            detail: String::new(),
            trace_id: None,
            at: datetime!(2026-11-23 05:00 UTC),
            stage,
        }
    }

    fn group(policy: &str, etag: &str) -> EnrollmentGroup {
        EnrollmentGroup {
            id: "line-1".to_owned(),
            etag: Some(etag.to_owned()),
            policy: Some(policy.to_owned()),
            attestation: Attestation::Tpm,
            hubs: Vec::new(),
            enabled: true,
            created_at: None,
            tags: serde_json::Map::new(),
        }
    }

    #[test]
    fn only_what_the_run_left_is_taken_back() {
        let written = record(Stage::Written);
        assert_eq!(way(&written, &group("new", "2")), Way::Back);
        assert_eq!(way(&written, &group("old", "3")), Way::Nothing);
        assert!(matches!(way(&written, &group("new", "3")), Way::Moved(_)));
        assert!(matches!(way(&written, &group("other", "3")), Way::Moved(_)));
        let planned = record(Stage::Planned);
        assert_eq!(way(&planned, &group("other", "1")), Way::Nothing);
        assert!(matches!(way(&planned, &group("new", "2")), Way::Moved(_)));
    }
}
