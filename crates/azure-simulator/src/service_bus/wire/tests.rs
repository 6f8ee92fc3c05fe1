//! Messages on the wire.

use proptest::prelude::*;
use time::macros::datetime;

use super::*;

const LIMIT: usize = 256 * 1024;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
        .collect()
}

fn one(pairs: &[(&'static str, &str)], body: &'static str) -> Result<NewMessage, Rejection> {
    messages(&headers(pairs), Bytes::from_static(body.as_bytes()), LIMIT)
        .map(|mut messages| messages.remove(0))
}

#[test]
fn a_single_message_has_its_properties_in_headers() {
    let message = one(
        &[
            ("content-type", "application/json"),
            (
                "brokerproperties",
                r#"{"MessageId":"m1","Label":"sync","CorrelationId":"c1","SessionId":"s","PartitionKey":"s","TimeToLive":90.5,"ScheduledEnqueueTimeUtc":"Sun, 06 Nov 1994 08:49:37 GMT","Other":1}"#,
            ),
            ("priority", "\"high\""),
            ("attempt", "3"),
            ("customer", "12345,ABC"),
            ("user-agent", "curl"),
            ("x-ms-retrypolicy", "NoRetry"),
            ("authorization", "SharedAccessSignature sr=a&sig=b&se=1"),
        ],
        "{}",
    )
    .unwrap();
    assert_eq!(message.properties.message_id.as_deref(), Some("m1"));
    assert_eq!(message.properties.label.as_deref(), Some("sync"));
    assert_eq!(message.properties.content_type.as_deref(), Some("application/json"));
    assert_eq!(message.time_to_live, Some(Duration::milliseconds(90_500)));
    assert_eq!(message.scheduled_for, Some(datetime!(1994-11-06 08:49:37 UTC)));
    let custom = json!({"priority": "high", "attempt": 3, "customer": "12345,ABC"});
    assert_eq!(Value::Object(message.application_properties), custom);
}

#[test]
fn a_scheduled_time_may_end_in_an_offset_or_be_iso() {
    for text in ["Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"] {
        assert_eq!(moment(text), Some(datetime!(1994-11-06 08:49:37 UTC)), "{text}");
    }
    assert!(one(&[("brokerproperties", r#"{"ScheduledEnqueueTimeUtc":"soon"}"#)], "").is_err());
}

#[test]
fn a_batch_has_its_properties_in_the_body_and_custom_headers_are_ignored() {
    let body = r#"[{"Body":"one","BrokerProperties":{"MessageId":"1","TimeToLiveTimeSpan":"1.00:00:40"}},
        {"Body":"two","UserProperties":{"Priority":"Low"}}]"#;
    let sent = messages(
        &headers(&[("content-type", BATCH), ("priority", "\"high\"")]),
        Bytes::from_static(body.as_bytes()),
        LIMIT,
    )
    .unwrap();
    assert_eq!(sent[0].properties.message_id.as_deref(), Some("1"));
    assert_eq!(sent[0].time_to_live, Some(Duration::seconds(86_440)));
    assert!(sent[0].application_properties.is_empty());
    assert_eq!(sent[1].body, "two");
    assert_eq!(sent[1].application_properties["Priority"], "Low");
}

#[test]
fn a_batch_takes_no_content_type_parameters_and_no_broken_element() {
    let with_charset = format!("{BATCH}; charset=utf-8");
    assert!(one(&[("content-type", &with_charset)], r#"[{"Body":"a"}]"#).is_err());
    assert!(one(&[("content-type", BATCH)], r#"[{"Body":"a"},{"body":"b"}]"#).is_err());
    assert!(one(&[("content-type", BATCH)], r#"{"Body":"a"}"#).is_err());
}

#[test]
fn what_passes_a_limit_is_refused() {
    let long = "a".repeat(129);
    let properties = format!(r#"{{"MessageId":"{long}"}}"#);
    assert!(matches!(one(&[("brokerproperties", &properties)], ""), Err(Rejection::Malformed(_))));
    assert!(one(&[("brokerproperties", r#"{"SessionId":"a","PartitionKey":"b"}"#)], "").is_err());
    assert!(one(&[("brokerproperties", r#"{"TimeToLive":0}"#)], "").is_err());
    assert!(one(&[("brokerproperties", "not json")], "").is_err());
    let empty = messages(&HeaderMap::new(), Bytes::new(), LIMIT).unwrap()[0].size();
    let full = messages(&HeaderMap::new(), Bytes::from(vec![b'a'; LIMIT - empty]), LIMIT);
    assert!(full.is_ok());
    let over = messages(&HeaderMap::new(), Bytes::from(vec![b'a'; LIMIT - empty + 1]), LIMIT);
    assert_eq!(over, Err(Rejection::TooLarge { size: LIMIT + 1, limit: LIMIT }));
}

proptest! {
    #[test]
    fn any_text_in_a_property_survives_a_header(text in any::<String>()) {
        let value = Value::String(text);
        let header = HeaderValue::from_str(&ascii(&value)).unwrap();
        prop_assert_eq!(property(&header), value);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), batch in any::<bool>()) {
        let mut given = HeaderMap::new();
        if batch {
            given.insert(header::CONTENT_TYPE, HeaderValue::from_static(BATCH));
        } else if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            given.insert(BROKER_PROPERTIES, value);
        }
        let _ = messages(&given, Bytes::from(bytes), LIMIT);
    }
}
