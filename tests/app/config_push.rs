//! `config push` and `config show`, as a person runs them, against the simulated storage account.

use std::path::PathBuf;

use policysync::commands::laptop::local_world::DEFAULT_CONFIGURATION;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::operator::{DPS, code, document, policysync, told};
use crate::world::World;

const KEY: &str = "SharedKey storage:c2ln";
const BLOB: &str = "/storage/config/policysync.toml";

async fn with_blob(text: &str) -> World {
    let world = World::default().await;
    for (path, body) in [("/storage/config?restype=container", ""), (BLOB, text)] {
        put(&world, path, body).await;
    }
    world
}

async fn put(world: &World, path: &str, body: &str) {
    let request = world.client.put(world.azure(path)).header("Authorization", KEY).body(body.to_owned());
    assert!(request.send().await.unwrap().status().is_success(), "{path}");
}

async fn there(world: &World) -> String {
    let request = world.client.get(world.azure(BLOB)).header("Authorization", KEY);
    request.send().await.unwrap().text().await.unwrap()
}

/// A file to push.
fn file(world: &World, text: &str) -> PathBuf {
    let path = world.local.folder.path().join("next.toml");
    std::fs::write(&path, text).unwrap();
    path
}

async fn push(world: &World, text: &str, further: &[&str]) -> std::process::Output {
    let (path, to) = (file(world, text), world.azure(BLOB));
    let arguments = [&["config", "push", path.to_str().unwrap(), "--to", &to], further].concat();
    policysync(world, &arguments, &[]).await
}

/// A configuration with which the lines of contoso-plants keep what they have, and the gates get a policy of their own.
fn next() -> String {
    DEFAULT_CONFIGURATION
        .replacen(
            "name = \"everything else\"\nenrollment_groups = [\"*\"]\npolicy = \"default\"",
            "name = \"gates\"\nenrollment_groups = [\"warehouse-*\"]\npolicy = \"short-lived\"",
            1,
        )
        .replacen("sync = \"ask\"", "sync = \"automatic\"", 1)
}

fn of<'d>(document: &'d Value, group: &str) -> &'d Value {
    let rows = document["groups"].as_array().unwrap_or_else(|| panic!("no groups: {document}"));
    let is_it = |row: &&Value| row["enrollmentGroup"] == group && row["provisioningService"] == DPS;
    rows.iter().find(is_it).unwrap_or_else(|| panic!("no {group}: {document}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_shows_what_becomes_of_each_group_and_uploads_only_with_apply() {
    let world = with_blob(DEFAULT_CONFIGURATION).await;
    let shown = push(&world, &next(), &["--output", "json"]).await;
    assert_eq!(code(&shown), 0, "{}", told(&shown));
    let difference = document(&shown);
    assert_eq!(difference["upload"]["state"], "not-asked-for");
    let gates = of(&difference, "warehouse-gates");
    assert_eq!(
        (&gates["change"], &gates["to"]),
        (&json!("newly-assigned"), &json!("short-lived")),
        "{gates}"
    );
    let changed: Vec<&Value> =
        difference["changed"].as_array().unwrap().iter().map(|one| &one["keys"]).collect();
    assert_eq!(changed, [&json!(["rule"]), &json!(["sync"])], "{difference}");
    assert_eq!(there(&world).await, DEFAULT_CONFIGURATION, "nothing is uploaded without --apply");
    assert_eq!(world.writes().await, Vec::<String>::new(), "and nothing is ever written to Azure");

    let table = push(&world, &next(), &["--apply", "--reason", "CHG-4711: die Tore, größer"]).await;
    assert_eq!(code(&table), 0, "{}", told(&table));
    assert!(
        told(&table).contains("Uploaded to") && told(&table).contains("warehouse-gates"),
        "{}",
        told(&table)
    );
    assert_eq!(there(&world).await, next());
    let again = push(&world, &next(), &["--apply", "--output", "json"]).await;
    assert_eq!((code(&again), &document(&again)["upload"]["state"]), (0, &json!("unchanged")));

    let show =
        policysync(&world, &["config", "show", "--of", &world.azure(BLOB), "--output", "json"], &[]).await;
    let show = document(&show);
    assert_eq!(show["newest"]["reason"], "CHG-4711: die Tore, größer", "{show}");
    assert_eq!((&show["newest"]["namespaces"], &show["inForce"]), (&json!(3), &Value::Null), "{show}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_fails_its_checks_and_one_whose_effects_are_not_known_are_not_uploaded() {
    let world = with_blob(DEFAULT_CONFIGURATION).await;
    let wrong = next().replace("expect = \"short-lived\"", "expect = \"default\"");
    for text in [wrong.as_str(), "[[namespace", ""] {
        let refused = push(&world, text, &["--apply"]).await;
        assert_eq!(code(&refused), 1, "{}", told(&refused));
        assert!(told(&refused).contains("nothing was uploaded"), "{}", told(&refused));
    }
    let faults = json!({"faults": [{"method": "POST", "path": format!("/dps/{DPS}/*"), "status": 403}]});
    let answer = world.client.put(world.azure("/simulator/faults")).json(&faults).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let unknown = push(&world, &next(), &["--apply"]).await;
    assert_eq!(code(&unknown), 1, "{}", told(&unknown));
    assert_eq!(there(&world).await, DEFAULT_CONFIGURATION);
    let emergency = push(&world, &next(), &["--apply", "--without-effects"]).await;
    assert_eq!(code(&emergency), 0, "{}", told(&emergency));
    assert_eq!(there(&world).await, next());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_came_in_between_is_not_written_over() {
    let world = with_blob(DEFAULT_CONFIGURATION).await;
    // The version that another person uploads while this one looks at Azure.
    let faults = json!({"faults": [{"method": "PUT", "path": BLOB, "status": 412, "times": 9}]});
    let answer = world.client.put(world.azure("/simulator/faults")).json(&faults).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let refused = push(&world, &next(), &["--apply", "--without-effects"]).await;
    assert_eq!(code(&refused), 1, "{}", told(&refused));
    assert!(told(&refused).contains("another version came in between"), "{}", told(&refused));
    assert_eq!(there(&world).await, DEFAULT_CONFIGURATION);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_version_is_uploaded_where_there_is_none_and_no_container_is_made() {
    let world = World::default().await;
    let without = push(&world, &next(), &["--apply", "--without-effects"]).await;
    assert_eq!(code(&without), 1, "{}", told(&without));
    let container =
        world.client.get(world.azure("/storage/config?restype=container")).header("Authorization", KEY);
    assert_eq!(container.send().await.unwrap().status(), StatusCode::NOT_FOUND);
    put(&world, "/storage/config?restype=container", "").await;
    let shown = push(&world, &next(), &["--apply"]).await;
    assert_eq!(code(&shown), 0, "{}", told(&shown));
    assert!(told(&shown).contains("there is no blob yet"), "{}", told(&shown));
    assert_eq!(there(&world).await, next());
    let file = policysync(&world, &["config", "show"], &[]).await;
    assert_eq!(code(&file), 64, "a file has no versions: {}", told(&file));
    world.stop().await;
}

/// Every command reads the blob that the app reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_read_the_blob_too() {
    let world = with_blob(&DEFAULT_CONFIGURATION.replace("production lines", "of the blob")).await;
    let blob = world.azure(BLOB);
    let environment = [("POLICYSYNC_CONFIG", blob.as_str())];
    let explained =
        policysync(&world, &["explain", &format!("{DPS}/line-9"), "--offline"], &environment).await;
    assert!(told(&explained).contains("of the blob"), "{}", told(&explained));
    let checked = policysync(&world, &["check", "--offline"], &environment).await;
    assert_eq!(code(&checked), 0, "{}", told(&checked));
    let planned = policysync(&world, &["plan"], &environment).await;
    assert!(told(&planned).contains("warehouse-gates"), "{}", told(&planned));
    world.stop().await;
}
