//! Rules 5, 6, 7, 19, 26 and 33: the answers that the handler gives, for anything that a function does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use functions_host::{Failure, HttpReply, Reply, Router};
use http::{StatusCode, header};
use serde_json::json;

use super::client::{get, post};
use super::logs;
use super::served::{BATCH, HTTP, Served, TIMER, timer_body};

/// A router whose functions do every kind of thing. The invocation id chooses which.
fn every_kind() -> Router {
    let web = |invocation: functions_host::Invocation| async move {
        let request = invocation.http("req")?;
        let response = match request.path() {
            "/api/redirect" => HttpReply::new(StatusCode::FOUND).header(header::LOCATION, "/final"),
            "/api/nothing" => HttpReply::new(StatusCode::NO_CONTENT),
            "/api/fail" => return Err(Failure::new("no luck").detail(format!("{request:?}"))),
            _ => HttpReply::json(StatusCode::ACCEPTED, &json!({"id": 1})),
        };
        Ok(Reply::success().http("res", response).log("done"))
    };
    let tick = |invocation: functions_host::Invocation| async move {
        invocation.timer("timer")?;
        assert!(!invocation.id.ends_with("panics"), "AccountKey=hidden\nin two lines");
        if invocation.id.ends_with("stuck") {
            std::future::pending::<()>().await;
        }
        Ok(Reply::success())
    };
    Router::new()
        .function(HTTP, web)
        .function_with_deadline(TIMER, Duration::from_millis(40), tick)
        .body_limit(100_000)
}

fn web_body(path: &str) -> String {
    let request = json!({"Url": format!("http://127.0.0.1{path}?code=function-key-2"), "Method": "GET",
        "Query": {"code": "function-key-2"},
        "Headers": {"x-functions-key": ["function-key-1"], "Authorization": ["Bearer token-1"], "Cookie": ["c=cookie-1"],
            "Accept": ["text/html"]}});
    let metadata = json!({"Headers": {"x-functions-key": "function-key-1"}});
    json!({"Data": {"req": request}, "Metadata": metadata}).to_string()
}

#[tokio::test]
async fn rule_05_an_unknown_function_is_404_and_says_what_is_known() {
    let served = Served::new(every_kind());
    for path in ["/sync", "/TICK", "/tick%20", "/tick/"] {
        let answer = served.post(path, "rule-05", &timer_body()).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains("tick, web"), "{}", answer.text());
    }
    assert_eq!(logs::of("rule-05").len(), 4);
    assert_eq!(logs::of("rule-05")[0]["fields"]["reason"], "unknown function");
    assert_eq!(served.post("/", "rule-05-root", &timer_body()).await.status, 404);
}

#[tokio::test]
async fn rules_06_07_and_26_every_answer_is_one_that_the_host_understands() {
    let served = Served::new(every_kind());
    let mut answers = vec![
        served.get("/").await,
        served.get("/api/jobs").await,
        served.post("/tick", "rule-06", &timer_body()).await,
        served.post("/tick", "rule-06-panics", &timer_body()).await,
        served.post("/tick", "rule-06-stuck", &timer_body()).await,
        served.post("/unknown", "rule-06", &timer_body()).await,
        served.post("/tick", "rule-06", "").await,
        served.post("/tick", "rule-06", "null").await,
        served.post("/tick", "rule-06", "{\"Data\":{}}").await,
        served.post("/tick", "rule-06", &"x".repeat(100_001)).await,
    ];
    for path in ["/api/redirect", "/api/nothing", "/api/fail", "/api/jobs"] {
        answers.push(served.post("/web", "rule-06", &web_body(path)).await);
    }
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 404, 200, 500, 500, 404, 400, 400, 500, 413, 200, 200, 500, 200]);
    for answer in &answers {
        assert_eq!(answer.header("content-type"), Some("application/json"), "{}", answer.text());
        assert_eq!(answer.header("location"), None, "{}", answer.text());
        assert!(answer.json().as_object().is_some_and(|body| !body.is_empty()), "{}", answer.text());
        let is_error = answer.json()["error"]["message"].as_str().is_some_and(|message| !message.is_empty());
        assert_eq!(is_error, answer.status != 200, "{}", answer.text());
    }
    let response = |index: usize| answers[index].json()["Outputs"]["res"].clone();
    assert_eq!(
        response(10),
        json!({"statusCode": 302, "headers": {"location": "/final"}}),
        "data, not our own status"
    );
    assert_eq!(response(11), json!({"statusCode": 204, "headers": {}}));
}

#[tokio::test]
async fn a_body_that_is_no_invocation_is_400_with_the_reason_and_a_log_line() {
    let served = Served::new(every_kind());
    for (id, body, words) in [
        ("bad-body-1", "hello", "not JSON: expected value at line 1 column 1"),
        ("bad-body-2", "[]", "expected {\"Data\":{..},\"Metadata\":{..}}, found a list"),
        ("bad-body-3", "{\"Metadata\":{}}", "an object without Data"),
    ] {
        let answer = served.post("/tick", id, body).await;
        assert_eq!((answer.status, answer.reason.as_str()), (400, "body is not an invocation"));
        let message = answer.json()["error"]["message"].as_str().expect("a message").to_owned();
        assert!(message.contains(words), "{message}");
        assert_eq!(logs::of(id)[0]["fields"]["detail"], message);
    }
    let missing = served.post("/tick", "bad-body-4", r#"{"Data":{"Timer":{}}}"#).await;
    assert_eq!((missing.status, missing.reason.as_str()), (500, "trigger data not understood"));
    assert!(logs::of("bad-body-4")[0].to_string().contains("no data for binding `timer`"));
}

#[tokio::test]
async fn a_panic_fails_its_invocation_and_nothing_else() {
    let served = Served::new(every_kind());
    let mut connection = served.connect().await;
    let answer = connection.exchange(&post("/tick", "this-one-panics", timer_body().as_bytes())).await;
    assert_eq!((answer.status, answer.reason.as_str()), (500, "function panicked"));
    let lines = logs::of("this-one-panics");
    assert_eq!((lines.len(), &lines[0]["level"]), (1, &json!("ERROR")));
    assert_eq!(
        lines[0]["fields"]["detail"], "AccountKey=hidden\nin two lines",
        "the log has it, the answer has not"
    );
    assert!(!answer.text().contains("AccountKey"), "{}", answer.text());
    connection.exchange(&post("/tick", "the-next-does-not", timer_body().as_bytes())).await.assert_success();
    assert_eq!(connection.exchange(&get("/")).await.status, 200);
}

#[tokio::test]
async fn rule_19_a_function_is_dropped_at_its_deadline() {
    struct Dropped(Arc<AtomicBool>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = dropped.clone();
    let stuck = move |invocation: functions_host::Invocation| {
        let guard = Dropped(flag.clone());
        async move {
            assert!(
                invocation.remaining() <= Duration::from_millis(40),
                "the function can see how long it has"
            );
            std::future::pending::<()>().await;
            drop(guard);
            Ok(Reply::success())
        }
    };
    let router = Router::new().deadline(Duration::from_millis(40)).function(TIMER, stuck);
    let served =
        Served::new(router.function_with_deadline(BATCH, Duration::from_secs(60), |invocation| async move {
            Ok(Reply::success().log(format!("{}", invocation.remaining() > Duration::from_secs(50))))
        }));
    let answer = served.post("/tick", "rule-19", &timer_body()).await;
    assert_eq!((answer.status, answer.reason.as_str()), (500, "deadline exceeded"));
    assert!(dropped.load(Ordering::SeqCst), "before the answer");
    let lines = logs::of("rule-19");
    assert_eq!(lines[0]["fields"]["reason"], "deadline exceeded");
    assert!(
        lines[0]["fields"]["duration_ms"].as_u64().is_some_and(|duration| (40..5_000).contains(&duration))
    );

    let body = json!({"Data": {"requests": "[]"}}).to_string();
    assert_eq!(
        served.post("/sync", "rule-19-own", &body).await.json()["Logs"],
        json!(["true"]),
        "its own deadline"
    );
    assert!(functions_host::DEFAULT_DEADLINE < Duration::from_secs(300), "below the host's default");
}

#[tokio::test]
async fn rule_33_no_secret_leaves_the_handler_or_enters_its_log() {
    let served = Served::new(every_kind());
    let mut seen = String::new();
    for (id, path) in [("rule-33-a", "/api/jobs"), ("rule-33-b", "/api/fail"), ("rule-33-c", "/api/redirect")]
    {
        seen.push_str(&served.post("/web", id, &web_body(path)).await.text());
        let lines = logs::of(id);
        assert_eq!(lines.len(), 1);
        seen.push_str(&lines[0].to_string());
    }
    // A request where a timer is expected: the error names kinds and bindings only.
    seen.push_str(&served.post("/tick", "rule-33-d", &web_body("/api/jobs")).await.text());
    seen.push_str(&logs::of("rule-33-d")[0].to_string());
    assert!(
        seen.contains("x-functions-key") && seen.contains("text/html"),
        "the request was printed: {seen}"
    );
    for secret in ["function-key-1", "function-key-2", "token-1", "cookie-1"] {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
}
