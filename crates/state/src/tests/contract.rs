//! The rules that every backend must keep, over a [`Store`]. Each rule works under a prefix of its own, so that all can
//! run on one container.

use futures::future::join_all;
use object_store::{ObjectStoreExt, PutPayload};
use serde::{Deserialize, Serialize};

use super::lost_answers::losing_answers;
use crate::key;
use crate::record::SIZE_LIMIT;
use crate::{Change, ErrorKind, Modified, Purged, Store, Stored, WriteError};
use time::{Duration, OffsetDateTime};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Counter {
    count: u32,
}

/// Runs every rule. It prints the name of each rule first, so that a failure shows which one it was.
pub(super) async fn keeps_the_contract(store: &Store) {
    macro_rules! rules {
        ($($rule:ident),+ $(,)?) => {$(
            println!("rule: {}", stringify!($rule));
            $rule(store, stringify!($rule)).await;
        )+};
    }
    rules!(
        reading_and_listing_before_anything_was_written_find_nothing,
        a_created_record_is_read_back_with_its_version,
        creating_a_record_that_exists_is_a_conflict,
        of_many_concurrent_creators_one_wins,
        an_update_needs_the_newest_version,
        updating_a_record_that_is_gone_is_a_conflict,
        putting_replaces_whatever_is_there_and_outdates_its_version,
        deleting_a_record_that_is_not_there_is_fine,
        keys_of_any_text_are_found_again_as_they_were,
        a_listing_stays_within_its_prefix_and_says_when_it_is_cut,
        every_increment_of_sixteen_concurrent_writers_counts,
        keeping_a_record_writes_nothing,
        a_write_that_met_its_own_lost_answer_succeeded,
        a_write_that_lost_its_answer_and_then_the_race_is_a_conflict,
        what_is_not_a_record_is_corrupt_and_stays,
        a_record_over_the_limit_is_refused_both_ways,
        only_what_is_old_is_purged_and_only_so_much_of_it,
        what_may_not_go_stays_whatever_its_age,
    );
}

fn counter(count: u32) -> Counter {
    Counter { count }
}

async fn read(store: &Store, key: &str) -> Option<Stored<Counter>> {
    store.get(key).await.expect("the store answers")
}

fn is_conflict<T>(result: &Result<T, WriteError>) -> bool {
    matches!(result, Err(WriteError::Conflict))
}

async fn reading_and_listing_before_anything_was_written_find_nothing(store: &Store, place: &str) {
    assert_eq!(read(store, &format!("{place}/a")).await, None);
    assert!(store.list(place).await.expect("lists").keys.is_empty());
    store.delete(&format!("{place}/a")).await.expect("nothing to delete");
}

async fn a_created_record_is_read_back_with_its_version(store: &Store, place: &str) {
    let key = format!("{place}/a");
    let version = store.create(&key, &counter(1)).await.expect("created");
    assert_eq!(read(store, &key).await, Some(Stored { value: counter(1), version }));
}

async fn creating_a_record_that_exists_is_a_conflict(store: &Store, place: &str) {
    let key = format!("{place}/a");
    store.create(&key, &counter(1)).await.expect("created");
    assert!(is_conflict(&store.create(&key, &counter(2)).await));
    assert_eq!(read(store, &key).await.expect("there").value, counter(1));
}

async fn of_many_concurrent_creators_one_wins(store: &Store, place: &str) {
    let key = format!("{place}/a");
    let values: Vec<Counter> = (0..16).map(counter).collect();
    let results = join_all(values.iter().map(|value| store.create(&key, value))).await;
    let winners: Vec<usize> = (0..16).filter(|&writer| results[writer].is_ok()).collect();
    assert!(results.iter().all(|result| result.is_ok() || is_conflict(result)), "{results:?}");
    assert_eq!(winners.len(), 1, "{results:?}");
    assert_eq!(read(store, &key).await.expect("there").value, values[winners[0]]);
}

async fn an_update_needs_the_newest_version(store: &Store, place: &str) {
    let key = format!("{place}/a");
    let first = store.create(&key, &counter(1)).await.expect("created");
    let second = store.update(&key, &counter(2), &first).await.expect("updated");
    assert_ne!(first, second);
    assert!(is_conflict(&store.update(&key, &counter(3), &first).await));
    assert_eq!(read(store, &key).await, Some(Stored { value: counter(2), version: second }));
}

async fn updating_a_record_that_is_gone_is_a_conflict(store: &Store, place: &str) {
    let key = format!("{place}/a");
    let version = store.create(&key, &counter(1)).await.expect("created");
    store.delete(&key).await.expect("deleted");
    assert!(is_conflict(&store.update(&key, &counter(2), &version).await));
    assert_eq!(read(store, &key).await, None);
}

async fn putting_replaces_whatever_is_there_and_outdates_its_version(store: &Store, place: &str) {
    let key = format!("{place}/a");
    let first = store.put(&key, &counter(1)).await.expect("put");
    store.put(&key, &counter(2)).await.expect("put again");
    assert!(is_conflict(&store.update(&key, &counter(3), &first).await));
    assert_eq!(read(store, &key).await.expect("there").value, counter(2));
}

async fn deleting_a_record_that_is_not_there_is_fine(store: &Store, place: &str) {
    let key = format!("{place}/a");
    store.create(&key, &counter(1)).await.expect("created");
    store.delete(&key).await.expect("deleted");
    store.delete(&key).await.expect("deleted again");
    assert_eq!(read(store, &key).await, None);
    store.create(&key, &counter(2)).await.expect("its key is free again");
}

async fn keys_of_any_text_are_found_again_as_they_were(store: &Store, place: &str) {
    let texts = ["/subscriptions/S/resourceGroups/R", "100%", "a b", "..", "ü~*?#&+", "", "A", "a", "x.y=z"];
    let mut keys: Vec<String> = texts.iter().map(|text| format!("{place}/{}", key::segment(text))).collect();
    for (count, key) in (0..).zip(&keys) {
        store.create(key, &counter(count)).await.expect("created");
    }
    for (count, key) in (0..).zip(&keys) {
        assert_eq!(read(store, key).await.expect("there").value, counter(count), "{key}");
    }
    keys.sort_unstable();
    assert_eq!(store.list(place).await.expect("lists").keys, keys);
    for key in &keys {
        store.delete(key).await.expect("deleted");
    }
    assert!(store.list(place).await.expect("lists").keys.is_empty());
}

async fn a_listing_stays_within_its_prefix_and_says_when_it_is_cut(store: &Store, place: &str) {
    let keys: Vec<String> = ["in/a", "in/b/c", "in/d"].iter().map(|key| format!("{place}/{key}")).collect();
    for key in &keys {
        store.put(key, &counter(0)).await.expect("put");
    }
    store.put(&format!("{place}/inside"), &counter(0)).await.expect("put");
    let prefix = format!("{place}/in");
    let whole = store.list(&prefix).await.expect("lists");
    assert_eq!((whole.keys, whole.cut), (keys, false));
    let three = store.list_at_most(&prefix, 3).await.expect("lists");
    assert_eq!((three.keys.len(), three.cut), (3, false));
    let two = store.list_at_most(&prefix, 2).await.expect("lists");
    assert_eq!((two.keys.len(), two.cut), (2, true));
}

async fn every_increment_of_sixteen_concurrent_writers_counts(store: &Store, place: &str) {
    let key = format!("{place}/a");
    let writers = (0..16).map(|_| {
        let (store, key) = (store.clone(), key.clone());
        tokio::spawn(async move {
            let add = |stored: Option<Counter>| Change::Write(counter(stored.map_or(1, |c| c.count + 1)));
            store.modify(&key, add).await
        })
    });
    for written in join_all(writers).await {
        let written = written.expect("no panic").expect("settled");
        assert!(matches!(written, Modified::Written(_)));
    }
    assert_eq!(read(store, &key).await.expect("there").value, counter(16));
}

async fn keeping_a_record_writes_nothing(store: &Store, place: &str) {
    let key = format!("{place}/a");
    let keep = |_: Option<Counter>| Change::Keep;
    assert_eq!(store.modify(&key, keep).await.expect("settled"), Modified::Kept);
    assert_eq!(read(store, &key).await, None);
    let version = store.create(&key, &counter(1)).await.expect("created");
    assert_eq!(store.modify(&key, keep).await.expect("settled"), Modified::Kept);
    assert_eq!(read(store, &key).await.expect("there").version, version);
}

async fn a_write_that_met_its_own_lost_answer_succeeded(store: &Store, place: &str) {
    let key = format!("{place}/a");
    let lossy = losing_answers(store, || None);
    let created = lossy.create(&key, &counter(1)).await.expect("our own create");
    assert_eq!(read(store, &key).await, Some(Stored { value: counter(1), version: created.clone() }));
    let updated = lossy.update(&key, &counter(2), &created).await.expect("our own update");
    assert_eq!(read(store, &key).await, Some(Stored { value: counter(2), version: updated }));
    let add = |stored: Option<Counter>| Change::Write(counter(stored.map_or(0, |c| c.count) + 10));
    lossy.modify(&key, add).await.expect("our own change");
    assert_eq!(read(store, &key).await.expect("there").value, counter(12), "the change was made once");
}

async fn a_write_that_lost_its_answer_and_then_the_race_is_a_conflict(store: &Store, place: &str) {
    let key = format!("{place}/a");
    let foreign = PutPayload::from_static(br#"{"writeId":"another-writer","value":{"count":7}}"#);
    let lossy = losing_answers(store, move || Some(foreign.clone()));
    assert!(is_conflict(&lossy.create(&key, &counter(1)).await));
    assert_eq!(read(store, &key).await.expect("there").value, counter(7));
}

async fn what_is_not_a_record_is_corrupt_and_stays(store: &Store, place: &str) {
    let key = format!("{place}/a");
    let path = key::checked(&key).expect("a key");
    store.backend().put(&path, PutPayload::from_static(b"not ours")).await.expect("stored");
    let error = store.get::<Counter>(&key).await.expect_err("not a record");
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(is_conflict(&store.create(&key, &counter(1)).await));
    let error =
        store.modify(&key, |_: Option<Counter>| Change::Write(counter(1))).await.expect_err("not a record");
    assert!(matches!(error, WriteError::Failed(_)), "{error}");
}

async fn a_record_over_the_limit_is_refused_both_ways(store: &Store, place: &str) {
    let key = format!("{place}/a");
    let error = store.put(&key, &"x".repeat(SIZE_LIMIT)).await.expect_err("too large to write");
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    assert_eq!(store.get::<String>(&key).await.expect("answers"), None);
    let path = key::checked(&key).expect("a key");
    store.backend().put(&path, PutPayload::from(vec![b' '; SIZE_LIMIT + 1])).await.expect("stored");
    let error = store.get::<String>(&key).await.expect_err("too large to read");
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
}

async fn what_may_not_go_stays_whatever_its_age(store: &Store, place: &str) {
    for number in 0..3u32 {
        store.put(&format!("{place}/{number}"), &number).await.expect("puts");
    }
    let future = OffsetDateTime::now_utc() + Duration::hours(1);
    let (purged, stays) =
        store.purge_where::<u32>(place, future, 10, |number| number % 2 == 0).await.expect("purges");
    assert_eq!((purged, stays), (Purged { removed: 2, is_cut: false }, vec![1]));
    assert!(store.get::<u32>(&format!("{place}/1")).await.expect("reads").is_some());
    store.put(&format!("{place}/2"), &"no number").await.expect("puts");
    let (purged, stays) = store.purge_where::<u32>(place, future, 10, |_| true).await.expect("purges");
    assert_eq!((purged.removed, stays), (1, vec![]), "what cannot be read stays");
}

async fn only_what_is_old_is_purged_and_only_so_much_of_it(store: &Store, place: &str) {
    for name in ["a", "b", "c"] {
        store.put(&format!("{place}/{name}"), &counter(1)).await.expect("put");
    }
    store.put("only_what_is_old_but_elsewhere", &counter(1)).await.expect("put");
    let (past, future) =
        (OffsetDateTime::now_utc() - Duration::hours(1), OffsetDateTime::now_utc() + Duration::hours(1));
    let purged = store.purge(place, past, 10).await.expect("purges");
    assert_eq!(purged, Purged { removed: 0, is_cut: false }, "what is new stays");
    let purged = store.purge(place, future, 2).await.expect("purges");
    assert_eq!(purged, Purged { removed: 2, is_cut: true });
    let purged = store.purge(place, future, 2).await.expect("purges");
    assert_eq!(purged, Purged { removed: 1, is_cut: false });
    assert!(store.list(place).await.expect("lists").keys.is_empty());
    assert!(read(store, "only_what_is_old_but_elsewhere").await.is_some(), "another prefix is left alone");
}
