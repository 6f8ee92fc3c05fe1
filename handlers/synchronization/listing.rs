//! The requests that changed last, page by page.

use std::cmp::Reverse;

use certificate_management::request::RequestRecord;
use futures::stream::{self, StreamExt};
use state::Store;

use super::records::{REQUESTS, unless_broken};

/// How many requests a page has.
pub const ON_PAGE: usize = 50;
/// How many pages there are at the most. Older requests are found by their ids.
pub const PAGES: usize = 20;
/// How many records are read at once.
const AT_ONCE: usize = 16;

/// A page of requests.
#[derive(Debug)]
pub struct Page {
    /// Its number, from 1.
    pub number: usize,
    /// How many pages there are, at least 1.
    pub of: usize,
    /// The requests, the one that changed last first.
    pub records: Vec<RequestRecord>,
    /// How many records of this page are broken; the log names them.
    pub broken: usize,
    /// Whether there are more requests than [`PAGES`] pages have.
    pub is_cut: bool,
}

/// Reads a page; `None` when there is none of this number. The first one is always there.
///
/// A request that changes between two reads moves to the first page, and those before its old place move down by one.
///
/// # Errors
/// When the records cannot be read.
pub async fn page(store: &Store, number: usize) -> Result<Option<Page>, state::Error> {
    const MOST: usize = ON_PAGE * PAGES;
    let mut keys = store.newest(REQUESTS, MOST + 1).await?;
    let is_cut = keys.len() > MOST;
    keys.truncate(MOST);
    let of = keys.len().div_ceil(ON_PAGE).max(1);
    if !(1..=of).contains(&number) {
        return Ok(None);
    }
    let keys: Vec<String> = keys.into_iter().skip((number - 1) * ON_PAGE).take(ON_PAGE).collect();
    let reads: Vec<_> =
        keys.iter().map(|key| async move { (key, store.get::<RequestRecord>(key).await) }).collect();
    let mut reads = stream::iter(reads).buffered(AT_ONCE);
    let mut page = Page { number, of, records: Vec::new(), broken: 0, is_cut };
    while let Some((key, read)) = reads.next().await {
        let is_there = !matches!(read, Ok(None));
        match unless_broken(key, read)? {
            Some(stored) => page.records.push(stored.value),
            // One that was removed since it was listed is not broken.
            None => page.broken += usize::from(is_there),
        }
    }
    // The store tells the time of a write to the second alone.
    page.records.sort_by_key(|record| Reverse(record.updated_at));
    Ok(Some(page))
}

#[cfg(test)]
mod tests {
    use certificate_management::request::SyncRequest;
    use time::{Duration, OffsetDateTime};

    use super::*;

    async fn put(store: &Store, number: usize) {
        let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/n";
        let request =
            SyncRequest::from_submission(&format!(r#"{{"namespaceId":"{id}"}}"#), &format!("r-{number}"))
                .unwrap();
        let at = OffsetDateTime::UNIX_EPOCH + Duration::seconds(i64::try_from(number).unwrap());
        store.put(&format!("{REQUESTS}/r-{number}"), &RequestRecord::queued(request, at)).await.unwrap();
    }

    #[tokio::test]
    async fn every_request_is_on_one_page_and_there_are_so_many_pages() {
        for count in [0, 1, ON_PAGE, ON_PAGE + 1, ON_PAGE * 2 + 3] {
            let store = Store::memory();
            for number in 0..count {
                put(&store, number).await;
            }
            let first = page(&store, 1).await.unwrap().unwrap();
            assert_eq!((first.of, first.is_cut), (count.div_ceil(ON_PAGE).max(1), false), "{count}");
            let mut ids = Vec::new();
            for number in 1..=first.of {
                let page = page(&store, number).await.unwrap().unwrap();
                assert!(page.records.len() <= ON_PAGE && page.number == number && page.of == first.of);
                assert!(page.records.is_sorted_by_key(|record| Reverse(record.updated_at)));
                ids.extend(page.records.into_iter().map(|record| record.request.request_id));
            }
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), count);
            for number in [0, first.of + 1, usize::MAX] {
                assert!(page(&store, number).await.unwrap().is_none(), "{number}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_older_than_the_last_page_is_said_to_be_cut() {
        let store = Store::memory();
        for number in 0..=ON_PAGE * PAGES {
            put(&store, number).await;
        }
        let first = page(&store, 1).await.unwrap().unwrap();
        assert_eq!((first.of, first.is_cut), (PAGES, true));
        assert!(page(&store, PAGES + 1).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_broken_record_is_counted_and_hides_no_other() {
        let store = Store::memory();
        put(&store, 1).await;
        store.put(&format!("{REQUESTS}/broken"), &"no request").await.unwrap();
        put(&store, 2).await;
        let page = page(&store, 1).await.unwrap().unwrap();
        let ids: Vec<_> = page.records.iter().map(|record| record.request.request_id.as_str()).collect();
        assert_eq!((ids, page.broken), (vec!["r-2", "r-1"], 1));
    }
}
