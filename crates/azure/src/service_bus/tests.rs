use serde_json::{Value, json};
use time::macros::datetime;

use super::*;
use crate::fake::{Fake, FixedToken, Reply, TOKEN, http};

fn emulator(fake: &Fake) -> ServiceBusConnection {
    let place = fake.origin.trim_start_matches("http://");
    ServiceBusConnection::parse(&format!(
        "Endpoint=sb://{place}/servicebus;SharedAccessKeyName=send;SharedAccessKey=a2V5a2V5;UseDevelopmentEmulator=true"
    ))
    .unwrap()
}

fn sender(fake: &Fake) -> QueueSender {
    fake.azure().queue(&emulator(fake), "sync-requests").unwrap()
}

fn message(body: &str) -> OutgoingMessage {
    OutgoingMessage { body: body.to_owned(), ..Default::default() }
}

#[tokio::test]
async fn a_message_travels_with_its_properties() {
    let fake = Fake::start(|_, _| Reply::status(201)).await;
    let properties = [("traceparent", "00-1-2-01"), ("Kind", "\"é\" 😀")];
    sender(&fake)
        .send(&OutgoingMessage {
            body: r#"{"schema":"sync-request/v1"}"#.to_owned(),
            message_id: Some("01HX".to_owned()),
            scheduled_for: Some(datetime!(2026-11-23 11:00:00.25 +01:00)),
            correlation_id: Some("c-1".to_owned()),
            subject: Some("größe".to_owned()),
            content_type: None,
            properties: properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        })
        .await
        .unwrap();
    let seen = &fake.seen()[0];
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/servicebus/sync-requests/messages"));
    assert_eq!(seen.body, r#"{"schema":"sync-request/v1"}"#);
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let broker: Value = serde_json::from_str(seen.header("brokerproperties").unwrap()).unwrap();
    assert_eq!(
        broker,
        json!({"MessageId": "01HX", "CorrelationId": "c-1", "Label": "größe",
               "ScheduledEnqueueTimeUtc": "Mon, 23 Nov 2026 10:00:01 GMT"})
    );
    let property = |name: &str| serde_json::from_str::<String>(seen.header(name).unwrap()).unwrap();
    assert_eq!((property("traceparent").as_str(), property("kind").as_str()), ("00-1-2-01", "\"é\" 😀"));
    let authorization = seen.header("authorization").unwrap();
    assert!(authorization.starts_with("SharedAccessSignature sr=") && authorization.ends_with("&skn=send"));
    assert!(!authorization.contains("a2V5a2V5"));
    let fields = authorization.trim_start_matches("SharedAccessSignature ");
    let (_, resource) =
        url::form_urlencoded::parse(fields.as_bytes()).find(|(name, _)| name == "sr").unwrap();
    assert_eq!(resource, "https://emulator.servicebus.windows.net/sync-requests/messages");
}

#[tokio::test]
async fn an_identity_sends_a_token_and_no_signature() {
    let fake = Fake::start(|_, _| Reply::status(201)).await;
    let place = format!("{}/servicebus", fake.origin.trim_start_matches("http://"));
    let connection = ServiceBusConnection::from_namespace(&place).unwrap();
    fake.azure().queue(&connection, "q").unwrap().send(&message("{}")).await.unwrap();
    assert_eq!(fake.seen()[0].path, "/servicebus/q/messages");
    assert_eq!(fake.seen()[0].header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
}

#[test]
fn the_signed_resource_names_the_real_namespace() {
    let text =
        "Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=a2V5a2V5";
    let connection = ServiceBusConnection::parse(text).unwrap();
    let cloud = Arc::new(Cloud::new(None).unwrap());
    let sender = QueueSender::new(http(), cloud, Arc::new(FixedToken), &connection, "q").unwrap();
    // What the crate signs is the URL that it makes from this name, see the test above.
    assert!(format!("{:?}", sender.client).contains("namespace: \"contoso\""));
    assert!(!format!("{:?} {sender:?}", sender.client).contains("a2V5"));
}

#[tokio::test]
async fn a_throttled_message_is_sent_again_and_a_lost_one_only_with_an_id() {
    let fake = Fake::start(|seen, _| match seen.number {
        0 => Reply::status(429).header("Retry-After", 0),
        1 => Reply::status(201),
        2 => Reply::status(500),
        3 => Reply::status(500),
        _ => Reply::status(201),
    })
    .await;
    let sender = sender(&fake);
    sender.send(&message("a")).await.unwrap();
    assert_eq!(fake.seen().len(), 2);
    assert!(sender.send(&message("b")).await.unwrap_err().may_have_taken_effect());
    assert_eq!(fake.seen().len(), 3);
    let with_id = OutgoingMessage { message_id: Some("1".to_owned()), ..message("c") };
    sender.send(&with_id).await.unwrap();
    assert_eq!(fake.seen().len(), 5);
}

#[tokio::test]
async fn what_the_service_says_is_kept() {
    let fake = Fake::start(|seen, _| match seen.number {
        0 => Reply::text(410, "<Error><Code>410</Code><Detail>No such queue.</Detail></Error>"),
        1 => Reply::text(401, "<Error><Code>401</Code><Detail>claim is empty</Detail></Error>"),
        _ => Reply::status(429).header("Retry-After", 900_000_000_000_u64),
    })
    .await;
    let sender = sender(&fake);
    let error = sender.send(&message("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::NotFound, "No such queue."));
    assert_eq!(sender.send(&message("a")).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    let error = sender.send(&message("a")).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(300)));
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_it_is_sent() {
    let fake = Fake::start(|_, _| Reply::status(201)).await;
    let sender = sender(&fake);
    let kind = async |message: OutgoingMessage| sender.send(&message).await.unwrap_err().kind();
    assert_eq!(kind(message(&"x".repeat(MESSAGE_LIMIT + 1))).await, ErrorKind::TooLarge);
    let property = |name: &str, body: &str| OutgoingMessage {
        properties: [(name.to_owned(), "value".to_owned())].into(),
        ..message(body)
    };
    assert_eq!(kind(property("name", &"x".repeat(MESSAGE_LIMIT - 8))).await, ErrorKind::TooLarge);
    for name in ["", "a b", "Authorization", "BrokerProperties", "é"] {
        assert_eq!(kind(property(name, "")).await, ErrorKind::Invalid, "{name}");
    }
    for id in [String::new(), "i".repeat(129)] {
        assert_eq!(kind(OutgoingMessage { message_id: Some(id), ..message("") }).await, ErrorKind::Invalid);
    }
    let content_type = OutgoingMessage { content_type: Some("a\r\nb".to_owned()), ..message("") };
    assert_eq!(kind(content_type).await, ErrorKind::Invalid);
    assert_eq!(fake.seen().len(), 0);
    sender.send(&message(&"x".repeat(MESSAGE_LIMIT))).await.unwrap();
    for queue in ["", "a b", "../x", "a//b", "q?x"] {
        assert_eq!(
            fake.azure().queue(&emulator(&fake), queue).unwrap_err().kind(),
            ErrorKind::Invalid,
            "{queue}"
        );
    }
}

#[tokio::test]
async fn a_message_carries_the_trace_of_its_sender_unless_it_names_one() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let fake = Fake::start(|_, _| Reply::status(201)).await;
    let sender = sender(&fake);
    let own = |name: &str| OutgoingMessage {
        properties: [(name.to_owned(), "own".to_owned())].into(),
        ..message("{}")
    };
    for message in [message("{}"), own("Traceparent"), own("diagnostic-id")] {
        crate::trace::with_traceparent(TRACE.to_owned(), sender.send(&message)).await.unwrap();
    }
    sender.send(&message("{}")).await.unwrap();
    let quoted = format!("\"{TRACE}\"");
    let (sent, own) = (Some(quoted.as_str()), Some("\"own\""));
    let seen = fake.seen();
    let properties: Vec<_> =
        seen.iter().map(|seen| (seen.header("traceparent"), seen.header("diagnostic-id"))).collect();
    assert_eq!(properties, [(sent, sent), (own, sent), (sent, own), (None, None)]);
    assert!(seen.iter().all(|seen| seen.headers.get_all("traceparent").iter().count() <= 1));
}

#[test]
fn a_scheduled_time_is_never_rounded_down() {
    let exact = datetime!(2026-11-23 10:00:00 UTC);
    assert_eq!(whole_second(exact), exact);
    assert_eq!(whole_second(datetime!(2026-11-23 09:59:59.000_000_001 UTC)), exact);
    let last = datetime!(9999-12-31 23:59:59 -1);
    assert_eq!(whole_second(last), last);
}
