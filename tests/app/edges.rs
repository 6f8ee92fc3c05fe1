//! The edges of the app: what callers, queue senders and hostile names can do to it, and what they cannot.

use std::time::Duration;

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::operator::{policysync, told};
use crate::world::World;

const SAS: &str = "SharedAccessSignature sr=x&sig=eA%3D%3D&se=4102444800&skn=n";
/// An escape that would clear the screen, one of the C1 range, a bidi override, an isolate, nothing, a line separator.
const HOSTILE: &str = "evil\u{1b}[2J\u{9b}31m\u{202e}txt\u{2066}\u{200b}\u{2028}end";

/// Whether a terminal would obey a character, or hide it.
fn is_hostile(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[track_caller]
fn assert_clean(what: &str, output: &std::process::Output) {
    let told = told(output);
    assert!(!told.chars().any(is_hostile), "{what}: {}", told.escape_debug());
    assert!(told.contains("evil"), "{what} shows the name: {told}");
}

/// The default instance's memory in bytes, as the template says.
fn instance_memory() -> u64 {
    let template = include_str!("../../infra/main.bicep");
    let line = template.lines().find(|line| line.starts_with("param instanceMemoryMB int = ")).unwrap();
    line.rsplit(' ').next().unwrap().parse::<u64>().unwrap() * 1024 * 1024
}

/// The most memory that a process has had, in bytes.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn the_worst_mix_of_bodies_takes_less_than_half_of_an_instance() {
    const MIB: usize = 1024 * 1024;
    let world = World::with_process().await;
    let door = world.handler_url();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(120)).build().unwrap();
    let post = |function: &str, body: String| {
        let request =
            client.post(format!("{door}/{function}")).header("X-Azure-Functions-InvocationId", "edge");
        async move { request.body(body).send().await.map(|answer| answer.status()) }
    };
    let http = |length: usize| {
        let body = "x".repeat(length);
        json!({"Data": {"req": {"Method": "POST", "Url": "http://h/api/sync-requests", "Body": body}}, "Metadata": {}})
            .to_string()
    };
    let batch = |binding: &str, count: usize, text: &str| {
        let list = json!(vec![text; count]).to_string();
        json!({"Data": {binding: list}, "Metadata": {}}).to_string()
    };
    // A body that is small as text and large as a tree.
    let zeros = format!("[{}0]", "0,".repeat(MIB / 2));
    let event = format!(
        r#"{{"Data":{{"event":{{"specversion":"1.0","type":"t","data":{zeros}}}}},"Metadata":{{}}}}"#
    );
    let mut bodies = Vec::new();
    for _ in 0..4 {
        bodies.push(("sync-requests", http(60 * MIB)));
        bodies.push(("sync-requests", http(MIB)));
        bodies.push(("handle-resource-event", event.clone()));
        bodies.push(("assign-policy", batch("records", 32, &zeros)));
        bodies.push(("assign-policy", batch("records", 32, &"x".repeat(MIB))));
    }
    let answers = join_all(bodies.into_iter().map(|(function, body)| post(function, body))).await;
    let peak = peak(world.local.host.handler_pid().unwrap());
    assert!(answers.iter().flatten().count() > 10, "it answers: {answers:?}");
    eprintln!("peak of the handler: {} MiB", peak / MIB as u64);
    assert!(peak < instance_memory() / 2, "{} MiB", peak / MIB as u64);
    world.fire("report-policy-status").await;
    world.stop().await;
}

#[tokio::test]
async fn a_request_that_is_too_large_is_told_so() {
    let world = World::default().await;
    let url = world.app("/api/sync-requests");
    let answer = world.client.post(&url).body("x".repeat(3 * 1024 * 1024)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["error"]["code"], "body-too-large");
    world.stop().await;
}

#[tokio::test]
async fn the_hosts_own_limit_is_obeyed() {
    let world = World::with_settings(&[("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", "1000")]).await;
    let url = world.app("/api/sync-requests");
    let answer = world.client.post(&url).body("x".repeat(1001)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text().await.unwrap().contains("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"));
    world.stop().await;
}

#[tokio::test]
async fn ids_of_the_app_cannot_be_claimed_and_unknown_members_are_named() {
    let world = World::default().await;
    let namespace = world.namespace("contoso-plants").await["id"].as_str().unwrap().to_owned();
    let url = world.app("/api/sync-requests");
    for key in ["automatic-0123456789abcdef0123456789abcdef", "look-0a-1", "01M85A71M08CPV9XGR0PSFA70F:1"] {
        let request = world.client.post(&url).header("Idempotency-Key", key);
        let answer = request.json(&json!({"namespaceId": namespace})).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{key}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["error"]["fields"][0]["field"], "Idempotency-Key", "{answer}");
        let output = policysync(&world, &["submit", "--namespace", &namespace, "--id", key], &[]).await;
        assert_eq!(output.status.code(), Some(64), "{}", told(&output));
        assert!(told(&output).contains("--id: "), "{}", told(&output));
    }
    let answer = world.post(&url, &json!({"namespaceId": namespace, "hub": ["a"], "schema": "x"})).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let answer: Value = answer.json().await.unwrap();
    let fields: Vec<_> =
        answer["error"]["fields"].as_array().unwrap().iter().map(|one| &one["field"]).collect();
    assert_eq!(fields, ["hub", "schema"], "{answer}");
    assert_eq!(world.sends().await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test]
async fn a_namespace_that_is_not_configured_is_refused_at_the_door_and_leaves_no_record() {
    let world = World::default().await;
    let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/unlisted";
    let url = world.app("/api/sync-requests");
    let request = world.client.post(&url).header("Idempotency-Key", "unlisted-1");
    let answer = request.json(&json!({"namespaceId": id})).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["error"]["fields"][0]["field"], "namespaceId", "{answer}");
    assert_eq!(answer["error"]["code"], "namespace-not-configured");
    let record = world.client.get(format!("{url}/unlisted-1")).send().await.unwrap();
    assert_eq!(record.status(), StatusCode::NOT_FOUND);
    let output = policysync(&world, &["submit", "--namespace", id, "--id", "unlisted-2"], &[]).await;
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert_eq!(world.sends().await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test]
async fn a_dry_run_over_http_plans_and_submits_nothing() {
    let world = World::default().await;
    let namespace = world.namespace("contoso-plants").await["id"].clone();
    let answer = world
        .post(&world.app("/api/sync-requests"), &json!({"namespaceId": namespace, "dryRun": true}))
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    let plan: Value = answer.json().await.unwrap();
    assert_eq!((&plan["dryRun"], &plan["requestId"]), (&json!(true), &Value::Null), "{plan}");
    assert!(plan["plan"].is_string(), "{plan}");
    assert_eq!((world.sends().await, world.writes().await), (Vec::new(), Vec::new()));
    world.stop().await;
}

/// Submits with a body and headers that name different people; answers what the record says.
async fn asked(world: &World) -> (Value, Value) {
    let namespace = world.namespace("contoso-plants").await["id"].clone();
    let request = world
        .client
        .post(world.app("/api/sync-requests"))
        .header("Idempotency-Key", "who")
        .header("X-MS-CLIENT-PRINCIPAL-NAME", "alice@contoso.com")
        .header("X-MS-CLIENT-PRINCIPAL-ID", "b0a1");
    let answer =
        request.json(&json!({"namespaceId": namespace, "requestedBy": "the chief"})).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let record = world.get(&world.app("/api/sync-requests/who")).await;
    (record["requestedBy"].clone(), record["requester"].clone())
}

#[tokio::test]
async fn with_sign_in_the_platform_says_who_asked_and_without_it_is_a_claim() {
    let world = World::with_settings(&[("WEBSITE_AUTH_ENABLED", "True")]).await;
    assert_eq!(asked(&world).await, (json!("alice@contoso.com (b0a1)"), json!("signed-in")));
    world.stop().await;
    // No platform takes the headers away here, so the app believes them no more than the body.
    let world = World::default().await;
    assert_eq!(asked(&world).await, (json!("the chief"), json!("claimed")));
    world.stop().await;
}

#[tokio::test]
async fn every_answer_over_http_has_the_headers_that_bind_a_browser() {
    let world = World::default().await;
    let get = |path: &str| world.client.get(world.app(path)).send();
    let answers = [
        get("/api/policy-status").await.unwrap(),
        get("/api/sync-requests/none").await.unwrap(),
        get("/api/nothing").await.unwrap(),
        world.post(&world.app("/api/sync-requests"), &json!({})).await,
        world.client.post(world.app("/api/sync-requests")).body("x".repeat(3 << 20)).send().await.unwrap(),
    ];
    for answer in answers {
        let (url, status) = (answer.url().clone(), answer.status());
        let header =
            |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"), "{url} {status}");
        assert_eq!(header("referrer-policy").as_deref(), Some("no-referrer"), "{url} {status}");
        let policy = header("content-security-policy");
        assert!(policy.is_some_and(|policy| policy.starts_with("default-src 'none'")), "{url} {status}");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_page_of_strangers_reaches_neither_host_nor_handler() {
    let world = World::default().await;
    let namespace = world.namespace("contoso-plants").await["id"].clone();
    let body = json!({"namespaceId": namespace}).to_string();
    for (url, header, value) in [
        (world.app("/api/sync-requests"), "Origin", "http://evil.example"),
        (world.app("/api/sync-requests"), "Host", "evil.example"),
        (world.app("/admin/functions/report-policy-status"), "Origin", "null"),
        (format!("{}/sync-requests", world.handler_url()), "Origin", "http://evil.example"),
        (format!("{}/report-policy-status", world.handler_url()), "Content-Type", "text/plain"),
    ] {
        let answer = world.client.post(&url).header(header, value).body(body.clone()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{url} {header}");
    }
    assert_eq!(world.sends().await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test]
async fn names_of_others_are_shown_and_never_obeyed() {
    let hostile_rule = format!(
        "[[namespace]]\nid = \"/subscriptions/6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40/resourceGroups/rg-contoso-plants/providers/Microsoft.DeviceRegistry/namespaces/contoso-plants\"\nmode = \"enforce\"\nsync = \"ask\"\n\
         [[namespace.rule]]\nname = {}\nenrollment_groups = [\"no-such-*\"]\npolicy = \"default\"\n",
        Value::from(HOSTILE).to_string().replace('\u{9b}', "\\u009b")
    );
    let world = World::configured(&hostile_rule).await;
    let namespace = world.namespace("contoso-plants").await["id"].as_str().unwrap().to_owned();

    // A parked message, its id and its body.
    let parked = json!({"schema": "parked-message/v1", "messageId": HOSTILE, "reason": HOSTILE, "detail": HOSTILE,
        "parkedAt": HOSTILE, "body": HOSTILE});
    let url = world.azure("/servicebus/sync-requests-parked/messages");
    let sent =
        world.client.post(url).header("Authorization", SAS).body(parked.to_string()).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::CREATED);
    assert_clean("parked list", &policysync(&world, &["parked", "list"], &[]).await);
    let output = policysync(&world, &["parked", "list", "--output", "json"], &[]).await;
    assert_clean("parked list as JSON", &output);
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(list["messages"][0]["messageId"], HOSTILE, "the document is the same");

    // The name of a rule, of a group that does not exist, and of a hub.
    assert_clean("explain", &policysync(&world, &["explain", "some-group", "--offline"], &[]).await);
    assert_clean("explain of its name", &policysync(&world, &["explain", HOSTILE, "--offline"], &[]).await);
    let arguments = ["submit", "--namespace", namespace.as_str(), "--dry-run", "--hub", HOSTILE];
    assert_clean("submit", &policysync(&world, &arguments, &[]).await);
    assert_clean("wrong usage", &policysync(&world, &["submit", &format!("--{HOSTILE}")], &[]).await);

    // An answer of a service, in every command that reads.
    let faults = json!({"faults": [{"method": "GET", "path": "*/policies", "status": 403, "times": 1000, "message": HOSTILE}]});
    let answer = world.client.put(world.azure("/simulator/faults")).json(&faults).send().await.unwrap();
    let message_is_taken = answer.status().is_success();
    for command in [&["status"][..], &["check"], &["plan"]] {
        let output = policysync(&world, command, &[]).await;
        assert!(!told(&output).chars().any(is_hostile), "{command:?}: {}", told(&output).escape_debug());
        if message_is_taken {
            assert!(!told(&output).is_empty());
        }
    }
    // An error of the configuration, on stderr and in a table.
    let broken = world.local.folder.path().join("broken.toml");
    std::fs::write(&broken, "[[namespace]]\n\"evil\u{202e}\u{200b}\" = 1\n").unwrap();
    let variables = [("POLICYSYNC_CONFIG", broken.to_str().unwrap())];
    for command in [&["status"][..], &["check", "--offline"], &["plan"], &["explain", "g", "--offline"]] {
        assert_clean(&format!("{command:?}"), &policysync(&world, command, &variables).await);
    }
    world.stop().await;
}
