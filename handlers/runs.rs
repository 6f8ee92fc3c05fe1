//! The runs that wrote, from the records of their writes: who it was, why, and by which plan.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use certificate_management::attribution::Attribution;
use certificate_management::report::RunEntry;
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use state::Store;
use time::OffsetDateTime;

use crate::assignment::journal::ASSIGNMENTS;
use crate::authorities::WRITES;

/// How many of the newest records of a kind are searched for them.
const SEARCHED: usize = 5_000;
/// How many of them are read at once.
const AT_ONCE: usize = 16;

/// What the records of all kinds of writes have.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Common {
    run: String,
    woken_by: String,
    #[serde(default)]
    attribution: Attribution,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
}

/// The keys of a run's records.
#[derive(Default)]
struct Keys {
    assignments: Vec<String>,
    declared: Vec<String>,
}

impl Keys {
    /// Two of them: whether all writes were of one plan shows in those.
    fn ends(&self) -> impl Iterator<Item = &String> {
        let mut all = self.assignments.iter().chain(&self.declared);
        let first = all.next();
        first.into_iter().chain(all.last())
    }
}

/// The runs that wrote last, the newest first; `most` of them.
///
/// # Errors
/// When the store cannot be read.
pub async fn newest(store: &Store, most: usize) -> Result<Vec<RunEntry>, state::Error> {
    let mut runs: BTreeMap<String, Keys> = BTreeMap::new();
    for prefix in [ASSIGNMENTS, WRITES] {
        for key in store.newest(prefix, SEARCHED).await? {
            let Some(run) = key.split('/').nth(1) else { continue };
            let keys = runs.entry(run.to_owned()).or_default();
            let keys = if prefix == WRITES { &mut keys.declared } else { &mut keys.assignments };
            keys.push(key);
        }
    }
    // The id of a run begins with the time at which it began, so the last in the order of the ids is the newest.
    let reads: Vec<_> = runs.values().rev().take(most).map(|keys| entry(store, keys)).collect();
    let read: Vec<Option<RunEntry>> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    let mut entries: Vec<RunEntry> = read.into_iter().flatten().collect();
    entries.sort_by_key(|entry| Reverse(entry.at));
    Ok(entries)
}

async fn entry(store: &Store, keys: &Keys) -> Result<Option<RunEntry>, state::Error> {
    let mut entry: Option<RunEntry> = None;
    for key in keys.ends() {
        let Some(found) = store.get::<Common>(key).await? else { continue };
        let Common { run, woken_by, attribution, at } = found.value;
        match &mut entry {
            Some(entry) => {
                entry.at = entry.at.min(at);
                if entry.attribution.plan != attribution.plan {
                    entry.attribution.plan = None;
                }
            }
            None => {
                let (assignments, declared) = (keys.assignments.len(), keys.declared.len());
                entry = Some(RunEntry { run, woken_by, attribution, assignments, declared, at });
            }
        }
    }
    Ok(entry)
}
