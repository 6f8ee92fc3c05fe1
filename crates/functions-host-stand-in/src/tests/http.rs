//! HTTP functions from the client's side, and the Event Grid webhook.

use serde_json::json;

use super::app::{TestApp, next_invocation};
use crate::Outcome;

const RES: &str = r#"{"type":"http","name":"res","direction":"out"}"#;

#[tokio::test]
async fn functions_answer_under_their_routes_and_methods() {
    let app = TestApp::new();
    app.function("web-job", &format!(r#"{{"type":"httpTrigger","name":"req","route":"jobs/{{id:int}}","methods":["get","post"]}},{RES}"#));
    app.function(
        "web-rest",
        &format!(r#"{{"type":"httpTrigger","name":"req","route":"{{*rest}}","methods":["get"]}},{RES}"#),
    );
    app.function("quiet", r#"{"type":"httpTrigger","name":"req"}"#);
    app.function("fail-web", r#"{"type":"httpTrigger","name":"req"}"#);
    let (host, mut events) = app.start("").await;
    let host = host.unwrap();
    let client = reqwest::Client::new();
    let url = |path: &str| format!("{}{path}", host.url());

    let answer =
        client.post(url("/api/jobs/7?x=1")).header("X-Custom", "v").body("hello").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["x-method"].to_str().unwrap()), (201, "POST"));
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap(), json!({"id": "7"}));
    let seen: serde_json::Value = serde_json::from_str(&next_invocation(&mut events).await.logs[0]).unwrap();
    assert_eq!(seen["Data"]["req"]["Body"], "hello");
    assert_eq!(seen["Data"]["req"]["Headers"]["Content-Length"], json!(["5"]));
    assert_eq!(seen["Metadata"]["x"], "\"1\"");

    let rest = client.get(url("/api/jobs/seven")).send().await.unwrap();
    assert_eq!(rest.json::<serde_json::Value>().await.unwrap(), json!({"rest": "jobs/seven"}));
    for (method, path, status) in [
        ("DELETE", "/api/jobs/7", 404),
        ("PUT", "/api/quiet", 204),
        ("POST", "/api/fail-web", 500),
        ("GET", "/elsewhere", 404),
        ("GET", "/", 200),
    ] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let answer = client.request(method, url(path)).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
    host.stop().await;
}

#[tokio::test]
async fn plain_http_functions_get_the_clients_request_in_forwarding_mode() {
    let app = TestApp::new();
    app.host_json_with("", r#""enableForwardingHttpRequest":true"#);
    app.function("plain", &format!(r#"{{"type":"httpTrigger","name":"req","route":"jobs/{{id}}"}},{RES}"#));
    app.function("web", &format!(r#"{{"type":"httpTrigger","name":"req"}},{RES},{{"type":"queue","name":"more","direction":"out"}}"#));
    let (host, mut events) = app.start("").await;
    let host = host.unwrap();
    let post = |path: &str| reqwest::Client::new().post(format!("{}{path}", host.url())).body("text").send();
    let answer = post("/api/jobs/42?dry=1&dry=2&x=%20y").await.unwrap();
    assert_eq!(answer.status().as_u16(), 418);
    assert_eq!(answer.text().await.unwrap(), "forwarded /api/jobs/42?dry=1,2&x=%20y text");
    assert_eq!(next_invocation(&mut events).await.outcome, Outcome::Succeeded);
    // A further binding makes the host fall back to the envelope.
    assert_eq!(post("/api/web").await.unwrap().status().as_u16(), 201);
    host.stop().await;
}

#[tokio::test]
async fn the_event_grid_webhook_shakes_hands_by_itself() {
    let app = TestApp::new();
    app.function("grid", r#"{"type":"eventGridTrigger","name":"event"}"#);
    app.function("fail", r#"{"type":"eventGridTrigger","name":"event"}"#);
    let (host, mut events) = app.start("").await;
    let host = host.unwrap();
    let url = |name: &str| format!("{}/runtime/webhooks/EventGrid?functionName={name}&code=x", host.url());
    let post = |name: &str, kind: &'static str, body: &'static str| {
        reqwest::Client::new().post(url(name)).header("aeg-event-type", kind).body(body).send()
    };
    let validation =
        post("grid", "SubscriptionValidation", r#"[{"data":{"validationCode":"c"}}]"#).await.unwrap();
    assert_eq!(validation.json::<serde_json::Value>().await.unwrap(), json!({"validationResponse": "c"}));
    for (name, kind, body, status) in [
        ("grid", "Notification", r#"[{"id":"1"},{"id":"2"}]"#, 202),
        ("grid", "Notification", "[]", 202),
        ("grid", "Unsubscribe", "", 202),
        ("grid", "Other", "[]", 400),
        ("grid", "Notification", "no json", 500),
        ("fail", "Notification", r#"[{"id":"1"}]"#, 500),
        ("nope", "Notification", "[]", 404),
    ] {
        assert_eq!(post(name, kind, body).await.unwrap().status().as_u16(), status, "{name} {kind} {body}");
    }
    let mut fired = Vec::new();
    for _ in 0..3 {
        fired.push(next_invocation(&mut events).await.function);
    }
    assert_eq!(fired, ["grid", "grid", "fail"]);
    let options = reqwest::Client::new()
        .request(reqwest::Method::OPTIONS, url("grid"))
        .header("WebHook-Request-Origin", "eventgrid.azure.net");
    let options = options.send().await.unwrap();
    assert_eq!(options.headers()["webhook-allowed-origin"], "eventgrid.azure.net");
    host.stop().await;
}
