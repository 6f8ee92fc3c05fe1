//! Rules 3 and 4: framing, size and type of a request.

use functions_host::{BodyLimits, DEFAULT_BODY_LIMIT, HttpReply, Reply, Router};
use http::StatusCode;
use serde_json::{Value, json};

use super::client::{chunked, post, post_with, request};
use super::logs;
use super::served::{BATCH, EVENT, HTTP, Served, TIMER, timer_body};

fn counting() -> Router {
    Router::new().function(BATCH, |invocation| async move {
        let batch = invocation.service_bus_batch::<Value>("requests")?;
        let bytes: usize = batch.messages.iter().map(|message| message.text.len()).sum();
        Ok(Reply::success().log(format!("{} messages, {bytes} bytes", batch.messages.len())))
    })
}

/// A batch as a string trigger gets it: JSON texts in a list in a string.
fn batch_of(count: usize, padding: usize) -> String {
    let text = json!({"quoted": "\"".repeat(padding)}).to_string();
    let list = json!(vec![text; count]).to_string();
    json!({"Data": {"requests": list}, "Metadata": {}}).to_string()
}

#[tokio::test]
async fn rule_03_ten_thousand_messages_in_chunks_of_one_kibibyte() {
    let served = Served::new(counting());
    let body = batch_of(10_000, 64);
    assert!(body.len() > 4 * 1024 * 1024 && body.len() < DEFAULT_BODY_LIMIT, "{} bytes", body.len());
    let answer = served.post("/sync", "rule-03-many", &body).await;
    answer.assert_success();
    assert_eq!(answer.json()["Logs"], json!(["10000 messages, 1410000 bytes"]));
}

#[tokio::test]
async fn rule_03_any_framing_of_the_body_will_do() {
    let served = Served::new(counting());
    let body = batch_of(3, 5);
    let host = [("Host", "127.0.0.1"), ("Transfer-Encoding", "chunked")];
    let mut connection = served.connect().await;
    for sizes in [&[1][..], &[7, 1024], &[1024], &[1_000_000]] {
        let framed = request("POST /sync HTTP/1.1", &host, &chunked(body.as_bytes(), sizes));
        connection.exchange(&framed).await.assert_success();
    }
    let length = body.len().to_string();
    let headers = [("Host", "127.0.0.1"), ("Content-Length", length.as_str())];
    connection.exchange(&request("POST /sync HTTP/1.1", &headers, body.as_bytes())).await.assert_success();
    let broken = request("POST /sync HTTP/1.1", &host, b"zz\r\nno chunk\r\n");
    assert_eq!(connection.exchange(&broken).await.status, 400);
}

#[tokio::test]
async fn rule_03_a_body_over_the_limit_is_413_with_a_log_line() {
    let body = batch_of(10, 10);
    let served = Served::new(counting().body_limit(body.len()));
    served.post("/sync", "rule-03-fits", &body).await.assert_success();
    let answer = served.post("/sync", "rule-03-large", &format!("{body} ")).await;
    assert_eq!((answer.status, answer.reason.as_str()), (413, "body too large"));
    let line = &logs::of("rule-03-large")[0];
    assert_eq!((&line["level"], &line["fields"]["outcome"]), (&json!("WARN"), &json!("refused")));
    assert!(line["fields"]["detail"].as_str().is_some_and(|detail| detail.contains(&body.len().to_string())));
}

fn web() -> Router {
    Router::new().function(HTTP, |invocation| async move {
        let request = invocation.http("req")?;
        let length = request.body.map_or(0, |body| body.len());
        Ok(Reply::success().http("res", HttpReply::text(StatusCode::OK, "text/plain", length.to_string())))
    })
}

fn web_body(length: usize) -> String {
    json!({"Data": {"req": {"Method": "POST", "Url": "/", "Body": "x".repeat(length)}}, "Metadata": {}})
        .to_string()
}

#[tokio::test]
async fn a_client_is_told_that_its_request_is_too_large() {
    let served = Served::new(web());
    let limit = BodyLimits::default().http;
    let answer = served.post("/web", "large-client", &web_body(limit)).await;
    answer.assert_success();
    let response = &answer.json()["Outputs"]["res"];
    assert_eq!(response["statusCode"], 413, "{response}");
    assert!(response["body"].as_str().is_some_and(|body| body.contains("body-too-large")), "{response}");
    let answer = served.post("/web", "small-client", &web_body(limit / 2)).await;
    assert_eq!(answer.json()["Outputs"]["res"]["statusCode"], 200);
}

#[tokio::test]
async fn many_requests_at_once_are_all_answered_however_little_room_there_is() {
    let limits = BodyLimits::default();
    let served = Served::new(web().body_limits(BodyLimits { singles_in_flight: limits.http, ..limits }));
    let body = web_body(1000);
    let all = (0..100).map(|_| served.post("/web", "many", &body));
    for answer in futures::future::join_all(all).await {
        assert_eq!(answer.json()["Outputs"]["res"]["statusCode"], 200, "{}", answer.text());
    }
}

#[tokio::test]
async fn an_event_of_too_many_values_is_413() {
    let served = Served::function(EVENT, |_| async { Ok(Reply::success()) });
    let event = json!({"Data": {"event": {"specversion": "1.0", "type": "t", "data": vec![0; 100_000]}}});
    let answer = served.post("/event", "many-values", &event.to_string()).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
}

#[tokio::test]
async fn every_http_answer_has_the_headers_of_the_app_also_those_of_the_router() {
    let served = Served::new(web().http_headers([(http::header::X_CONTENT_TYPE_OPTIONS, "nosniff")]));
    for length in [10, BodyLimits::default().http] {
        let answer = served.post("/web", "headers", &web_body(length)).await;
        assert_eq!(answer.json()["Outputs"]["res"]["headers"]["x-content-type-options"], "nosniff");
    }
}

#[tokio::test]
async fn what_a_page_makes_a_browser_send_is_refused() {
    let served = Served::new(web().from_host_only());
    let (mut connection, body) = (served.connect().await, web_body(1));
    let length = body.len().to_string();
    let common = [("Content-Length", length.as_str()), ("Content-Type", "text/plain")];
    for more in [
        &[("Host", "127.0.0.1"), ("Origin", "http://evil.example")][..],
        &[("Host", "127.0.0.1")],
        &[("Host", "evil.example"), ("X-Azure-Functions-InvocationId", "id")],
    ] {
        let headers = [&common[..], more].concat();
        let answer = connection.exchange(&request("POST /web HTTP/1.1", &headers, body.as_bytes())).await;
        assert_eq!((answer.status, answer.reason.as_str()), (403, "not from the host"), "{more:?}");
    }
    served.post("/web", "of-the-host", &body).await.assert_success();
}

#[tokio::test]
async fn rule_04_the_content_type_may_have_a_charset_or_be_absent() {
    let served = Served::function(TIMER, |_| async { Ok(Reply::success()) });
    let mut connection = served.connect().await;
    // The helper itself sends `application/json; charset=utf-8`, as the host does.
    connection.exchange(&post("/tick", "rule-04", timer_body().as_bytes())).await.assert_success();
    connection
        .exchange(&post_with("/tick", "rule-04", &[("traceparent", "x")], timer_body().as_bytes()))
        .await
        .assert_success();
    let length = timer_body().len().to_string();
    for content_type in ["application/json", "text/json; charset=bogus", "text/plain"] {
        let headers = [("Host", "h"), ("Content-Length", length.as_str()), ("Content-Type", content_type)];
        connection
            .exchange(&request("POST /tick HTTP/1.1", &headers, timer_body().as_bytes()))
            .await
            .assert_success();
    }
    let headers = [("Host", "h"), ("Content-Length", length.as_str())];
    connection
        .exchange(&request("POST /tick HTTP/1.1", &headers, timer_body().as_bytes()))
        .await
        .assert_success();
}
