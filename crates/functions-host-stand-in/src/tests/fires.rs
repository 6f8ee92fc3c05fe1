//! Firing functions by hand, each kind of trigger.

use serde_json::{Value, json};

use super::app::{TestApp, next_invocation, next_line};
use crate::{FireError, FunctionState, Host, HostOptions, InvocationReport, Outcome};

fn body(report: &InvocationReport) -> Value {
    assert_eq!(report.outcome, Outcome::Succeeded, "{:?}", report.error);
    serde_json::from_str(&report.logs[0]).unwrap()
}

async fn app() -> (TestApp, Host, tokio::sync::mpsc::UnboundedReceiver<crate::HostEvent>) {
    let app = TestApp::new();
    let out = r#"{"type":"serviceBus","name":"out","direction":"out","queueName":"q"}"#;
    app.function("tick", r#"{"type":"timerTrigger","name":"timer","schedule":"0 0 3 * * *"}"#);
    app.function("bus", &format!(r#"{{"type":"serviceBusTrigger","name":"messages","queueName":"%QUEUE%","cardinality":"many","dataType":"string"}},{out}"#));
    app.function("hub", r#"{"type":"eventHubTrigger","name":"events","eventHubName":"h","cardinality":"many","dataType":"string"}"#);
    app.function("grid", r#"{"type":"eventGridTrigger","name":"event"}"#);
    app.function("queue", r#"{"type":"queueTrigger","name":"item","queueName":"q"}"#);
    app.function(
        "web",
        r#"{"type":"httpTrigger","name":"req"},{"type":"http","name":"res","direction":"out"}"#,
    );
    app.function("broken", r#"{"type":"faxTrigger","name":"fax"}"#);
    let (mut options, events) = app.options();
    options.app_settings.insert("QUEUE".to_owned(), "jobs".to_owned());
    let host = Host::start(options).await.unwrap();
    (app, host, events)
}

#[tokio::test]
async fn each_trigger_gets_a_whole_envelope_with_made_up_metadata() {
    let (_app, host, mut events) = app().await;
    let tick = body(&host.fire("tick", None).await.unwrap());
    assert_eq!(tick["Data"]["timer"]["IsPastDue"], false);
    assert!(tick["Data"]["timer"]["ScheduleStatus"]["Last"].as_str().unwrap().starts_with("0001-01-01T"));
    assert_eq!(tick["Metadata"]["sys"]["MethodName"], "tick");

    let bus = host.fire("bus", Some("{\"a\":1}".to_owned())).await.unwrap();
    assert_eq!(bus.outputs["out"], ["message"]);
    let bus = body(&bus);
    assert_eq!(bus["Data"]["messages"], r#"["{\"a\":1}"]"#);
    assert_eq!(bus["Metadata"]["DeliveryCountArray"], "[1]");

    let hub = body(&host.fire("HUB", Some("x".to_owned())).await.unwrap());
    assert_eq!(hub["Data"]["events"], r#"["x"]"#);
    assert_eq!(hub["Metadata"]["PartitionContext"]["EventHubName"], "h");

    let grid = body(&host.fire("grid", Some(r#"[{"id":"1","data":{"b":2}}]"#.to_owned())).await.unwrap());
    assert_eq!(grid["Metadata"]["data"], json!({"b": 2}));
    assert_eq!(body(&host.fire("grid", None).await.unwrap())["Data"]["event"]["eventType"], "Made.Up");

    let queue = body(&host.fire("queue", Some("text".to_owned())).await.unwrap());
    assert_eq!(queue["Data"]["item"], "\"text\"");
    assert_eq!(queue["Metadata"]["DequeueCount"], "1");
    assert_eq!(next_invocation(&mut events).await.function, "tick");
    host.stop().await;
}

#[tokio::test]
async fn what_cannot_be_fired_is_told_in_words() {
    let (_app, host, _events) = app().await;
    assert_eq!(host.fire("nope", None).await, Err(FireError::Unknown("nope".to_owned())));
    assert!(
        matches!(host.fire("web", None).await, Err(FireError::Http { url, .. }) if url.ends_with("/api/web"))
    );
    let input = host.fire("grid", Some("no json".to_owned())).await.unwrap_err();
    assert!(input.to_string().contains("not JSON"), "{input}");
    let broken = host.fire("broken", None).await.unwrap_err();
    assert!(broken.to_string().contains("faxTrigger"), "{broken}");
    let functions = host.functions();
    assert_eq!(functions.len(), 7);
    assert!(matches!(&functions[6].state, FunctionState::InError(words) if words.contains("faxTrigger")));
    host.stop().await;
}

#[tokio::test]
async fn the_admin_endpoint_answers_before_the_function_ends() {
    let (_app, host, mut events) = app().await;
    let post = |name: &str, body: &'static str| {
        reqwest::Client::new().post(format!("{}/admin/functions/{name}", host.url())).body(body).send()
    };
    let answer = post("bus", r#"{"input":"by hand"}"#).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.content_length()), (202, Some(0)));
    assert_eq!(body(&next_invocation(&mut events).await)["Data"]["messages"], r#"["by hand"]"#);
    for (name, body, status) in
        [("nope", "{}", 404), ("web", "{}", 400), ("bus", "[", 400), ("broken", "{}", 400)]
    {
        let answer = post(name, body).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{name}");
        assert!(answer.text().await.unwrap().contains("error"));
    }
    host.stop().await;
}

#[tokio::test]
async fn the_handler_gets_settings_and_may_lose_the_environment() {
    let app = TestApp::new();
    for (clear, kept) in [(false, json!(env!("CARGO_MANIFEST_DIR"))), (true, Value::Null)] {
        let (options, mut events) = app.options();
        let settings = [("SECRET".to_owned(), "s".to_owned())];
        let options = HostOptions { app_settings: settings.into(), clear_environment: clear, ..options };
        let host = Host::start(options).await.unwrap();
        let line = next_line(&mut events, "environment").await;
        let seen: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&seen["SECRET"], &seen["FUNCTIONS_WORKER_RUNTIME"]), (&json!("s"), &json!("custom")));
        assert_eq!(seen["FUNCTIONS_CUSTOMHANDLER_PORT"], seen["FUNCTIONS_HTTPWORKER_PORT"]);
        assert_eq!(seen["FUNCTIONS_CUSTOMHANDLER_WORKER_ID"], seen["FUNCTIONS_HTTPWORKER_ID"]);
        assert_eq!(seen["FUNCTIONS_APP_ROOT_PATH"], json!(app.root()));
        assert_eq!(seen["CARGO_MANIFEST_DIR"], kept);
        host.stop().await;
    }
}
