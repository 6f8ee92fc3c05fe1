//! `init` reads a world and writes a configuration that changes nothing that its operator would not.

use std::path::PathBuf;
use std::process::Output;

use azure_simulator::fleet::Fleet;
use certificate_management::configuration::{Configuration, Mode};
use serde_json::{Value, json};

use crate::generations::{AUTHORITIES, AUTHORITIES_RULES};
use crate::operator::{document, leave_out, policysync, told};
use crate::world::World;

const UTILITY: &str = include_str!("../../examples/water-utility/fleet.toml");
const BY_HAND: &str = include_str!("../../examples/water-utility/policysync.toml");
/// Its subscription of hubs alone.
const HUBS: &str = "c2b8e6a4-95f0-4d13-8a77-13f4d2c96e08";

async fn utility() -> World {
    World::of(&Fleet::from_toml(UTILITY).unwrap(), BY_HAND).await
}

/// Where a test has its file; the folder is that of the world.
fn file(world: &World) -> PathBuf {
    world.local.folder.path().join("proposed.toml")
}

async fn init(world: &World, arguments: &[&str]) -> Output {
    let file = file(world);
    let out = ["init", "--out", file.to_str().unwrap()];
    policysync(world, &[&out[..], arguments].concat(), &[]).await
}

async fn plan(world: &World, configuration: Option<&str>) -> Value {
    let environment: Vec<(&str, &str)> =
        configuration.map(|path| ("POLICYSYNC_CONFIG", path)).into_iter().collect();
    let output = policysync(world, &["plan", "--output", "json"], &environment).await;
    assert!(output.status.success(), "{}", told(&output));
    document(&output)
}

/// What a plan writes: DPS, group and policy of each write.
fn writes(plan: &Value) -> Vec<[String; 3]> {
    let text = |entry: &Value, member: &str| entry[member].as_str().unwrap_or_default().to_owned();
    let of =
        |entry: &Value| ["provisioningService", "enrollmentGroup", "after"].map(|name| text(entry, name));
    let entries = plan["assignments"].as_array().unwrap();
    entries.iter().inspect(|entry| assert!(entry["after"].is_string(), "{entry}")).map(of).collect()
}

#[tokio::test]
async fn the_proposed_configuration_of_the_example_changes_nothing_that_the_hand_written_one_would_not() {
    let world = utility().await;
    let output = init(&world, &[]).await;
    assert!(output.status.success(), "{}", told(&output));
    let path = file(&world);
    let (by_hand, proposed) = (plan(&world, None).await, plan(&world, path.to_str()).await);
    let allowed = writes(&by_hand);
    assert!(!allowed.is_empty(), "the hand-written one has something to do: {by_hand}");
    for write in writes(&proposed) {
        assert!(allowed.contains(&write), "{write:?}: {by_hand}");
    }
    assert!(proposed.get("declared").is_none_or(|declared| declared == &json!([])), "{proposed}");
    assert_eq!(
        proposed["leftAlone"].as_array().unwrap().len(),
        1,
        "the pumps alone, which no rule is for: {proposed}"
    );

    let text = std::fs::read_to_string(&path).unwrap();
    let configuration = Configuration::parse(&text).unwrap();
    let rules: Vec<(&str, &str)> = configuration
        .namespaces
        .iter()
        .flat_map(|own| &own.rules)
        .map(|rule| (rule.enrollment_groups[0].as_str(), rule.policy.as_str()))
        .collect();
    assert_eq!(rules, [("gauge.*", "gauges"), ("sluice.*", "sluices")], "{text}");
    assert!(configuration.namespaces.iter().all(|own| own.mode == Mode::Audit));
    let by_hand = Configuration::parse(BY_HAND).unwrap();
    for own in &by_hand.namespaces {
        let proposed = configuration.namespace(&own.id).unwrap();
        assert_eq!(proposed.provisioning_services, own.provisioning_services);
        assert_eq!(proposed.subscriptions(), own.subscriptions());
    }
    assert!(text.contains("# Groups without a policy that no rule matches: 1 (pumps)."), "{text}");
    assert_eq!(world.writes().await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test]
async fn a_namespace_of_the_newer_generation_gets_rules_that_its_checks_pass() {
    let world = World::of(&Fleet::from_toml(AUTHORITIES).unwrap(), AUTHORITIES_RULES).await;
    let output = init(&world, &["--output", "json"]).await;
    // A link of this world has failed, so its checks do not pass; those of the file do.
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let document = document(&output);
    assert_eq!(document["schema"], "policysync-init/v1");
    let checks = document["check"]["checks"].as_array().unwrap();
    for name in ["configuration", "rule-tests", "rule-order", "rule-policies", "permissions"] {
        let mut own = checks.iter().filter(|check| check["check"] == name).peekable();
        assert!(own.peek().is_some() && own.all(|check| check["status"] == "ok"), "{name}: {document}");
    }
    assert_eq!(document["unread"], json!([]));
    let rules = document["namespaces"][0]["rules"].as_array().unwrap();
    assert!(rules.iter().all(|rule| rule["policy"].as_str().unwrap().contains('/')), "{document}");
    let written = std::fs::read_to_string(file(&world)).unwrap();
    assert_eq!(document["configuration"], written);
    let proposed = plan(&world, file(&world).to_str()).await;
    let had = |entry: &Value| entry["before"].is_string();
    assert!(!proposed["assignments"].as_array().unwrap().iter().any(had), "{proposed}");
    assert_eq!(world.writes().await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test]
async fn what_may_not_be_read_is_said_in_the_file_and_on_the_terminal_and_nothing_is_guessed_of_it() {
    let world = utility().await;
    leave_out(&world, json!([]), json!(["Microsoft.Devices/provisioningServices/enrollmentGroups/read"]))
        .await;
    let output = init(&world, &[]).await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let (text, shown) = (std::fs::read_to_string(file(&world)).unwrap(), told(&output));
    for words in ["the enrollment groups of reservoirs-enrol: ", "the enrollment groups of treatment-enrol: "]
    {
        assert!(text.contains(&format!("# - {words}")) && shown.contains(words), "{words}: {text}{shown}");
    }
    assert!(Configuration::parse(&text).unwrap().namespaces.iter().all(|own| own.rules.is_empty()), "{text}");

    leave_out(&world, json!(["Microsoft.DeviceRegistry/namespaces/read"]), json!([])).await;
    let other = world.local.folder.path().join("other.toml");
    let output = policysync(&world, &["init", "--out", other.to_str().unwrap()], &[]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(!other.exists() && told(&output).contains("the namespaces of subscription"), "{}", told(&output));
    assert!(!told(&output).contains("Still to be made"), "{}", told(&output));
    world.stop().await;
}

#[tokio::test]
async fn a_subscription_without_a_namespace_is_told_what_to_make_in_order() {
    let world = utility().await;
    let output = init(&world, &["--subscription", HUBS]).await;
    let told = told(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(!file(&world).exists());
    let mut rest = told.as_str();
    for step in [
        "1. An Azure Device Registry namespace",
        "2. A Device Provisioning Service",
        "3. IoT hubs",
        "4. An issuing",
        "5. An enrollment group",
    ] {
        let at = rest.find(step).unwrap_or_else(|| panic!("`{step}` is not in its place: {told}"));
        rest = &rest[at..];
    }
    assert!(told.lines().all(|line| line.chars().count() <= 120), "{told}");
    world.stop().await;
}

#[tokio::test]
async fn a_file_that_is_there_is_left_alone_and_azure_is_not_asked() {
    let world = utility().await;
    std::fs::write(file(&world), "mine").unwrap();
    let before = world.requests(|_, path| path == "/subscriptions").await.len();
    let output = init(&world, &["--output", "json"]).await;
    assert_eq!(output.status.code(), Some(1));
    let document = document(&output);
    assert_eq!(document["schema"], "failure/v1");
    assert!(document["error"]["message"].as_str().unwrap().contains("overwrites nothing"), "{document}");
    assert_eq!(std::fs::read_to_string(file(&world)).unwrap(), "mine");
    assert_eq!(world.requests(|_, path| path == "/subscriptions").await.len(), before);
    world.stop().await;
}
