//! Runs commands as a person or a pipeline does, and looks up the results.

use std::process::Output;

use policysync::commands::laptop::local_world::{Schedules, app_settings};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{World, clock};

pub const DPS: &str = "contoso-plants-dps";
pub const GROUP: &str = "warehouse-gates";
pub const ATTESTATION: &str = "Microsoft.Devices/provisioningServices/attestationmechanism/details/action";

/// Runs the program with the settings that `dev` prints for a world.
pub async fn policysync(world: &World, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    tokio::process::Command::new(env!("CARGO_BIN_EXE_policysync"))
        .args(arguments)
        .env_clear()
        .envs(clock())
        .envs(app_settings(world.local.simulator.url(), Schedules::default()))
        .env("POLICYSYNC_CONFIG", &world.local.configured)
        .envs(environment.iter().copied())
        .output()
        .await
        .unwrap()
}

pub fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", told(output)))
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("it was killed: {}", told(output)))
}

/// Runs a command that prints JSON; its document and exit code.
pub async fn run(world: &World, arguments: &[&str]) -> (Value, i32) {
    let output = policysync(world, &[arguments, &["--output", "json"]].concat(), &[]).await;
    (document(&output), code(&output))
}

pub async fn policy_of(world: &World, service: &str, id: &str) -> Option<String> {
    let (status, group) = world.group(service, id, Method::GET, None).await;
    assert_eq!(status, StatusCode::OK, "{group}");
    group["credentialPolicyName"].as_str().map(str::to_owned)
}

/// The row of a group in one of a document's lists.
pub fn row<'d>(document: &'d Value, list: &str, id: &str) -> &'d Value {
    let rows = document[list].as_array().unwrap_or_else(|| panic!("no {list}: {document}"));
    rows.iter().find(|row| row["enrollmentGroup"] == id).unwrap_or_else(|| panic!("no {id}: {document}"))
}

pub async fn leave_out(world: &World, actions: Value, data_actions: Value) {
    let url = world.azure("/simulator/permissions");
    let body = json!({"notActions": actions, "notDataActions": data_actions});
    let answer = world.client.put(url).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

/// The keys of the records of writes of a group.
pub async fn writes_of(world: &World, group: &str) -> Vec<String> {
    let list = world.azure("/storage/policysync?restype=container&comp=list&prefix=assignments/");
    let listed =
        world.client.get(list).header("Authorization", "SharedKey storage:c2ln").send().await.unwrap();
    let text = listed.text().await.unwrap();
    let keys = text.split("<Name>").skip(1).map(|rest| rest.split("</Name>").next().unwrap());
    keys.filter(|key| key.ends_with(&format!("/{group}"))).map(str::to_owned).collect()
}

pub async fn record(world: &World, key: &str) -> Value {
    let blob = world.azure(&format!("/storage/policysync/{key}"));
    let answer =
        world.client.get(blob).header("Authorization", "SharedKey storage:c2ln").send().await.unwrap();
    assert!(answer.status().is_success(), "{key}: {}", answer.status());
    answer.json::<Value>().await.unwrap()["value"].clone()
}
