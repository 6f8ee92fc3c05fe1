//! All recorded answers over real connections, judged by a whole invocation; and the recorded head of a request.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::unbounded_channel;

use super::app::TestApp;
use super::scripted;
use crate::app::{AppSettings, Function, load};
use crate::clock::HostClock;
use crate::encoding::NetValue;
use crate::envelope::{Metadata, Payload};
use crate::events::{Events, InvocationReport, Outcome};
use crate::handler::Handler;
use crate::invoker::{Invoker, Work};
use crate::zone::Zone;

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
        clock: HostClock::default(),
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

/// Replays one recorded case and compares how it ends with how it ended on the real host.
async fn check(name: &str) {
    let cases = fixture("reply-outcomes");
    let case = cases.as_array().unwrap().iter().find(|case| case["case"] == name).unwrap();
    let (report, lines) = replay(case).await;
    let recorded_timeout =
        case["error"]["type"].as_str().is_some_and(|kind| kind.ends_with("FunctionTimeoutException"));
    let expected = match case["outcome"].as_str().unwrap() {
        "succeeded" => Outcome::Succeeded,
        "failed" if !recorded_timeout => Outcome::Failed,
        _ => Outcome::TimedOut,
    };
    assert_eq!(report.outcome, expected, "{report:?}");
    assert_eq!(report.logs, texts(&case["userLogs"], |log| &log[1]));
    let sent: Vec<&String> = report.outputs.values().flatten().collect();
    assert_eq!(sent, texts(&case["outputs"], |text| text));
    if expected == Outcome::TimedOut {
        // Two seconds, and two of grace.
        assert!(report.duration >= Duration::from_secs(4), "{:?}", report.duration);
    }
    // The request after the kill goes to a new process, which this test has not.
    let requests = texts(&case["requests"], |line| line);
    let requests: Vec<_> = requests.into_iter().filter(|line| *line != "GET / HTTP/1.1").collect();
    assert!(requests.is_empty() || requests == lines, "{lines:?}");
}

/// One test per recorded answer, named after its case.
macro_rules! recorded_answers {
    ($($test:ident $case:literal)*) => {
        const CASES: &[&str] = &[$($case),*];
        $(#[tokio::test]
        async fn $test() {
            check($case).await;
        })*
    };
}

recorded_answers! {
    hang_200_body_null "hang.200.body-null"
    hang_200_empty_cl0_json "hang.200.empty-cl0-json"
    hang_200_empty_cl0_noct "hang.200.empty-cl0-noct"
    hang_200_empty_no_length_close "hang.200.empty-no-length-close"
    hang_200_text_plain_empty "hang.200.text-plain-empty"
    hang_200_whitespace_body "hang.200.whitespace-body"
    hang_202_empty "hang.202.empty"
    hang_204_json_ct "hang.204.json-ct"
    hang_204_no_ct "hang.204.no-ct"
    hang_205 "hang.205"
    hang_no_answer_clean "hang.no-answer-clean"
    out_binary_dt_obj "out.binary-dt.obj"
    out_outs_arrstr "out.outs.arrstr"
    out_outs_b64c "out.outs.b64c"
    out_outs_b64ws "out.outs.b64ws"
    out_outs_boolean "out.outs.boolean"
    out_outs_date "out.outs.date"
    out_outs_empty "out.outs.empty"
    out_outs_jsonarr "out.outs.jsonarr"
    out_outs_jsonbad "out.outs.jsonbad"
    out_outs_jsonobj "out.outs.jsonobj"
    out_outs_null "out.outs.null"
    out_outs_num "out.outs.num"
    out_outs_obj "out.outs.obj"
    out_outs_space "out.outs.space"
    out_outs_uni "out.outs.uni"
    out_return_binding_jsonobj "out.return-binding.jsonobj"
    out_return_binding_notb64 "out.return-binding.notb64"
    out_return_binding_obj "out.return-binding.obj"
    out_return_nobinding_obj "out.return-nobinding.obj"
    out_return_nobinding_objb64 "out.return-nobinding.objb64"
    row_200_after_all "row.200.after-all"
    row_200_array "row.200.array"
    row_200_bom "row.200.bom"
    row_200_bson "row.200.bson"
    row_200_chunked "row.200.chunked"
    row_200_comments "row.200.comments"
    row_200_deep_64 "row.200.deep-64"
    row_200_empty_object "row.200.empty-object"
    row_200_invalid_json "row.200.invalid-json"
    row_200_invalid_json_secret "row.200.invalid-json-secret"
    row_200_invalid_json_word "row.200.invalid-json-word"
    row_200_json_charset_bogus "row.200.json-charset-bogus"
    row_200_json_charset_latin1 "row.200.json-charset-latin1"
    row_200_logs_multiline "row.200.logs-multiline"
    row_200_logs_nested_array "row.200.logs-nested-array"
    row_200_logs_null "row.200.logs-null"
    row_200_logs_numbers "row.200.logs-numbers"
    row_200_logs_object "row.200.logs-object"
    row_200_logs_objects_in_array "row.200.logs-objects-in-array"
    row_200_logs_string "row.200.logs-string"
    row_200_lower_case "row.200.lower-case"
    row_200_nan "row.200.nan"
    row_200_no_ct_with_body "row.200.no-ct-with-body"
    row_200_output_name_case "row.200.output-name-case"
    row_200_outputs_null "row.200.outputs-null"
    row_200_outputs_string "row.200.outputs-string"
    row_200_single_quotes "row.200.single-quotes"
    row_200_smallest "row.200.smallest"
    row_200_text_json "row.200.text-json"
    row_200_text_plain "row.200.text-plain"
    row_200_text_plain_empty "row.200.text-plain-empty"
    row_200_trailing_garbage "row.200.trailing-garbage"
    row_200_true "row.200.true"
    row_200_two_objects "row.200.two-objects"
    row_200_unknown_members "row.200.unknown-members"
    row_200_vnd_json "row.200.vnd-json"
    row_202_valid "row.202.valid"
    row_302_location_to_500 "row.302.location-to-500"
    row_302_no_location "row.302.no-location"
    row_303_location "row.303.location"
    row_304 "row.304"
    row_400_full_json "row.400.full-json"
    row_408_full_json "row.408.full-json"
    row_409_full_json "row.409.full-json"
    row_429_retry_after "row.429.retry-after"
    row_500_empty "row.500.empty"
    row_500_full_json "row.500.full-json"
    row_501_full_json "row.501.full-json"
    row_503_full_json "row.503.full-json"
    row_504_full_json "row.504.full-json"
    row_close_before_answer "row.close-before-answer"
    row_connection_close_header "row.connection-close-header"
    row_http10 "row.http10"
    row_reset_before_answer "row.reset-before-answer"
    row_slow_3s "row.slow-3s"
}

#[test]
fn every_recorded_answer_has_its_test() {
    let cases = fixture("reply-outcomes");
    assert_eq!(texts(&cases, |case| &case["case"]), CASES);
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
