//! The contract on Azurite, the storage emulator: the real client, its signatures and conditional requests.
//!
//! `cargo xtask test` installs it and names its `azurite-blob` in the variable `AZURITE`. Without it these tests
//! say that they are skipped, except in CI, where that is a failure.

use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ambient::Randomness;
use async_trait::async_trait;
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpService, ReqwestConnector,
};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::contract::keeps_the_contract;
use super::documents::keeps_its_promises;
use crate::{BlobAddress, BlobSettings, Document, Error, ErrorKind, Store, TokenProvider, WriteError, blob};

/// The emulator's public account key.
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

struct Azurite {
    endpoint: String,
    /// Killed when dropped.
    _process: Child,
}

impl Azurite {
    /// Starts one on a free port. `None` where there is none to start and none is required.
    async fn start(test: &str) -> Option<Self> {
        let Some(program) = std::env::var_os("AZURITE") else {
            let set = |name, value| std::env::var(name).is_ok_and(|found| found == value);
            assert!(
                !set("CI", "true") && !set("POLICYSYNC_REQUIRE_AZURITE", "1"),
                "AZURITE is not set; `cargo xtask test` installs Azurite and sets it"
            );
            // Straight to stderr, since the test harness hides the output of a passing test.
            let line = format!("skipped: {test}: AZURITE is not set; `cargo xtask test` installs Azurite\n");
            std::io::stderr().write_all(line.as_bytes()).expect("stderr takes a line");
            return None;
        };
        let mut process = Command::new(program)
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0"])
            .args(["--inMemoryPersistence", "--silent", "--disableTelemetry"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program that AZURITE names starts");
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let listening = async {
            while let Some(line) = lines.next_line().await.expect("readable output") {
                if let Some((_, address)) = line.split_once("successfully listens on ") {
                    return address.trim().to_owned();
                }
            }
            panic!("Azurite ended before it listened");
        };
        let address = tokio::time::timeout(Duration::from_secs(60), listening)
            .await
            .expect("Azurite listens within a minute");
        Some(Self { endpoint: format!("{address}/devstoreaccount1"), _process: process })
    }

    fn settings(&self, container: &str) -> BlobSettings {
        self.settings_with_key(container, KEY)
    }

    fn settings_with_key(&self, container: &str, key: &str) -> BlobSettings {
        let text = format!("BlobEndpoint={};AccountName=devstoreaccount1;AccountKey={key}", self.endpoint);
        BlobSettings::from_connection_string(&text, container).expect("valid settings")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_on_azurite_keeps_the_contract() {
    let Some(azurite) = Azurite::start("the state contract on Azurite").await else { return };
    let store = Store::open(azurite.settings("policysync"), Randomness::of_system()).expect("valid settings");
    keeps_the_contract(&store).await;
    the_first_writes_into_a_missing_container_all_succeed(&azurite).await;
    a_write_is_recognised_however_its_answer_got_lost(&azurite).await;
    a_wrong_key_is_forbidden(&azurite).await;
    an_emulator_that_is_gone_is_unavailable(azurite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_document_on_azurite_keeps_its_promises_and_makes_no_container() {
    let Some(azurite) = Azurite::start("documents on Azurite").await else { return };
    let address = BlobAddress::parse(&format!("{}/config/policysync.toml", azurite.endpoint)).expect("valid");
    let document = Document::open(&address, Arc::new(NoTokens)).expect("valid");
    let error = document.write("one", None, &Default::default()).await.expect_err("there is no container");
    assert!(matches!(error, WriteError::Failed(_)), "{error}");
    let records = Store::open(azurite.settings("config"), Randomness::of_system()).expect("valid settings");
    records.put("makes-the-container", &0).await.expect("put");
    keeps_its_promises(&document).await;
}

/// The emulator's key is known, so no token is asked for.
struct NoTokens;

#[async_trait]
impl TokenProvider for NoTokens {
    async fn token(&self) -> Result<String, Error> {
        Err(Error::token(ErrorKind::Forbidden, "no tokens here"))
    }
}

async fn the_first_writes_into_a_missing_container_all_succeed(azurite: &Azurite) {
    let store = Store::open(azurite.settings("fresh"), Randomness::of_system()).expect("valid settings");
    assert!(store.list("").await.expect("an empty listing").keys.is_empty());
    let keys: Vec<String> = (0..8).map(|n| format!("first/{n}")).collect();
    for written in futures::future::join_all(keys.iter().map(|key| store.create(key, &1))).await {
        written.expect("created");
    }
    assert_eq!(store.list("first").await.expect("lists").keys, keys);
}

async fn a_write_is_recognised_however_its_answer_got_lost(azurite: &Azurite) {
    for (how, loss) in [
        ("the connection broke", Loss::Transport(HttpErrorKind::Interrupted)),
        ("no answer in time", Loss::Transport(HttpErrorKind::Timeout)),
        ("the connection closed early", Loss::Transport(HttpErrorKind::Request)),
        ("a gateway answered in its place", Loss::BadGateway),
    ] {
        let connector = Arc::new(LosingAnswers { loss, losses: Arc::new(AtomicU32::new(0)) });
        let backend = blob::connect(azurite.settings("lossy"), connector.clone()).expect("valid settings");
        let store = Store::over(backend, "lossy", Randomness::of_system());
        let key = crate::key::segment(how);
        let lose_the_next = || connector.losses.store(1, Ordering::SeqCst);
        // Makes the container, so that the next lost answer is that of a record's write.
        store.put("warm-up", &0).await.expect("put");
        lose_the_next();
        let version = store.create(&key, &1).await.expect(how);
        lose_the_next();
        store.update(&key, &2, &version).await.expect(how);
        assert_eq!(connector.losses.load(Ordering::SeqCst), 0, "{how}: no answer was lost");
        assert_eq!(store.get::<u32>(&key).await.expect("answers").expect("there").value, 2, "{how}");
    }
}

async fn a_wrong_key_is_forbidden(azurite: &Azurite) {
    let store = Store::open(azurite.settings_with_key("policysync", "c3dvcmRmaXNo"), Randomness::of_system())
        .expect("valid settings");
    let error = store.put("a", &1).await.expect_err("a wrong key");
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
}

async fn an_emulator_that_is_gone_is_unavailable(mut azurite: Azurite) {
    let store = Store::open(azurite.settings("policysync"), Randomness::of_system()).expect("valid settings");
    azurite._process.kill().await.expect("killed");
    let error = store.get::<u32>("a").await.expect_err("no server listens");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}

#[derive(Debug, Clone, Copy)]
enum Loss {
    Transport(HttpErrorKind),
    BadGateway,
}

/// Sends every request, and withholds the answers to as many writes as `losses` says.
#[derive(Debug, Clone)]
struct LosingAnswers {
    loss: Loss,
    losses: Arc<AtomicU32>,
}

impl HttpConnector for LosingAnswers {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(LosingClient { client, losing: self.clone() }))
    }
}

#[derive(Debug)]
struct LosingClient {
    client: HttpClient,
    losing: LosingAnswers,
}

#[async_trait]
impl HttpService for LosingClient {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let is_write = request.method() == http::Method::PUT;
        let answer = self.client.execute(request).await?;
        let losses = &self.losing.losses;
        let lose = |left: u32| left.checked_sub(1);
        if !is_write || losses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, lose).is_err() {
            return Ok(answer);
        }
        assert!(answer.status().is_success(), "only the answer is lost, not the write");
        match self.losing.loss {
            Loss::Transport(kind) => Err(HttpError::new(kind, std::io::Error::other("the answer is lost"))),
            Loss::BadGateway => {
                let gateway = http::Response::builder().status(502).body(Vec::new().into());
                Ok(gateway.expect("a valid answer"))
            }
        }
    }
}
