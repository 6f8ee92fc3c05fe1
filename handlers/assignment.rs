//! Assignment: the right policy on every enrollment group, touching nothing else.
//!
//! Events and the timer walk the same path; they differ only in where they look.

use azure::provisioning::groups::Group;
use azure::provisioning::write_guard::AssignError;
use certificate_management::configuration::{Mode, NamespaceConfiguration};
use certificate_management::plan::{self, AssignmentPlan, Observation};
use certificate_management::reason::Reason;
use serde::Serialize;
use time::OffsetDateTime;
use ulid::Ulid;

use crate::application::Application;
use crate::observation::{LinkedService, Observer};
use crate::synchronization::automatic;

/// How often a group is decided again when somebody else changes it at the same time.
const TRIES: u32 = 4;
/// From how many hinted groups on one DPS the whole list is read instead: one query is cheaper than many reads.
const LIST_FROM: usize = 6;

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// At every group of every DPS of every namespace.
    Everything,
    /// At these groups. A hint may be wrong: a group that does not exist, or a DPS that is not ours, is nothing.
    Groups(Vec<GroupHint>),
}

/// A group that something happened to, as an event names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupHint {
    /// The DPS: its name, host name, endpoint or ARM id.
    pub provisioning_service: String,
    /// The group's id.
    pub enrollment_group: String,
}

/// What a run did, for its log line.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Done {
    /// Groups looked at.
    pub groups: usize,
    /// Groups that were given a policy.
    pub assigned: usize,
    /// Groups that would have been, but the namespace is in audit mode.
    pub audited: usize,
    /// Groups that wait until their hubs trust the policy.
    pub waiting: usize,
    /// What went wrong, and may go right later.
    pub failures: Vec<String>,
}

/// The record of a write: who woke us, what was there, what is there now.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AuditRecord<'a> {
    record: &'static str,
    run: &'a str,
    woken_by: &'a str,
    namespace_id: &'a str,
    provisioning_service: &'a str,
    enrollment_group: &'a str,
    before: Option<&'a str>,
    after: &'a str,
    etag: Option<&'a str>,
    reason: Reason,
    detail: &'a str,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    stage: &'static str,
}

/// One run over a scope.
pub struct Run<'a> {
    application: &'a Application,
    observer: Observer<'a>,
    id: String,
    woken_by: &'a str,
    done: Done,
}

/// Reconciles a scope. A namespace or a DPS that cannot be read is a failure of its own; the others are done.
pub async fn reconcile(application: &Application, scope: &Scope, woken_by: &str) -> Done {
    let mut run = Run {
        application,
        observer: Observer::new(application),
        id: Ulid::generate().to_string(),
        woken_by,
        done: Done::default(),
    };
    for configuration in &application.configuration.namespaces {
        run.namespace(configuration, scope).await;
    }
    run.done
}

impl Run<'_> {
    async fn namespace(&mut self, configuration: &NamespaceConfiguration, scope: &Scope) {
        let name = configuration.id.name();
        let services = match self.observer.provisioning_services(configuration).await {
            Ok(services) => services,
            Err(error) => return self.done.failures.push(format!("{name}: {error}")),
        };
        let mut found: Vec<(LinkedService, Vec<Group>)> = Vec::new();
        for service in services {
            match self.groups(&service, scope).await {
                Ok(groups) if groups.is_empty() => {}
                Ok(groups) => found.push((service, groups)),
                Err(error) => self.done.failures.push(format!("{name} / {}: {error}", service.name)),
            }
        }
        if found.is_empty() {
            return;
        }
        let observation = match self.observer.namespace(configuration).await {
            Ok(observation) => observation,
            Err(error) => return self.done.failures.push(format!("{name}: {error}")),
        };
        let mut waiting = false;
        for (service, groups) in &found {
            for group in groups {
                self.done.groups += 1;
                let reason = self.group(configuration, &observation, service, group.clone()).await;
                waiting |= reason == Some(Reason::WaitingForTrust);
            }
        }
        if waiting {
            let because = "an enrollment group waits until its hubs trust the policy";
            let asked =
                automatic::submit_if_needed(self.application, configuration, &observation, because).await;
            if let Err(error) = asked {
                self.done.failures.push(format!("{name}: {error}"));
            }
        }
    }

    /// The groups of a DPS that are in the scope, as they are now.
    async fn groups(&self, service: &LinkedService, scope: &Scope) -> Result<Vec<Group>, azure::Error> {
        let client = self.application.azure.enrollment_groups();
        let hints = match scope {
            Scope::Everything => return client.list(&service.endpoint).await,
            Scope::Groups(hints) => hints,
        };
        let mut ids: Vec<&str> = hints
            .iter()
            .filter(|hint| service.is_named(&hint.provisioning_service))
            .map(|hint| hint.enrollment_group.as_str())
            .collect();
        ids.sort_unstable();
        ids.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
        if ids.len() >= LIST_FROM {
            let mut groups = client.list(&service.endpoint).await?;
            groups.retain(|group| ids.iter().any(|id| id.eq_ignore_ascii_case(&group.view.id)));
            return Ok(groups);
        }
        let mut groups = Vec::new();
        for id in ids {
            groups.extend(client.get(&service.endpoint, id).await?);
        }
        Ok(groups)
    }

    /// Plans one group and does what the plan says; answers its reason.
    async fn group(
        &mut self,
        configuration: &NamespaceConfiguration,
        observation: &Observation,
        service: &LinkedService,
        mut group: Group,
    ) -> Option<Reason> {
        let subject = format!("{} / {} / {}", configuration.id.name(), service.name, group.view.id);
        for _ in 0..TRIES {
            let plan = plan::plan_assignment(&group.view, &service.hubs, configuration, observation);
            let Some(policy) = plan.write.clone() else {
                match plan.reason {
                    Reason::WaitingForTrust => {
                        self.done.waiting += 1;
                        tracing::info!(reason = plan.reason.code(), "{subject}: {}", plan.detail);
                    }
                    Reason::AlreadyAssigned => tracing::debug!("{subject}: {}", plan.detail),
                    reason => {
                        tracing::info!(reason = reason.code(), "{subject}: nothing to do: {}", plan.detail);
                    }
                }
                return Some(plan.reason);
            };
            if self.application.mode(configuration) == Mode::Audit {
                self.done.audited += 1;
                tracing::info!(
                    reason = Reason::AuditMode.code(),
                    "{subject}: would assign `{policy}`: {}",
                    plan.detail
                );
                return Some(Reason::AuditMode);
            }
            match self.write(configuration, service, &group, &plan, &policy).await {
                Ok(()) => {
                    self.done.assigned += 1;
                    tracing::info!(
                        reason = plan.reason.code(),
                        "{subject}: assigned `{policy}`: {}",
                        plan.detail
                    );
                    return Some(plan.reason);
                }
                Err(WriteError::Guard(AssignError::Moved(_))) => {}
                Err(error) => {
                    self.done.failures.push(format!("{subject}: {error}"));
                    return None;
                }
            }
            // Somebody changed the group between our read and our write: look again, decide again.
            match self.application.azure.enrollment_groups().get(&service.endpoint, &group.view.id).await {
                Ok(Some(again)) => group = again,
                Ok(None) => {
                    tracing::info!(reason = Reason::GroupGone.code(), "{subject}: it is gone");
                    return Some(Reason::GroupGone);
                }
                Err(error) => {
                    self.done.failures.push(format!("{subject}: {error}"));
                    return None;
                }
            }
        }
        self.done.failures.push(format!("{subject}: {}", Reason::GroupMoved.meaning()));
        Some(Reason::GroupMoved)
    }

    /// The write, with a record before and after it.
    async fn write(
        &self,
        configuration: &NamespaceConfiguration,
        service: &LinkedService,
        group: &Group,
        plan: &AssignmentPlan,
        policy: &str,
    ) -> Result<(), WriteError> {
        let now = self.application.now();
        let id = Ulid::generate();
        let record = |stage, etag| AuditRecord {
            record: "assignment/v1",
            run: &self.id,
            woken_by: self.woken_by,
            namespace_id: configuration.id.as_str(),
            provisioning_service: &service.endpoint,
            enrollment_group: &plan.enrollment_group,
            before: plan.before.as_deref(),
            after: policy,
            etag,
            reason: plan.reason,
            detail: &plan.detail,
            at: now,
            stage,
        };
        let key = format!("assignments/{}/{id}", now.date());
        self.application.store.put(&key, &record("planned", group.view.etag.as_deref())).await?;
        let assigned =
            self.application.azure.enrollment_groups().assign(&service.endpoint, group, policy).await?;
        self.application.store.put(&key, &record("written", assigned.etag.as_deref())).await?;
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("{0}")]
    Guard(#[from] AssignError),
    #[error("the assignment could not be recorded: {0}")]
    State(#[from] state::Error),
}
