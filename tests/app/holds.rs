//! Groups that are not written for now, windows in which nothing is written, and what the records of writes say of their author.

use certificate_management::reason::Reason;
use policysync::commands::laptop::local_world::DEFAULT_CONFIGURATION;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::operator::{DPS, GROUP, code, policy_of, policysync, record, row, run, told, writes_of};
use crate::world::World;

/// The object id of the simulated identity.
const OBJECT_ID: &str = "555555555555-4444-3333-2222-11111111";

fn file(world: &World, name: &str) -> String {
    world.local.folder.path().join(name).to_str().unwrap().to_owned()
}

/// The configuration of the default fleet, of which the first namespace is frozen.
fn frozen() -> String {
    let freeze = "freeze = [{ from = 2020-01-01T00:00:00Z, to = 2100-01-01T00:00:00+01:00, reason = \"peak season\" }]\n";
    DEFAULT_CONFIGURATION.replacen("provisioning_services", &format!("{freeze}provisioning_services"), 1)
}

/// What a command prints, without the lines that it is broken into.
async fn squeezed(world: &World, arguments: &[&str]) -> String {
    let output = policysync(world, arguments, &[("COLUMNS", "400")]).await;
    told(&output).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The only run that wrote a group.
async fn run_of(world: &World, group: &str) -> String {
    let keys = writes_of(world, group).await;
    let [key] = keys.as_slice() else { panic!("not one record of {group}: {keys:?}") };
    key.split('/').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn a_revert_holds_its_groups_until_a_person_releases_them() {
    let world = World::default().await;
    let saved = file(&world, "plan.json");
    world.fire("reconcile-assignments").await;
    assert_eq!(policy_of(&world, DPS, GROUP).await.as_deref(), Some("default"));
    let id = run_of(&world, GROUP).await;
    let reason = ["--reason", "the rule was wrong"];
    let revert = [&["assign", "--revert", &id, "--apply"][..], &reason].concat();
    let (outcome, exit) = run(&world, &revert).await;
    assert_eq!((exit, &row(&outcome, "groups", GROUP)["outcome"]), (0, &json!("written")), "{outcome}");
    assert_eq!(policy_of(&world, DPS, GROUP).await, None);

    let writes = world.writes().await;
    for _ in 0..2 {
        world.fire("reconcile-assignments").await;
    }
    assert_eq!(policy_of(&world, DPS, GROUP).await, None, "the rules leave it alone");
    let refusal = record(&world, &format!("refusals/{DPS}/{GROUP}")).await;
    assert_eq!(refusal["reason"], json!(Reason::Held), "{refusal}");
    let (plan, _) = run(&world, &["plan", "--out", &saved]).await;
    assert_eq!(row(&plan, "leftAlone", GROUP)["reason"], json!(Reason::Held), "{plan}");
    let (copied, exit) =
        run(&world, &["assign", "--from", "contoso-plants-dps/line-1", "--to", GROUP, "--apply"]).await;
    assert_eq!((exit, &row(&copied, "leftAlone", GROUP)["reason"]), (1, &json!(Reason::Held)), "{copied}");
    assert_eq!(world.writes().await, writes, "nothing is written by any path");
    let (again, exit) = run(&world, &revert).await;
    assert_eq!((exit, &again["groups"]), (0, &json!([])), "the same revert again does nothing: {again}");

    let (held, exit) = run(&world, &["holds", "list"]).await;
    let hold = row(&held, "groups", GROUP);
    assert_eq!((exit, &hold["last"]["reverts"]), (0, &json!(id)), "{held}");
    assert_eq!(hold["last"]["attribution"]["reason"], json!("the rule was wrong"));
    let (explained, _) = run(&world, &["explain", GROUP]).await;
    assert!(explained["hold"].as_str().unwrap().contains("the rule was wrong"), "{explained}");
    assert_eq!(explained["plan"]["functionsWrite"], json!(false), "{explained}");
    let report = world.report().await;
    assert_eq!(row(&report, "held", GROUP)["namespace"], json!("contoso-plants"), "{report}");
    let findings = report["findings"].as_array().unwrap();
    let of_group = findings.iter().filter(|finding| finding["subject"]["enrollmentGroup"] == GROUP);
    let of_group: Vec<_> = of_group.map(|finding| (&finding["reason"], &finding["severity"])).collect();
    assert_eq!(of_group, [(&json!(Reason::Held), &json!("information"))], "{report}");
    let page =
        world.client.get(world.app("/api/policy-status")).header("Accept", "text/html").send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(
        page.contains("Held groups") && page.contains("Last writes") && page.contains(OBJECT_ID),
        "{page}"
    );

    let unreasoned = policysync(&world, &["holds", "release", GROUP], &[]).await;
    assert_eq!(code(&unreasoned), 64, "{}", told(&unreasoned));
    let release = ["holds", "release", GROUP, "--reason", "the rule is right now"];
    let (released, exit) = run(&world, &release).await;
    assert_eq!((exit, &released["outcome"]), (0, &json!("released")), "{released}");
    let kept = record(&world, &format!("holds/{DPS}/{GROUP}")).await;
    let end = &kept["last"]["released"];
    assert_eq!(end["attribution"]["reason"], json!("the rule is right now"), "{kept}");
    assert_eq!(end["attribution"]["caller"]["objectId"], json!(OBJECT_ID), "{kept}");
    let again = policysync(&world, &release, &[]).await;
    assert_eq!(code(&again), 1, "{}", told(&again));
    world.fire("reconcile-assignments").await;
    assert_eq!(policy_of(&world, DPS, GROUP).await.as_deref(), Some("default"));
    world.stop().await;
}

#[tokio::test]
async fn a_plan_from_before_a_hold_is_not_performed_and_what_cannot_be_read_is_not_written() {
    let world = World::default().await;
    let saved = file(&world, "plan.json");
    run(&world, &["plan", "--out", &saved]).await;
    let place = format!("{DPS}/{GROUP}");
    let (held, exit) = run(&world, &["holds", "put", &place, "--reason", "audit of the gates"]).await;
    assert_eq!((exit, &held["outcome"]), (0, &json!("held")), "{held}");
    let apply = ["apply", &saved];
    let (outcome, _) = run(&world, &apply).await;
    let refused = row(&outcome, "groups", GROUP);
    assert_eq!(
        (&refused["outcome"], &refused["reason"]),
        (&json!("refused"), &json!(Reason::Held)),
        "{outcome}"
    );
    let again = run(&world, &["holds", "put", &place, "--reason", "another"]).await.0;
    assert_eq!(again["outcome"], json!("already-held"), "{again}");
    run(&world, &["holds", "release", &place, "--reason", "done"]).await;

    let without =
        policysync(&world, &[&apply[..], &["--output", "json"]].concat(), &[("POLICYSYNC_STATE", "memory")])
            .await;
    assert!(told(&without).contains("--without-records"), "{}", told(&without));
    let faults = json!({"faults": [{"method": "GET", "path": "/storage/policysync/holds/*", "status": 403}]});
    let put = world.client.put(world.azure("/simulator/faults")).json(&faults).send().await.unwrap();
    assert!(put.status().is_success());
    let (outcome, _) = run(&world, &apply).await;
    let failed = row(&outcome, "groups", GROUP);
    assert_eq!(
        (&failed["outcome"], &failed["reason"]),
        (&json!("failed"), &json!(Reason::HoldUnknown)),
        "{outcome}"
    );
    // Whether the host counts it as failed is another matter: an event comes again then.
    world.local.host.fire("reconcile-assignments", None).await.unwrap();
    assert_eq!(policy_of(&world, DPS, GROUP).await, None, "what may be held is not written");
    world.client.delete(world.azure("/simulator/faults")).send().await.unwrap();
    let (outcome, _) = run(&world, &apply).await;
    assert_eq!(row(&outcome, "groups", GROUP)["outcome"], json!("written"), "{outcome}");
    world.stop().await;
}

#[tokio::test]
async fn while_a_namespace_is_frozen_all_is_planned_and_nothing_is_written_but_in_an_emergency() {
    let world = World::configured(&frozen()).await;
    world.fire("reconcile-assignments").await;
    assert_eq!(policy_of(&world, DPS, GROUP).await, None);
    let refusal = record(&world, &format!("refusals/{DPS}/{GROUP}")).await;
    assert_eq!(
        (&refusal["reason"], &refusal["wanted"]),
        (&json!(Reason::Frozen), &json!("default")),
        "{refusal}"
    );
    let report = world.report().await;
    let line = report["lines"].as_array().unwrap().iter().find(|line| line["frozen"].is_string()).unwrap();
    assert!(
        line["id"].as_str().unwrap().ends_with("/contoso-plants")
            && line["frozen"].as_str().unwrap().contains("peak season")
    );

    let plants = world.namespace("contoso-plants").await;
    world.rotate(plants["policies"][0].as_str().unwrap()).await;
    let body = |more: Value| {
        let mut body = json!({"namespaceId": plants["id"], "allowWholeNamespace": true});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let id = world.submit(body(json!({}))).await;
    let refused = world.outcome(&id).await;
    assert_eq!(
        (&refused["outcome"], &refused["reason"]),
        (&json!("refused"), &json!(Reason::Frozen)),
        "{refused}"
    );
    assert_eq!(world.writes().await, Vec::<String>::new(), "no assignment and no sync");
    let unreasoned = world.post(&world.app("/api/sync-requests"), &body(json!({"breakFreeze": true}))).await;
    assert_eq!(unreasoned.status(), StatusCode::BAD_REQUEST, "an emergency says what it is");

    let id = world.submit(body(json!({"breakFreeze": true, "reason": "INC-7: line 1 stands still"}))).await;
    let done = world.outcome(&id).await;
    assert_eq!(done["outcome"], json!("trusted"), "{done}");
    let (shown, _) = run(&world, &["runs", "show", &id]).await;
    let shown = &shown["writes"][0]["attribution"];
    assert_eq!(
        (&shown["reason"], shown["plan"].as_str().map(str::len)),
        (&json!("INC-7: line 1 stands still"), Some(32))
    );

    let assign = ["assign", "--from", "contoso-plants-dps/line-1", "--to", GROUP, "--apply"];
    let (outcome, exit) = run(&world, &assign).await;
    assert_eq!((exit, &row(&outcome, "groups", GROUP)["reason"]), (1, &json!(Reason::Frozen)), "{outcome}");
    let unreasoned = policysync(&world, &[&assign[..], &["--break-freeze"]].concat(), &[]).await;
    assert_eq!(code(&unreasoned), 64, "{}", told(&unreasoned));
    let (outcome, _) = run(&world, &[&assign[..], &["--break-freeze", "--reason", "INC-7"]].concat()).await;
    assert_eq!(row(&outcome, "groups", GROUP)["outcome"], json!("written"), "{outcome}");
    world.stop().await;
}

/// The sentence that would break it: the plan shows the write of a group that is frozen by its tags like any other, or a text about the
/// group says to change the mode.
#[tokio::test]
async fn a_group_that_is_frozen_by_its_tags_is_told_alike_by_plan_explain_status_and_page_and_is_not_written()
{
    let window = "freeze = [{ from = 2020-01-01T00:00:00Z, to = 2100-01-01T00:00:00+01:00, reason = \"gates are rebuilt\", tags = { site = \"south\" } }]\n";
    let text =
        DEFAULT_CONFIGURATION.replacen("provisioning_services", &format!("{window}provisioning_services"), 1);
    let world = World::configured(&text).await;
    let saved = file(&world, "plan.json");
    let why = "frozen until 2099-12-31 23:00 UTC: gates are rebuilt";
    let (plan, _) = run(&world, &["plan", "--out", &saved]).await;
    let planned = row(&plan, "assignments", GROUP);
    assert_eq!(planned["conditions"], json!([{"option": "break-freeze", "because": why}]), "{plan}");
    let shown = squeezed(&world, &["plan", "--out", &saved]).await;
    let condition = format!("{why}: it is performed with `--break-freeze` and a `--reason` only");
    assert!(shown.contains(&condition) && shown.contains("1 of 2 writes is frozen now"), "{shown}");
    let (outcome, _) = run(&world, &["apply", &saved]).await;
    let refused = row(&outcome, "groups", GROUP);
    assert_eq!(refused["reason"], json!(Reason::Frozen), "{outcome}");

    let next = "A window of `freeze` in policysync.toml is open: do it after that, or in an emergency with `--break-freeze` and a `--reason`.";
    let (explained, _) = run(&world, &["explain", GROUP]).await;
    assert_eq!(
        (&explained["freeze"], &explained["plan"]["nextStep"]),
        (&json!(why), &json!(next)),
        "{explained}"
    );
    assert_eq!(explained["plan"]["functionsWrite"], json!(false), "{explained}");
    world.fire("reconcile-assignments").await;
    assert_eq!(policy_of(&world, DPS, GROUP).await, None);
    let of_group = |report: &Value| {
        let findings = report["findings"].as_array().unwrap();
        let of_group = findings.iter().find(|finding| finding["subject"]["enrollmentGroup"] == GROUP);
        of_group.unwrap_or_else(|| panic!("{report}")).clone()
    };
    let (status, _) = run(&world, &["status"]).await;
    for finding in [of_group(&world.report().await), of_group(&status)] {
        assert_eq!(
            (&finding["reason"], &finding["nextStep"]),
            (&json!(Reason::Frozen), &json!(next)),
            "{finding}"
        );
        assert!(finding["message"].as_str().unwrap().ends_with(why), "{finding}");
    }
    world.stop().await;
}

#[tokio::test]
async fn every_write_says_who_why_and_by_which_plan_and_no_record_holds_a_token() {
    let world = World::default().await;
    let saved = file(&world, "plan.json");
    let planned = policysync(&world, &["plan", "--out", &saved], &[]).await;
    let apply = ["apply", &saved, "--reason", "CHG-1: the new gates"];
    let (outcome, _) = run(&world, &apply).await;
    let id = outcome["run"].as_str().unwrap();
    let kept = record(&world, &format!("assignments/{id}/{DPS}/{GROUP}")).await;
    let attribution = &kept["attribution"];
    assert_eq!(attribution["caller"]["objectId"], json!(OBJECT_ID), "{kept}");
    assert_eq!(attribution["reason"], json!("CHG-1: the new gates"), "{kept}");
    let plan = attribution["plan"].as_str().unwrap();
    assert!(
        told(&planned).contains(&format!("plan {plan}")),
        "who approved it saw its hash: {}",
        told(&planned)
    );
    assert!(!kept.to_string().contains("simulated."), "a record holds no token: {kept}");

    let (runs, _) = run(&world, &["runs", "list"]).await;
    let first = &runs["runs"][0];
    assert_eq!((&first["run"], &first["attribution"]["plan"]), (&json!(id), &json!(plan)), "{runs}");
    let shown = policysync(&world, &["runs", "show", id], &[]).await;
    for part in [id, plan, "CHG-1: the new gates", OBJECT_ID, GROUP] {
        assert!(told(&shown).contains(part), "no {part}: {}", told(&shown));
    }
    let (reverted, _) = run(&world, &["assign", "--revert", id]).await;
    let rule = row(&reverted, "assignments", GROUP)["rule"].as_str().unwrap().to_owned();
    for part in [id, plan, "CHG-1: the new gates", OBJECT_ID] {
        assert!(rule.contains(part), "the revert names {part}: {rule}");
    }
    let unknown = policysync(&world, &["runs", "show", "01J"], &[]).await;
    assert_eq!(code(&unknown), 1, "{}", told(&unknown));
    let empty = policysync(&world, &["apply", &saved, "--reason", " "], &[]).await;
    assert_eq!(code(&empty), 64, "{}", told(&empty));
    world.stop().await;
}

#[tokio::test]
async fn a_function_writes_under_its_own_identity() {
    let world = World::default().await;
    world.fire("reconcile-assignments").await;
    let id = run_of(&world, GROUP).await;
    let kept = record(&world, &format!("assignments/{id}/{DPS}/{GROUP}")).await;
    assert_eq!(kept["attribution"]["caller"]["objectId"], json!(OBJECT_ID), "{kept}");
    assert_eq!(kept["attribution"]["plan"].as_str().map(str::len), Some(32), "{kept}");
    world.stop().await;
}
