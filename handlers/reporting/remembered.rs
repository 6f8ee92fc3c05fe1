//! What the report has from records: sync requests, the last assignments of groups that stand elsewhere than the rules
//! say, the report before this one. What cannot be read is said, and keeps nothing else from being reported.

use certificate_management::facts::astray;
use certificate_management::model::ReadFailure;
use certificate_management::report::{LastAssignment, Records, ReportInput};
use certificate_management::request::RequestRecord;
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use time::OffsetDateTime;

use super::LATEST;
use crate::application::Application;
use crate::assignment::journal::{self, Stage};
use crate::failure;
use crate::observation::host_label;

/// How many of the newest sync requests are read.
const REQUESTS: usize = 200;
/// How many records are read at once.
const AT_ONCE: usize = 16;
/// How many groups their last assignment is looked up for, at the most.
const GROUPS: usize = 500;
/// How many of the newest assignments are searched for them: some writes to each of 4,000 groups.
const SEARCHED: usize = 20_000;
/// The kind of records that assignments are.
pub const ASSIGNMENTS: &str = "assignments";

/// Reads them.
pub async fn read(application: &Application, input: &ReportInput<'_>) -> Records {
    let (requests, last_assignments, previous_report_at) =
        tokio::join!(requests(application), last_assignments(application, input), previous(application));
    let mut unread = Vec::new();
    let requests = settled("requests", requests, &mut unread);
    let (last_assignments, is_cut) = settled(ASSIGNMENTS, last_assignments, &mut unread);
    Records {
        requests,
        last_assignments,
        previous_report_at: settled("reports", previous_report_at, &mut unread),
        unread,
        cut: is_cut.then(|| ASSIGNMENTS.to_owned()).into_iter().collect(),
    }
}

fn settled<T: Default>(
    kind: &str,
    read: Result<T, state::Error>,
    unread: &mut Vec<(String, ReadFailure)>,
) -> T {
    read.unwrap_or_else(|error| {
        unread.push((kind.to_owned(), failure::of_records(&error)));
        T::default()
    })
}

async fn requests(application: &Application) -> Result<Vec<RequestRecord>, state::Error> {
    let store = &application.store;
    let keys = store.newest("requests", REQUESTS).await?;
    let reads: Vec<_> = keys.iter().map(|key| store.get::<RequestRecord>(key)).collect();
    let found: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    let mut requests: Vec<RequestRecord> = found.into_iter().flatten().map(|stored| stored.value).collect();
    requests.sort_by_key(|request| std::cmp::Reverse(request.updated_at));
    Ok(requests)
}

/// The assignments, and whether there are more groups than they were looked up for.
async fn last_assignments(
    application: &Application,
    input: &ReportInput<'_>,
) -> Result<(Vec<LastAssignment>, bool), state::Error> {
    let mut groups = astray(input);
    let is_cut = groups.len() > GROUPS;
    groups.truncate(GROUPS);
    // Records have the name of a DPS, which its endpoint begins with.
    let named: Vec<(String, &str)> =
        groups.iter().map(|(endpoint, group)| (host_label(endpoint), group.as_str())).collect();
    let places: Vec<(&str, &str)> = named.iter().map(|(name, group)| (name.as_str(), *group)).collect();
    let records = journal::last_writes(&application.store, &places, SEARCHED).await?;
    let written = records.into_iter().filter(|record| record.stage == Stage::Written);
    let assignments = written.filter_map(|record| {
        let (endpoint, group) = groups.iter().find(|(endpoint, group)| {
            host_label(endpoint).eq_ignore_ascii_case(&record.provisioning_service)
                && group.eq_ignore_ascii_case(&record.enrollment_group)
        })?;
        Some(LastAssignment {
            provisioning_service: endpoint.clone(),
            enrollment_group: group.clone(),
            policy: record.after,
            by: record.woken_by,
            run: record.run,
            at: record.at,
        })
    });
    Ok((assignments.collect(), is_cut))
}

async fn previous(application: &Application) -> Result<Option<OffsetDateTime>, state::Error> {
    /// The one member that matters, so that a report of another version is understood.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Made {
        #[serde(with = "time::serde::rfc3339")]
        generated_at: OffsetDateTime,
    }
    Ok(application.store.get::<Made>(LATEST).await?.map(|stored| stored.value.generated_at))
}
