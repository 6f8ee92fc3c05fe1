//! All recorded answers over real connections, judged by a whole invocation; and the recorded head of a request.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::unbounded_channel;

use super::app::TestApp;
use super::scripted;
use crate::functions_host::app::{AppSettings, Function, load};
use crate::functions_host::encoding::NetValue;
use crate::functions_host::envelope::{Metadata, Payload};
use crate::functions_host::events::{Events, InvocationReport, Outcome};
use crate::functions_host::handler::Handler;
use crate::functions_host::invoker::{Invoker, Work};
use crate::functions_host::zone::Zone;

fn fixture(name: &str) -> Value {
    let path = format!("{}/../../tests/fixtures/captured/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A function with the outputs that the recorded answers name.
fn function(name: &str, with_return: bool) -> Function {
    let out = |name: &str, more: &str| {
        format!(r#"{{"type":"serviceBus","name":"{name}","direction":"out","queueName":"q"{more}}}"#)
    };
    let outputs = if with_return {
        out("$return", "")
    } else {
        format!("{},{}", out("out", ""), out("outbin", r#","dataType":"binary""#))
    };
    let app = TestApp::new();
    app.function(name, &format!(r#"{{"type":"serviceBusTrigger","name":"m","queueName":"in"}},{outputs}"#));
    load(app.root(), &AppSettings::default()).unwrap().functions.pop().unwrap()
}

fn invoker(address: String, traced: bool) -> Invoker {
    Invoker {
        handler: Handler::attached(address),
        zone: Zone::Utc,
        timeout: Some(Duration::from_secs(2)),
        start_limit: Duration::from_secs(1),
        follow_redirects: true,
        traced,
        events: Events::default(),
    }
}

fn work() -> Work {
    let data = vec![("m".to_owned(), NetValue::text("x".repeat(3000)))];
    Work::Envelope(Payload { data, metadata: Metadata::default(), shadowing_text: None })
}

async fn replay(case: &Value) -> (InvocationReport, Vec<String>) {
    let name = case["case"].as_str().unwrap();
    let (sender, mut seen) = unbounded_channel();
    let address = scripted::start(case, sender).await;
    let function_name = if name == "hang.no-answer-clean" { "sync-one-str" } else { "outs" };
    let function = function(function_name, name.starts_with("out.return-binding"));
    let report = invoker(address, false).run(&function, work()).await;
    let mut lines = Vec::new();
    while let Ok(request) = seen.try_recv() {
        lines.push(request.line);
    }
    (report, lines)
}

fn texts<'a>(value: &'a Value, pick: impl Fn(&'a Value) -> &'a Value) -> Vec<&'a str> {
    value.as_array().into_iter().flatten().map(|item| pick(item).as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_recorded_answer_ends_as_on_the_real_host() {
    let cases = fixture("reply-outcomes");
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 86);
    let replays = futures::future::join_all(cases.iter().map(replay)).await;
    for (case, (report, lines)) in cases.iter().zip(replays) {
        let name = case["case"].as_str().unwrap();
        let recorded_timeout =
            case["error"]["type"].as_str().is_some_and(|kind| kind.ends_with("FunctionTimeoutException"));
        let expected = match case["outcome"].as_str().unwrap() {
            "succeeded" => Outcome::Succeeded,
            "failed" if !recorded_timeout => Outcome::Failed,
            _ => Outcome::TimedOut,
        };
        assert_eq!(report.outcome, expected, "{name}: {report:?}");
        assert_eq!(report.logs, texts(&case["userLogs"], |log| &log[1]), "{name}");
        let sent: Vec<&String> = report.outputs.values().flatten().collect();
        assert_eq!(sent, texts(&case["outputs"], |text| text), "{name}");
        if expected == Outcome::TimedOut {
            // Two seconds, and two of grace.
            assert!(report.duration >= Duration::from_secs(4), "{name}: {:?}", report.duration);
        }
        // The request after the kill goes to a new process, which this test has not.
        let requests = texts(&case["requests"], |line| line);
        let requests: Vec<_> = requests.into_iter().filter(|line| *line != "GET / HTTP/1.1").collect();
        assert!(requests.is_empty() || requests == lines, "{name}: {lines:?}");
    }
}

#[tokio::test]
async fn a_loop_of_redirects_ends_after_fifty() {
    let case = serde_json::json!({"case": "loop", "answer": {"status": 307, "headers": [["Location", "/outs"]], "body": ""}});
    let (report, lines) = replay(&case).await;
    assert_eq!((report.outcome, lines.len()), (Outcome::Failed, 51));
    assert!(lines.iter().all(|line| line == "POST /outs HTTP/1.1"));
}

#[tokio::test]
async fn garbage_and_cut_answers_fail_at_once() {
    for raw in ["hello\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"] {
        let case = serde_json::json!({"case": "raw", "answer": {"raw": raw, "end": true}});
        let (report, lines) = replay(&case).await;
        assert_eq!((report.outcome, lines.len()), (Outcome::Failed, 1), "a POST is never sent twice");
        assert!(report.error.unwrap().starts_with("no answer from the handler"));
    }
}

#[tokio::test]
async fn heads_have_the_recorded_fields_in_order_and_case() {
    for (name, traced) in [("sb.single.string", false), ("trace.otel", true)] {
        let case = serde_json::json!({"case": "ok", "answer": {"body": "{}"}});
        let (sender, mut seen) = unbounded_channel();
        let address = scripted::start(&case, sender).await;
        let invoker = invoker(address.clone(), traced);
        invoker.run(&function("sync-one-str", false), work()).await;
        let request = seen.recv().await.unwrap();
        let capture = fixture(name);
        assert_eq!(request.line, capture["requestLine"].as_str().unwrap());
        let recorded = capture["headers"].as_array().unwrap();
        assert_eq!(request.headers.len(), recorded.len());
        for ((field, value), recorded) in request.headers.iter().zip(recorded) {
            assert_eq!(field, recorded[0].as_str().unwrap());
            match field.as_str() {
                "Host" => assert_eq!(*value, address),
                "X-Azure-Functions-InvocationId" => assert_eq!(value.len(), 36),
                "traceparent" => {
                    assert!(value.len() == 55 && value.starts_with("00-") && value.ends_with("-01"));
                }
                _ => assert_eq!(value, recorded[1].as_str().unwrap()),
            }
        }
        assert!(request.body.starts_with(b"{\"Data\":{\"m\":\"\\\"xxx"));
    }
}

#[tokio::test]
async fn calls_in_sequence_share_a_connection_and_calls_at_once_do_not() {
    let case = serde_json::json!({"case": "ok", "answer": {"delay": 600, "body": "{}"}});
    let (sender, mut seen) = unbounded_channel();
    let invoker = invoker(scripted::start(&case, sender).await, false);
    let function = function("outs", false);
    let started = std::time::Instant::now();
    let at_once = futures::future::join_all((0..100).map(|_| invoker.run(&function, work()))).await;
    assert!(at_once.iter().all(InvocationReport::succeeded));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    while seen.try_recv().is_ok() {}
}
