//! Judges every recorded answer, and compares the verdict with that of the real host.
//!
//! These are the cases that the answer alone decides; `functions_host::tests` tests the exchange of bytes, redirects
//! and timeouts with the same file.

use serde_json::Value;

use super::{Answer, Verdict, judge};
use crate::app::{self, AppSettings, Function};
use crate::zone::Zone;

/// The recorded cases.
fn cases() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/captured/reply-outcomes.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A function with the outputs that the recorded answers name: with `$return` for the cases about it.
fn function(case: &str) -> Function {
    let root = tempfile::tempdir().unwrap();
    let host = r#"{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"handler"}}}"#;
    std::fs::write(root.path().join("host.json"), host).unwrap();
    std::fs::create_dir(root.path().join("outs")).unwrap();
    let out = |name: &str, more: &str| {
        format!(r#"{{"type":"serviceBus","name":"{name}","direction":"out","queueName":"q"{more}}}"#)
    };
    let outputs = if case.starts_with("out.return-binding") {
        out("$return", "")
    } else {
        format!("{},{}", out("out", ""), out("outbin", r#","dataType":"binary""#))
    };
    let text =
        format!(r#"{{"bindings":[{{"type":"serviceBusTrigger","name":"m","queueName":"in"}},{outputs}]}}"#);
    std::fs::write(root.path().join("outs").join("function.json"), text).unwrap();
    app::load(root.path(), &AppSettings::default()).unwrap().functions.pop().unwrap()
}

/// The answer, if the case needs no connection.
fn answer(case: &Value) -> Option<Answer> {
    let answer = &case["answer"];
    if ["raw", "hang", "close", "reset"].iter().any(|key| !answer[*key].is_null()) {
        return None;
    }
    if answer["headers"]
        .as_array()
        .is_some_and(|headers| headers.iter().any(|header| header[0] == "Location"))
    {
        return None;
    }
    let content_type = match answer.get("ct") {
        None => Some("application/json".to_owned()),
        Some(given) => given.as_str().map(str::to_owned),
    };
    Some(Answer {
        status: answer["status"].as_u64().map_or(200, |status| status.try_into().unwrap()),
        reason: "X".to_owned(),
        content_type,
        body: answer["body"].as_str().unwrap().as_bytes().to_vec(),
    })
}

#[test]
fn recorded_answers_are_judged_as_by_the_real_host() {
    let mut judged = 0;
    for case in cases() {
        let name = case["case"].as_str().unwrap();
        let Some(answer) = answer(&case) else { continue };
        judged += 1;
        let verdict = judge(&answer, &function(name), &Zone::Utc);
        let outcome = match &verdict {
            Verdict::Succeeded { .. } => "succeeded",
            Verdict::Failed(_) => "failed",
            Verdict::NeverCompletes { .. } => "never-completes",
        };
        assert_eq!(outcome, case["outcome"], "{name}: {verdict:?}");
        match verdict {
            Verdict::Succeeded { outputs, logs, .. } => {
                let expected: Vec<&str> = case["userLogs"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|log| log[1].as_str().unwrap())
                    .collect();
                assert_eq!(logs, expected, "{name}");
                let sent: Vec<String> = outputs.into_values().flatten().collect();
                let expected: Vec<&str> = case["outputs"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|text| text.as_str().unwrap())
                    .collect();
                assert_eq!(sent, expected, "{name}");
            }
            Verdict::Failed(failure) => {
                let inner = case["error"]["inner"]["message"].as_str().unwrap();
                if inner.starts_with("Response status code") {
                    assert!(failure.words.starts_with(inner), "{name}: {}", failure.words);
                } else {
                    let body = inner.split("\n}\n ").nth(1).unwrap();
                    assert!(failure.words.ends_with(body), "{name}: {}", failure.words);
                }
            }
            Verdict::NeverCompletes { why } => assert!(why.contains("functionTimeout"), "{name}"),
        }
    }
    assert_eq!((judged, cases().len()), (77, 86));
}
