//! What is counted at a namespace after it was seen. It needs calls of its own, so it has a deadline of its own, and a count
//! that does not end is none: the one before stays in the section.
//!
//! Early devices are those that registered with a group before it had its policy. Events come minutes late, and a device that
//! registers in between gets no operational certificate until it registers again.
//!
//! Counted are the groups that should have a policy and have none, and those that were given their first one within the
//! last [`WINDOW`]. Each page of devices is one operation of the DPS, so both are bounded: what is left out is told by the
//! next report, once the groups before it are done; until then no alert about it clears.

use certificate_management::generation::NamespaceGeneration;
use certificate_management::plan;
use certificate_management::reason::Reason;
use certificate_management::report::{Counted, EarlyDevices, NamespaceInput};
use certificate_management::section::{Part, Section};
use time::{Duration, OffsetDateTime};
use tokio::time::timeout;

use crate::application::Application;
use crate::assignment::journal::{self, Stage, WriteKey};
use crate::observation::host_label;
use crate::sections;

/// How long after its assignment a group's devices are counted.
const WINDOW: Duration = Duration::days(7);
/// Groups of one DPS, at the most.
const GROUPS: usize = 10;
/// Pages of one group, at the most: 2,000 devices.
const PAGES: usize = 2;

/// A group to count, and since when it has its policy.
struct Candidate<'a> {
    generation: NamespaceGeneration,
    endpoint: &'a str,
    id: &'a str,
    assigned_at: Option<OffsetDateTime>,
    /// Whether it is counted in this run.
    is_counted: bool,
}

impl Candidate<'_> {
    fn with(&self, devices: Option<usize>, is_cut: bool) -> EarlyDevices {
        EarlyDevices {
            provisioning_service: self.endpoint.to_owned(),
            enrollment_group: self.id.to_owned(),
            assigned_at: self.assigned_at,
            devices,
            is_cut,
        }
    }
}

/// The assignments of late, which are looked up once for all namespaces.
pub struct Recent(Result<Vec<WriteKey>, state::Error>);

impl Recent {
    /// Lists them.
    pub async fn read(application: &Application) -> Self {
        Self(journal::since(&application.store, application.fleet.now() - WINDOW).await)
    }

    /// Why they are not known.
    pub fn failure(&self) -> Option<String> {
        self.0.as_ref().err().map(|error| format!("which groups were assigned of late: {error}"))
    }
}

/// Counts, and adds to the section of the namespace what was counted.
pub async fn count(
    application: &Application,
    recent: &Recent,
    input: &NamespaceInput<'_>,
    failures: &mut Vec<String>,
) {
    let name = input.configuration.id.name();
    let has_services = input.provisioning_services.as_ref().is_ok_and(|services| !services.is_empty());
    if !has_services || input.observation.is_err() {
        return;
    }
    let counts = async {
        let early_devices = early_devices(application, recent, input).await?;
        Some(Counted { early_devices, ..Counted::default() })
    };
    let Ok(counted) = timeout(application.fleet.pace.visit, counts).await else {
        return tracing::warn!("{name}: its devices could not be counted in time");
    };
    let Some(counted) = counted else { return };
    let counted = Part::of(Ok(counted), application.fleet.now());
    let section = Section { counted, ..Section::new(&input.configuration.id) };
    if let Err(error) = sections::record(&application.store, &section).await {
        failures.push(format!("what was counted at {name}: {error}"));
    }
}

/// Counts the early devices of one namespace. A group whose devices cannot be counted is told in the log, and nothing else is kept from
/// the report. `None` when it is not known which groups were assigned of late: what was counted before stays.
async fn early_devices(
    application: &Application,
    recent: &Recent,
    input: &NamespaceInput<'_>,
) -> Option<Vec<EarlyDevices>> {
    let recent = recent.0.as_ref().ok()?;
    let mut counted = Vec::new();
    for candidate in candidates(application, input, recent).await {
        if !candidate.is_counted {
            counted.push(candidate.with(None, false));
            continue;
        }
        let Candidate { generation, endpoint, id, assigned_at, .. } = candidate;
        let groups = application.fleet.azure.enrollment_groups(generation);
        match groups.registrations_before(endpoint, id, assigned_at, PAGES).await {
            Ok(count) => counted.push(candidate.with(Some(count.devices), count.is_cut)),
            Err(error) => {
                tracing::warn!("the devices of {id} cannot be counted: {error}");
                counted.push(candidate.with(None, false));
            }
        }
    }
    Some(counted)
}

async fn candidates<'a>(
    application: &Application,
    input: &'a NamespaceInput<'_>,
    recent: &[WriteKey],
) -> Vec<Candidate<'a>> {
    let mut candidates = Vec::new();
    let Ok(observation) = &input.observation else { return candidates };
    let generation = observation.namespace.generation;
    for service in input.provisioning_services.iter().flatten() {
        let name = host_label(&service.endpoint);
        let endpoint = service.endpoint.as_str();
        let mut room = GROUPS;
        for group in service.enrollment_groups.iter().flatten() {
            let id = group.id.as_str();
            let candidate = match &group.policy {
                None => {
                    let plan = plan::plan_assignment(group, &service.hubs, input.configuration, observation);
                    if matches!(plan.reason, Reason::RuleSaysNone | Reason::OptedOut) {
                        continue;
                    }
                    Candidate { generation, endpoint, id, assigned_at: None, is_counted: room > 0 }
                }
                Some(policy) => {
                    let Some(write) = recent.iter().find(|write| write.is_of(&name, id)) else {
                        continue;
                    };
                    if room == 0 {
                        candidates.push(Candidate {
                            generation,
                            endpoint,
                            id,
                            assigned_at: None,
                            is_counted: false,
                        });
                        continue;
                    }
                    match first_assignment(application, write, policy).await {
                        Ok(None) => continue,
                        Ok(at) => Candidate { generation, endpoint, id, assigned_at: at, is_counted: true },
                        Err(error) => {
                            tracing::warn!("when {id} was assigned cannot be told: {error}");
                            Candidate { generation, endpoint, id, assigned_at: None, is_counted: false }
                        }
                    }
                }
            };
            room = room.saturating_sub(1);
            candidates.push(candidate);
        }
    }
    candidates
}

/// When a write gave its group this policy, and the group had none before.
async fn first_assignment(
    application: &Application,
    write: &WriteKey,
    policy: &str,
) -> Result<Option<OffsetDateTime>, state::Error> {
    let Some(record) = write.read(&application.store).await? else { return Ok(None) };
    let is_it = record.stage == Stage::Written
        && record.before.is_none()
        && record.after.is_some_and(|after| after.eq_ignore_ascii_case(policy));
    Ok(is_it.then_some(record.at))
}
