//! Assignment by hand, as a person does it against a world in other processes, and by the functions when the DPS does
//! something wrong: each command does what it printed, and the same command again does nothing.

use reqwest::Method;
use serde_json::{Value, json};

use crate::operator::{
    ATTESTATION, DPS, GROUP, code, document, leave_out, policy_of, policysync, record, row, run, told,
    writes_of,
};
use crate::world::World;

/// Records that end with the command, as where no storage account is set.
const MEMORY: (&str, &str) = ("POLICYSYNC_STATE", "memory");

fn file(world: &World, name: &str) -> String {
    world.local.folder.path().join(name).to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_saved_plan_is_performed_exactly_and_again_does_nothing() {
    let world = World::default().await;
    let saved = file(&world, "plan.json");
    let (plan, exit) = run(&world, &["plan", "--out", &saved]).await;
    assert_eq!((exit, &plan["schema"]), (0, &json!("policysync-plan/v1")), "{plan}");
    let planned = row(&plan, "assignments", GROUP);
    assert_eq!((&planned["before"], &planned["after"]), (&Value::Null, &json!("default")));
    assert!(planned["etag"].is_string() && planned["policyCaNotAfter"].is_string(), "{planned}");
    assert_eq!(world.writes().await, Vec::<String>::new(), "a plan writes nothing");

    let apply = ["apply", &saved, "--even-in-audit"];
    let without = [&apply[..], &["--without-records", "--output", "json"]].concat();
    let applied = policysync(&world, &without, &[MEMORY]).await;
    let outcome = document(&applied);
    assert_eq!(code(&applied), 0, "{outcome}");
    assert_eq!(row(&outcome, "groups", GROUP)["outcome"], "written");
    assert_eq!(outcome["recordsKept"], false);
    assert_eq!(policy_of(&world, DPS, GROUP).await.as_deref(), Some("default"));
    let writes = world.writes().await;
    assert_eq!(writes.len(), plan["assignments"].as_array().unwrap().len(), "{writes:?}");

    let (again, exit) = run(&world, &apply).await;
    assert_eq!((exit, &row(&again, "groups", GROUP)["outcome"]), (0, &json!("already-assigned")));
    let (plan, _) = run(&world, &["plan"]).await;
    assert_eq!(plan["assignments"], json!([]), "a plan after apply is empty");
    assert_eq!(world.writes().await, writes);
    world.stop().await;
}

#[tokio::test]
async fn the_kill_switch_stops_every_command_that_writes_and_says_what_to_do() {
    let world = World::default().await;
    let (saved, group) = (file(&world, "plan.json"), file(&world, "group.json"));
    run(&world, &["plan", "--out", &saved]).await;
    let text =
        json!({"enrollmentGroupId": "line-9", "attestation": {"type": "symmetricKey", "symmetricKey": {}}});
    std::fs::write(&group, text.to_string()).unwrap();
    let create = ["group", "create", "--file", &group, "--dps", DPS];
    for command in [
        &["apply", &saved][..],
        &["apply", &saved, "--even-in-audit"],
        &["assign", "--from", "line-1", "--to", GROUP, "--apply"],
        &["assign", "--from", "line-1", "--to", GROUP, "--apply", "--even-in-audit"],
        &[&create[..], &["--apply"]].concat(),
        &[&create[..], &["--apply", "--even-in-audit"]].concat(),
    ] {
        let output = policysync(&world, command, &[("POLICYSYNC_MODE", "audit")]).await;
        assert_eq!(code(&output), 1, "{command:?}: {}", told(&output));
        assert!(told(&output).contains("POLICYSYNC_MODE=audit"), "{command:?}: {}", told(&output));
        assert!(told(&output).contains("Unset it"), "{command:?}: {}", told(&output));
    }
    // Commands that only read go on.
    for command in [&["plan"][..], &["assign", "--from", "line-1", "--to", GROUP], &create] {
        let output = policysync(&world, command, &[("POLICYSYNC_MODE", "audit")]).await;
        assert_eq!(code(&output), 0, "{command:?}: {}", told(&output));
    }
    assert_eq!(world.writes().await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test]
async fn a_namespace_in_audit_mode_is_written_only_by_a_person_who_insists() {
    let world = World::default().await;
    let (service, id) = ("fabrikam-energy-dps", "meters-pilot");
    let saved = file(&world, "plan.json");
    let (plan, _) = run(&world, &["plan", "--out", &saved]).await;
    let options = |id: &str| {
        let conditions = row(&plan, "assignments", id)["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().map(|condition| condition["option"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((options(id), options(GROUP)), (vec![json!("even-in-audit")], vec![]), "{plan}");
    // Most rows need no option, so the command has none, and it is said which row does.
    let table = told(&policysync(&world, &["plan", "--out", &saved], &[]).await);
    let (_, next) = table.split_once("Perform it with").unwrap();
    assert!(next.contains("apply ") && !next.contains("plan.json --even-in-audit"), "{table}");
    assert!(next.contains("(fabrikam-energy): with --even-in-audit"), "{table}");
    let (outcome, exit) = run(&world, &["apply", &saved]).await;
    let refused = row(&outcome, "groups", id);
    assert_eq!(
        (exit, &refused["outcome"], &refused["reason"], &refused["inAudit"]),
        (1, &json!("refused"), &json!("audit-mode"), &json!(true)),
        "{outcome}"
    );
    assert!(refused["detail"].as_str().unwrap().contains("--even-in-audit"), "{refused}");
    let written = row(&outcome, "groups", GROUP);
    assert_eq!((&written["outcome"], &written["inAudit"]), (&json!("written"), &json!(false)));
    assert_eq!(policy_of(&world, service, id).await, None);
    let table = told(&policysync(&world, &["apply", &saved, "--even-in-audit"], &[]).await);
    assert!(table.contains("written (audit)"), "{table}");
    assert!(!table.contains("--even-in-audit"), "what is written is not to be performed any more: {table}");
    assert_eq!(policy_of(&world, service, id).await.as_deref(), Some("short-lived"));

    let path = file(&world, "group.json");
    let text =
        json!({"enrollmentGroupId": "meters-9", "attestation": {"type": "symmetricKey", "symmetricKey": {}}});
    std::fs::write(&path, text.to_string()).unwrap();
    let create = ["group", "create", "--file", &path, "--dps", service, "--apply"];
    let (refused, exit) = run(&world, &create).await;
    assert_eq!(
        (exit, &refused["outcome"], &refused["group"]["reason"]),
        (1, &json!("refused"), &json!("audit-mode")),
        "{refused}"
    );
    let (created, exit) = run(&world, &[&create[..], &["--even-in-audit"]].concat()).await;
    assert_eq!(
        (exit, &created["outcome"], &created["inAudit"]),
        (0, &json!("created"), &json!(true)),
        "{created}"
    );
    world.stop().await;
}

#[tokio::test]
async fn a_plan_is_refused_entry_by_entry_when_the_world_moved() {
    let world = World::default().await;
    let saved = file(&world, "plan.json");
    run(&world, &["plan", "--out", &saved]).await;
    // No function writes in this namespace, so only this command assigns it.
    let (service, id) = ("fabrikam-energy-dps", "meters-pilot");
    let (_, mut group) = world.group(service, id, Method::GET, None).await;
    group["initialTwin"]["tags"]["site"] = json!("moved");
    world.group(service, id, Method::PUT, Some(&group)).await;
    let (outcome, exit) = run(&world, &["apply", &saved]).await;
    let refused = row(&outcome, "groups", id);
    assert_eq!(
        (exit, &refused["outcome"], &refused["reason"]),
        (1, &json!("refused"), &json!("group-moved"))
    );
    assert_eq!(policy_of(&world, service, id).await, None);
    assert_eq!(row(&outcome, "groups", GROUP)["outcome"], "written", "the others are done");
    world.stop().await;
}

#[tokio::test]
async fn a_plan_is_refused_when_the_hubs_no_longer_trust() {
    let world = World::default().await;
    let saved = file(&world, "plan.json");
    run(&world, &["plan", "--out", &saved]).await;
    let namespace = world.namespace("fabrikam-energy").await["id"].as_str().unwrap().to_owned();
    world.rotate(&format!("{namespace}/credentials/default/policies/short-lived")).await;
    let (outcome, exit) = run(&world, &["apply", &saved]).await;
    let refused = row(&outcome, "groups", "meters-pilot");
    assert_eq!(
        (exit, &refused["outcome"], &refused["reason"]),
        (1, &json!("refused"), &json!("waiting-for-trust"))
    );
    assert!(refused["detail"].as_str().unwrap().contains("renewed since"), "{refused}");
    assert_eq!(policy_of(&world, "fabrikam-energy-dps", "meters-pilot").await, None);
    world.stop().await;
}

#[tokio::test]
async fn a_policy_is_copied_to_others_of_the_same_namespace_only() {
    let world = World::default().await;
    let arguments = ["assign", "--from", "line-1", "--to", "w*", "containers", "line-*"];
    let (plan, exit) = run(&world, &arguments).await;
    assert_eq!(exit, 0, "{plan}");
    let planned = row(&plan, "assignments", GROUP);
    assert_eq!((&planned["before"], &planned["after"]), (&Value::Null, &json!("short-lived")));
    assert_eq!(row(&plan, "leftAlone", "containers")["reason"], "policy-of-another-namespace");
    assert_eq!(plan["unchanged"], 2, "both lines have it: {plan}");
    assert_eq!(world.writes().await, Vec::<String>::new());

    let apply = [&arguments[..], &["--apply"]].concat();
    let (outcome, exit) = run(&world, &apply).await;
    assert_eq!((exit, &row(&outcome, "groups", GROUP)["outcome"]), (1, &json!("written")), "one is refused");
    assert_eq!(policy_of(&world, DPS, GROUP).await.as_deref(), Some("short-lived"));
    let writes = world.writes().await;
    assert_eq!(writes, [format!("PUT /dps/{DPS}/enrollmentGroups/{GROUP}")]);
    let (again, exit) = run(&world, &["assign", "--from", "line-1", "--to", "w*", "--apply"]).await;
    assert_eq!((exit, &again["groups"]), (0, &json!([])));
    assert_eq!(world.writes().await, writes);
    world.stop().await;
}

#[tokio::test]
async fn a_name_on_two_dps_is_an_error_that_lists_both_and_usage_is_64() {
    let world = World::with_fleet(|fleet| {
        let twin = fleet.namespaces[0].provisioning_services[0].enrollment_groups[0].clone();
        fleet.namespaces[1].provisioning_services[0].enrollment_groups.push(twin);
    })
    .await;
    let output = policysync(&world, &["assign", "--from", "line-1", "--to", "line-2"], &[]).await;
    assert_eq!(code(&output), 64, "{}", told(&output));
    for place in ["contoso-plants-dps/line-1", "contoso-logistics-dps/line-1"] {
        assert!(told(&output).contains(place), "{}", told(&output));
    }
    let named =
        policysync(&world, &["assign", "--from", "contoso-plants-dps/line-1", "--to", "line-2"], &[]).await;
    assert_eq!(code(&named), 0, "{}", told(&named));
    for arguments in
        [&["assign"][..], &["assign", "--from", "a"], &["assign", "--from", "a/b/c", "--to", "d"]]
    {
        assert_eq!(code(&policysync(&world, arguments, &[]).await), 64, "{arguments:?}");
    }
    for (environment, part) in [(&[MEMORY][..], "AzureWebJobsStorage"), (&[], "no record of an assignment")] {
        let revert = policysync(&world, &["assign", "--revert", "01J"], environment).await;
        assert_eq!(code(&revert), 1);
        assert!(told(&revert).contains(part), "{}", told(&revert));
    }
    world.stop().await;
}

#[tokio::test]
async fn a_group_is_created_with_its_policy_in_one_write_and_never_replaced() {
    let world = World::default().await;
    let path = file(&world, "group.json");
    let group = json!({"enrollmentGroupId": "line-9", "attestation": {"type": "symmetricKey", "symmetricKey": {}},
        "aMemberOfTomorrow": {"kept": 1}});
    std::fs::write(&path, group.to_string()).unwrap();
    let several = policysync(&world, &["group", "create", "--file", &path], &[]).await;
    assert_eq!(code(&several), 64, "{}", told(&several));
    let create = ["group", "create", "--file", &path, "--dps", DPS];
    let (plan, exit) = run(&world, &create).await;
    assert_eq!(
        (exit, &plan["outcome"], &plan["group"]["after"]),
        (0, &json!("planned"), &json!("short-lived"))
    );
    assert_eq!(world.writes().await, Vec::<String>::new());
    let apply = [&create[..], &["--apply"]].concat();
    let (created, exit) = run(&world, &apply).await;
    assert_eq!((exit, &created["outcome"]), (0, &json!("created")), "{created}");
    let (_, found) = world.group(DPS, "line-9", Method::GET, None).await;
    assert_eq!(found["credentialPolicyName"], "short-lived");
    assert_eq!(found["aMemberOfTomorrow"], json!({"kept": 1}));
    let writes = world.writes().await;
    assert_eq!(writes, [format!("POST /dps/{DPS}/enrollmentGroups")]);
    let (again, exit) = run(&world, &apply).await;
    assert_eq!((exit, &again["group"]["reason"]), (1, &json!("group-exists")), "{again}");
    assert_eq!(world.writes().await, writes);
    world.stop().await;
}

#[tokio::test]
async fn an_announced_group_is_looked_at_and_assigned() {
    let world = World::default().await;
    let topic = world.azure("/eventgrid/groups/api/events");
    let environment = [("EventGridTopic__topicEndpointUri", topic.as_str())];
    let announced = policysync(&world, &["announce", GROUP], &environment).await;
    assert_eq!(code(&announced), 0, "{}", told(&announced));
    world
        .until("the group has its policy", async || {
            policy_of(&world, DPS, GROUP).await.filter(|policy| policy == "default")
        })
        .await;
    let unset = policysync(&world, &["announce", GROUP], &[("EventGridTopic__topicEndpointUri", "")]).await;
    assert!(
        code(&unset) == 1 && told(&unset).contains("EventGridTopic__topicEndpointUri"),
        "{}",
        told(&unset)
    );
    world.stop().await;
}

/// Performs a plan with a fault on the write of its group; the row of the group, and how often it was sent.
async fn with_fault(world: &World, fault: Value) -> (Value, usize) {
    let saved = file(world, "plan.json");
    run(world, &["plan", "--out", &saved]).await;
    let mut fault = fault;
    fault["method"] = json!("PUT");
    fault["path"] = json!("/dps/*");
    let before = world.writes().await.len();
    let installed =
        world.client.put(world.azure("/simulator/faults")).json(&json!({"faults": [fault]})).send();
    assert!(installed.await.unwrap().status().is_success());
    let (outcome, _) = run(world, &["apply", &saved]).await;
    let cleared = world.client.delete(world.azure("/simulator/faults")).send().await.unwrap();
    assert!(cleared.status().is_success());
    (row(&outcome, "groups", GROUP).clone(), world.writes().await.len() - before)
}

#[tokio::test]
async fn what_a_dps_does_wrong_has_its_outcome_and_reason_and_the_next_try_succeeds() {
    let world = World::default().await;
    let code = |code: u32| json!({"status": code / 1_000, "body": {"errorCode": code, "message": "no"}});
    for (fault, outcome, reason) in [
        (code(400_004), "failed", "link-not-ready"),
        (code(403_000), "failed", "not-permitted"),
        (code(404_201), "refused", "group-gone"),
        (code(412_000), "refused", "group-moved"),
        (json!({"status": 429}), "failed", "service-unavailable"),
        (json!({"status": 429, "retryAfter": 60}), "failed", "service-unavailable"),
        (json!({"status": 500}), "failed", "service-unavailable"),
        (json!({"close": true}), "failed", "service-unavailable"),
    ] {
        let before = writes_of(&world, GROUP).await.len();
        let (row, _) = with_fault(&world, fault.clone()).await;
        assert_eq!((&row["outcome"], &row["reason"]), (&json!(outcome), &json!(reason)), "{fault}: {row}");
        assert_eq!(policy_of(&world, DPS, GROUP).await, None, "{fault}");
        // A write that was certainly not made leaves no record of one; 412, 500 and a connection that broke tell no such thing.
        let is_certain =
            fault["status"].as_u64().is_some_and(|status| (400..500).contains(&status) && status != 412);
        let kept = writes_of(&world, GROUP).await.len();
        assert_eq!(kept, before + usize::from(!is_certain), "{fault}");
        // The writer records a refusal for functions and people alike, and records no failure that passes by itself.
        if reason != "service-unavailable" {
            let kept = record(&world, &format!("refusals/{DPS}/{GROUP}")).await;
            assert_eq!(kept["reason"], reason, "{fault}: {kept}");
        }
    }
    let (row, _) = with_fault(&world, json!({"status": 429, "retryAfter": 1, "times": 1})).await;
    assert_eq!(row["outcome"], "written", "it is sent again after the pause: {row}");
    world.stop().await;
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_looked_up_and_not_sent_again() {
    let world = World::default().await;
    let (row, _) = with_fault(&world, json!({"close": true, "afterwards": true, "times": 1})).await;
    assert_eq!(row["outcome"], "written", "{row}");
    let puts = world.writes().await;
    let of_group = puts.iter().filter(|write| write.ends_with(GROUP)).count();
    assert_eq!(of_group, 1, "{puts:?}");
    world.stop().await;
}

#[tokio::test]
async fn a_function_that_meets_a_fault_names_the_reason_and_the_next_run_converges() {
    let world = World::with_process().await;
    for (fault, reason) in [
        (json!({"status": 403, "body": {"errorCode": 403_000, "message": "no"}}), "not-permitted"),
        (json!({"status": 400, "body": {"errorCode": 400_004, "message": "no"}}), "link-not-ready"),
        (json!({"status": 412}), "group-moved"),
        (json!({"status": 500}), "service-unavailable"),
        (json!({"close": true}), "service-unavailable"),
    ] {
        let mut fault = fault;
        fault["method"] = json!("PUT");
        fault["path"] = json!("/dps/*");
        let faults = json!({"faults": [fault]});
        let installed =
            world.client.put(world.azure("/simulator/faults")).json(&faults).send().await.unwrap();
        assert!(installed.status().is_success());
        let report = world.local.host.fire("reconcile-assignments", None).await.unwrap();
        assert!(!report.succeeded(), "{faults}");
        let names_it = |line: &str| line.contains(&report.invocation_id) && line.contains(reason);
        let what = format!("a line of this invocation says {reason}");
        world.until(&what, async || world.local.explanation().lines().any(names_it).then_some(())).await;
        assert_eq!(policy_of(&world, DPS, GROUP).await, None);
    }
    world.client.delete(world.azure("/simulator/faults")).send().await.unwrap();
    world.fire("reconcile-assignments").await;
    assert_eq!(policy_of(&world, DPS, GROUP).await.as_deref(), Some("default"));
    world.stop().await;
}

#[tokio::test]
async fn a_group_with_symmetric_keys_is_not_written_when_they_may_not_be_read() {
    let world = World::default().await;
    let (_, before) = world.group(DPS, GROUP, Method::GET, None).await;
    assert_eq!(before["attestation"]["type"], "symmetricKey");
    leave_out(&world, json!([]), json!([ATTESTATION])).await;
    let (outcome, exit) = run(&world, &["assign", "--from", "line-1", "--to", GROUP, "--apply"]).await;
    let refused = row(&outcome, "groups", GROUP);
    assert_eq!(
        (exit, &refused["outcome"], &refused["reason"]),
        (1, &json!("refused"), &json!("symmetric-keys-unreadable")),
        "{outcome}"
    );
    // The timer finds the groups that have no policy, and leaves them as they are.
    world.fire("reconcile-assignments").await;
    world.fire("reconcile-assignments").await;
    let (_, after) = world.group(DPS, GROUP, Method::GET, None).await;
    assert_eq!(before, after);
    let writes = world.writes().await;
    assert!(!writes.iter().any(|write| write.ends_with(GROUP)), "{writes:?}");
    // The journal has no planned write that was never done, and one refusal only, however often the write is tried.
    assert_eq!(writes_of(&world, GROUP).await, Vec::<String>::new());
    let kept = record(&world, &format!("refusals/{DPS}/{GROUP}")).await;
    assert_eq!(kept["reason"], "symmetric-keys-unreadable", "{kept}");

    leave_out(&world, json!([]), json!([])).await;
    let (outcome, exit) = run(&world, &["assign", "--from", "line-1", "--to", GROUP, "--apply"]).await;
    assert_eq!((exit, &row(&outcome, "groups", GROUP)["outcome"]), (0, &json!("written")), "{outcome}");
    world.stop().await;
}
