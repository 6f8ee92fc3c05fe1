//! What wakes an assignment: a timer, which goes through everything, and an event, which names groups.

use std::collections::BTreeSet;

use certificate_management::attribution::Attribution;
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::plan::permit;
use certificate_management::section::Section;

use super::journal::Journal;
use super::writer::Writer;
use super::{Run, RunSummary, Waker};
use crate::application::Application;
use crate::authorities::keeping;
use crate::changes::{self, Changed, Unfinished};
use crate::observation::{Observer, host_label};
use crate::telemetry;
use crate::walk::turns::Roster;
use crate::walk::{GroupHint, Pace, Scope, walk};

/// Reconciles every group of every DPS, and what the file declares of authorities and policies: first where an event says that something has changed and the work on that is not
/// finished, then the namespaces that waited longest.
pub async fn reconcile_all(application: &Application, waker: Waker<'_>) -> RunSummary {
    let (fleet, store) = (&application.fleet, &application.store);
    let namespaces = &fleet.configuration.namespaces;
    let roster = Roster::open(store, &fleet.ambient.clock, waker.function, namespaces).await;
    let unfinished = changes::unfinished(store).await;
    if !unfinished.is_empty() {
        tracing::info!(changes = unfinished.len(), "beginning with what has changed");
    }
    let changes = unfinished.iter().map(|unfinished| unfinished.changed.clone()).collect();
    let roster = roster.with_changes(changes, namespaces);
    let order = roster.order(namespaces);
    let observer = Observer::new(fleet);
    let walked =
        run(application, &observer, &order, &Scope::Every(None), fleet.pace, waker, Some(&roster)).await;
    let is_finished = |unfinished: &Unfinished| {
        let about = roster.about(&unfinished.changed, namespaces);
        about.is_subset(&walked.without_failure)
    };
    let finished = unfinished.into_iter().filter(is_finished).collect();
    changes::finish_of(store, finished, fleet.now()).await;
    RunSummary { services_in_all: roster.services_of(namespaces), ..walked.done }
}

/// Reconciles the groups that an event names.
pub async fn reconcile(application: &Application, groups: Vec<GroupHint>, waker: Waker<'_>) -> RunSummary {
    let (fleet, store) = (&application.fleet, &application.store);
    let mut changed: Vec<Changed> = groups
        .iter()
        .filter_map(|hint| hint.provisioning_service.as_deref())
        .map(|service| Changed::ProvisioningService(host_label(service).to_ascii_lowercase()))
        .collect();
    changed.sort();
    changed.dedup();
    let scope = Scope::Groups(groups);
    let order = scope.within(&fleet.configuration.namespaces);
    let observer = Observer::new(fleet);
    let work = run(application, &observer, &order, &scope, fleet.pace.without_a_pause(), waker, None);
    // The record is of no use to the work, so neither waits for the other.
    let (begun, walked) = tokio::join!(changes::begin(store, &changed, fleet.now()), work);
    let mut done = walked.done;
    if done.not_visited > 0 {
        // The groups of a namespace that had no turn may exist, and the host runs this event again only if this run
        // fails.
        let not_visited = std::mem::take(&mut done.not_visited);
        done.failures.push(format!("namespaces that could not be looked at in time: {not_visited}"));
    }
    if done.failures.is_empty() {
        begun.finish(store, fleet.now()).await;
    }
    done
}

/// What came of a run.
struct Walked {
    done: RunSummary,
    /// The keys of the namespaces at which nothing failed.
    without_failure: BTreeSet<String>,
}

/// Reconciles a scope. A namespace or a DPS that cannot be read is a failure of its own; the run goes on with the
/// others.
async fn run(
    application: &Application,
    observer: &Observer<'_>,
    order: &[&NamespaceConfiguration],
    scope: &Scope,
    pace: Pace,
    waker: Waker<'_>,
    roster: Option<&Roster<'_>>,
) -> Walked {
    let id = application.fleet.ambient.ulid();
    let journal = Journal {
        store: &application.store,
        run: id.to_string(),
        woken_by: format!("{}, invocation {}", waker.function, waker.invocation),
        trace_id: telemetry::trace_id(waker.trace, id),
    };
    let writer = Writer {
        fleet: &application.fleet,
        journal,
        by: permit::Writer::Function,
        stated: Attribution::default(),
        keeps_records: true,
        reverts: None,
    };
    let walked = walk(&application.fleet, observer, order, scope, pace, roster, |visit| {
        let writer = &writer;
        async move {
            let is_whole = *scope == Scope::Every(None);
            let mut run =
                Run { application, writer, is_whole, done: RunSummary::default(), written: Vec::new() };
            let mut section = Section::new(&visit.configuration.id);
            if is_whole {
                // First, so that a policy that is there at once can be assigned in the same run.
                let journal = &writer.journal;
                let kept =
                    keeping::keep(application, &journal.run, &journal.woken_by, visit.configuration).await;
                section.declared = kept.declared;
                run.done.declared = kept.written;
                run.done.failures.extend(kept.failures);
            }
            let seen_at = application.fleet.now();
            run.namespace(observer, &visit, &mut section).await;
            run.keep(&visit, seen_at, section).await;
            run.done
        }
    });
    let mut done = RunSummary { run: id.to_string(), ..RunSummary::default() };
    let mut without_failure = BTreeSet::new();
    for (configuration, at_namespace) in walked.await {
        let Some(at_namespace) = at_namespace else {
            done.not_visited += 1;
            continue;
        };
        if at_namespace.failures.is_empty() {
            without_failure.insert(configuration.id.key());
        }
        done.add(at_namespace);
    }
    Walked { done, without_failure }
}
