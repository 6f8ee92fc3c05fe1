//! HTTP functions, in default and in forwarding mode.

use serde_json::Value;
use uuid::Uuid;

use super::{Capture, function};
use crate::app::Trigger;
use crate::forward;
use crate::newtonsoft;
use crate::trigger::http::{self, HttpRequest};
use crate::zone::Zone;

/// Makes the client's request from the recorded envelope.
fn check(case: &str) {
    let capture = Capture::load(case);
    let function = function("http1", r#""type":"httpTrigger","name":"req","route":"jobs/{id}""#);
    let sent = &capture.body()["Data"]["req"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let headers = sent["Headers"].as_object().unwrap().iter();
    let request = HttpRequest {
        method: text(&sent["Method"]),
        target: text(&sent["Url"]).replace("http://127.0.0.1:7099", ""),
        headers: headers.map(|(name, values)| (name.clone(), text(&values[0]))).collect(),
        body: text(&sent["Body"]).into_bytes(),
        has_length: true,
    };
    let Trigger::Http(trigger) = &function.trigger else { panic!("not HTTP") };
    let route = trigger.route.matches(request.path()).unwrap();
    let payload = http::request(&function, &request, &route, &Zone::Utc);
    capture.check(&function, &payload, None, &Zone::Utc);
}

#[test]
fn http_default_get_nobody() {
    check("http.default.get.nobody");
}

#[test]
fn http_default_post_json() {
    check("http.default.post.json");
}

#[test]
fn http_default_post_text() {
    check("http.default.post.text");
}

#[test]
fn http_forward_post_json() {
    let capture = Capture::load("http.forward.post.json");
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let client = HttpRequest {
        method: "POST".to_owned(),
        target: "/api/jobs/42?dry=1&dry=2&x=%20y".to_owned(),
        headers: vec![
            header("Accept", "*/*"),
            header("Host", "127.0.0.1:7099"),
            header("Content-Type", "application/json; charset=utf-8"),
            header("Content-Length", "27"),
            header("x-functions-key", "***"),
        ],
        body: capture.text().as_bytes().to_vec(),
        has_length: true,
    };
    let id = Uuid::parse_str(capture.header("X-Azure-Functions-InvocationId").unwrap()).unwrap();
    capture.compare(&forward::request(&client, id, false).unwrap());
}

#[test]
fn forwarding_fails_on_a_chunked_body_and_proxying_does_not() {
    let client = HttpRequest {
        method: "POST".to_owned(),
        headers: vec![("Transfer-Encoding".to_owned(), "chunked".to_owned())],
        body: b"x".to_vec(),
        ..HttpRequest::default()
    };
    assert!(forward::request(&client, Uuid::nil(), false).unwrap_err().contains("Content-Length"));
    assert!(forward::request(&client, Uuid::nil(), true).is_ok());
}

#[test]
fn the_host_loses_a_chunked_body_and_encodes_bytes() {
    let function = function("http1", r#""type":"httpTrigger","name":"req""#);
    let mut request = HttpRequest { method: "POST".to_owned(), body: vec![255], ..HttpRequest::default() };
    let body = |request: &HttpRequest| {
        let payload = http::request(&function, request, &Vec::new(), &Zone::Utc);
        newtonsoft::compact(&payload.data[0].1.clone().into_data()).contains("\"Body\":\"/w==\"")
    };
    request.headers.push(("content-type".to_owned(), "application/octet-stream".to_owned()));
    assert!(!body(&request));
    request.has_length = true;
    assert!(body(&request));
}
