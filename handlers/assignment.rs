//! Assignment: the right policy on every enrollment group, touching nothing else.
//!
//! Events and the timer walk the same path; they differ only in where they look.
//!
//! - [`journal`]: the audit record.
//! - [`writer`]: the one place that writes.

pub mod journal;
mod wakes;
pub mod writer;

use azure::provisioning::groups::Group;
use azure::{ErrorKind, Sent};
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::plan::hindrance::Next;
use certificate_management::plan::saved::{Place, Planned, PlannedAssignment};
use certificate_management::plan::{self, AssignmentPlan, Observation};
use certificate_management::reason::Reason;
use certificate_management::reason::failure::About;
use certificate_management::rules::Verdict;
use certificate_management::section::{Part, Section};
use functions_host::{Invocation, TraceContext};
use time::OffsetDateTime;

pub use self::wakes::{reconcile, reconcile_all};
use self::writer::{NotWritten, Outcome, Target, Writer};
use crate::application::Application;
use crate::observation::{LinkedService, Observer, host_label};
use crate::synchronization::automatic;
use crate::walk::{Unread, Visit, VisitedService};
use crate::{failure, sections};

/// Where it stands how far the last run over every group came.
pub const LAST_RECONCILE: &str = "walk-runs/reconcile-assignments";
/// How often a run decides about a group again when another writer changes it at the same time.
const TRIES: u32 = 4;

/// The invocation that woke a run.
#[derive(Debug, Clone, Copy)]
pub struct Waker<'a> {
    /// The function.
    pub function: &'static str,
    /// The host's id of its invocation.
    pub invocation: &'a str,
    /// The trace that it belongs to, where the host sent one.
    pub trace: &'a TraceContext,
}

impl<'a> Waker<'a> {
    /// The invocation of a function.
    #[must_use]
    pub fn of(function: &'static str, invocation: &'a Invocation) -> Self {
        Self { function, invocation: &invocation.id, trace: &invocation.trace }
    }
}

/// What a run did, for its log line.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RunSummary {
    /// The run, by which `policysync assign --revert` takes its assignments back.
    pub run: String,
    /// DPS whose groups could be listed.
    pub services: usize,
    /// DPS of all namespaces, as far as it is known; of a run over all of them.
    pub services_in_all: usize,
    /// Groups looked at.
    pub groups: usize,
    /// Groups that were given a policy.
    pub assigned: usize,
    /// Authorities and policies that were created or changed, as the file declares them.
    pub declared: usize,
    /// Groups that would have been given one, but the namespace is in audit mode.
    pub audited: usize,
    /// Groups that wait until their hubs trust the policy.
    pub waiting: usize,
    /// Namespaces whose turn did not come in time; the next run begins with them.
    pub not_visited: usize,
    /// What went wrong, one sentence each; another run may succeed.
    pub failures: Vec<String>,
}

impl RunSummary {
    /// Adds what the run did at another namespace.
    fn add(&mut self, other: Self) {
        self.services += other.services;
        self.groups += other.groups;
        self.assigned += other.assigned;
        self.declared += other.declared;
        self.audited += other.audited;
        self.waiting += other.waiting;
        self.not_visited += other.not_visited;
        self.failures.extend(other.failures);
    }
}

/// The part of a run at one namespace.
struct Run<'a> {
    application: &'a Application,
    writer: &'a Writer<'a>,
    /// Whether every group is looked at, so that what is seen can be kept as the namespace's section.
    is_whole: bool,
    done: RunSummary,
    /// What was written to groups, after they were read.
    written: Vec<PlannedAssignment>,
}

impl Run<'_> {
    async fn namespace(&mut self, observer: &Observer<'_>, visit: &Visit<'_>, section: &mut Section) {
        let configuration = visit.configuration;
        let name = configuration.id.name();
        let services = match &visit.services {
            Ok(services) => services,
            Err(error) => return self.done.failures.push(format!("{name}: {error}")),
        };
        for VisitedService { service, unread, .. } in services {
            self.done.services += usize::from(unread.is_empty());
            for Unread { group, error } in unread {
                self.unread(name, service, group.as_deref(), error);
            }
        }
        if services.iter().all(|visited| visited.groups.is_empty()) {
            return;
        }
        let observation = match visit.observe(observer).await {
            Ok(observation) => observation,
            Err(error) => {
                section.namespace = Part::of(Err(failure::of(&error)), self.application.fleet.now());
                return self.done.failures.push(format!("{name}: {error}"));
            }
        };
        let mut needs_sync = false;
        for VisitedService { service, groups, .. } in services {
            for group in groups {
                self.done.groups += 1;
                needs_sync |= self.group(configuration, &observation, service, group.clone()).await;
            }
        }
        if needs_sync {
            let because = "a hub of an enrollment group does not trust the group's policy";
            let asked =
                automatic::submit_if_needed(self.application, configuration, &observation, because).await;
            if let Err(error) = asked {
                self.done.failures.push(format!("{name}: {error}"));
            }
        }
        let seen_at = observation.seen_at;
        section.namespace = Part::of(Ok(observation), seen_at);
    }

    /// Keeps what was seen for the report, with what was written since.
    async fn keep(&self, visit: &Visit<'_>, seen_at: OffsetDateTime, section: Section) {
        let mut section = section;
        if self.is_whole {
            let mut services = sections::services_of(visit);
            let groups = services.iter_mut().flatten().flat_map(|service| {
                let name = host_label(&service.endpoint);
                service.enrollment_groups.iter_mut().flatten().map(move |group| (name.clone(), group))
            });
            for (name, group) in groups {
                let is_it = |entry: &&PlannedAssignment| {
                    entry.provisioning_service.eq_ignore_ascii_case(&name)
                        && entry.enrollment_group.eq_ignore_ascii_case(&group.id)
                };
                if let Some(entry) = self.written.iter().rev().find(is_it) {
                    group.policy.clone_from(&entry.after);
                }
            }
            section.services = Part::of(services, seen_at);
        }
        sections::record_aside(&self.application.store, section).await;
    }

    /// Records each failed read, but not that of a hint with an id that no group can have: such a hint is wrong.
    fn unread(
        &mut self,
        namespace: &str,
        service: &LinkedService,
        group: Option<&str>,
        error: &azure::Error,
    ) {
        let place = match group {
            Some(_) if error.kind() == ErrorKind::Invalid && error.sent() == Sent::No => {
                return tracing::info!("{}: left a hint alone: {error}", service.name);
            }
            Some(group) => format!("{} / {group}", service.name),
            None => format!("{namespace} / {}", service.name),
        };
        let reason = failure::reason(error, About::EnrollmentGroup);
        self.done.failures.push(format!("{place}: {reason}: {error}"));
    }

    /// Plans one group and does what the plan says; answers whether a hub of the group needs a sync.
    async fn group(
        &mut self,
        configuration: &NamespaceConfiguration,
        observation: &Observation,
        service: &LinkedService,
        mut group: Group,
    ) -> bool {
        let subject = format!("{} / {} / {}", configuration.id.name(), service.name, group.view.id);
        for _ in 0..TRIES {
            let plan = plan::plan_assignment(&group.view, &service.hubs, configuration, observation);
            let needs_sync = !plan.untrusting_hubs.is_empty();
            let place = Place { configuration, provisioning_service: &service.name, hubs: &service.hubs };
            let planned = PlannedAssignment::by_rules(place, &group.view, &plan, observation);
            let Planned { entry, writes: true } = planned else {
                self.leave(&subject, &plan, &planned.entry).await;
                return needs_sync;
            };
            match self.writer.perform(configuration, service, Target::Existing(&group), &entry).await {
                Outcome::Written { unrecorded } => {
                    self.written(&subject, &entry, unrecorded);
                    return needs_sync;
                }
                Outcome::NotWritten(NotWritten { next: Next::DecideAgain, .. }) => {}
                Outcome::NotWritten(not_written) => {
                    self.not_written(&subject, not_written);
                    return needs_sync;
                }
            }
            // Another writer changed the group between our read and our write: look again, decide again.
            match self
                .application
                .fleet
                .azure
                .enrollment_groups(service.generation)
                .get(&service.endpoint, &group.view.id)
                .await
            {
                Ok(Some(again)) => group = again,
                Ok(None) => {
                    tracing::info!(reason = Reason::GroupGone.code(), "{subject}: it is gone");
                    return false;
                }
                Err(error) => {
                    let reason = failure::reason(&error, About::EnrollmentGroup);
                    self.done.failures.push(format!("{subject}: {reason}: {error}"));
                    return needs_sync;
                }
            }
        }
        let moved = Reason::GroupMoved;
        self.done.failures.push(format!("{subject}: {moved}: {}", moved.meaning()));
        false
    }

    fn written(&mut self, subject: &str, entry: &PlannedAssignment, unrecorded: Option<String>) {
        self.done.assigned += 1;
        let policy = entry.after.as_deref().unwrap_or_default();
        tracing::info!(reason = entry.reason.code(), "{subject}: assigned `{policy}`: {}", entry.detail);
        self.written.push(entry.clone());
        self.done.failures.extend(unrecorded.map(|why| format!("{subject}: {why}")));
    }

    fn not_written(&mut self, subject: &str, not_written: NotWritten) {
        let NotWritten { reason, next, detail, unrecorded } = not_written;
        if reason == Reason::AuditMode {
            self.done.audited += 1;
        }
        if next.is_recorded() {
            tracing::info!(reason = reason.code(), "{subject}: not assigned: {detail}");
        }
        if next.may_pass() {
            self.done.failures.push(format!("{subject}: {reason}: {detail}"));
        }
        self.done.failures.extend(unrecorded.map(|why| format!("{subject}: {why}")));
    }

    /// Leaves a group alone that the plan does not write.
    async fn leave(&mut self, subject: &str, plan: &AssignmentPlan, entry: &PlannedAssignment) {
        let is_a_rule = matches!(plan.decision.verdict, Verdict::Policy { .. });
        match plan.reason {
            Reason::AlreadyAssigned => tracing::debug!("{subject}: {}", plan.detail),
            Reason::WaitingForTrust | Reason::HubsUnknown => {
                self.done.waiting += 1;
                self.refuse(subject, entry).await;
            }
            Reason::PolicyNotFound | Reason::PolicyNotActive | Reason::AttestationUnknown => {
                self.refuse(subject, entry).await;
            }
            // A default never replaces a policy, so it refuses nothing.
            Reason::AssignedElsewhere if is_a_rule => self.refuse(subject, entry).await,
            reason => tracing::info!(reason = reason.code(), "{subject}: nothing to do: {}", plan.detail),
        }
    }

    /// Records and logs a refusal of the plan.
    async fn refuse(&mut self, subject: &str, entry: &PlannedAssignment) {
        tracing::info!(reason = entry.reason.code(), "{subject}: not assigned: {}", entry.detail);
        let unrecorded = self.writer.refuse(entry, entry.reason, &entry.detail).await;
        self.done.failures.extend(unrecorded.map(|why| format!("{subject}: {why}")));
    }
}
