//! The report: observe everything, write it down, ask for what is missing, resume what was lost.

mod early_devices;
mod observe;
mod remembered;

use certificate_management::alerting::FindingEvent;
use certificate_management::report;
use certificate_management::sync;
use time::{Duration, OffsetDateTime};

use self::observe::observe;
pub use self::observe::observe_all;
use crate::alerting;
use crate::application::Application;
use crate::failure;
use crate::observation::Observer;
use crate::synchronization::automatic::{self, Asked};
use crate::synchronization::{records, resume};
use crate::telemetry::metrics;
use crate::telemetry::standing::Standing;

/// Where the newest report is.
pub const LATEST: &str = "reports/latest";
/// How many records of a kind one run removes at the most; the next run goes on.
const FORGOTTEN_AT_ONCE: usize = 500;

/// How long a message lives in the parked queue (`infra/modules/queue.bicep`), and a day.
const PARKED_FOR: Duration = Duration::days(31);

/// What a run did, for its log line.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Reported {
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

/// Makes the report, records it, submits what `sync = "automatic"` asks for, and resumes what was lost.
///
/// # Errors
/// When the report cannot be recorded.
pub async fn run(application: &Application) -> Result<Reported, state::Error> {
    // First, since an observation of services that hang can take all the time of an invocation.
    let resumed = resume::resume(application, &Observer::new(&application.fleet)).await;
    let mut input = observe(application).await;
    let mut records = remembered::read(application, &input).await;
    let (early_devices, read) = early_devices::count(application, &input).await;
    let is_told = records.unread.iter().any(|(kind, _)| kind == remembered::ASSIGNMENTS);
    if let (Err(error), false) = (read, is_told) {
        records.unread.push((remembered::ASSIGNMENTS.to_owned(), failure::of_records(&error)));
    }
    input.early_devices = early_devices;
    input.records = Some(records);
    let report = report::build(&input);
    let severities = report.findings.iter().map(|finding| finding.severity);
    let observations = input.namespaces.iter().filter_map(|namespace| namespace.observation.as_ref().ok());
    metrics::stand(Standing::of(observations, severities, report.generated_at));
    application.store.put(LATEST, &report).await?;
    let dated = format!("reports/{}/{:02}", report.generated_at.date(), report.generated_at.hour());
    application.store.put(&dated, &report).await?;
    let mut done = Reported {
        findings: report.findings.len(),
        resumed: resumed.syncs,
        taken_in: resumed.requests,
        failures: resumed.failures,
        ..Reported::default()
    };
    for namespace in &input.namespaces {
        let (configuration, Ok(observation)) = (namespace.configuration, &namespace.observation) else {
            continue;
        };
        let because = "the status report found a hub that does not trust a policy";
        match automatic::submit_if_needed(application, configuration, observation, because).await {
            Ok(Asked::Submitted(_)) => done.submitted += 1,
            Ok(_) => {}
            Err(error) => done.failures.push(format!("{}: {error}", configuration.id.name())),
        }
    }
    forget(application, &mut done).await;
    // Last, so that as little as possible comes between the record and the delivery.
    match alerting::announce(&application.store, &report, application.fleet.now()).await {
        Ok(events) => done.events = events,
        Err(error) => done.failures.push(format!("the findings could not be told: {error}")),
    }
    Ok(done)
}

/// Removes records that nobody changed for long, some on each run.
async fn forget(application: &Application, done: &mut Reported) {
    let days = application.fleet.configuration.retention_days;
    let before = application.fleet.now() - Duration::days(i64::from(days));
    if let Err(error) = forget_requests(application, before, days).await {
        done.failures.push(format!("old records of requests: {error}"));
    }
    // What a parked message names stays as long as the message can.
    let parked = before.min(application.fleet.now() - PARKED_FOR);
    for (prefix, before) in [("assignments", before), ("reports", before), ("parked", parked)] {
        match application.store.purge(prefix, before, FORGOTTEN_AT_ONCE).await {
            Ok(purged) if purged.removed > 0 => {
                tracing::info!(removed = purged.removed, prefix, "removed records older than {before}");
            }
            Ok(_) => {}
            Err(error) => done.failures.push(format!("old records under {prefix}: {error}")),
        }
    }
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
