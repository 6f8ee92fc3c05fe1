//! Rules 18, 24, 25 and 32: what a reply may hold.

use functions_host::{Definition, HttpReply, Output, OutputKind, Reply, Trigger};
use http::StatusCode;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::encoder::any_json;
use super::served::{HTTP, Served, timer_body};
use super::{fixture, logs};

/// The values that the real host rewrote, with what it sent instead.
fn rewritten() -> Vec<(Value, Value)> {
    let outcomes = fixture::read("reply-outcomes");
    let cases = outcomes.as_array().expect("cases").iter().filter_map(|case| {
        let answer: Value = serde_json::from_str(case["answer"]["body"].as_str()?).ok()?;
        let written = answer["Outputs"]["out"].clone();
        let sent = case["outputs"].get(0)?.clone();
        (written.is_string() && written != sent).then_some((written, sent))
    });
    cases.collect()
}

#[test]
fn rule_18_no_text_that_the_host_rewrites_can_be_an_output() {
    let rewritten = rewritten();
    assert!(rewritten.len() >= 6, "{rewritten:?}");
    for (written, sent) in rewritten {
        assert!(Output::object(&written).is_err(), "{written} would be sent as {sent}");
    }
    // In a list, a text that is valid base64 is sent as it is ("out.outs.arrstr" in the recorded outcomes).
    let reply = Reply::success().output("out", Output::list(["job12345", "eg07", "[1]"]).expect("messages"));
    assert_eq!(reply.to_json()["Outputs"], json!({"out": ["job12345", "eg07", "[1]"]}));
}

#[test]
fn rule_24_no_blank_text_and_no_bare_date_time() {
    for text in ["", " ", "\t\n", "2026-11-23T05:21:41.250940Z", "2026-11-23T05:21:41"] {
        assert!(Output::list([text]).is_err(), "{text:?}");
        assert!(Output::list([json!({"a": text})]).is_ok(), "the member of an object is safe: {text:?}");
    }
    let empty = Reply::success().http("res", HttpReply::new(StatusCode::OK).body("")).to_json();
    assert_eq!(
        empty["Outputs"]["res"],
        json!({"statusCode": 200, "headers": {}}),
        "an empty body is left out"
    );
}

#[tokio::test]
async fn rule_25_an_output_that_is_not_declared_fails_loudly() {
    const DEFINITION: Definition = Definition {
        name: "out",
        trigger: Trigger::Timer { binding: "timer" },
        outputs: &[("jobs", OutputKind::Queue), ("res", OutputKind::Http)],
    };
    let served = Served::function(DEFINITION, |invocation| async move {
        let reply = Reply::success();
        let output = Output::list(["job"]).expect("a message");
        Ok(match invocation.id.as_str() {
            "rule-25-case" => reply.output("JOBS", output),
            "rule-25-kind" => reply.output("res", output),
            _ => reply.output("jobs", output),
        })
    });
    served.post("/out", "rule-25-good", &timer_body()).await.assert_success();
    for (id, name) in [("rule-25-case", "JOBS"), ("rule-25-kind", "res")] {
        let answer = served.post("/out", id, &timer_body()).await;
        assert_eq!((answer.status, answer.reason.as_str()), (500, "undeclared output"));
        let detail = logs::of(id)[0]["fields"]["detail"].as_str().expect("a detail").to_owned();
        assert!(detail.contains(name) && detail.contains("jobs, res"), "{detail}");
    }
}

#[test]
fn rule_25_names_are_compared_with_function_json() {
    let file = |output: &str| {
        json!({"bindings": [
            {"type": "httpTrigger", "direction": "in", "name": "req"},
            {"type": "http", "direction": "out", "name": output},
        ]})
    };
    assert_eq!(HTTP.check(&file("res")), [""; 0]);
    assert!(!HTTP.check(&file("Res")).is_empty());
}

proptest! {
    /// For anything that a function puts into a reply, the answer is an object with the three members, logs of texts,
    /// outputs that are objects or lists, and no return value.
    #[test]
    fn rules_06_and_32_every_reply_has_the_shape_that_the_host_takes(
        lines: Vec<String>,
        object in any_json(),
        list in prop::collection::vec(any_json(), 0..4),
        body: String,
        status in 100_u16..1000,
    ) {
        let mut reply = lines.iter().fold(Reply::success(), |reply, line| reply.log(line.clone()));
        if let Ok(output) = Output::object(&object) {
            reply = reply.output("object", output);
        }
        if let Ok(output) = Output::list(list) {
            reply = reply.output("list", output);
        }
        reply = reply.http("res", HttpReply::new(StatusCode::from_u16(status).expect("in range")).body(body));
        let written = reply.to_json();
        prop_assert_eq!(&written["Logs"], &json!(lines));
        prop_assert_eq!(&written["ReturnValue"], &Value::Null);
        prop_assert_eq!(written.as_object().expect("an object").len(), 3);
        for output in written["Outputs"].as_object().expect("an object").values() {
            let elements = output.as_array().map_or(std::slice::from_ref(output), Vec::as_slice);
            for element in elements {
                let text = element.as_str().map(str::trim);
                prop_assert!(element.is_object() || text.is_some_and(|text| !text.is_empty()));
                prop_assert!(element.is_object() || output.is_array());
            }
        }
    }
}
