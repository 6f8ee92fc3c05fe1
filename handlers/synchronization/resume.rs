//! Sends messages again that were lost: the report finds syncs whose follow-up is long overdue, and requests that the
//! app has taken and that no sync knows.

use std::collections::BTreeMap;

use certificate_management::ArmId;
use certificate_management::request::RequestRecord;
use certificate_management::sync::{Event, SyncRecord, pause};
use futures::{StreamExt, stream};
use state::Stored;
use tokio::time::Instant;

use super::drive::{DriveError, Driver};
use super::joining;
use super::observe::AT_ONCE;
use super::records::{self, Marker};
use crate::application::Application;
use crate::observation::Observer;

/// How many syncs and requests the report has resumed, and what failed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// Syncs whose follow-up was sent again.
    pub syncs: usize,
    /// Requests that were taken in again.
    pub requests: usize,
    /// What went wrong, one sentence each; the next report tries again.
    pub failures: Vec<String>,
}

/// Sends the follow-up of every sync whose look is long overdue again, and takes in every request that no sync knows.
pub async fn resume(application: &Application, observer: &Observer<'_>) -> Resumed {
    let mut resumed = Resumed::default();
    syncs(application, observer, &mut resumed).await;
    requests(application, observer, &mut resumed).await;
    resumed
}

async fn syncs(application: &Application, observer: &Observer<'_>, resumed: &mut Resumed) {
    let keys = match application.store.list(records::SYNCS).await {
        Ok(listing) => listing.keys,
        Err(error) => return resumed.failures.push(format!("the syncs could not be listed: {error}")),
    };
    let each = keys.iter().map(|key| async move { (key, one_sync(application, observer, key).await) });
    let done: Vec<_> = stream::iter(each.collect::<Vec<_>>()).buffer_unordered(AT_ONCE).collect().await;
    for (key, outcome) in done {
        match outcome {
            Ok(was_sent) => resumed.syncs += usize::from(was_sent),
            Err(error) => resumed.failures.push(format!("{key}: {error}")),
        }
    }
}

async fn one_sync(application: &Application, observer: &Observer<'_>, key: &str) -> Result<bool, DriveError> {
    let Some(Stored { value: record, .. }) = application.store.get::<SyncRecord>(key).await? else {
        return Ok(false);
    };
    let mut driver = Driver::new(application, observer, &record.namespace_id, Instant::now());
    driver.handle(&Event::TimerPassed, &[]).await?;
    Ok(driver.record().is_some_and(|after| after.attempt != record.attempt))
}

async fn requests(application: &Application, observer: &Observer<'_>, resumed: &mut Resumed) {
    let store = &application.store;
    let keys = match store.list(records::TAKEN).await {
        Ok(listing) => listing.keys,
        Err(error) => return resumed.failures.push(format!("the requests could not be listed: {error}")),
    };
    let reads = keys.iter().map(|key| async move { (key, lost_request(application, key).await) });
    let read: Vec<_> = stream::iter(reads.collect::<Vec<_>>()).buffer_unordered(AT_ONCE).collect().await;
    let mut by_namespace: BTreeMap<ArmId, Vec<RequestRecord>> = BTreeMap::new();
    for (key, found) in read {
        match found {
            Ok(Some(record)) => {
                by_namespace.entry(record.request.namespace_id.clone()).or_default().push(record);
            }
            Ok(None) => {}
            Err(error) => resumed.failures.push(format!("{key}: {error}")),
        }
    }
    for (namespace_id, known) in &by_namespace {
        let mut driver = Driver::new(application, observer, namespace_id, Instant::now());
        match joining::take_in(application, &mut driver, known).await {
            Ok(()) => resumed.requests += known.len(),
            Err(error) => resumed.failures.push(format!("{}: {error}", namespace_id.name())),
        }
    }
}

/// The request of a mark that is long overdue. A mark without an open request is needless.
async fn lost_request(application: &Application, key: &str) -> Result<Option<RequestRecord>, DriveError> {
    let store = &application.store;
    let Some(Stored { value: marker, .. }) = store.get::<Marker>(key).await? else { return Ok(None) };
    if application.fleet.now() - marker.at < pause::LOST_AFTER {
        return Ok(None);
    }
    match records::request(store, &marker.request_id).await? {
        Some(record) if !record.outcome.is_final() => Ok(Some(record)),
        _ => {
            store.delete(key).await?;
            Ok(None)
        }
    }
}
