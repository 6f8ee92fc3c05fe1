//! No crate that a call to Azure passes through logs the credential of the call, even at the most verbose level:
//! neither ours nor `reqwest`, `hyper`, `h2` or the Azure crates. `tests/app/secrets_in_logs.rs` tests the whole app
//! with its records.
//!
//! This is a program of its own, since it catches the log of the whole process: both of `tracing` and of `log`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use ambient::Ambient;
use async_trait::async_trait;
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use azure::{
    AccessToken, Azure, Cloud, Error, Http, OutgoingMessage, ServiceBusConnection, TokenSource, api_version,
};
use azure_core_021::headers::AUTHORIZATION;
use azure_core_021::{
    ClientOptions, Context, HttpClient, Method, Pipeline, Request, Response, RetryOptions, TransportOptions,
    Url,
};
use certificate_management::generation::Generation;
use time::OffsetDateTime;

const TOKEN: &str = "eyJ0eXAiOiJKV1Qi.a-token-of-an-identity.c2lnbmF0dXJl";
const KEY: &str = "YS1rZXktb2YtYS1xdWV1ZQ==";
/// The credential that the retired pipeline gets.
const OF_THE_PIPELINE: &str = "SharedAccessSignature sr=https%3A%2F%2Fx&sig=bGVha2Vk&se=1&skn=pipeline";

/// Everything that was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut line = String::new();
        writeln!(line, "{} {}: {}", record.level(), record.target(), record.args()).unwrap();
        io::Write::write_all(&mut self.clone(), line.as_bytes()).unwrap();
    }

    fn flush(&self) {}
}

struct Identity;

#[async_trait]
impl TokenSource for Identity {
    async fn token(&self, _scope: &str) -> Result<AccessToken, Error> {
        Ok(AccessToken::new(TOKEN, OffsetDateTime::now_utc() + time::Duration::HOUR))
    }
}

/// Takes the place of the network below a pipeline of `azure_core` 0.21.
#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl HttpClient for Nowhere {
    async fn execute_request(&self, _: &Request) -> azure_core_021::Result<Response> {
        Err(azure_core_021::Error::message(azure_core_021::error::ErrorKind::Other, "there is no network"))
    }
}

/// The secret part of a header value: a token, or the signature of a shared access signature.
fn secret(authorization: &str) -> &str {
    let rest = authorization.split_once(' ').map_or(authorization, |(_, rest)| rest);
    rest.split('&').find_map(|part| part.strip_prefix("sig=")).unwrap_or(rest)
}

/// The values that a text contains.
fn leaked<'a>(values: impl IntoIterator<Item = &'a String>, text: &str) -> Vec<&'a String> {
    values.into_iter().filter(|value| text.contains(secret(value))).collect()
}

#[tokio::test]
async fn no_crate_logs_an_authorization_but_the_pipeline_that_nothing_here_runs() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    log::set_boxed_logger(Box::new(lines.clone())).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

    // A service that notes the credentials of its callers, over HTTP/1.1 and HTTP/2 alike.
    let seen: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let noted = Arc::clone(&seen);
    let answer = async move |headers: HeaderMap| {
        let value = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        noted.lock().unwrap_or_else(PoisonError::into_inner).insert(value.to_owned());
        (StatusCode::CREATED, "{\"value\":[]}")
    };
    let server = loopback::Server::start(|_| Router::new().fallback(answer)).await.unwrap();
    let place = server.origin().trim_start_matches("http://").to_owned();

    let cloud = Cloud::new(Some(&format!("http://{place}"))).unwrap();
    let http = Http::new(azure::http::RetryPolicy::default(), Ambient::of_system()).unwrap();
    let azure = Azure::new(http, cloud, Arc::new(Identity));
    azure
        .arm()
        .get("/subscriptions/s", api_version::newest(Generation::Credentials).device_registry)
        .await
        .unwrap();
    let message = OutgoingMessage { body: "{}".to_owned(), ..Default::default() };
    let keyed = format!(
        "Endpoint=sb://{place}/servicebus;SharedAccessKeyName=send;SharedAccessKey={KEY};UseDevelopmentEmulator=true"
    );
    for connection in [
        ServiceBusConnection::parse(&keyed).unwrap(),
        ServiceBusConnection::from_namespace(&format!("{place}/servicebus")).unwrap(),
    ] {
        azure.queue(&connection, "sync-requests").unwrap().send(&message).await.unwrap();
    }
    azure
        .enrollment_groups(certificate_management::generation::NamespaceGeneration::Credentials)
        .list(&format!("http://{place}/dps/d"))
        .await
        .unwrap_err();
    // Azure speaks HTTP/2, which only TLS brings about by itself.
    let mut value = reqwest::header::HeaderValue::from_static("Bearer a-token-over-http-2");
    value.set_sensitive(true);
    let http_2 = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let answer = http_2.get(format!("http://{place}/")).header("authorization", value).send().await.unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    drop(server);

    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(seen.iter().filter(|value| value.starts_with("SharedAccessSignature sr=")).count(), 1);
    assert!(seen.contains(&format!("Bearer {TOKEN}")) && seen.contains("Bearer a-token-over-http-2"));
    let text = lines.text();
    for (speaker, least) in [("azure", 1), ("h2", 1), ("reqwest", 1), ("hyper_util", 1)] {
        let spoke = text.lines().filter(|line| line.contains(&format!(" {speaker}::"))).count();
        assert!(spoke >= least, "{speaker} is not heard, so nothing is proven of it:\n{text}");
    }
    assert_eq!(leaked(&seen, &text), Vec::<&String>::new());
    assert!(!text.contains(KEY));

    // The retired crate does leak, as the advisory says (RUSTSEC-2026-0275), and this test finds it.
    let mut request = Request::new(Url::parse("https://x").unwrap(), Method::Get);
    request.insert_header(AUTHORIZATION, OF_THE_PIPELINE.to_owned());
    let options = ClientOptions::new(TransportOptions::new(Arc::new(Nowhere))).retry(RetryOptions::none());
    let pipeline = Pipeline::new(None, None, options, Vec::new(), Vec::new());
    pipeline.send(&Context::default(), &mut request).await.unwrap_err();
    let of_the_pipeline = OF_THE_PIPELINE.to_owned();
    assert_eq!(leaked([&of_the_pipeline], &lines.text()), [&of_the_pipeline]);
}
