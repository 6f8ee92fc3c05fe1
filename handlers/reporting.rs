//! The report: look at the namespaces, keep what was seen, ask for what is missing, resume what was lost, and make of all that
//! was seen what people look at.

mod alone;
mod counting;
mod folding;
pub mod history;
mod linked;
pub mod live;
mod looking;
pub mod pages;
mod remembered;
pub mod tables;

use certificate_management::alerting::FindingEvent;
use certificate_management::hold::GroupHolds;
use certificate_management::parked::note::{LIVES, NOTES, Note};
use certificate_management::section::Section;
use certificate_management::sync;
use time::{Duration, OffsetDateTime};

pub use self::alone::of_namespace;
use crate::application::Application;
use crate::changes::CHANGES;
use crate::holds::HOLDS;
use crate::observation::Observer;
use crate::sections::SECTIONS;
use crate::synchronization::{records, resume};
use crate::{alerting, authorities};

/// Where the newest report is.
pub const LATEST: &str = "reports/latest";
/// How many records of a kind one run removes at the most; the next run goes on.
const FORGOTTEN_AT_ONCE: usize = 500;

/// How long a message lives in the parked queue (`infra/modules/queue.bicep`), and a day.
const PARKED_FOR: Duration = Duration::days(31);
/// How long the further pages of the findings of a report are kept.
const PAGES_FOR: Duration = Duration::days(1);

/// What a run did, for its log line.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Reported {
    /// Namespaces that were looked at.
    pub namespaces: usize,
    /// Namespaces whose turn did not come in time; the next run begins with them.
    pub not_visited: usize,
    /// Findings in the report.
    pub findings: usize,
    /// Requests that were submitted because a hub does not trust a policy.
    pub submitted: usize,
    /// What is to be told of the findings now; the reply has to carry it.
    pub events: Vec<FindingEvent>,
    /// Syncs whose follow-up was lost and sent again.
    pub resumed: usize,
    /// Requests that no sync knew and that were taken in again.
    pub taken_in: usize,
    /// What went wrong beside the report, and may go right later.
    pub failures: Vec<String>,
}

/// Resumes what was lost, looks at the namespaces as far as the time allows, makes the report of all that was seen so far,
/// and records it.
///
/// # Errors
/// When the report cannot be recorded.
pub async fn run(application: &Application) -> Result<Reported, state::Error> {
    // First, since looking at services that hang can take all the time of an invocation.
    let resumed = resume::resume(application, &Observer::new(&application.fleet)).await;
    let looked = looking::look(application).await;
    let (report, snapshot) = folding::fold(application).await;
    pages::write(&application.store, &report).await?;
    let kept = history::write(&application.store, &snapshot).await;
    let mut done = Reported {
        namespaces: looked.seen,
        not_visited: looked.not_visited,
        findings: report.findings.len(),
        submitted: looked.submitted,
        resumed: resumed.syncs,
        taken_in: resumed.requests,
        failures: resumed.failures,
        ..Reported::default()
    };
    done.failures.extend(looked.failures);
    done.failures.extend(kept.err().map(|error| format!("what later reports are compared with: {error}")));
    forget(application, &mut done).await;
    // Last, so that as little as possible comes between the record and the delivery.
    match alerting::announce(&application.store, &report, application.fleet.now()).await {
        Ok(events) => done.events = events,
        Err(error) => done.failures.push(format!("the findings could not be told: {error}")),
    }
    Ok(done)
}

/// Removes records that no run has changed for long, some on each run.
async fn forget(application: &Application, done: &mut Reported) {
    let days = application.fleet.configuration.retention_days;
    let before = application.fleet.now() - Duration::days(i64::from(days));
    if let Err(error) = forget_requests(application, before, days).await {
        done.failures.push(format!("old records of requests: {error}"));
    }
    if let Err(error) = forget_sections(application, before).await {
        done.failures.push(format!("old sections: {error}"));
    }
    if let Err(error) = forget_holds(application, before).await {
        done.failures.push(format!("old records of holds: {error}"));
    }
    if let Err(error) = forget_notes(application).await {
        done.failures.push(format!("old notes of parked messages: {error}"));
    }
    // What a parked message names stays as long as the message can.
    let parked = before.min(application.fleet.now() - PARKED_FOR);
    // Pages that no overview names any more; the newest report's were written just now.
    let turned = before.max(application.fleet.now() - PAGES_FOR);
    for (prefix, before) in [
        ("assignments", before),
        (authorities::WRITES, before),
        (authorities::LAST_WRITES, before),
        ("reports", before),
        (CHANGES, before),
        (pages::FINDINGS, turned),
        (history::HISTORY, before.max(application.fleet.now() - history::KEPT_FOR)),
        ("parked", parked),
    ] {
        match application.store.purge(prefix, before, FORGOTTEN_AT_ONCE).await {
            Ok(purged) if purged.removed > 0 => {
                tracing::info!(removed = purged.removed, prefix, "removed records older than {before}");
            }
            Ok(_) => {}
            Err(error) => done.failures.push(format!("old records under {prefix}: {error}")),
        }
    }
}

/// Removes old records of holds that have ended. A hold in force stays at any age.
async fn forget_holds(application: &Application, before: OffsetDateTime) -> Result<(), state::Error> {
    let has_ended = |holds: &GroupHolds| holds.in_force().is_none();
    application.store.purge_where(HOLDS, before, FORGOTTEN_AT_ONCE, has_ended).await.map(drop)
}

/// Removes notes of messages that the parked queue has dropped. A message that the records keep has its note at any age.
async fn forget_notes(application: &Application) -> Result<(), state::Error> {
    let now = application.fleet.now();
    let is_gone = |note: &Note| !note.is_true_at(now);
    application.store.purge_where(NOTES, now - LIVES, FORGOTTEN_AT_ONCE, is_gone).await.map(drop)
}

/// Removes old sections of namespaces that the configuration does not name any more.
async fn forget_sections(application: &Application, before: OffsetDateTime) -> Result<(), state::Error> {
    let configuration = &application.fleet.configuration;
    let is_gone = |section: &Section| configuration.namespace(&section.namespace_id).is_none();
    application.store.purge_where(SECTIONS, before, FORGOTTEN_AT_ONCE, is_gone).await.map(drop)
}

/// Removes old records of requests. One without an outcome stays, and is marked, so that the next run takes it in again.
async fn forget_requests(
    application: &Application,
    before: OffsetDateTime,
    days: u16,
) -> Result<(), state::Error> {
    let store = &application.store;
    let prefix = records::REQUESTS;
    let (purged, open) = store.purge_where(prefix, before, FORGOTTEN_AT_ONCE, sync::purges).await?;
    if purged.removed > 0 {
        tracing::info!(removed = purged.removed, prefix, "removed records older than {days} days");
    }
    for record in open {
        records::mark(store, &record.request.request_id, record.updated_at).await?;
    }
    Ok(())
}
