//! Assignment: the right policy on every enrollment group, touching nothing else.
//!
//! Events and the timer walk the same path; they differ only in where they look.
//!
//! - [`journal`]: the audit record.
//! - [`writer`]: the one place that writes.

pub mod journal;
pub mod writer;

use azure::provisioning::groups::Group;
use azure::{ErrorKind, Sent};
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::plan::hindrance::Next;
use certificate_management::plan::saved::{Place, Planned, PlannedAssignment};
use certificate_management::plan::{self, AssignmentPlan, Observation, permit};
use certificate_management::reason::Reason;
use certificate_management::reason::failure::About;
use certificate_management::rules::Verdict;
use functions_host::{Invocation, TraceContext};
use ulid::Ulid;

use self::journal::Journal;
use self::writer::{NotWritten, Outcome, Target, Writer};
use crate::application::Application;
use crate::failure;
use crate::observation::{LinkedService, Observer};
use crate::synchronization::automatic;
use crate::telemetry;

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

/// What woke a run.
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
pub struct Done {
    /// The run, by which `policysync assign --revert` takes its assignments back.
    pub run: String,
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

/// One run over a scope.
pub struct Run<'a> {
    application: &'a Application,
    observer: Observer<'a>,
    writer: Writer<'a>,
    done: Done,
}

/// Reconciles a scope. A namespace or a DPS that cannot be read is a failure of its own; the others are done.
pub async fn reconcile(application: &Application, scope: &Scope, waker: Waker<'_>) -> Done {
    let id = Ulid::generate();
    let journal = Journal {
        store: &application.store,
        run: id.to_string(),
        woken_by: format!("{}, invocation {}", waker.function, waker.invocation),
        trace_id: telemetry::trace_id(waker.trace, id),
    };
    let done = Done { run: id.to_string(), ..Done::default() };
    let writer = Writer { application, journal, by: permit::Writer::Function };
    let mut run = Run { application, observer: Observer::new(application), writer, done };
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
                Err(error) => {
                    let reason = failure::reason(&error, About::EnrollmentGroup);
                    self.done.failures.push(format!("{name} / {}: {reason}: {error}", service.name));
                }
            }
        }
        if found.is_empty() {
            return;
        }
        let observation = match self.observer.namespace(configuration).await {
            Ok(observation) => observation,
            Err(error) => return self.done.failures.push(format!("{name}: {error}")),
        };
        let mut needs_sync = false;
        for (service, groups) in &found {
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
    }

    /// The groups of a DPS that are in the scope, as they are now.
    async fn groups(&mut self, service: &LinkedService, scope: &Scope) -> Result<Vec<Group>, azure::Error> {
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
            match client.get(&service.endpoint, id).await {
                Ok(group) => groups.extend(group),
                // No group has such an id, so the hint is a wrong one.
                Err(error) if error.kind() == ErrorKind::Invalid && error.sent() == Sent::No => {
                    tracing::info!("{}: left a hint alone: {error}", service.name);
                }
                // The neighbours of a group that cannot be read are reconciled all the same.
                Err(error) => {
                    let reason = failure::reason(&error, About::EnrollmentGroup);
                    self.done.failures.push(format!("{} / {id}: {reason}: {error}", service.name));
                }
            }
        }
        Ok(groups)
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
            // Somebody changed the group between our read and our write: look again, decide again.
            match self.application.azure.enrollment_groups().get(&service.endpoint, &group.view.id).await {
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

    /// A group that the plan does not write.
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

    /// Records a refusal of the plan, and tells it.
    async fn refuse(&mut self, subject: &str, entry: &PlannedAssignment) {
        tracing::info!(reason = entry.reason.code(), "{subject}: not assigned: {}", entry.detail);
        let unrecorded = self.writer.refuse(entry, entry.reason, &entry.detail).await;
        self.done.failures.extend(unrecorded.map(|why| format!("{subject}: {why}")));
    }
}
