//! `policies blast-radius`: what a step would break, told before a person takes it, and its command as a text.

use std::os::unix::fs::PermissionsExt as _;

use azure_simulator::device::Device;
use azure_simulator::fleet::Fleet;
use reqwest::Method;
use serde_json::{Value, json};

use crate::generations::{AUTHORITIES, AUTHORITIES_RULES};
use crate::operator::{DPS, code, document, leave_out, policysync, told};
use crate::world::{World, clock};

/// `az rest` against the simulator: the token of its managed identity instead of a login.
const AZ: &str = r#"#!/usr/bin/env python3
import os, sys, urllib.request
arguments = sys.argv[1:]
assert arguments.pop(0) == "rest", arguments
given = dict(zip(arguments[::2], arguments[1::2]))
request = urllib.request.Request(os.environ["ARM"] + given["--url"], method=given["--method"].upper(), data=b"")
request.add_header("Authorization", "Bearer " + os.environ["TOKEN"])
print(urllib.request.urlopen(request).status)
"#;

/// Runs the command; its document and exit code.
async fn radius(world: &World, arguments: &[&str]) -> (Value, i32) {
    let all = [&["policies", "blast-radius"], arguments, &["--output", "json"]].concat();
    let output = policysync(world, &all, &[]).await;
    (document(&output), code(&output))
}

/// Runs the commands of a document as the person does who has read it.
async fn run_commands(world: &World, document: &Value) {
    let folder = tempfile::tempdir().unwrap();
    let az = folder.path().join("az");
    std::fs::write(&az, AZ).unwrap();
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    let url = world.azure("/identity?api-version=2019-08-01&resource=https://management.azure.com/");
    let token = world.client.get(url).header("x-identity-header", "x").send().await.unwrap();
    let token: Value = token.json().await.unwrap();
    for command in document["commands"].as_array().unwrap() {
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
        let output = tokio::process::Command::new("sh")
            .args(["-euc", command["text"].as_str().unwrap()])
            .env_clear()
            .envs(clock())
            .env("ARM", world.local.simulator.url())
            .env("TOKEN", token["access_token"].as_str().unwrap())
            .env("PATH", path)
            .output()
            .await
            .unwrap();
        assert!(output.status.success(), "{command}\n{}", told(&output));
    }
}

async fn register(world: &World, group: &str, name: &str) {
    let mechanism = format!("{group}/attestationmechanism");
    let (_, keys) = world.group(DPS, &mechanism, Method::POST, None).await;
    let key = keys["symmetricKey"]["primaryKey"].as_str().unwrap();
    let state = world.get(&world.azure("/simulator/state")).await;
    let scope = state["idScopes"][DPS].as_str().unwrap();
    let device = Device::new(name).unwrap();
    device.register(world.local.simulator.url(), scope, key).await.unwrap();
}

const PLANTS: [&str; 2] = ["--namespace", "contoso-plants"];

#[tokio::test]
async fn a_revoked_policy_stops_its_devices_and_the_printed_command_does_it() {
    let world = World::default().await;
    for name in ["pump-1", "pump-2", "pump-3"] {
        register(&world, "line-1", name).await;
    }
    let before = world.writes().await;
    let asked = [&["short-lived", "--of", "revoke"], &PLANTS[..]].concat();
    let (told_of, ended) = radius(&world, &asked).await;
    assert_eq!((ended, &told_of["verdict"]), (2, &json!("stops")), "{told_of}");
    assert_eq!(told_of["schema"], "policysync-blast-radius/v1");
    let groups = told_of["groups"].as_array().unwrap();
    let groups: Vec<&Value> = groups.iter().map(|group| &group["enrollmentGroup"]).collect();
    assert_eq!(groups, ["line-1", "line-2"]);
    assert_eq!(told_of["devices"], json!({"known": "exactly", "number": 3}), "{told_of}");
    assert_eq!(told_of["individualEnrollments"], json!({"known": "exactly", "number": 0}));
    let hubs = told_of["hubs"].as_array().unwrap();
    assert!(hubs.len() == 3 && hubs.iter().all(|hub| hub["holds"] == "yes"), "{told_of}");
    assert_eq!(told_of["leaves"][0]["validityDays"], 7);

    // One page of each DPS: none of its devices is counted, and that is not 0.
    let bounded = [&asked[..], &["--calls", "1"]].concat();
    let (few, ended) = radius(&world, &bounded).await;
    assert_eq!((ended, &few["devices"]["known"]), (2, &json!("unknown")), "{few}");
    let table = [&["policies", "blast-radius"], &bounded[..]].concat();
    let table = told(&policysync(&world, &table, &[("COLUMNS", "80")]).await);
    assert!(table.contains("Devices registered through the groups that use it now: unknown"), "{table}");
    let (above, commands) = table.split_once("\nThe commands, for you to run or not.").unwrap();
    for line in above.lines().filter(|line| !line.contains("/subscriptions/")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(commands.contains("az rest --method post --url"), "{commands}");
    assert_eq!(world.writes().await, before, "it only reads");

    let policy =
        format!("{}/credentials/default/policies/short-lived", told_of["namespaceId"].as_str().unwrap());
    let subject = async || {
        let asked = [&["short-lived", "--of", "delete"], &PLANTS[..]].concat();
        radius(&world, &asked).await.0["hubs"][0]["certificates"].clone()
    };
    let earlier = subject().await;
    run_commands(&world, &told_of).await;
    let revoked = world.writes().await;
    assert_eq!(revoked.len(), before.len() + 1, "{revoked:?}");
    assert!(revoked.last().unwrap().contains(&format!("{policy}/revokeIssuer")), "{revoked:?}");
    world.until("another CA is on the hub", async || (subject().await != earlier).then_some(())).await;
    world.stop().await;
}

#[tokio::test]
async fn nothing_stops_only_where_everything_could_be_read() {
    let world = World::default().await;
    let asked = ["default", "--of", "delete", "--namespace", "fabrikam-energy"];
    let (free, ended) = radius(&world, &asked).await;
    assert_eq!((ended, &free["verdict"]), (0, &json!("nothing-stops")), "{free}");
    let data = |action: &str| format!("Microsoft.Devices/provisioningServices/{action}");
    for (actions, data_actions) in [
        (json!([]), json!([data("enrollmentGroups/read")])),
        (json!([]), json!([data("enrollments/read")])),
        (json!(["Microsoft.Devices/IotHubs/certificates/read"]), json!([])),
    ] {
        leave_out(&world, actions, data_actions.clone()).await;
        let (hidden, ended) = radius(&world, &asked).await;
        assert_eq!((ended, &hidden["verdict"]), (2, &json!("may-stop")), "{data_actions}: {hidden}");
        assert!(!hidden["unknown"].as_array().unwrap().is_empty());
    }
    // A name that cannot be looked for is no answer at all.
    leave_out(&world, json!(["Microsoft.DeviceRegistry/namespaces/read"]), json!([])).await;
    let output = policysync(&world, &[&["policies", "blast-radius"], &asked[..]].concat(), &[]).await;
    assert_eq!(code(&output), 1, "{}", told(&output));
    assert_eq!(world.writes().await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test]
async fn a_device_count_that_is_refused_is_unknown() {
    let world = World::default().await;
    leave_out(&world, json!([]), json!(["Microsoft.Devices/provisioningServices/registrationStates/read"]))
        .await;
    let (told_of, _) = radius(&world, &[&["short-lived", "--of", "delete"], &PLANTS[..]].concat()).await;
    assert_eq!(told_of["devices"]["known"], "unknown", "{told_of}");
    assert!(told_of["devices"]["why"].as_str().unwrap().contains("authorization"), "{told_of}");
    world.stop().await;
}

#[tokio::test]
async fn a_name_of_several_things_is_asked_back() {
    let fleet = AUTHORITIES.replace("name = \"short-lived\", leaf", "name = \"lines-ica\", leaf");
    let fleet = fleet.replace("certificate_policy = \"short-lived\"", "certificate_policy = \"lines-ica\"");
    let rules = AUTHORITIES_RULES.replace("short-lived", "lines-ica");
    let world = World::of(&Fleet::from_toml(&fleet).unwrap(), &rules).await;
    let ask = async |arguments: &[&str]| {
        policysync(&world, &[&["policies", "blast-radius"], arguments].concat(), &[]).await
    };
    let output = ask(&["lines-ica", "--of", "delete"]).await;
    assert_eq!(code(&output), 64, "{}", told(&output));
    assert!(told(&output).contains("--kind authority: /subscriptions/"), "{}", told(&output));
    let output = ask(&["lines-ica", "--of", "delete", "--kind", "policy"]).await;
    assert_eq!(code(&output), 2, "{}", told(&output));
    assert!(told(&output).contains("/lines-ica/certificatePolicies/lines-ica?"), "{}", told(&output));
    // The policy and its authority are revoked as one.
    let output = ask(&["lines-ica", "--of", "revoke"]).await;
    assert_eq!(code(&output), 2, "{}", told(&output));
    let output = ask(&["nothing", "--of", "delete"]).await;
    assert_eq!(code(&output), 64);
    assert!(told(&output).contains("policy office-ica/default in contoso-plants"), "{}", told(&output));
    assert_eq!(code(&ask(&["lines-ica", "--of", "unlink"]).await), 64, "it is no link");
    let output = ask(&["x", "--of", "delete", "--namespace", "gone"]).await;
    assert!(code(&output) == 64 && told(&output).contains("has no namespace `gone`"), "{}", told(&output));
    world.stop().await;
}

#[tokio::test]
async fn the_newer_generation_is_told_with_its_own_commands() {
    let world = World::of(&Fleet::from_toml(AUTHORITIES).unwrap(), AUTHORITIES_RULES).await;
    let (told_of, ended) = radius(&world, &["lines-ica/short-lived", "--of", "rotate"]).await;
    assert_eq!((ended, &told_of["kind"], &told_of["name"]), (2, &json!("authority"), &json!("lines-ica")));
    let (root, ended) = radius(&world, &["plants-root", "--of", "revoke"]).await;
    assert_eq!((ended, &root["verdict"], &root["commands"]), (0, &json!("refused"), &json!([])));
    let (hub, ended) = radius(&world, &["contoso-plants-hub-1", "--of", "unlink"]).await;
    assert_eq!((ended, &hub["verdict"]), (2, &json!("stops")), "{hub}");
    assert!(hub["commands"][0]["text"].as_str().unwrap().starts_with("az resource delete --ids"), "{hub}");
    let (service, ended) = radius(&world, &["contoso-plants-dps", "--of", "unlink"]).await;
    assert_eq!((ended, &service["kind"]), (2, &json!("provisioning-service")), "{service}");
    assert_eq!(service["groups"].as_array().unwrap().len(), 1, "{service}");
    assert_eq!(world.writes().await, Vec::<String>::new());

    let (free, ended) = radius(&world, &["telematics", "--of", "delete"]).await;
    assert_eq!((ended, &free["verdict"]), (0, &json!("nothing-stops")), "{free}");
    run_commands(&world, &free).await;
    let list = async || {
        let output = policysync(&world, &["policies", "list", "--output", "json"], &[]).await;
        (!told(&output).contains("telematics")).then_some(())
    };
    world.until("the policy is gone", list).await;
    world.stop().await;
}

#[tokio::test]
async fn the_commands_of_the_page_run_as_they_stand() {
    let world = World::of(&Fleet::from_toml(AUTHORITIES).unwrap(), AUTHORITIES_RULES).await;
    let page = include_str!("../../docs/authorities.md");
    let (_, section) = page.split_once("## Before you revoke, rotate, delete or unlink\n").unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    let commands: Vec<&str> = block.split_once("```").unwrap().0.lines().collect();
    assert_eq!(commands.len(), 3);
    for command in commands {
        let arguments: Vec<&str> = command.split(' ').skip(1).collect();
        let output = policysync(&world, &arguments, &[]).await;
        assert_eq!(code(&output), 2, "{command}: {}", told(&output));
        assert!(told(&output).contains("The commands, for you to run or not."), "{command}");
    }
    assert_eq!(world.writes().await, Vec::<String>::new());
    world.stop().await;
}
