//! `infra/hooks/remove.sh`: lists resources, and deletes them only with its option.

use serde_json::Value;

use super::stage::{Ending, Stage, fails, prints, succeeds};
use super::text;

const DPS: &str =
    "/subscriptions/sub-1/resourceGroups/rg-iot/providers/Microsoft.Devices/provisioningServices/dps";
const ASSIGNMENT: &str = "/subscriptions/sub-1/providers/Microsoft.Authorization/roleAssignments/a1";
const EVENTS: &str = "/subscriptions/sub-1/providers/Microsoft.EventGrid/eventSubscriptions/policysync-abc";

/// Two subscriptions: one with every kind of resource that can be left, one without any.
fn full() -> Stage {
    let mut stage = Stage::new(&["az"]);
    stage
        .on("az *", [succeeds()])
        .on("az account show *", [prints("sub-1")])
        .on("az account list *", [prints("sub-1\nsub-2")])
        .on("az eventgrid event-subscription list *sub-1 *", [prints(EVENTS)])
        .on("az resource list --resource-type Microsoft.Devices/provisioningServices *sub-1 *", [prints(DPS)])
        .on("az monitor diagnostic-settings list *", [prints("policysync-abc")])
        .on("az role definition list *", [prints("role-1\nrole-2")])
        .on("az role assignment list *sub-1 *", [prints(ASSIGNMENT)])
        .on(
            "az resource list --resource-type Microsoft.EventGrid/systemTopics *sub-1 *",
            [prints("rg-events")],
        )
        .on("az resource list --resource-group rg-events *", [prints("/the/topic")])
        .set("AZURE_FUNCTION_NAME", "func-policysync-abc")
        .set("POLICYSYNC_PRINCIPAL_ID", "00000000-0000-0000-0000-0000000000aa");
    stage
}

fn run(stage: &Stage, arguments: &[&str]) -> Ending {
    stage.run("remove.sh", arguments)
}

/// The calls that change something.
fn deletions(ending: &Ending) -> Vec<&str> {
    ending.calls.iter().filter(|call| call.contains("delete")).map(String::as_str).collect()
}

#[test]
fn without_the_option_it_lists_and_deletes_nothing() {
    let ending = run(&full(), &[]).succeeded();
    for line in [
        format!("event-subscription {EVENTS} sub-1"),
        format!("diagnostic-setting {DPS} sub-1"),
        format!("role-assignment {ASSIGNMENT} sub-1"),
        "resource-group rg-events sub-1".to_owned(),
        "role role-1 sub-1".to_owned(),
        "role role-2 sub-1".to_owned(),
    ] {
        assert_eq!(ending.out.lines().filter(|shown| **shown == line).count(), 1, "{line}\n{}", ending.out);
    }
    assert_eq!(deletions(&ending), Vec::<&str>::new());
    assert!(ending.out.contains("Nothing was deleted"), "{}", ending.out);
    assert!(ending.out.contains(
        "AZURE_FUNCTION_NAME=func-policysync-abc POLICYSYNC_PRINCIPAL_ID=00000000-0000-0000-0000-0000000000aa \
         sh infra/hooks/remove.sh --delete"
    ));
}

#[test]
fn with_the_option_it_deletes_what_it_listed_and_roles_at_the_end() {
    let ending = run(&full(), &["--delete"]).succeeded();
    assert_eq!(
        deletions(&ending),
        [
            "az eventgrid event-subscription delete --name policysync-abc --source-resource-id /subscriptions/sub-1 --subscription sub-1",
            &format!(
                "az monitor diagnostic-settings delete --name policysync-abc --resource {DPS} --subscription sub-1"
            ),
            &format!("az role assignment delete --ids {ASSIGNMENT} --subscription sub-1"),
            "az group delete --name rg-events --subscription sub-1 --yes",
            "az role definition delete --name role-1 --custom-role-only true --subscription sub-1",
            "az role definition delete --name role-2 --custom-role-only true --subscription sub-1",
        ]
    );
}

#[test]
fn it_asks_for_what_is_of_this_app_alone() {
    let ending = run(&full(), &[]).succeeded();
    let whose = &ending.calls[ending.place("role assignment list")];
    for part in [
        "principalId=='00000000-0000-0000-0000-0000000000aa'",
        "ends_with(roleDefinitionId, 'role-1')",
        "ends_with(roleDefinitionId, 'role-2')",
    ] {
        assert!(whose.contains(part), "{whose}");
    }
    for (call, part) in [
        ("event-subscription list", "[?name=='policysync-abc']"),
        ("diagnostic-settings list", "[?name=='policysync-abc']"),
        ("role definition list", "contains(roleName, '(abc)')"),
        ("systemTopics", "[?name=='evgst-policysync-abc']"),
    ] {
        assert!(ending.calls[ending.place(call)].contains(part), "{call}");
    }
}

#[test]
fn a_group_with_something_else_in_it_is_left_alone() {
    let mut stage = full();
    stage.on("az resource list --resource-group rg-events *", [prints("/the/topic\n/the/app")]);
    let ending = run(&stage, &["--delete"]).succeeded();
    assert_eq!(ending.count("group delete"), 0);
    assert!(!ending.out.contains("rg-events"), "{}", ending.out);
}

#[test]
fn what_cannot_be_looked_at_is_not_called_empty() {
    for call in [
        "eventgrid",
        "resource list",
        "monitor",
        "role definition list",
        "role assignment list",
        "account list",
    ] {
        let mut stage = full();
        stage.on(&format!("az {call} *"), [fails("ERROR: (AuthorizationFailed) no")]);
        let ending = run(&stage, &["--delete"]).stopped("could not look");
        assert_eq!(deletions(&ending), Vec::<&str>::new(), "{call}");
    }
}

#[test]
fn a_provider_that_a_subscription_does_not_use_is_no_obstacle() {
    let mut stage = full();
    stage.on(
        "az eventgrid event-subscription list *sub-2 *",
        [fails("(MissingSubscriptionRegistration) The subscription is not registered to use namespace 'Microsoft.EventGrid'.")],
    );
    let ending = run(&stage, &[]).succeeded();
    assert!(ending.out.contains(EVENTS), "{}", ending.out);
}

#[test]
fn a_deletion_that_fails_keeps_the_others_from_nothing_and_is_told() {
    let mut stage = full();
    stage.on("az monitor diagnostic-settings delete *", [fails("ERROR: (ScopeLocked) no")]).on(
        "az role definition delete --name role-1 *",
        [fails("ERROR: (RoleDefinitionHasAssignments) There are existing role assignments"), succeeds()],
    );
    let ending = run(&stage, &["--delete"]).stopped("1 of them are still there");
    assert_eq!((ending.count("definition delete"), ending.count("sleep")), (3, 1));
    assert!(ending.all().contains("ScopeLocked"));
}

#[test]
fn nothing_left_is_said_and_is_no_failure() {
    let mut stage = full();
    stage.on("az * list *", [succeeds()]).on("az account list *", [prints("sub-1")]);
    let ending = run(&stage, &["--delete"]).succeeded();
    assert!(ending.out.contains("nothing of policysync-abc is left"), "{}", ending.out);
    assert_eq!(deletions(&ending), Vec::<&str>::new());
}

#[test]
fn the_subscriptions_can_be_named() {
    let mut stage = full();
    stage.set("REMOVE_SUBSCRIPTIONS", "sub-2");
    let ending = run(&stage, &[]).succeeded();
    assert_eq!((ending.count("account list"), ending.count("--subscription sub-1")), (0, 0));
    assert!(ending.count("--subscription sub-2") > 0);
}

#[test]
fn a_name_or_an_id_that_would_match_more_is_refused_before_az_is_called() {
    for (variable, value) in [
        ("AZURE_FUNCTION_NAME", "my-app"),
        ("AZURE_FUNCTION_NAME", "func-policysync-"),
        ("AZURE_FUNCTION_NAME", "func-policysync-a') || true"),
        ("AZURE_FUNCTION_NAME", ""),
        ("POLICYSYNC_PRINCIPAL_ID", "x' || 'a'=='a"),
        ("POLICYSYNC_PRINCIPAL_ID", ""),
    ] {
        let mut stage = full();
        stage.set(variable, value);
        let ending = run(&stage, &["--delete"]).stopped(variable);
        assert_eq!(ending.calls, Vec::<String>::new(), "{variable}={value}");
    }
    let ending = run(&full(), &["--force"]).stopped("the only option is --delete");
    assert_eq!(ending.calls, Vec::<String>::new());
}

#[test]
fn the_names_that_it_looks_for_are_those_that_the_templates_make() {
    for (snapshot, kinds) in [("main", 2), ("environments/fleet", 3), ("environments/private", 3)] {
        let snapshot: Value =
            serde_json::from_str(&text(&format!("infra/{snapshot}.snapshot.json"))).unwrap();
        let resources = snapshot["predictedResources"].as_array().unwrap();
        let of = |kind: &str| -> Vec<&Value> { resources.iter().filter(|it| it["type"] == kind).collect() };
        let last = |it: &Value| it["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let app = last(of("Microsoft.Web/sites")[0]);
        let token = app.strip_prefix("func-policysync-").unwrap();
        let mut found = 0;
        for (kind, name) in [
            ("Microsoft.EventGrid/eventSubscriptions", format!("policysync-{token}")),
            ("Microsoft.EventGrid/systemTopics", format!("evgst-policysync-{token}")),
            ("Microsoft.Insights/diagnosticSettings", format!("policysync-{token}")),
        ] {
            let resources = of(kind);
            found += usize::from(!resources.is_empty());
            assert!(resources.iter().all(|it| last(it) == name), "{kind}: {resources:#?}");
        }
        let roles = of("Microsoft.Authorization/roleDefinitions");
        assert!(!roles.is_empty());
        for role in roles {
            let name = role["properties"]["roleName"].as_str().unwrap();
            assert!(name.starts_with("Policysync") && name.contains(&format!("({token})")), "{name}");
        }
        assert_eq!(found + 1, kinds, "kinds with names in the snapshot");
    }
}
