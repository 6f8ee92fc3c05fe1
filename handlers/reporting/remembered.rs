//! What the report has from records beside the sections: sync requests, the last assignments of groups that stand elsewhere
//! than the rules say, the report before this one. What cannot be read is said, and keeps nothing else from being reported.

use certificate_management::model::ReadFailure;
use certificate_management::report::{FleetRecords, LISTED_RUNS, LastAssignment};
use certificate_management::request::RequestRecord;
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use state::Store;
use time::OffsetDateTime;

use super::LATEST;
use crate::assignment::LAST_RECONCILE;
use crate::assignment::journal::{NewestWrites, Stage};
use crate::failure;
use crate::observation::host_label;
use crate::{holds, runs, waiting};

/// How many of the newest sync requests are read.
const REQUESTS: usize = 200;
/// How many records are read at once.
const AT_ONCE: usize = 16;
/// How many groups their last assignment is looked up for, at the most.
const GROUPS: usize = 500;
/// How many of the newest assignments are searched for them: some writes to each of 4,000 groups.
const SEARCHED: usize = 20_000;
/// The kind of records that assignments are.
const ASSIGNMENTS: &str = "assignments";

/// What does not depend on any namespace.
pub struct Remembered {
    /// The sync requests that changed last, the newest first.
    pub requests: Vec<RequestRecord>,
    /// What records tell of the fleet.
    pub fleet_records: FleetRecords,
}

impl Remembered {
    /// Reads it.
    pub async fn read(store: &Store) -> Self {
        let (requests, previous, walk, holds) =
            tokio::join!(requests(store), previous(store), store.get(LAST_RECONCILE), holds::all(store),);
        let mut fleet_records = FleetRecords::default();
        let requests = settled("requests", requests, &mut fleet_records.unread);
        fleet_records.previous_report_at = settled("reports", previous, &mut fleet_records.unread);
        let walk = settled("walks", walk, &mut fleet_records.unread);
        match holds {
            Ok(holds) => fleet_records.holds = holds,
            Err(error) => fleet_records.unread.push(("holds".to_owned(), ReadFailure::other(&error))),
        }
        fleet_records.last_reconcile = walk.map(|stored| stored.value);
        Self { requests, fleet_records }
    }
}

/// Reads the runs that wrote last, which belong to no single namespace.
pub async fn runs(store: &Store, fleet_records: &mut FleetRecords) {
    let newest = runs::newest(store, LISTED_RUNS).await;
    fleet_records.runs = settled("runs", newest, &mut fleet_records.unread);
}

/// Reads which messages wait for a person, as far as notes tell. Dead letters are not counted.
pub async fn waiting(store: &Store, now: OffsetDateTime, fleet_records: &mut FleetRecords) {
    match waiting::parked(store, now).await {
        Ok(found) => fleet_records.waiting = Some(found),
        Err(error) => fleet_records.unread.push(("parked-notes".to_owned(), failure::of_records(&error))),
    }
}

/// What we wrote last to groups, looked up namespace by namespace.
pub struct LastAssignments<'a> {
    store: &'a Store,
    /// Listed when the first group is looked up.
    newest: Option<NewestWrites>,
    /// How many groups may still be looked up.
    room: usize,
    is_cut: bool,
    failure: Option<ReadFailure>,
}

impl<'a> LastAssignments<'a> {
    /// Nothing is read yet.
    pub fn new(store: &'a Store) -> Self {
        Self { store, newest: None, room: GROUPS, is_cut: false, failure: None }
    }

    /// What we wrote last to these groups, each by the endpoint of its DPS and its id. Once something cannot be read,
    /// nothing more is tried.
    pub async fn of(&mut self, groups: &[(String, String)]) -> Vec<LastAssignment> {
        let mut found = Vec::new();
        for (endpoint, group) in groups {
            if self.failure.is_some() {
                break;
            }
            if self.room == 0 {
                self.is_cut = true;
                break;
            }
            self.room -= 1;
            match self.one(endpoint, group).await {
                Ok(last) => found.extend(last),
                Err(error) => self.failure = Some(failure::of_records(&error)),
            }
        }
        found
    }

    async fn one(&mut self, endpoint: &str, group: &str) -> Result<Option<LastAssignment>, state::Error> {
        let newest = match &self.newest {
            Some(newest) => newest,
            None => self.newest.insert(NewestWrites::find(self.store, SEARCHED).await?),
        };
        // Records have the name of a DPS, which its endpoint begins with.
        let Some(write) = newest.of(&host_label(endpoint), group) else { return Ok(None) };
        let record = write.read(self.store).await?.filter(|record| record.stage == Stage::Written);
        Ok(record.map(|record| LastAssignment {
            provisioning_service: endpoint.to_owned(),
            enrollment_group: group.to_owned(),
            policy: record.after,
            by: record.woken_by,
            run: record.run,
            at: record.at,
        }))
    }

    /// Says what could not be read, or was left out.
    pub fn tell(self, records: &mut FleetRecords) {
        records.unread.extend(self.failure.map(|failure| (ASSIGNMENTS.to_owned(), failure)));
        records.cut.extend(self.is_cut.then(|| ASSIGNMENTS.to_owned()));
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

async fn requests(store: &Store) -> Result<Vec<RequestRecord>, state::Error> {
    let keys = store.newest("requests", REQUESTS).await?;
    let reads: Vec<_> = keys.iter().map(|key| store.get::<RequestRecord>(key)).collect();
    let found: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    let mut requests: Vec<RequestRecord> = found.into_iter().flatten().map(|stored| stored.value).collect();
    requests.sort_by_key(|request| std::cmp::Reverse(request.updated_at));
    Ok(requests)
}

async fn previous(store: &Store) -> Result<Option<OffsetDateTime>, state::Error> {
    /// The one member that matters, so that a report of another version is understood.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Made {
        #[serde(with = "time::serde::rfc3339")]
        generated_at: OffsetDateTime,
    }
    Ok(store.get::<Made>(LATEST).await?.map(|stored| stored.value.generated_at))
}
