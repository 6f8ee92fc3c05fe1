//! `policies list` and `policies apply`: what the file declares is made in the order that the service needs, and nothing
//! else is touched.

use azure_simulator::fleet::Fleet;
use serde_json::{Value, json};

use crate::operator::{code, document, policysync, run, told};
use crate::world::World;

pub const NAMESPACE: &str = "/subscriptions/6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40/resourceGroups/rg-contoso-plants/providers/\
                         Microsoft.DeviceRegistry/namespaces/contoso-plants";
const DPS: &str = "contoso-plants-dps";

/// A namespace without authority, credential and policy, with a hub, a DPS, and a group without a policy.
pub fn empty(generation: &str) -> Fleet {
    let text = format!(
        r#"
subscription = "6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40"
location = "westeurope"
synchronize_seconds = 1

[[namespace]]
name = "contoso-plants"
resource_group = "rg-contoso-plants"
generation = "{generation}"
credential = false

[[namespace.hub]]
name = "contoso-plants-hub-1"

[[namespace.provisioning_service]]
name = "{DPS}"

[[namespace.provisioning_service.enrollment_group]]
name = "line-1"
"#
    );
    Fleet::from_toml(&text).unwrap()
}

pub const AUTHORITIES: &str = r#"
[[namespace.authority]]
name = "plants-root"
type = "root"

[[namespace.authority]]
name = "lines-ica"

[[namespace.policy]]
name = "short-lived"
authority = "lines-ica"
leaf_validity_days = 7
"#;

pub const CREDENTIAL: &str = r#"
[[namespace.policy]]
name = "short-lived"
leaf_validity_days = 7
"#;

pub fn file(mode: &str, declared: &str, policy: &str) -> String {
    format!(
        "[[namespace]]\nid = \"{NAMESPACE}\"\nprovisioning_services = [\"{}\"]\nmode = \"{mode}\"\n{declared}\n\
         [[namespace.rule]]\nname = \"lines\"\nenrollment_groups = [\"line-*\"]\npolicy = \"{policy}\"\n",
        NAMESPACE.replace(
            "Microsoft.DeviceRegistry/namespaces/contoso-plants",
            &format!("Microsoft.Devices/provisioningServices/{DPS}")
        )
    )
}

/// Each step of the only namespace as `name: action`.
fn steps(document: &Value) -> Vec<String> {
    let steps = document["namespaces"][0]["steps"].as_array().unwrap();
    let told = |step: &Value| {
        let name = step["name"].as_str().unwrap_or("default");
        let name =
            step["authority"].as_str().map_or(name.to_owned(), |authority| format!("{authority}/{name}"));
        format!("{name}: {}", step["action"]["do"].as_str().unwrap())
    };
    steps.iter().map(told).collect()
}

async fn registry_writes(world: &World) -> Vec<String> {
    let writes = world.writes().await.into_iter();
    writes.map(|write| write.replace(NAMESPACE, "")).filter(|write| !write.contains("/dps/")).collect()
}

#[tokio::test]
async fn from_an_empty_namespace_of_authorities_one_command_and_the_functions_lead_to_an_assigned_group() {
    let configuration = file("enforce", AUTHORITIES, "lines-ica/short-lived");
    let world = World::of(&empty("certificate-authorities"), &configuration).await;

    let (plan, exit) = run(&world, &["policies", "apply"]).await;
    assert_eq!(exit, 0, "{plan}");
    assert_eq!(steps(&plan), ["plants-root: write", "lines-ica: wait", "lines-ica/short-lived: wait"]);
    assert_eq!(registry_writes(&world).await, Vec::<String>::new(), "a plan writes nothing");

    let (done, exit) = run(&world, &["policies", "apply", "--apply"]).await;
    assert_eq!(exit, 0, "{done}");
    assert_eq!(steps(&done), ["plants-root: keep", "lines-ica: keep", "lines-ica/short-lived: keep"]);
    let authorities = "/certificateAuthorities";
    let expected = [
        format!("PUT {authorities}/plants-root"),
        format!("PUT {authorities}/lines-ica"),
        format!("PUT {authorities}/lines-ica/certificatePolicies/short-lived"),
    ];
    assert_eq!(registry_writes(&world).await, expected);

    let (_, exit) = run(&world, &["policies", "apply", "--apply"]).await;
    assert_eq!((exit, registry_writes(&world).await.len()), (0, 3), "the same again writes nothing");

    world
        .until("the group is assigned", async || {
            world.fire("reconcile-assignments").await;
            let (_, group) = world.group_by("2026-11-01", DPS, "line-1", reqwest::Method::GET, None).await;
            (group["certificatePolicyName"] == json!("short-lived")).then_some(())
        })
        .await;
    world.stop().await;
}

#[tokio::test]
async fn from_an_empty_namespace_of_a_credential_it_is_the_same() {
    let configuration = file("enforce", CREDENTIAL, "short-lived");
    let world = World::of(&empty("credentials"), &configuration).await;
    let (done, exit) = run(&world, &["policies", "apply", "--apply"]).await;
    assert_eq!(exit, 0, "{done}");
    assert_eq!(steps(&done), ["default: keep", "short-lived: keep"]);
    let expected = ["PUT /credentials/default", "PUT /credentials/default/policies/short-lived"];
    assert_eq!(registry_writes(&world).await, expected);
    let (list, exit) = run(&world, &["policies", "list"]).await;
    assert_eq!((exit, &list["namespaces"][0]["owned"]), (0, &json!(["short-lived"])), "{list}");
    world.stop().await;
}

#[tokio::test]
async fn audit_and_the_kill_switch_write_nothing_and_a_person_who_insists_does() {
    let configuration = file("audit", CREDENTIAL, "short-lived");
    let world = World::of(&empty("credentials"), &configuration).await;
    let (document, exit) = run(&world, &["policies", "apply", "--apply"]).await;
    assert_eq!(exit, 1);
    let failed = document["namespaces"][0]["steps"][0]["failed"].as_str().unwrap();
    assert!(failed.contains("--even-in-audit"), "{failed}");
    let arguments = ["policies", "apply", "--apply", "--even-in-audit"];
    let stopped = policysync(&world, &arguments, &[("POLICYSYNC_MODE", "audit")]).await;
    assert!(code(&stopped) == 1 && told(&stopped).contains("POLICYSYNC_MODE=audit"), "{}", told(&stopped));
    assert_eq!(registry_writes(&world).await, Vec::<String>::new());
    let done = policysync(&world, &arguments, &[]).await;
    assert_eq!(code(&done), 0, "{}", told(&done));
    assert_eq!(registry_writes(&world).await.len(), 2);
    world.stop().await;
}

#[tokio::test]
async fn what_the_service_refuses_is_told_in_its_words_and_asked_once() {
    let declared = CREDENTIAL.replace("= 7", "= 400");
    let world = World::of(&empty("credentials"), &file("enforce", &declared, "short-lived")).await;
    let output = policysync(&world, &["policies", "apply", "--apply"], &[]).await;
    let text = told(&output);
    assert_eq!(code(&output), 1, "{text}");
    assert!(text.contains("validityPeriodInDays") && text.contains("policysync.toml"), "{text}");
    let writes = registry_writes(&world).await;
    assert_eq!(
        writes,
        ["PUT /credentials/default", "PUT /credentials/default/policies/short-lived"],
        "{text}"
    );
    world.stop().await;
}

#[tokio::test]
async fn what_the_file_does_not_name_is_listed_and_stays() {
    let mut fleet = Fleet::from_toml(crate::generations::AUTHORITIES).unwrap();
    fleet.namespaces.truncate(1);
    let name = fleet.namespaces[0].name.clone();
    assert_eq!(name, "contoso-plants");
    let configuration = crate::generations::AUTHORITIES_RULES;
    let world = World::of(&fleet, configuration).await;
    let (document, exit) = run(&world, &["policies", "apply", "--apply", "--namespace", &name]).await;
    assert_eq!((exit, &document["namespaces"][0]["steps"]), (0, &json!([])), "{document}");
    assert_eq!(registry_writes(&world).await, Vec::<String>::new());
    let (list, _) = run(&world, &["policies", "list"]).await;
    let inventory = &list["namespaces"][0]["inventory"];
    assert!(!inventory["authorities"].as_array().unwrap().is_empty(), "{list}");
    assert_eq!(list["namespaces"][0]["owned"], json!([]));
    let missing = policysync(&world, &["policies", "apply", "--namespace", "nowhere"], &[]).await;
    assert!(told(&missing).contains("no namespace `nowhere`"), "{}", told(&missing));
    world.stop().await;
}

#[tokio::test]
async fn an_answer_that_is_lost_costs_a_second_run_and_no_second_authority() {
    let configuration = file("enforce", AUTHORITIES, "lines-ica/short-lived");
    let world = World::of(&empty("certificate-authorities"), &configuration).await;
    let fault = json!({"faults": [{"method": "PUT", "path": "*/certificateAuthorities/*", "afterwards": true, "close": true, "times": 2}]});
    let set = world.client.put(world.azure("/simulator/faults")).json(&fault).send().await.unwrap();
    assert!(set.status().is_success(), "{}", set.text().await.unwrap());
    let mut runs = 0;
    let last = loop {
        runs += 1;
        let output = policysync(&world, &["policies", "apply", "--apply", "--output", "json"], &[]).await;
        if code(&output) == 0 {
            break document(&output);
        }
        assert!(runs < 5, "{}", told(&output));
    };
    assert_eq!(steps(&last), ["plants-root: keep", "lines-ica: keep", "lines-ica/short-lived: keep"]);
    let mut writes = registry_writes(&world).await;
    let sent = writes.len();
    writes.sort();
    writes.dedup();
    assert_eq!((sent, writes.len()), (3, 3), "each was sent once");
    world.stop().await;
}

#[tokio::test]
async fn a_list_that_is_older_than_the_write_leads_to_no_second_write() {
    let world = World::of(&empty("credentials"), &file("enforce", CREDENTIAL, "short-lived")).await;
    let fault = json!({"faults": [{"method": "GET", "path": "*/credentials/default/policies", "status": 200, "body": {"value": []},
        "times": 3}]});
    let set = world.client.put(world.azure("/simulator/faults")).json(&fault).send().await.unwrap();
    assert!(set.status().is_success(), "{}", set.text().await.unwrap());
    let (done, exit) = run(&world, &["policies", "apply", "--apply"]).await;
    assert_eq!(exit, 0, "{done}");
    let expected = ["PUT /credentials/default", "PUT /credentials/default/policies/short-lived"];
    assert_eq!(registry_writes(&world).await, expected);
    world.stop().await;
}

/// A saved plan of the world, beside its configuration.
async fn saved(world: &World, folder: &tempfile::TempDir) -> (Value, String) {
    let path = folder.path().join("plan.json").to_str().unwrap().to_owned();
    let (plan, exit) = run(world, &["plan", "--out", &path]).await;
    assert_eq!(exit, 0, "{plan}");
    (plan, path)
}

/// The outcome of each declared resource of `apply`, as `name: outcome`.
fn outcomes(document: &Value) -> Vec<String> {
    let name = |row: &Value| match (row["authority"].as_str(), row["name"].as_str()) {
        (Some(authority), Some(name)) => format!("{authority}/{name}"),
        (None, Some(name)) => name.to_owned(),
        (_, None) => "default".to_owned(),
    };
    let rows = document["declared"].as_array().unwrap().iter();
    rows.map(|row| format!("{}: {}", name(row), row["outcome"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_saved_plan_holds_every_write_that_will_be_and_apply_does_them_in_their_order() {
    let configuration = file("audit", AUTHORITIES, "lines-ica/short-lived");
    let world = World::of(&empty("certificate-authorities"), &configuration).await;
    let folder = tempfile::tempdir().unwrap();
    let (plan, path) = saved(&world, &folder).await;
    let planned: Vec<&str> = plan["declared"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["step"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(planned, ["plants-root", "lines-ica", "short-lived"], "{plan}");
    let text = told(&policysync(&world, &["plan"], &[]).await);
    assert!(text.contains("3 authorities and policies to create or change"), "{text}");
    assert!(text.contains("contoso-plants/authority plants-root"), "{text}");

    let (refused, exit) = run(&world, &["apply", &path]).await;
    assert_eq!((exit, registry_writes(&world).await), (1, vec![]), "{refused}");
    assert_eq!(outcomes(&refused)[0], "plants-root: failed", "{refused}");
    assert!(refused["declared"][0]["detail"].as_str().unwrap().contains("--even-in-audit"), "{refused}");

    let (done, exit) = run(&world, &["apply", &path, "--even-in-audit"]).await;
    assert_eq!(exit, 0, "{done}");
    let written = ["plants-root: written", "lines-ica: written", "lines-ica/short-lived: written"];
    assert_eq!(outcomes(&done), written);
    assert_eq!(registry_writes(&world).await.len(), 3);
    let (again, exit) = run(&world, &["apply", &path, "--even-in-audit"]).await;
    assert_eq!((exit, registry_writes(&world).await.len()), (0, 3), "{again}");
    assert!(outcomes(&again).iter().all(|row| row.ends_with("as-declared")), "{again}");
    world.stop().await;
}

#[tokio::test]
async fn what_is_not_what_the_plan_said_any_more_is_told_and_not_written() {
    let world = World::of(&empty("credentials"), &file("enforce", CREDENTIAL, "short-lived")).await;
    let (_, exit) = run(&world, &["policies", "apply", "--apply"]).await;
    assert_eq!(exit, 0);
    // The plan changes 7 days to 14, and by then another writer has made them 21.
    let says = |days: &str| {
        let declared = CREDENTIAL.replace("= 7", days);
        let path = &world.local.configured;
        std::fs::write(path, file("enforce", &declared, "short-lived")).unwrap();
    };
    says("= 14");
    let folder = tempfile::tempdir().unwrap();
    let (_, plan) = saved(&world, &folder).await;
    says("= 21");
    let (_, exit) = run(&world, &["policies", "apply", "--apply"]).await;
    assert_eq!(exit, 0);
    says("= 14");
    let before = registry_writes(&world).await.len();
    let (outcome, exit) = run(&world, &["apply", &plan]).await;
    assert_eq!((exit, outcomes(&outcome)), (1, vec!["short-lived: refused".to_owned()]), "{outcome}");
    let detail = outcome["declared"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("instead of 7") && detail.contains("instead of 21"), "{detail}");
    assert_eq!(registry_writes(&world).await.len(), before);
    world.stop().await;
}
