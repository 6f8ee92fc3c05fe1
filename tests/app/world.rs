//! A world for a test, with the calls of an operator to it over HTTP.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use azure_simulator::fleet::Fleet;
use policysync::commands::laptop::local_world::{
    DEFAULT_CONFIGURATION, HandlerOf, LocalOptions, LocalWorld, WorldArguments,
};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::attached::InThisProcess;

/// How long anything may take before a test fails; nothing waits that long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// The variables that a program needs to have the clock of these tests, which `cargo xtask calendar` moves: without
/// them a process that is started with an environment of its own lives in another year, and its signatures have
/// expired.
pub fn clock() -> impl Iterator<Item = (&'static str, OsString)> {
    let names = ["LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC"];
    names.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// The app behind a Functions host and a simulated Azure. The handler serves within the test, except in tests of what only a
/// process has: memory, an end, a log.
pub struct World {
    pub local: LocalWorld,
    pub client: Client,
    handler: Option<InThisProcess>,
    _folder: tempfile::TempDir,
}

impl World {
    /// The default fleet with the default rules.
    pub async fn default() -> Self {
        Self::within(LocalOptions::default(), tempfile::tempdir().unwrap()).await
    }

    /// The same with a handler in a process of its own.
    pub async fn with_process() -> Self {
        Self::run(LocalOptions::default(), tempfile::tempdir().unwrap()).await
    }

    /// The default fleet with another configuration.
    pub async fn configured(configuration: &str) -> Self {
        Self::of(&Fleet::default_fleet(), configuration).await
    }

    /// The default fleet, changed, with the default rules.
    pub async fn with_fleet(change: impl FnOnce(&mut Fleet)) -> Self {
        let mut fleet = Fleet::default_fleet();
        change(&mut fleet);
        Self::of(&fleet, DEFAULT_CONFIGURATION).await
    }

    /// A fleet and its configuration.
    pub async fn of(fleet: &Fleet, configuration: &str) -> Self {
        let (world, folder) = files(fleet, configuration);
        Self::within(LocalOptions { world, ..LocalOptions::default() }, folder).await
    }

    /// The same with a handler in a process of its own.
    pub async fn of_with_process(fleet: &Fleet, configuration: &str) -> Self {
        let (world, folder) = files(fleet, configuration);
        Self::run(LocalOptions { world, ..LocalOptions::default() }, folder).await
    }

    /// The default fleet with the default rules and further app settings, and a handler in a process of its own, which reads
    /// them from its environment.
    pub async fn with_settings(settings: &[(&str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let options = LocalOptions { app_settings: settings.collect(), ..LocalOptions::default() };
        Self::run(options, tempfile::tempdir().unwrap()).await
    }

    /// A world of its own kind, with a handler in a process of its own. `folder` lives as long as it does.
    pub async fn run(options: LocalOptions, folder: tempfile::TempDir) -> Self {
        let handler = match options.handler {
            HandlerOf::ThisProgram => HandlerOf::Program(PathBuf::from(env!("CARGO_BIN_EXE_policysync"))),
            other => other,
        };
        Self::start(LocalOptions { handler, ..options }, None, folder).await
    }

    async fn within(options: LocalOptions, folder: tempfile::TempDir) -> Self {
        let (attach, handler) = InThisProcess::attach();
        let options = LocalOptions { handler: HandlerOf::Attached(attach), ..options };
        Self::start(options, Some(handler), folder).await
    }

    async fn start(options: LocalOptions, handler: Option<InThisProcess>, folder: tempfile::TempDir) -> Self {
        let local = LocalWorld::start(options).await;
        let local = local.unwrap_or_else(|error| panic!("the world did not start: {error}"));
        let client = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        Self { local, client, handler, _folder: folder }
    }

    pub async fn stop(self) {
        self.local.stop().await;
    }

    pub fn azure(&self, path: &str) -> String {
        format!("{}{path}", self.local.simulator.url())
    }

    pub fn app(&self, path: &str) -> String {
        format!("{}{path}", self.local.host.url())
    }

    /// The address of the handler; that of a process is in the environment that the host gave it.
    pub fn handler_url(&self) -> String {
        let port = match &self.handler {
            Some(handler) => handler.port().to_string(),
            None => {
                let process = self.local.host.handler_pid().unwrap();
                let environment = std::fs::read(format!("/proc/{process}/environ")).unwrap();
                let environment = String::from_utf8_lossy(&environment);
                let mut lines = environment.split('\0');
                lines.find_map(|line| line.strip_prefix("FUNCTIONS_CUSTOMHANDLER_PORT=")).unwrap().to_owned()
            }
        };
        format!("http://127.0.0.1:{port}")
    }

    /// A GET that must succeed, as JSON.
    pub async fn get(&self, url: &str) -> Value {
        let answer = self.client.get(url).header("Accept", "application/json").send().await.unwrap();
        assert!(answer.status().is_success(), "GET {url}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// A POST with a JSON body.
    pub async fn post(&self, url: &str, body: &Value) -> Response {
        self.client.post(url).json(body).send().await.unwrap()
    }

    /// Fires a function and expects it to succeed.
    pub async fn fire(&self, function: &str) {
        let report = self.local.host.fire(function, None).await.unwrap();
        assert!(report.succeeded(), "{function}: {:?}{}", report.error, self.local.explanation());
    }

    /// The namespace of that name, by the simulator's own account.
    pub async fn namespace(&self, name: &str) -> Value {
        let state = self.get(&self.azure("/simulator/state")).await;
        let namespaces = state["namespaces"].as_array().unwrap();
        let ends = |namespace: &&Value| namespace["id"].as_str().unwrap().ends_with(&format!("/{name}"));
        namespaces.iter().find(ends).unwrap_or_else(|| panic!("no namespace {name}")).clone()
    }

    /// Submits a sync request; answers its id.
    pub async fn submit(&self, body: Value) -> String {
        let answer = self.post(&self.app("/api/sync-requests"), &body).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        let body: Value = answer.json().await.unwrap();
        let id = body["requestId"].as_str().unwrap().to_owned();
        assert_eq!(location, format!("/api/sync-requests/{id}"));
        id
    }

    /// A request once it has its final outcome.
    pub async fn outcome(&self, id: &str) -> Value {
        let url = self.app(&format!("/api/sync-requests/{id}"));
        self.until(&format!("request {id} is final"), async || {
            let request = self.get(&url).await;
            let outcome = request["outcome"].as_str().unwrap();
            (outcome != "queued" && outcome != "syncing").then_some(request)
        })
        .await
    }

    /// Calls `look` until it gives an answer.
    pub async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let since = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(since.elapsed() < PATIENCE, "never: {what}{}", self.local.explanation());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Requests to Azure that change something, so far: method and path.
    pub async fn writes(&self) -> Vec<String> {
        self.requests(|method, path| {
            let reads =
                method == "GET" || path.ends_with("/query") || path.ends_with("/attestationmechanism");
            !reads && (path.starts_with("/subscriptions/") || path.starts_with("/dps/"))
        })
        .await
    }

    /// Messages sent to a queue, so far.
    pub async fn sends(&self) -> Vec<String> {
        self.requests(|method, path| {
            method == "POST" && path.starts_with("/servicebus/") && !path.ends_with("/head")
        })
        .await
    }

    pub async fn requests(&self, wanted: impl Fn(&str, &str) -> bool) -> Vec<String> {
        let log = self.get(&self.azure("/simulator/log")).await;
        let entries = log
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| (entry["method"].as_str().unwrap(), entry["path"].as_str().unwrap()));
        entries
            .filter(|(method, path)| wanted(method, path))
            .map(|(method, path)| format!("{method} {path}"))
            .collect()
    }

    /// Lets the service renew the issuing CA of a policy.
    pub async fn rotate(&self, policy_id: &str) {
        let answer = self.post(&self.azure("/simulator/rotate"), &json!({"policyId": policy_id})).await;
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// The report as JSON, made anew.
    pub async fn report(&self) -> Value {
        self.fire("report-policy-status").await;
        self.get(&self.app("/api/policy-status")).await
    }

    /// The enrollment group as DPS shows it, or with a change.
    pub async fn group(
        &self,
        service: &str,
        id: &str,
        method: Method,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        self.group_by("2025-07-01-preview", service, id, method, body).await
    }

    /// The same by another version of the service API.
    pub async fn group_by(
        &self,
        version: &str,
        service: &str,
        id: &str,
        method: Method,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let url = self.azure(&format!("/dps/{service}/enrollmentGroups/{id}?api-version={version}"));
        let token =
            self.azure("/identity?api-version=2019-08-01&resource=https://azure-devices-provisioning.net");
        let token: Value = self
            .client
            .get(token)
            .header("x-identity-header", "x")
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let mut request =
            self.client.request(method, url).bearer_auth(token["access_token"].as_str().unwrap());
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (status, answer.json().await.unwrap_or(Value::Null))
    }
}

/// The files of a fleet and of its configuration, and the folder that they are in.
pub fn files(fleet: &Fleet, configuration: &str) -> (WorldArguments, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (fleet_file, config_file) = (folder.path().join("fleet.toml"), folder.path().join("policysync.toml"));
    std::fs::write(&fleet_file, fleet.to_toml().unwrap()).unwrap();
    std::fs::write(&config_file, configuration).unwrap();
    (WorldArguments { fleet: Some(fleet_file), config: Some(config_file) }, folder)
}
