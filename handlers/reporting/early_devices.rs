//! How many devices registered with a group before it had its policy. Events come minutes late, and a device that
//! registers in between gets no operational certificate until it registers again.
//!
//! Counted are the groups that should have a policy and have none, and those that were given their first one within the
//! last [`WINDOW`]. Each page of devices is one operation of the DPS, so both are bounded: what is left out is told by the
//! next report, once the groups before it are done.

use certificate_management::plan;
use certificate_management::reason::Reason;
use certificate_management::report::{EarlyDevices, ReportInput};
use time::{Duration, OffsetDateTime};

use crate::application::Application;
use crate::assignment::journal::{self, Stage, WriteKey};
use crate::observation::host_label;

/// How long after its assignment a group's devices are counted.
const WINDOW: Duration = Duration::days(7);
/// Groups of one DPS, at the most.
const GROUPS: usize = 10;
/// Pages of one group, at the most: 2,000 devices.
const PAGES: usize = 2;

/// A group to count, and since when it has its policy.
struct Candidate<'a> {
    endpoint: &'a str,
    id: &'a str,
    assigned_at: Option<OffsetDateTime>,
}

/// Counts. A group whose devices cannot be counted is left out and told in the log; nothing else is kept from the report.
pub async fn count(application: &Application, input: &ReportInput<'_>) -> Vec<EarlyDevices> {
    let groups = application.azure.enrollment_groups();
    let mut counted = Vec::new();
    for candidate in candidates(application, input).await {
        let Candidate { endpoint, id, assigned_at } = candidate;
        match groups.registrations_before(endpoint, id, assigned_at, PAGES).await {
            Ok(count) => counted.push(EarlyDevices {
                provisioning_service: endpoint.to_owned(),
                enrollment_group: id.to_owned(),
                assigned_at,
                devices: count.devices,
                is_cut: count.is_cut,
            }),
            Err(error) => tracing::warn!("the devices of {id} cannot be counted: {error}"),
        }
    }
    counted
}

async fn candidates<'a>(application: &Application, input: &'a ReportInput<'_>) -> Vec<Candidate<'a>> {
    let recent = match journal::since(&application.store, input.now - WINDOW).await {
        Ok(recent) => recent,
        Err(error) => {
            tracing::warn!("when groups were assigned cannot be told: {error}");
            Vec::new()
        }
    };
    let mut candidates = Vec::new();
    for namespace in &input.namespaces {
        let Ok(observation) = &namespace.observation else { continue };
        for service in &namespace.provisioning_services {
            let name = host_label(&service.endpoint);
            let mut of_service = Vec::new();
            for group in service.enrollment_groups.iter().flatten() {
                if of_service.len() == GROUPS {
                    break;
                }
                let assigned_at = match &group.policy {
                    None => {
                        let plan =
                            plan::plan_assignment(group, &service.hubs, namespace.configuration, observation);
                        if matches!(plan.reason, Reason::RuleSaysNone | Reason::OptedOut) {
                            continue;
                        }
                        None
                    }
                    Some(policy) => {
                        let Some(write) = recent.iter().find(|write| write.is_of(&name, &group.id)) else {
                            continue;
                        };
                        let Some(at) = first_assignment(application, write, policy).await else { continue };
                        Some(at)
                    }
                };
                of_service.push(Candidate { endpoint: &service.endpoint, id: &group.id, assigned_at });
            }
            candidates.extend(of_service);
        }
    }
    candidates
}

/// When a write gave its group this policy, and the group had none before.
async fn first_assignment(
    application: &Application,
    write: &WriteKey,
    policy: &str,
) -> Option<OffsetDateTime> {
    let record = match write.read(&application.store).await {
        Ok(record) => record?,
        Err(error) => {
            tracing::warn!("when a group was assigned cannot be told: {error}");
            return None;
        }
    };
    let is_it = record.stage == Stage::Written
        && record.before.is_none()
        && record.after.is_some_and(|after| after.eq_ignore_ascii_case(policy));
    is_it.then_some(record.at)
}
