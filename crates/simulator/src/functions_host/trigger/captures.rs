//! Each recorded request of the real host is built again from what caused it, and compared byte for byte.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;
use uuid::Uuid;

use super::super::app::{self, AppSettings, Function, Trigger};
use super::super::envelope::{self, Attempt, Payload};
use super::super::newtonsoft::{self, Token};
use super::super::zone::Zone;
use super::http::HttpRequest;
use super::service_bus::Link;
use super::timer::ScheduleStatus;
use super::{event_grid, event_hub, http, service_bus, timer};
use crate::sources::{HubEvent, LockedMessage};

struct Capture {
    body: Value,
    text: String,
}

fn capture(name: &str) -> Capture {
    let path = format!("{}/../../tests/fixtures/captured/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    Capture { body: file["body"].clone(), text: file["bodyText"].as_str().unwrap().to_owned() }
}

fn function(name: &str, trigger: &str) -> Function {
    let root = tempfile::tempdir().unwrap();
    let host = r#"{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"handler"}}}"#;
    std::fs::write(root.path().join("host.json"), host).unwrap();
    std::fs::create_dir(root.path().join(name)).unwrap();
    let text = format!(r#"{{"bindings":[{{{trigger}}}]}}"#);
    std::fs::write(root.path().join(name).join("function.json"), text).unwrap();
    let mut app = app::load(root.path(), &AppSettings::default()).unwrap();
    assert_eq!(app.broken, []);
    app.functions.pop().unwrap()
}

/// Writes the body with the times and identifiers of the capture.
fn again(
    function: &Function,
    payload: &Payload,
    capture: &Capture,
    retry: Option<Token>,
    zone: &Zone,
) -> String {
    let sys = &capture.body["Metadata"]["sys"];
    let now = sys["UtcNow"].as_str().and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    let random = sys["RandGuid"].as_str().and_then(|text| Uuid::parse_str(text).ok());
    let attempt =
        Attempt { now: now.unwrap_or(OffsetDateTime::UNIX_EPOCH), random: random.unwrap_or_default(), retry };
    envelope::write(&function.name, payload, &attempt, zone)
}

fn link(session: bool) -> Link {
    Link {
        namespace: "sb-rota-prod.servicebus.windows.net".to_owned(),
        identifier: "sb-rota-prod.servicebus.windows.net-7c0f1d2e-2a61-4c5b-93c7-0d4a2f3e9f11".to_owned(),
        web_sockets: false,
        session_locked_until: session.then_some(datetime!(2026-11-23 05:22:41.1193094 UTC)),
    }
}

fn messages(bodies: [&[u8]; 2], session: bool) -> Vec<LockedMessage> {
    let properties = serde_json::json!({
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "Diagnostic-Id": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "attempt": 1,
        "when": "2026-11-23T05:21:41.112Z",
        "guid": "0f1b2d8a-7f34-4c19-8a7e-6a6b1a5d0c22",
        "big": 9_007_199_254_740_993_i64,
        "dbl": 1.5,
        "flag": true,
        "nul": null,
    });
    let first = LockedMessage {
        body: bodies[0].to_vec(),
        message_id: "01JD8Z0V7C5Q4K9D6M1T2R3S4A".to_owned(),
        lock_token: "b0b6c0d3-5b1d-4d8f-9b39-52f0b7c6a9d1".to_owned(),
        delivery_count: 1,
        sequence_number: 42,
        enqueued_time: datetime!(2026-11-23 05:21:41.112 UTC),
        expires_at: datetime!(2026-12-07 05:21:41.112 UTC),
        content_type: Some("application/json".to_owned()),
        correlation_id: Some("eg-plant-07".to_owned()),
        subject: Some("sync-job".to_owned()),
        session_id: session.then(|| "eg-plant-07".to_owned()),
        partition_key: None,
        application_properties: properties.as_object().unwrap().clone(),
    };
    let second = LockedMessage {
        body: bodies[1].to_vec(),
        message_id: "01JD8Z0V9N2H8P7E5X6W4B3Y1C".to_owned(),
        lock_token: "0f1b2d8a-7f34-4c19-8a7e-6a6b1a5d0c22".to_owned(),
        delivery_count: 3,
        sequence_number: 43,
        enqueued_time: datetime!(2026-11-23 05:21:41.2065 UTC),
        expires_at: datetime!(2026-12-07 05:21:41.206 UTC),
        application_properties: serde_json::Map::new(),
        ..first.clone()
    };
    vec![first, second]
}

const JOB_A: &str = r#"{"schema":"sync-job/v1","jobId":"01JD8Z0V7C5Q4K9D6M1T2R3S4A","enrollmentGroup":"eg-plant-07","attempt":1}"#;
const JOB_B: &str = r#"{"schema":"sync-job/v1","jobId":"01JD8Z0V9N2H8P7E5X6W4B3Y1C","enrollmentGroup":"eg-plant-07","attempt":1}"#;

#[test]
fn service_bus_batches_are_as_captured() {
    let string = r#","dataType":"string""#;
    let plain = "plain text é \u{1} </x> ' \" \\ 😀";
    let cases = [
        ("sb.batch.string", "sync-job", string, [JOB_A.as_bytes(), JOB_B.as_bytes()], 2, false),
        ("sb.batch.one.string", "sync-job", string, [JOB_A.as_bytes(), b""], 1, false),
        ("sb.batch.string.plaintext", "sync-job", string, [plain.as_bytes(), b""], 2, false),
        ("sb.batch.string.session", "sync-job", string, [JOB_A.as_bytes(), JOB_B.as_bytes()], 2, true),
        (
            "sb.batch.binary",
            "sync-job-bin",
            r#","dataType":"binary""#,
            [JOB_A.as_bytes(), &[0, 255, 254, 1]],
            2,
            false,
        ),
        ("sb.batch.no-datatype.scalars", "sync-job-nodt", "", [b"5".as_slice(), b"\"str\""], 2, false),
    ];
    for (name, function_name, data_type, bodies, count, session) in cases {
        let capture = capture(name);
        let trigger = format!(
            r#""type":"serviceBusTrigger","name":"messages","queueName":"q","cardinality":"many"{data_type}"#
        );
        let function = function(function_name, &trigger);
        let messages = messages(bodies, session);
        let payload = service_bus::batch(&function, &messages[..count], &link(session), &Zone::Utc).unwrap();
        assert_eq!(again(&function, &payload, &capture, None, &Zone::Utc), capture.text, "{name}");
    }
}

#[test]
fn single_service_bus_messages_are_as_captured() {
    let retry = newtonsoft::parse(
        r#"{"RetryCount":0,"MaxRetryCount":2,"Exception":null,"Instance":null,"State":{}}"#,
        &Zone::Utc,
    );
    let shadow = r#"{"jobId":"x","MessageId":"SHADOWED","deliveryCount":99,"when":"2026-11-23T05:21:41.250940Z","nested":{"a":1},"arr":[1],"flag":true,"nul":null,"sys":"forged","SequenceNumber":{"x":1},"myTrigger":"t","RetryContext":"forged"}"#;
    let cases = [
        ("sb.single.string", JOB_A, None),
        ("sb.single.shadow", shadow, None),
        ("sb.retry.attempt0", "r", retry.ok()),
        ("trace.otel", "hello", None),
    ];
    for (name, body, retry) in cases {
        let capture = capture(name);
        let function =
            function("sync-one-str", r#""type":"serviceBusTrigger","name":"message","queueName":"q""#);
        let message = &messages([body.as_bytes(), b""], false)[0];
        let payload = service_bus::single(&function, message, &link(false)).unwrap();
        assert_eq!(again(&function, &payload, &capture, retry, &Zone::Utc), capture.text, "{name}");
    }
}

#[test]
fn a_batch_that_does_not_fit_its_type_fails_before_any_request() {
    let many = r#""type":"serviceBusTrigger","name":"messages","queueName":"q","cardinality":"many""#;
    let untyped = function("job", many);
    let error = service_bus::batch(&untyped, &messages([b"{}", b"plain"], false), &link(false), &Zone::Utc);
    assert!(error.unwrap_err().contains("\"dataType\": \"string\""));
    let text = function("job", &format!(r#"{many},"dataType":"string""#));
    let error = service_bus::batch(&text, &messages([b"\xff", b""], false), &link(false), &Zone::Utc);
    assert!(error.unwrap_err().contains("\"dataType\": \"binary\""));
}

#[test]
fn an_event_hub_batch_is_as_captured() {
    let capture = capture("eh.batch.string");
    let trigger = r#""type":"eventHubTrigger","name":"events","eventHubName":"enrollments","cardinality":"many","dataType":"string""#;
    let function = function("hub", trigger);
    let Trigger::EventHub(hub) = &function.trigger else { panic!("not an event hub") };
    let body = r#"{"id":"9c2a8f5e","source":"/s","specversion":"1.0","type":"Rota.EnrollmentGroup.Created","time":"2026-11-23T05:21:40.1234567Z","data":{"enrollmentGroupId":"eg-plant-07"}}"#;
    let first = HubEvent {
        body: body.to_owned(),
        enqueued_time: datetime!(2026-11-23 05:21:41.142 UTC),
        sequence_number: 1042,
        offset: 4_295_500_800,
        properties: serde_json::json!({"aeg-event-type": "Notification"}).as_object().unwrap().clone(),
    };
    let second = HubEvent {
        enqueued_time: datetime!(2026-11-23 05:21:41.143 UTC),
        sequence_number: 1043,
        offset: 4_295_501_312,
        properties: serde_json::Map::new(),
        ..first.clone()
    };
    let namespace = "evh-rota.servicebus.windows.net";
    let payload = event_hub::batch(&function, hub, namespace, &[first, second], &Zone::Utc).unwrap();
    assert_eq!(again(&function, &payload, &capture, None, &Zone::Utc), capture.text);
}

#[test]
fn single_event_grid_events_are_as_captured() {
    let function = function("eg", r#""type":"eventGridTrigger","name":"event""#);
    for name in [
        "eg.data-null",
        "eg.data-string",
        "eg.single.cloudevent.object.notification",
        "eg.single.eventgridschema",
        "eg.single.two-in-post.1",
        "eg.single.two-in-post.2",
    ] {
        let capture = capture(name);
        let posted = capture.body["Data"]["event"].to_string();
        let events = event_grid::events(newtonsoft::parse(&posted, &Zone::Utc).unwrap()).unwrap();
        let payload = event_grid::single(&function, events.into_iter().next().unwrap());
        assert_eq!(again(&function, &payload, &capture, None, &Zone::Utc), capture.text, "{name}");
    }
}

#[test]
fn event_grid_json_is_reformatted_as_captured() {
    let name = "eg.date-number-shapes.eg";
    let path = format!("{}/../../tests/fixtures/captured/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let posted = file["note"].as_str().unwrap().strip_prefix("posted to the extension: ").unwrap();
    let function = function("eg", r#""type":"eventGridTrigger","name":"event""#);
    let events = event_grid::events(newtonsoft::parse(posted, &Zone::Utc).unwrap()).unwrap();
    let payload = event_grid::single(&function, events.into_iter().next().unwrap());
    let capture = capture(name);
    assert_eq!(again(&function, &payload, &capture, None, &Zone::Utc), capture.text);
}

#[test]
fn an_empty_event_grid_post_to_many_is_as_captured() {
    let capture = capture("eg.many.empty");
    let function = function("eg-many", r#""type":"eventGridTrigger","name":"events","cardinality":"many""#);
    let payload = event_grid::many(&function, Vec::new());
    assert_eq!(again(&function, &payload, &capture, None, &Zone::Utc), capture.text);
}

#[test]
fn http_requests_are_as_captured() {
    let function = function("http1", r#""type":"httpTrigger","name":"req","route":"jobs/{id}""#);
    for name in ["http.default.get.nobody", "http.default.post.json", "http.default.post.text"] {
        let capture = capture(name);
        let sent = &capture.body["Data"]["req"];
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
        assert_eq!(again(&function, &payload, &capture, None, &Zone::Utc), capture.text, "{name}");
    }
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

#[test]
fn timers_are_as_captured() {
    let year_one = ScheduleStatus::first;
    let ran = |last, next, stored_utc| ScheduleStatus { last: Some(last), next, stored_utc };
    let past =
        |stored| ran(datetime!(2026-11-23 07:00:00.0012345 UTC), datetime!(2026-11-23 08:00 UTC), stored);
    let retry = newtonsoft::parse(
        r#"{"RetryCount":0,"MaxRetryCount":2,"Exception":null,"Instance":null,"State":{}}"#,
        &Zone::Utc,
    );
    let berlin: Zone = "Europe/Berlin".parse().unwrap();
    let utc = Zone::Utc;
    let cases = [
        (
            "timer.cron.1m.first-run",
            "tick-fail",
            Some(year_one(datetime!(2026-11-23 09:51 UTC))),
            false,
            None,
            utc,
        ),
        (
            "timer.cron.1m.normal",
            "tick-fail",
            Some(ran(datetime!(2026-11-23 09:51:00.0025791 UTC), datetime!(2026-11-23 09:52 UTC), false)),
            false,
            None,
            utc,
        ),
        ("timer.cron.5s.default-useMonitor", "tick", None, false, None, utc),
        ("timer.cron.useMonitor-false", "tick-minnomon", None, false, None, utc),
        ("timer.pastdue", "tick-past", Some(past(false)), true, None, utc),
        ("timer.pastdue.storedZ", "tick-pastz", Some(past(true)), true, None, utc),
        (
            "timer.retry.fixedDelay.attempt0",
            "tick-retry",
            Some(year_one(datetime!(2027-01-01 03:00 UTC))),
            false,
            retry.ok(),
            utc,
        ),
        (
            "timer.tz-berlin.first-run",
            "tick-startup",
            Some(year_one(datetime!(2026-11-24 02:00 UTC))),
            false,
            None,
            berlin,
        ),
    ];
    for (name, function_name, status, past_due, retry, zone) in cases {
        let capture = capture(name);
        let function =
            function(function_name, r#""type":"timerTrigger","name":"timer","schedule":"0 * * * * *""#);
        let payload = timer::timer(&function, true, status, past_due, &zone);
        assert_eq!(again(&function, &payload, &capture, retry, &zone), capture.text, "{name}");
    }
}
