//! What is kept of the reports of the last days, one of each hour, to compare a later one with.
//!
//! A record of the largest fleet is under a megabyte (`report/snapshot.rs` in `crates/certificate-management`), so that all of them
//! together are under 350 MB there, and some 3 MB for ten namespaces.

use certificate_management::report::changes::Changes;
use certificate_management::report::snapshot::Snapshot;
use state::{ErrorKind, Store};
use time::macros::format_description;
use time::{Duration, OffsetDateTime, UtcOffset};

/// Where they are.
pub const HISTORY: &str = "history";
/// How long they are kept.
pub const KEPT_FOR: Duration = Duration::days(14);

/// The record of the hour of a time.
fn place(at: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]/[hour]");
    format!("{HISTORY}/{}", at.to_offset(UtcOffset::UTC).format(format).unwrap_or_default())
}

/// Keeps what a report comes to. Of several within an hour the last stays.
///
/// # Errors
/// When the record cannot be written.
pub async fn write(store: &Store, snapshot: &Snapshot) -> Result<(), state::Error> {
    store.put(&place(snapshot.generated_at), snapshot).await.map(drop)
}

/// What changed from the last report that was made at `since` or before to the newest one. Where the records do not go back as far,
/// the oldest is compared. `None`: no report is kept yet.
///
/// # Errors
/// When the records cannot be read.
pub async fn changes(store: &Store, since: OffsetDateTime) -> Result<Option<Changes>, state::Error> {
    let keys = store.list(HISTORY).await?.keys;
    let Some(newest) = newest(store, &keys).await? else { return Ok(None) };
    let mut oldest = None;
    for key in candidates(&keys, since) {
        let Some(snapshot) = read(store, key).await? else { continue };
        if snapshot.generated_at <= since {
            return Ok(Some(Changes::between(&snapshot, &newest)));
        }
        oldest = Some(snapshot);
    }
    Ok(Some(Changes::between(oldest.as_ref().unwrap_or(&newest), &newest)))
}

/// The keys to try, in this order: those of the hour of `since` and before it, the last first; and where there are none, the oldest.
fn candidates(keys: &[String], since: OffsetDateTime) -> Vec<&String> {
    let last = place(since);
    let mut earlier: Vec<&String> = keys.iter().filter(|key| **key <= last).collect();
    earlier.sort_unstable_by(|a, b| b.cmp(a));
    if earlier.is_empty() { keys.iter().min().into_iter().collect() } else { earlier }
}

/// The last one that can be read.
async fn newest(store: &Store, keys: &[String]) -> Result<Option<Snapshot>, state::Error> {
    let mut keys: Vec<&String> = keys.iter().collect();
    keys.sort_unstable_by(|a, b| b.cmp(a));
    for key in keys {
        if let Some(snapshot) = read(store, key).await? {
            return Ok(Some(snapshot));
        }
    }
    Ok(None)
}

/// One of them; `None` where it is gone meanwhile, or another version wrote it.
async fn read(store: &Store, key: &str) -> Result<Option<Snapshot>, state::Error> {
    match store.get::<Snapshot>(key).await {
        Ok(stored) => Ok(stored.map(|stored| stored.value).filter(Snapshot::is_understood)),
        Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::TooLarge) => {
            tracing::warn!("the record {key} counts as none: {error}");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-30 14:05 UTC);

    async fn kept(hours_ago: &[i64]) -> Store {
        let store = Store::memory();
        for hours in hours_ago {
            let snapshot = Snapshot::of(NOW - Duration::hours(*hours), &[], Vec::new());
            write(&store, &snapshot).await.unwrap();
        }
        store
    }

    async fn compared(store: &Store, since: OffsetDateTime) -> (i64, i64) {
        let changes = changes(store, since).await.unwrap().unwrap();
        ((NOW - changes.from).whole_hours(), (NOW - changes.to).whole_hours())
    }

    #[tokio::test]
    async fn the_last_report_before_that_time_is_compared_with_the_newest() {
        let store = kept(&[0, 1, 2, 24, 30]).await;
        for (since, hours) in [
            (NOW, 0),
            (NOW - Duration::MINUTE, 1),
            (NOW - Duration::hours(1), 1),
            (NOW - Duration::hours(20), 24),
            // In its hour, and before it was made.
            (NOW - Duration::hours(24) - Duration::MINUTE, 30),
            // As far as the records go.
            (NOW - Duration::days(99), 30),
        ] {
            assert_eq!(compared(&store, since).await, (hours, 0), "{since}");
        }
        assert_eq!(
            compared(&store, NOW.to_offset(time::macros::offset!(+5)) - Duration::hours(2)).await,
            (2, 0)
        );
    }

    #[tokio::test]
    async fn the_only_report_has_no_changes_and_without_one_there_are_none_to_tell() {
        assert!(changes(&Store::memory(), NOW).await.unwrap().is_none());
        let store = kept(&[3]).await;
        assert_eq!(compared(&store, NOW - Duration::days(1)).await, (3, 3));
    }

    #[tokio::test]
    async fn what_cannot_be_understood_is_passed_over() {
        let store = kept(&[0, 5]).await;
        store.put(&place(NOW - Duration::hours(2)), &"swordfish").await.unwrap();
        let other = Snapshot { schema: "report-snapshot/v9".into(), ..Snapshot::of(NOW, &[], Vec::new()) };
        store.put(&place(NOW - Duration::hours(1)), &other).await.unwrap();
        assert_eq!(compared(&store, NOW - Duration::hours(1)).await, (5, 0));
    }
}
