use time::Duration;
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-23 05:00 UTC);

fn entry() -> PlannedAssignment {
    PlannedAssignment {
        namespace_id: ArmId::parse(
            "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso",
        )
        .unwrap(),
        provisioning_service: "Contoso-DPS".to_owned(),
        enrollment_group: "line:7".to_owned(),
        before: None,
        after: Some("short".to_owned()),
        etag: Some("\"1\"".to_owned()),
        rule: "rule `lines`".to_owned(),
        reason: Reason::Assigned,
        detail: String::new(),
        conditions: Vec::new(),
        policy_ca_not_after: None,
        untrusting_hubs: Vec::new(),
    }
}

fn journal<'a>(store: &'a Store, run: &str) -> Journal<'a> {
    Journal {
        store,
        run: run.to_owned(),
        woken_by: "reconcile-assignments".to_owned(),
        trace_id: "t".to_owned(),
    }
}

async fn refusal(store: &Store) -> RefusalRecord {
    let keys = store.list(REFUSALS).await.unwrap().keys;
    assert_eq!(keys, ["refusals/contoso-dps/line=3A7"]);
    store.get::<RefusalRecord>(&keys[0]).await.unwrap().unwrap().value
}

#[tokio::test]
async fn the_same_refusal_again_is_the_same_record_and_another_one_is_put_before_it() {
    let store = Store::memory();
    let refuse = async |run: &str, reason, detail: &str| {
        let later = NOW + Duration::hours(1);
        journal(&store, run).refused(&entry(), reason, detail, later).await.unwrap();
        refusal(&store).await.last.run
    };
    assert_eq!(refuse("r1", Reason::WaitingForTrust, "h2").await, "r1");
    assert_eq!(refuse("r2", Reason::WaitingForTrust, "h2").await, "r1");
    assert_eq!(refuse("r3", Reason::WaitingForTrust, "h1").await, "r3");
    assert_eq!(refuse("r4", Reason::PolicyNotFound, "h1").await, "r4");
    let earlier = refusal(&store).await.earlier;
    assert_eq!(earlier.iter().map(|one| one.run.as_str()).collect::<Vec<_>>(), ["r3", "r1"]);
    for run in 0..2 * EARLIER_REFUSALS {
        refuse("r", Reason::PolicyNotFound, &run.to_string()).await;
    }
    assert_eq!(refusal(&store).await.earlier.len(), EARLIER_REFUSALS, "it does not grow for ever");
}

#[tokio::test]
async fn a_write_is_recorded_before_and_after_and_closes_the_refusal() {
    let store = Store::memory();
    let journal_of_first = journal(&store, "r1");
    journal_of_first.refused(&entry(), Reason::WaitingForTrust, "h2", NOW).await.unwrap();
    let second = journal(&store, "r2");
    let record = second.planned(&entry(), Attribution::default(), NOW).await.unwrap();
    let found = of_run(&store, "r2").await.unwrap();
    assert_eq!((found.len(), found[0].stage, found[0].etag.clone()), (1, Stage::Planned, None));
    second.written(record, Some("\"2\"".to_owned())).await.unwrap();
    let found = of_run(&store, "r2").await.unwrap();
    assert_eq!((found[0].stage, found[0].etag.as_deref()), (Stage::Written, Some("\"2\"")));
    assert_eq!(refusal(&store).await.last.settled_by.as_deref(), Some("r2"));
    // A group that begins to wait once more is news, even in the same words.
    journal(&store, "r3").refused(&entry(), Reason::WaitingForTrust, "h2", NOW).await.unwrap();
    assert_eq!(refusal(&store).await.last.run, "r3");
    assert_eq!(of_run(&store, "r9").await.unwrap(), []);
}

#[tokio::test]
async fn recent_writes_are_told_by_the_id_of_their_run() {
    let store = Store::memory();
    let run_at = |at: OffsetDateTime| {
        let milliseconds = u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap();
        Ulid::from_parts(milliseconds, 7).to_string()
    };
    for (run, group) in
        [(run_at(NOW - Duration::days(9)), "old"), (run_at(NOW), "new:er"), ("r".into(), "odd")]
    {
        let entry = PlannedAssignment { enrollment_group: group.to_owned(), ..entry() };
        journal(&store, &run).planned(&entry, Attribution::default(), NOW).await.unwrap();
    }
    let recent = since(&store, NOW - Duration::days(7)).await.unwrap();
    assert_eq!(recent.len(), 1);
    assert!(recent[0].is_of("contoso-dps", "NEW:ER") && !recent[0].is_of("contoso-dps", "old"));
    assert_eq!(recent[0].read(&store).await.unwrap().unwrap().enrollment_group, "new:er");
}
