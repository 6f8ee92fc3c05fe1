use std::time::Duration;

use reqwest::Method;
use reqwest::header::LOCATION;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

use super::*;
use crate::credential::AccessToken;
use crate::fake::{Fake, Reply, http};

fn call(method: Method, fake: &Fake) -> Call {
    Call::new(method, Url::parse(&format!("{}/things/1?sig=hidden", fake.origin)).unwrap())
}

/// A server that reads a request and then does `reaction` with the bare connection, counting connections.
async fn bare_server(reaction: &'static str) -> (Url, Arc<std::sync::atomic::AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/things/1", listener.local_addr().unwrap())).unwrap();
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let mut buffer = [0; 4096];
            assert!(stream.read(&mut buffer).await.unwrap() > 0);
            if reaction == "silence" {
                silent.push(stream);
            } else {
                stream.write_all(reaction.as_bytes()).await.unwrap();
            }
        }
    });
    (url, count)
}

#[tokio::test]
async fn a_call_names_us_and_itself_and_keeps_its_id_over_its_attempts() {
    let fake = Fake::start(|seen, _| Reply::status(if seen.number == 0 { 503 } else { 200 })).await;
    http().send(call(Method::GET, &fake)).await.unwrap();
    let seen = fake.seen();
    let ids: Vec<_> = seen.iter().map(|seen| seen.header("x-ms-client-request-id").unwrap()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    ids[0].parse::<uuid::Uuid>().unwrap();
    assert_eq!(seen[0].header("user-agent"), Some(concat!("policysync/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(seen[0].header("accept"), Some("application/json"));
    assert_eq!(seen[0].header("content-length"), None, "a GET has no body");
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let fake = Fake::start(|seen, _| match seen.number {
        0 => Reply::status(429).header("Retry-After", 1),
        _ => Reply::json(200, json!({"done": true})),
    })
    .await;
    let started = Instant::now();
    let answer = http().send(call(Method::PUT, &fake)).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(answer.json::<Value>().unwrap(), json!({"done": true}));
    assert_eq!(fake.seen().len(), 2);
}

#[tokio::test]
async fn a_retry_after_beyond_the_cap_is_the_callers_to_wait_for() {
    for (status, value, told) in
        [(429, "21", 21), (503, "120", 120), (429, "86400", 300), (503, "900000000000", 300)]
    {
        let fake = Fake::start(move |_, _| Reply::status(status).header("Retry-After", value)).await;
        let error = http().send(call(Method::GET, &fake)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Throttled { retry_after: Some(Duration::from_secs(told)) });
        assert!(error.is_retryable());
        assert_eq!(fake.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_read_is_tried_four_times_and_a_write_once_when_the_service_fails() {
    let fake =
        Fake::start(|_, _| Reply::json(500, json!({"error": {"code": "Boom", "message": "Sorry."}}))).await;
    for (made, attempts) in [
        (call(Method::GET, &fake), 4),
        (call(Method::POST, &fake), 1),
        (call(Method::POST, &fake).repeatable(), 4),
    ] {
        let before = fake.seen().len();
        let error = http().send(made).await.unwrap_err();
        assert_eq!(fake.seen().len() - before, attempts);
        assert_eq!((error.kind(), error.service_code()), (ErrorKind::Unavailable, Some("Boom")));
        assert!(error.may_have_taken_effect());
        assert!(!error.to_string().contains("hidden"), "{error}");
    }
}

#[tokio::test]
async fn a_refused_connection_means_that_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/things/1", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let error = http().send(Call::new(Method::POST, url)).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Unavailable, Sent::No));
    assert!(!error.may_have_taken_effect());
}

#[tokio::test]
async fn a_lost_answer_is_ambiguous_and_repeats_reads_only() {
    let (url, connections) = bare_server("").await;
    let error = http().send(Call::new(Method::POST, url.clone())).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Unavailable, Sent::Maybe));
    assert_eq!(connections.load(std::sync::atomic::Ordering::SeqCst), 1);
    http().send(Call::new(Method::GET, url)).await.unwrap_err();
    assert_eq!(connections.load(std::sync::atomic::Ordering::SeqCst), 5);
}

#[tokio::test]
async fn a_refusal_does_not_hide_that_an_earlier_attempt_may_have_taken_effect() {
    for (first, in_doubt) in [(Reply::status(500), true), (Reply::status(429), false)] {
        let fake =
            Fake::start(move |seen, _| if seen.number == 0 { first.clone() } else { Reply::status(400) })
                .await;
        let error = http().send(call(Method::PUT, &fake).repeatable()).await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_taken_effect()), (ErrorKind::Invalid, in_doubt));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let once = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        drop(listener);
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
    });
    let error = http().send(Call::new(Method::PUT, url).repeatable()).await.unwrap_err();
    once.await.unwrap();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Unavailable, Sent::Maybe));
}

#[tokio::test]
async fn a_body_that_ends_early_is_a_lost_answer() {
    let (url, _) = bare_server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{").await;
    let error = http().send(Call::new(Method::POST, url)).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Unavailable, Sent::Maybe));
}

#[tokio::test]
async fn the_deadline_ends_a_call_that_is_not_answered() {
    let (url, connections) = bare_server("silence").await;
    let started = Instant::now();
    let made = Call::new(Method::POST, url.clone()).deadline(Duration::from_millis(200));
    let error = http().send(made).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Timeout, Sent::Maybe));
    assert_eq!(connections.load(std::sync::atomic::Ordering::SeqCst), 1);
    let made = Call::new(Method::GET, url).deadline(Duration::from_millis(400));
    assert_eq!(http().send(made).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(connections.load(std::sync::atomic::Ordering::SeqCst), 3, "a read gets a second chance");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read_whether_its_length_is_told_or_not() {
    let fake = Fake::start(|_, _| Reply::text(200, "x".repeat(1_001))).await;
    let (chunked, _) = bare_server(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nxxxxx\r\n5\r\nxxxxx\r\n0\r\n\r\n",
    )
    .await;
    let error = http().send(call(Method::GET, &fake).response_limit(1_000)).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::TooLarge, Sent::Yes));
    assert_eq!(fake.seen().len(), 1);
    let error = http().send(Call::new(Method::GET, chunked.clone()).response_limit(9)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(
        http().send(Call::new(Method::GET, chunked).response_limit(10)).await.unwrap().body,
        "xxxxxxxxxx"
    );
    assert!(http().send(call(Method::GET, &fake).response_limit(1_001)).await.is_ok());
}

#[tokio::test]
async fn only_the_beginning_of_an_errors_body_is_read() {
    let fake = Fake::start(|_, _| Reply::text(400, "x".repeat(10 * ERROR_BODY_LIMIT))).await;
    let answer = http().exchange(call(Method::GET, &fake)).await.unwrap();
    assert_eq!(answer.body.len(), ERROR_BODY_LIMIT);
    let error = http().send(call(Method::GET, &fake)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().chars().count() <= 501);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let fake =
        Fake::start(|_, origin| Reply::status(307).header(LOCATION.as_str(), format!("{origin}/elsewhere")))
            .await;
    let error = http().send(call(Method::GET, &fake)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreadable);
    assert_eq!(fake.calls(), ["GET /things/1"]);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_not_repeated_in_the_error() {
    let fake = Fake::start(|_, _| Reply::text(200, r#"["a2V5a2V5"]"#)).await;
    let answer = http().send(call(Method::GET, &fake)).await.unwrap();
    let error = answer.json::<Vec<u32>>().unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Unreadable, Sent::Yes));
    assert!(!error.to_string().contains("a2V5"), "{error}");
}

#[test]
fn debug_shows_neither_token_nor_query_nor_body() {
    let token = AccessToken::new("secret-token", time::OffsetDateTime::UNIX_EPOCH);
    let url = Url::parse("https://management.azure.com/a?sig=secret-query").unwrap();
    let call = Call::new(Method::PUT, url).bearer(&token).unwrap().json(r#"{"primaryKey":"secret-key"}"#);
    assert_eq!(format!("{call:?}"), "PUT management.azure.com/a");
    assert!(!format!("{:?} {token:?}", call.headers).contains("secret-token"));
}

#[test]
fn a_header_value_that_cannot_be_sent_is_refused_without_being_repeated() {
    let url = Url::parse("https://management.azure.com/").unwrap();
    let error = Call::new(Method::GET, url).header(CLIENT_REQUEST_ID, "secret\r\nX: y").unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Invalid, Sent::No));
    assert!(!error.to_string().contains("secret"));
}

/// A transport without a network: refuses once, then cuts the body off, then answers.
#[derive(Default)]
struct Scripted(std::sync::atomic::AtomicUsize);

#[async_trait::async_trait]
impl Transport for Scripted {
    async fn send(&self, request: Outgoing) -> Result<Incoming, TransportFailure> {
        assert_eq!(request.url.path(), "/things/1");
        let failure = |sent| TransportFailure { kind: ErrorKind::Unavailable, sent, message: "gone".into() };
        let part = Ok(bytes::Bytes::from_static(b"{\"done\":"));
        let rest = match self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => return Err(failure(Sent::No)),
            1 => Err(failure(Sent::Maybe)),
            _ => Ok(bytes::Bytes::from_static(b"true}")),
        };
        Ok(Incoming {
            status: reqwest::StatusCode::OK,
            headers: reqwest::header::HeaderMap::new(),
            length: None,
            body: futures::stream::iter([part, rest]).boxed(),
        })
    }
}

#[tokio::test(start_paused = true)]
async fn retries_and_limits_are_the_same_over_any_transport() {
    let http = Http::over(Arc::new(Scripted::default()), RetryPolicy::default(), Ambient::of_system());
    let call = |method| Call::new(method, Url::parse("https://service.example/things/1?sig=hidden").unwrap());
    let answer = http.send(call(Method::GET)).await.unwrap();
    assert_eq!(answer.json::<Value>().unwrap(), json!({"done": true}));
    let error = http.send(call(Method::GET).response_limit(9)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    // A write whose answer was cut off may have been done, so it is not sent again.
    let http = Http::over(Arc::new(Scripted(1.into())), RetryPolicy::default(), Ambient::of_system());
    let error = http.send(call(Method::PUT)).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Unavailable, Sent::Maybe));
    assert!(!error.to_string().contains("hidden"), "{error}");
}

/// A transport that never has an answer, and keeps the id of each call with the instant at which it was sent.
#[derive(Default)]
struct Refusing(std::sync::Mutex<Vec<(String, Instant)>>);

#[async_trait::async_trait]
impl Transport for Refusing {
    async fn send(&self, request: Outgoing) -> Result<Incoming, TransportFailure> {
        let id = request.headers[CLIENT_REQUEST_ID].to_str().unwrap().to_owned();
        self.0.lock().unwrap().push((id, Instant::now()));
        Err(TransportFailure { kind: ErrorKind::Unavailable, sent: Sent::No, message: "gone".into() })
    }
}

#[tokio::test(start_paused = true)]
async fn the_ids_and_pauses_of_calls_are_those_of_the_seed() {
    let sent = async |seed| {
        let clock = ambient::Clock::of(|| time::OffsetDateTime::UNIX_EPOCH);
        let ambient = Ambient { clock, randomness: ambient::Randomness::of_seed(seed) };
        let (transport, begun) = (Arc::new(Refusing::default()), Instant::now());
        let http = Http::over(transport.clone(), RetryPolicy::default(), ambient);
        for _ in 0..3 {
            let url = Url::parse("https://service.example/things/1").unwrap();
            http.send(Call::new(Method::GET, url)).await.unwrap_err();
        }
        let sent = transport.0.lock().unwrap();
        sent.iter().map(|(id, at)| (id.clone(), at.duration_since(begun))).collect::<Vec<_>>()
    };
    let (one, same, other) = (sent(7).await, sent(7).await, sent(8).await);
    assert_eq!(one.len(), 12, "three calls of four attempts");
    assert_eq!(one, same);
    assert_ne!(one, other);
}
