//! Taking a run's assignments back, over records that the commands share with the functions.

use certificate_management::reason::Reason;
use reqwest::Method;
use serde_json::{Value, json};

use crate::operator::{DPS, GROUP, policy_of, record, row, run, writes_of};
use crate::world::World;

/// The only run of which the records of this world hold a write of that group.
async fn run_of(world: &World, group: &str) -> String {
    let of_group = writes_of(world, group).await;
    let [key] = of_group.as_slice() else { panic!("not one record of {group}: {of_group:?}") };
    key.split('/').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn what_a_person_copied_is_taken_back_and_again_does_nothing() {
    let world = World::default().await;
    let copy = ["assign", "--from", "line-1", "--to", "w*", "containers", "--apply"];
    let (outcome, exit) = run(&world, &copy).await;
    assert_eq!((exit, &outcome["recordsKept"]), (1, &json!(true)), "one is of another namespace: {outcome}");
    let id = outcome["run"].as_str().unwrap();
    assert_eq!(policy_of(&world, DPS, GROUP).await.as_deref(), Some("short-lived"));

    let left = record(&world, "refusals/contoso-logistics-dps/containers").await;
    assert_eq!(
        (&left["reason"], &left["run"]),
        (&json!("policy-of-another-namespace"), &json!(id)),
        "{left}"
    );
    assert_eq!((&left["before"], &left["wanted"]), (&json!("default"), &json!("short-lived")), "{left}");

    let revert = ["assign", "--revert", id];
    let writes = world.writes().await;
    let (plan, exit) = run(&world, &revert).await;
    let planned = row(&plan, "assignments", GROUP);
    assert_eq!((exit, &planned["before"], &planned["after"]), (0, &json!("short-lived"), &Value::Null));
    let detail = planned["detail"].as_str().unwrap();
    assert!(detail.contains("the group is held then"), "the rules leave it alone: {detail}");
    assert_eq!(world.writes().await, writes, "a plan writes nothing");

    let apply = [&revert[..], &["--apply"]].concat();
    let (outcome, exit) = run(&world, &apply).await;
    assert_eq!((exit, &row(&outcome, "groups", GROUP)["outcome"]), (0, &json!("written")), "{outcome}");
    assert_eq!(policy_of(&world, DPS, GROUP).await, None);
    let writes = world.writes().await;
    let (again, exit) = run(&world, &apply).await;
    assert_eq!((exit, &again["groups"]), (0, &json!([])), "{again}");
    assert_eq!(world.writes().await, writes);
    world.stop().await;
}

#[tokio::test]
async fn an_assignment_of_a_function_is_taken_back_but_not_one_that_was_changed_since() {
    let world = World::default().await;
    world.fire("reconcile-assignments").await;
    assert_eq!(policy_of(&world, DPS, GROUP).await.as_deref(), Some("default"));
    let id = run_of(&world, GROUP).await;
    let kept = record(&world, &format!("assignments/{id}/{DPS}/{GROUP}")).await;
    assert_eq!(kept["stage"], "written");
    assert_eq!((&kept["before"], &kept["after"]), (&Value::Null, &json!("default")), "{kept}");
    assert!(kept["wokenBy"].as_str().unwrap().starts_with("reconcile-assignments, invocation "), "{kept}");
    assert_eq!(kept["traceId"].as_str().map(str::len), Some(32), "{kept}");
    for known in ["rule", "etagBefore", "etag", "traceId", "at", "run"] {
        assert!(kept[known].as_str().is_some_and(|text| !text.is_empty()), "{known}: {kept}");
    }

    let (_, mut group) = world.group(DPS, GROUP, Method::GET, None).await;
    group["initialTwin"]["tags"]["owner"] = json!("another-team");
    world.group(DPS, GROUP, Method::PUT, Some(&group)).await;
    let (plan, exit) = run(&world, &["assign", "--revert", &id]).await;
    let left = row(&plan, "leftAlone", GROUP);
    assert_eq!((exit, &left["reason"]), (0, &json!(Reason::GroupMoved)), "{plan}");
    let writes = world.writes().await;
    let (_, exit) = run(&world, &["assign", "--revert", &id, "--apply"]).await;
    assert_eq!(exit, 1, "one group is not taken back");
    assert_eq!(policy_of(&world, DPS, GROUP).await.as_deref(), Some("default"));
    assert_eq!(world.writes().await.len(), writes.len());
    world.stop().await;
}
