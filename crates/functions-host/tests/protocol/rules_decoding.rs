//! Rules 8, 13, 15, 30 and 31: what an invocation may look like.

use functions_host::{DataType, Definition, EventGridSchema, Failure, Reply, TraceContext, Trigger};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::fixture::{Fixture, deliver};
use super::logs;
use super::served::{EVENT, Served, TIMER, invocation, timer_body};

fn texts(many: bool, data_type: Option<DataType>, data: Value) -> Vec<String> {
    let trigger = Trigger::ServiceBus { binding: "in", many, data_type };
    let definition = Definition { name: "f", trigger, outputs: &[] };
    let batch = invocation(&definition, &json!({"Data": {"in": data}})).service_bus_batch::<Value>("in");
    batch.expect("a batch").messages.into_iter().map(|message| message.text).collect()
}

#[test]
fn rule_08_every_encoding_is_decoded() {
    let text = Some(DataType::String);
    let binary = Some(DataType::Binary);
    let quoted = |value: &str| json!(value).to_string();
    for (many, data_type, data, expected) in [
        (false, text, json!(quoted("plain")), vec!["plain"]),
        (false, None, json!(quoted("plain")), vec!["plain"]),
        (false, text, json!("plain"), vec!["plain"]),
        (false, text, json!(quoted("[1]")), vec!["[1]"]),
        (false, text, json!(quoted(&quoted("a JSON text"))), vec!["\"a JSON text\""]),
        (false, text, json!({"a": 1}), vec![r#"{"a":1}"#]),
        (false, text, json!("null"), vec!["null"]),
        (false, binary, json!("cGxhaW4="), vec!["plain"]),
        (false, binary, json!(""), vec![""]),
        (true, text, json!(r#"["a","[1]","\"b\""]"#), vec!["a", "[1]", "\"b\""]),
        (true, text, json!(quoted(r#"["a"]"#)), vec!["a"]),
        (true, text, json!(["a", "job12345"]), vec!["a", "job12345"]),
        (true, text, json!("[]"), vec![]),
        (true, None, json!(r#"[{"a":1},5,"b",null]"#), vec![r#"{"a":1}"#, "5", "\"b\"", "null"]),
        (true, binary, json!(r#"["cGxhaW4=","AP/+"]"#), vec!["plain", "AP/+"]),
        (true, binary, json!(r#"["no base64!",5]"#), vec!["no base64!", "5"]),
    ] {
        assert_eq!(texts(many, data_type, data.clone()), expected, "many {many}, {data_type:?}: {data}");
    }
}

#[test]
fn rule_08_data_that_cannot_be_a_batch_is_an_error_that_says_what_to_do() {
    let trigger = Trigger::ServiceBus { binding: "in", many: true, data_type: Some(DataType::String) };
    let definition = Definition { name: "f", trigger, outputs: &[] };
    let decode = |body: Value, binding: &str| {
        invocation(&definition, &body).service_bus_batch::<Value>(binding).unwrap_err().to_string()
    };
    assert_eq!(
        decode(json!({"Data": {"in": "\"secret\""}}), "in"),
        "binding `in`: expected a list (is cardinality `many` in function.json too?), found a string"
    );
    assert_eq!(
        decode(json!({"Data": {"in": "[]", "other": 1}}), "requests"),
        "no data for binding `requests`; the invocation has data for: in, other"
    );
    let wrong = invocation(&definition, &json!({"Data": {}})).timer("in").unwrap_err();
    assert!(wrong.to_string().contains("declared with a serviceBusTrigger"), "{wrong}");
}

#[test]
fn rule_13_a_trace_is_optional_and_never_malformed() {
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let context = |parents: &[&str], state: Option<&str>| {
        let mut headers = HeaderMap::new();
        for parent in parents {
            headers.append("traceparent", HeaderValue::from_str(parent).expect("a header"));
        }
        if let Some(state) = state {
            headers.insert("tracestate", HeaderValue::from_str(state).expect("a header"));
        }
        TraceContext::from_headers(&headers)
    };
    for good in [
        format!("00-{trace}-{parent}-00"),
        format!("00-{trace}-{parent}-01"),
        format!("cc-{trace}-{parent}-01-what-the-future-will-be"),
    ] {
        let read = context(&[&good], Some("a=1,b=2"));
        assert_eq!(
            (read.traceparent.as_deref(), read.tracestate.as_deref()),
            (Some(&*good), Some("a=1,b=2"))
        );
    }
    let zero_trace = format!("00-{}-{parent}-01", "0".repeat(32));
    for bad in [
        String::new(),
        "00".to_owned(),
        format!("ff-{trace}-{parent}-01"),
        format!("00-{trace}-{parent}-01-more"),
        format!("00-{trace}-{parent}"),
        format!("00-{trace}-{parent}-1"),
        format!("00-{}-{parent}-01", trace.to_uppercase()),
        format!("00-{trace}-{}-01", "0".repeat(16)),
        zero_trace,
    ] {
        assert_eq!(context(&[&bad], Some("a=1")), TraceContext::default(), "{bad}");
    }
    let good = format!("00-{trace}-{parent}-01");
    assert_eq!(context(&[], Some("a=1")), TraceContext::default(), "a state without a parent");
    assert_eq!(context(&[&good, &good], None), TraceContext::default(), "two parents");
    assert_eq!(context(&[&good], Some(&"x".repeat(513))).tracestate, None);
}

#[tokio::test]
async fn rule_15_both_schemas_as_object_and_list_and_again() {
    let cloud =
        json!({"specversion": "1.0", "id": "1", "type": "T", "source": "/s", "data_base64": "eyJhIjoxfQ=="});
    let native = json!({"id": "2", "eventType": "T", "topic": "/t", "data": 7});
    let events = |data: Value| invocation(&EVENT, &json!({"Data": {"event": data}})).event_grid("event");
    for data in [cloud.clone(), json!(cloud.to_string()), json!([cloud]), json!(json!([cloud]).to_string())] {
        let events = events(data).expect("events");
        assert_eq!((events[0].schema, &events[0].data), (EventGridSchema::CloudEvents10, &json!({"a": 1})));
    }
    let both = events(json!([cloud, native])).expect("events");
    assert_eq!((both[1].schema, both[1].source.as_str()), (EventGridSchema::EventGrid, "/t"));

    // A POST that failed comes again as a whole, with the same ids; the handler remembers nothing.
    let served = Served::function(EVENT, |invocation| async move {
        let ids: Vec<String> = invocation.event_grid("event")?.into_iter().map(|event| event.id).collect();
        if invocation.id == "rule-15-first" {
            Err(Failure::new("not now"))
        } else {
            Ok(Reply::success().log(ids.join(",")))
        }
    });
    let body = json!({"Data": {"event": json!([cloud, native]).to_string()}, "Metadata": {}}).to_string();
    assert_eq!(served.post("/event", "rule-15-first", &body).await.status, 500);
    assert_eq!(served.post("/event", "rule-15-second", &body).await.json()["Logs"], json!(["1,2"]));
}

#[test]
fn rule_15_an_element_that_is_no_event_spoils_no_other() {
    let data =
        json!([{"eventType": "T", "id": "1"}, {"id": "2"}, "text", {"specversion": "0.3", "type": "T"}]);
    let invocation = invocation(&EVENT, &json!({"Data": {"event": data}}));
    let elements = invocation.event_grid_elements("event").expect("a list");
    assert_eq!(elements.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false, false]);
    let all = invocation.event_grid("event").unwrap_err().to_string();
    assert_eq!(
        all,
        "binding `event`, element 1: not an event: it has neither a specversion nor an eventType"
    );
}

#[test]
fn rule_30_event_data_may_be_null_or_text_and_a_post_may_be_empty() {
    let events = |data: Value| invocation(&EVENT, &json!({"Data": {"event": data}})).event_grid("event");
    for (data, expected) in
        [(json!(null), Value::Null), (json!("text"), json!("text")), (json!([]), json!([]))]
    {
        assert_eq!(events(json!({"eventType": "T", "data": data})).expect("an event")[0].data, expected);
    }
    assert_eq!(events(json!({"eventType": "T"})).expect("an event")[0].data, Value::Null);
    assert_eq!(events(json!("[]")).expect("no events"), []);
}

#[tokio::test]
async fn rule_31_a_retry_context_is_neither_needed_nor_logged() {
    let name = "timer.retry.fixedDelay.attempt1";
    assert!(Fixture::read(name).body.contains("StackTrace"), "the recorded context holds stack traces");
    let delivered =
        deliver(name, Trigger::Timer { binding: "timer" }, |invocation| format!("{invocation:?}")).await;
    let lines = logs::of(&delivered.id);
    assert!(!lines.is_empty());
    for text in lines.iter().map(Value::to_string).chain([delivered.value]) {
        assert!(!text.contains("StackTrace") && text.len() < 2_000, "{text}");
    }
    let served = Served::function(TIMER, |_| async { Ok(Reply::success()) });
    for context in [json!(null), json!("\"forged\""), json!([1]), json!({"RetryCount": "x".repeat(500_000)})]
    {
        let mut body: Value = serde_json::from_str(&timer_body()).expect("JSON");
        body["Metadata"]["RetryContext"] = context;
        served.post("/tick", "rule-31", &body.to_string()).await.assert_success();
    }
}
