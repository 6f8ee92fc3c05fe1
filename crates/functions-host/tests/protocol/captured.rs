//! Timers, Event Grid, HTTP and traces as recorded, byte for byte.

use functions_host::{EventGridEvent, EventGridSchema, HttpRequest, TimerTrigger, Trigger, parse_time};
use http::Method;
use serde_json::{Value, json};

use super::fixture::{Fixture, deliver};
use super::served::{Served, TIMER};

async fn timer(name: &str) -> TimerTrigger {
    deliver(name, Trigger::Timer { binding: "timer" }, |invocation| invocation.timer("timer"))
        .await
        .value
        .expect("a timer")
}

async fn events(name: &str, binding: &'static str) -> Vec<EventGridEvent> {
    let decode = move |invocation: &functions_host::Invocation| invocation.event_grid(binding);
    deliver(name, Trigger::EventGrid { binding }, decode).await.value.expect("events")
}

async fn http(name: &str) -> HttpRequest {
    let trigger = Trigger::Http { binding: "req", response: "res", methods: &[], route: Some("jobs/{id}") };
    deliver(name, trigger, |invocation| invocation.http("req")).await.value.expect("a request")
}

#[tokio::test]
async fn timers_with_a_status() {
    for (name, last, next, first, late) in [
        ("timer.cron.1m.first-run", "0001-01-01T00:00:00Z", "2026-11-23T09:51:00Z", true, false),
        ("timer.tz-berlin.first-run", "0001-01-01T00:54:00+00:54", "2026-11-24T03:00:00+01:00", true, false),
        ("timer.cron.1m.normal", "2026-11-23T09:51:00.0025791Z", "2026-11-23T09:52:00Z", false, false),
        ("timer.pastdue", "2026-11-23T07:00:00.0012345Z", "2026-11-23T08:00:00Z", false, true),
        ("timer.pastdue.storedZ", "2026-11-23T07:00:00.0012345Z", "2026-11-23T08:00:00Z", false, true),
        ("timer.retry.fixedDelay.attempt0", "0001-01-01T00:00:00Z", "2027-01-01T03:00:00Z", true, false),
        ("timer.retry.fixedDelay.attempt1", "0001-01-01T00:00:00Z", "2027-01-01T03:00:00Z", true, false),
    ] {
        let timer = timer(name).await;
        assert_eq!((timer.is_first_run(), timer.is_past_due), (first, late), "{name}");
        assert_eq!(timer.adjusts_for_daylight_saving, Some(true), "{name}");
        let status = timer.schedule_status.expect("a status");
        assert_eq!((status.last, status.next), (parse_time(last), parse_time(next)), "{name}");
        assert_eq!(status.last_updated, parse_time(last), "{name}");
    }
}

#[tokio::test]
async fn timers_without_a_status() {
    for name in ["timer.cron.5s.default-useMonitor", "timer.cron.useMonitor-false"] {
        let timer = timer(name).await;
        assert_eq!(timer.schedule_status, None, "{name}");
        assert!(!timer.is_first_run() && !timer.is_past_due, "{name}");
    }
}

#[tokio::test]
async fn event_grid_events_of_both_schemas() {
    for (name, schema, id, event_type, source) in [
        ("eg.single.eventgridschema", EventGridSchema::EventGrid, "1", "A.B", "/subscriptions/0/t"),
        ("eg.single.two-in-post.1", EventGridSchema::EventGrid, "2", "A.B", "/subscriptions/0/t"),
        ("eg.single.two-in-post.2", EventGridSchema::EventGrid, "1", "A.B", "/subscriptions/0/t"),
        (
            "eg.single.cloudevent.object.notification",
            EventGridSchema::CloudEvents10,
            "1",
            "Rota.EnrollmentGroup.Created",
            "/s",
        ),
    ] {
        let events = events(name, "event").await;
        let [event] = events.as_slice() else { panic!("{name}: one event") };
        assert_eq!((event.schema, event.source.as_str()), (schema, source), "{name}");
        assert_eq!((event.id.as_str(), event.event_type.as_str()), (id, event_type), "{name}");
        assert_eq!(event.subject.as_deref(), Some("enrollmentGroups/eg-plant-07"), "{name}");
        assert_eq!(event.time, parse_time("2026-11-23T05:21:40.1234567Z"), "{name}");
        assert_eq!(event.data["enrollmentGroupId"], "eg-plant-07", "{name}");
        assert_eq!(event.data["etag"], "\"AAAAAAFqY0M=\"", "{name}");
        let traced = schema == EventGridSchema::CloudEvents10;
        let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(event.traceparent.as_deref(), traced.then_some(traceparent), "{name}");
    }
}

#[tokio::test]
async fn event_grid_data_of_any_shape() {
    assert_eq!(events("eg.data-null", "event").await[0].data, Value::Null);
    assert_eq!(events("eg.data-string", "event").await[0].data, "just text");
    assert_eq!(events("eg.many.empty", "events").await, []);
    let shapes = &events("eg.date-number-shapes.eg", "event").await[0];
    assert_eq!(shapes.time, parse_time("2026-11-23T05:21:40Z"));
    assert_eq!(shapes.data["d2"], "2026-11-23T03:21:40+00:00");
    assert_eq!(shapes.data["n4"], 9_007_199_254_740_993_i64);
    assert_eq!(shapes.data["u"], "é\u{2028}<>&'");
    assert_eq!(
        (&shapes.data["nul"], &shapes.data["z"], &shapes.data["o"]),
        (&json!(null), &json!([]), &json!({}))
    );
}

#[tokio::test]
async fn http_requests() {
    let get = http("http.default.get.nobody").await;
    assert_eq!((&get.method, get.path(), get.body.as_deref()), (&Method::GET, "/api/jobs/42", None));
    assert_eq!((get.params.get("id"), get.query.is_empty()), (Some("42"), true));

    let post = http("http.default.post.json").await;
    assert_eq!((&post.method, post.path()), (&Method::POST, "/api/jobs/42"));
    assert_eq!(post.url, "http://127.0.0.1:7099/api/jobs/42?dry=1&dry=2&x=%20y");
    assert_eq!((post.query.get("dry"), post.query.get("x")), (Some("1,2"), Some(" y")));
    assert_eq!(post.headers.get("CONTENT-type"), Some("application/json; charset=utf-8"));
    assert_eq!(post.headers.get("X-Functions-Key"), Some("***"));
    assert_eq!(post.json::<Value>(), Ok(json!({"enrollmentGroup": "eg-07"})));

    let text = http("http.default.post.text").await;
    assert_eq!((text.body.as_deref(), text.body_bytes().as_deref()), (Some("plain"), Some(&b"plain"[..])));
}

#[tokio::test]
async fn a_forwarded_request_is_answered_with_what_to_change() {
    let served = Served::function(TIMER, |_| async { Ok(functions_host::Reply::success()) });
    let forwarded = Fixture::read("http.forward.post.json");
    let answer = served.connect().await.exchange(&forwarded.bytes()).await;
    assert_eq!((answer.status, answer.reason.as_str()), (404, "not an invocation"));
    assert!(answer.text().contains("enableForwardingHttpRequest"), "{}", answer.text());
}

#[tokio::test]
async fn readiness_polls_and_pings() {
    let served = Served::function(TIMER, |_| async { Ok(functions_host::Reply::success()) });
    let mut connection = served.connect().await;
    for name in ["ready-poll", "ping", "ready-poll"] {
        assert_eq!(connection.exchange(&Fixture::read(name).bytes()).await.status, 200, "{name}");
    }
}
