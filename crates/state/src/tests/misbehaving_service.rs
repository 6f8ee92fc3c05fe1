//! The store's reaction to answers that no emulator gives: throttles, refusals, silence.

use std::sync::{Arc, Mutex};

use ambient::Randomness;
use async_trait::async_trait;
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService,
};
use tokio::time::Instant;

use crate::{BlobSettings, Error, ErrorKind, Store, TokenProvider, WriteError, blob};

/// Answers every request in the same way, and keeps the requests.
#[derive(Debug, Clone)]
struct Service {
    answer: Answer,
    asked: Arc<Mutex<Vec<String>>>,
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Status(u16, &'static str),
    /// After four seconds: there is nothing to read, and another writer was faster.
    RaceLostSlowly,
    /// Answers reads with another writer's record, and writes with this refusal.
    WritesRefused(u16, &'static str),
    Never,
}

impl HttpConnector for Service {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.asked.lock().expect("not poisoned").push(format!("{} {}", request.method(), request.uri()));
        let (status, code) = match self.answer {
            Answer::Status(status, code) => (status, code),
            Answer::RaceLostSlowly => {
                tokio::time::sleep(std::time::Duration::from_secs(4)).await;
                if request.method() == http::Method::PUT {
                    (409, "BlobAlreadyExists")
                } else {
                    (404, "BlobNotFound")
                }
            }
            Answer::WritesRefused(status, code) if request.method() == http::Method::PUT => (status, code),
            Answer::WritesRefused(..) => return Ok(foreign_record()),
            Answer::Never => std::future::pending().await,
        };
        // Like the service, it puts the code in a header and in the body, and echoes a secret in the message.
        let body = format!("<Error><Code>{code}</Code><Message>swordfish</Message></Error>");
        let answer = http::Response::builder()
            .status(status)
            .header("x-ms-error-code", code)
            .body(HttpResponseBody::from(body.into_bytes()));
        Ok(answer.expect("a valid answer"))
    }
}

fn foreign_record() -> HttpResponse {
    let body = br#"{"writeId":"another-writer","value":1}"#;
    let answer = http::Response::builder()
        .header("etag", "\"0x1\"")
        .header("last-modified", "Mon, 23 Nov 2026 10:00:00 GMT")
        .header("content-length", body.len())
        .body(HttpResponseBody::from(body.to_vec()));
    answer.expect("a valid answer")
}

struct Tokens(Result<&'static str, ErrorKind>);

#[async_trait]
impl TokenProvider for Tokens {
    async fn token(&self) -> Result<String, Error> {
        self.0.map(str::to_owned).map_err(|kind| Error::token(kind, "the identity endpoint said no"))
    }
}

fn store(answer: Answer, tokens: Tokens) -> (Store, Service) {
    let service = Service { answer, asked: Arc::default() };
    let address = "https://contoso.blob.core.windows.net";
    let settings =
        BlobSettings::from_service_uri(address, "policysync", Arc::new(tokens)).expect("valid settings");
    let backend = blob::connect(settings, Arc::new(service.clone())).expect("valid settings");
    (Store::over(backend, "a misbehaving service", Randomness::of_seed(1)), service)
}

fn answering(status: u16, code: &'static str) -> (Store, Service) {
    store(Answer::Status(status, code), Tokens(Ok("swordfish")))
}

fn asked(service: &Service) -> Vec<String> {
    service.asked.lock().expect("not poisoned").clone()
}

/// The error of a read, of a plain write and of a guarded write.
async fn errors(store: &Store) -> Vec<Error> {
    let guarded = match store.create("a", &1).await {
        Err(WriteError::Failed(error)) => error,
        other => panic!("not a failure: {other:?}"),
    };
    let read = store.get::<u32>("a").await.expect_err("a failed read");
    vec![read, store.put("a", &1).await.expect_err("a failed write"), guarded]
}

#[tokio::test(start_paused = true)]
async fn throttles_and_failures_of_the_service_are_unavailable() {
    for (status, code) in [(503, "ServerBusy"), (429, "TooManyRequests"), (500, "InternalError")] {
        let (store, _) = answering(status, code);
        for error in errors(&store).await {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
            assert!(error.to_string().contains(code), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_are_forbidden_and_sent_once() {
    for (status, code) in [(401, "NoAuthenticationInformation"), (403, "AuthorizationPermissionMismatch")] {
        let (store, service) = answering(status, code);
        for error in errors(&store).await {
            assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
            assert!(error.to_string().contains(code), "{error}");
        }
        assert_eq!(asked(&service).len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_is_no_race_is_not_a_conflict() {
    let tokens = || Tokens(Ok("swordfish"));
    for (status, code) in [(409, "ContainerBeingDeleted"), (412, "LeaseIdMissing")] {
        let (store, _) = store(Answer::WritesRefused(status, code), tokens());
        match store.create("a", &1).await {
            Err(WriteError::Failed(error)) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}"),
            other => panic!("{code}: {other:?}"),
        }
    }
    for (status, code) in [(409, "BlobAlreadyExists"), (412, "ConditionNotMet")] {
        let (store, _) = store(Answer::WritesRefused(status, code), tokens());
        assert!(matches!(store.create("a", &1).await, Err(WriteError::Conflict)), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_finds_nothing_to_update_is_a_conflict() {
    let (store, _) = store(Answer::WritesRefused(404, "BlobNotFound"), Tokens(Ok("swordfish")));
    let read = store.get::<u32>("a").await.expect("answers").expect("there");
    assert!(matches!(store.update("a", &2, &read.version).await, Err(WriteError::Conflict)));
}

#[tokio::test(start_paused = true)]
async fn no_call_takes_longer_than_its_deadline() {
    let (store, _) = store(Answer::Never, Tokens(Ok("swordfish")));
    let started = Instant::now();
    for error in errors(&store).await {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    }
    store.list("").await.expect_err("no answer");
    store.delete("a").await.expect_err("no answer");
    assert_eq!(started.elapsed().as_secs(), 5 * crate::store::DEADLINE.as_secs());
}

#[tokio::test(start_paused = true)]
async fn changing_a_record_has_a_deadline_over_all_its_tries() {
    let (store, _) = store(Answer::RaceLostSlowly, Tokens(Ok("swordfish")));
    let started = Instant::now();
    match store.modify("a", |_: Option<u32>| crate::Change::Write(1)).await {
        Err(WriteError::Failed(error)) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(started.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_missing_container_is_an_empty_one_for_readers_who_make_none() {
    let (store, service) = answering(404, "ContainerNotFound");
    assert_eq!(store.get::<u32>("a").await.expect("nothing there"), None);
    assert!(store.list("").await.expect("nothing there").keys.is_empty());
    store.delete("a").await.expect("nothing there");
    assert!(asked(&service).iter().all(|request| !request.starts_with("PUT")), "{:?}", asked(&service));
}

#[tokio::test(start_paused = true)]
async fn a_container_that_cannot_be_made_fails_the_write() {
    let (store, service) = answering(404, "ContainerNotFound");
    let error = store.put("a", &1).await.expect_err("no container");
    assert!(error.to_string().contains("ContainerNotFound"), "{error}");
    let address = "https://contoso.blob.core.windows.net/policysync";
    let requests = [format!("PUT {address}/a"), format!("PUT {address}?restype=container")];
    assert_eq!(asked(&service), requests);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_token_provider_keeps_its_kind_and_nothing_is_sent() {
    for kind in [ErrorKind::Forbidden, ErrorKind::Unavailable] {
        let (store, service) = store(Answer::Never, Tokens(Err(kind)));
        let error = store.get::<u32>("a").await.expect_err("no token");
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains("the identity endpoint said no"), "{error}");
        assert!(asked(&service).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn no_secret_shows_in_an_error_or_in_debug_output() {
    for (status, code) in [(403, "AuthenticationFailed"), (503, "ServerBusy"), (400, "InvalidHeaderValue")] {
        let (store, _) = answering(status, code);
        for error in errors(&store).await {
            assert!(!format!("{error} {error:?} {store:?}").contains("swordfish"), "{error:?}");
        }
    }
}
