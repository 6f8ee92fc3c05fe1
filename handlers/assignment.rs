//! Assignment: the right policy on every enrollment group, touching nothing else.
//!
//! Events and the timer walk the same path; they differ only in where they look.
//!
//! - [`journal`]: the audit record.
//! - [`write`]: one guarded write.

pub mod journal;
pub mod write;

use azure::provisioning::groups::Group;
use azure::{ErrorKind, Sent};
use certificate_management::configuration::{Mode, NamespaceConfiguration};
use certificate_management::plan::saved::PlannedAssignment;
use certificate_management::plan::{self, AssignmentPlan, Observation};
use certificate_management::reason::Reason;
use certificate_management::rules::Verdict;
use functions_host::{Invocation, TraceContext};
use ulid::Ulid;

use self::journal::Journal;
use self::write::{reason_of, write};
use crate::application::Application;
use crate::observation::{LinkedService, Observer};
use crate::synchronization::automatic;
use crate::telemetry;
use crate::walk::turns::Roster;
use crate::walk::{GroupHint, Scope, Unread, Visit, VisitedService, walk};

/// How often a group is decided again when somebody else changes it at the same time.
const TRIES: u32 = 4;
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
    /// Namespaces whose turn did not come in time; the next run begins with them.
    pub not_visited: usize,
    /// What went wrong, and may go right later.
    pub failures: Vec<String>,
}

impl Done {
    /// What was done at one namespace more.
    fn add(&mut self, other: Self) {
        self.groups += other.groups;
        self.assigned += other.assigned;
        self.audited += other.audited;
        self.waiting += other.waiting;
        self.not_visited += other.not_visited;
        self.failures.extend(other.failures);
    }
}

/// What a run does at one namespace.
struct Run<'a> {
    application: &'a Application,
    journal: &'a Journal<'a>,
    done: Done,
}

/// Reconciles every group of every DPS, namespaces first that waited longest.
pub async fn reconcile_all(application: &Application, waker: Waker<'_>) -> Done {
    let namespaces = &application.configuration.namespaces;
    let roster = Roster::open(&application.store, &application.clock, waker.function, namespaces).await;
    let order = roster.order(namespaces);
    let done = run(application, &order, &Scope::Every(None), waker, Some(&roster)).await;
    roster.write().await;
    done
}

/// Reconciles groups that something happened to.
pub async fn reconcile(application: &Application, groups: Vec<GroupHint>, waker: Waker<'_>) -> Done {
    let order: Vec<_> = application.configuration.namespaces.iter().collect();
    run(application, &order, &Scope::Groups(groups), waker, None).await
}

/// Reconciles a scope. A namespace or a DPS that cannot be read is a failure of its own; the others are done.
async fn run(
    application: &Application,
    order: &[&NamespaceConfiguration],
    scope: &Scope,
    waker: Waker<'_>,
    roster: Option<&Roster<'_>>,
) -> Done {
    let id = Ulid::generate();
    let journal = Journal {
        store: &application.store,
        run: id.to_string(),
        woken_by: format!("{}, invocation {}", waker.function, waker.invocation),
        trace_id: telemetry::trace_id(waker.trace, id),
    };
    let observer = Observer::new(application);
    let walked = walk(application, &observer, order, scope, application.pace, |visit| {
        let (observer, journal) = (&observer, &journal);
        async move {
            if let Some(roster) = roster {
                roster.took(visit.configuration).await;
            }
            let mut run = Run { application, journal, done: Done::default() };
            run.namespace(observer, visit).await;
            run.done
        }
    });
    let mut done = Done { run: id.to_string(), ..Done::default() };
    for (_, at_namespace) in walked.await {
        match at_namespace {
            Some(at_namespace) => done.add(at_namespace),
            None => done.not_visited += 1,
        }
    }
    done
}

impl Run<'_> {
    async fn namespace(&mut self, observer: &Observer<'_>, visit: Visit<'_>) {
        let configuration = visit.configuration;
        let name = configuration.id.name();
        let services = match &visit.services {
            Ok(services) => services,
            Err(error) => return self.done.failures.push(format!("{name}: {error}")),
        };
        for VisitedService { service, unread, .. } in services {
            for Unread { group, error } in unread {
                self.unread(name, service, group.as_deref(), error);
            }
        }
        if services.iter().all(|visited| visited.groups.is_empty()) {
            return;
        }
        let observation = match visit.observe(observer).await {
            Ok(observation) => observation,
            Err(error) => return self.done.failures.push(format!("{name}: {error}")),
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
    }

    /// What could not be read is a failure, but a hint with an id that no group can have: that is a wrong one.
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
        self.done.failures.push(format!("{place}: {}: {error}", reason_of(error)));
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
            let entry = entry(configuration, service, &group, &plan);
            let Some(policy) = &plan.write else {
                self.leave(&subject, &plan, &entry).await;
                return needs_sync;
            };
            if self.application.mode(configuration) == Mode::Audit {
                self.done.audited += 1;
                let detail = format!("would assign `{policy}`: {}", plan.detail);
                self.refuse(&subject, &entry, Reason::AuditMode, &detail).await;
                return needs_sync;
            }
            let error = match write(self.application, self.journal, &service.endpoint, &group, &entry).await {
                Ok(()) => {
                    self.done.assigned += 1;
                    tracing::info!(
                        reason = plan.reason.code(),
                        "{subject}: assigned `{policy}`: {}",
                        plan.detail
                    );
                    return needs_sync;
                }
                Err(error) => error,
            };
            match error.reason() {
                Reason::GroupMoved | Reason::GroupGone => {}
                // It would be refused again: a person has to look, and another try of the event is of no use.
                reason @ (Reason::WriteWouldChangeMore | Reason::SymmetricKeysUnreadable) => {
                    self.refuse(&subject, &entry, reason, &error.to_string()).await;
                    return needs_sync;
                }
                reason => {
                    if matches!(reason, Reason::NotPermitted | Reason::ServiceRejected | Reason::LinkNotReady)
                    {
                        self.refuse(&subject, &entry, reason, &error.to_string()).await;
                    }
                    self.done.failures.push(format!("{subject}: {reason}: {error}"));
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
                    self.done.failures.push(format!("{subject}: {}: {error}", reason_of(&error)));
                    return needs_sync;
                }
            }
        }
        let moved = Reason::GroupMoved;
        self.done.failures.push(format!("{subject}: {moved}: {}", moved.meaning()));
        false
    }

    /// A group that the plan does not write.
    async fn leave(&mut self, subject: &str, plan: &AssignmentPlan, entry: &PlannedAssignment) {
        let is_a_rule = matches!(plan.decision.verdict, Verdict::Policy { .. });
        match plan.reason {
            Reason::AlreadyAssigned => tracing::debug!("{subject}: {}", plan.detail),
            Reason::WaitingForTrust => {
                self.done.waiting += 1;
                self.refuse(subject, entry, plan.reason, &plan.detail).await;
            }
            Reason::PolicyNotFound | Reason::PolicyNotActive => {
                self.refuse(subject, entry, plan.reason, &plan.detail).await;
            }
            // A default never replaces a policy, so it refuses nothing.
            Reason::AssignedElsewhere if is_a_rule => {
                self.refuse(subject, entry, plan.reason, &plan.detail).await;
            }
            reason => tracing::info!(reason = reason.code(), "{subject}: nothing to do: {}", plan.detail),
        }
    }

    /// Records a refusal, and tells it.
    async fn refuse(&mut self, subject: &str, entry: &PlannedAssignment, reason: Reason, detail: &str) {
        tracing::info!(reason = reason.code(), "{subject}: not assigned: {detail}");
        let recorded = self.journal.refused(entry, reason, detail, self.application.now()).await;
        if let Err(error) = recorded {
            self.done.failures.push(format!("{subject}: the refusal could not be recorded: {error}"));
        }
    }
}

/// What the record of a group says.
fn entry(
    configuration: &NamespaceConfiguration,
    service: &LinkedService,
    group: &Group,
    plan: &AssignmentPlan,
) -> PlannedAssignment {
    let wanted = plan.write.clone().or_else(|| plan.decision.verdict.policy().map(str::to_owned));
    PlannedAssignment {
        namespace_id: configuration.id.clone(),
        provisioning_service: service.name.clone(),
        enrollment_group: group.view.id.clone(),
        before: plan.before.clone(),
        after: wanted,
        etag: group.view.etag.clone(),
        rule: plan.decision.verdict.origin(),
        reason: plan.reason,
        detail: plan.detail.clone(),
        policy_ca_not_after: None,
        untrusting_hubs: plan.untrusting_hubs.clone(),
    }
}
