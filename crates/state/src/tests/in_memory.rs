//! The contract in memory.

use ambient::Randomness;
use futures::FutureExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use tokio::time::Instant;

use super::contract::keeps_the_contract;
use crate::{Change, Store, WriteError};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_in_memory_keeps_the_contract() {
    keeps_the_contract(&Store::memory()).await;
}

#[tokio::test]
async fn clones_share_the_records_and_stores_do_not() {
    let store = Store::memory();
    store.clone().put("a", &1).await.expect("put");
    assert_eq!(store.get::<u32>("a").await.expect("answers").expect("there").value, 1);
    assert_eq!(Store::memory().get::<u32>("a").await.expect("answers"), None);
}

#[tokio::test(start_paused = true)]
async fn who_loses_every_race_is_told_so_after_a_bounded_number_of_tries() {
    let store = Store::memory();
    store.put("a", &0).await.expect("put");
    let mut decisions = 0;
    let racing = store.clone();
    let changed = store.modify("a", |stored: Option<u32>| {
        decisions += 1;
        // Another writer writes between every read and the write that follows it.
        let foreign = stored.unwrap_or_default() + 1;
        racing.put("a", &foreign).now_or_never().expect("memory answers at once").expect("put");
        Change::Write(100)
    });
    assert!(matches!(changed.await, Err(WriteError::Conflict)));
    assert_eq!(decisions, 8);
    assert_eq!(store.get::<u32>("a").await.expect("answers").expect("there").value, 8);
}

#[tokio::test(start_paused = true)]
async fn the_ids_of_writes_and_the_pauses_after_lost_races_are_those_of_the_seed() {
    let written = async |seed| {
        let store = Store::memory().drawing_from(Randomness::of_seed(seed));
        let begun = Instant::now();
        store.put("a", &0).await.expect("put");
        let racing = store.clone();
        let changed = store.modify("a", |_: Option<u32>| {
            racing.put("a", &1).now_or_never().expect("memory answers at once").expect("put");
            Change::Write(100)
        });
        assert!(matches!(changed.await, Err(WriteError::Conflict)));
        let record = store.backend().get(&Path::from("a")).await.expect("there").bytes().await.expect("read");
        (begun.elapsed(), record)
    };
    let (one, same, other) = (written(7).await, written(7).await, written(8).await);
    assert_eq!(one, same);
    assert!(one.0 != other.0 && one.1 != other.1, "{one:?} and {other:?}");
}
