//! The configuration in a blob of the simulated storage account: what a change of it does, and what a broken one does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ambient::{Ambient, Clock, Randomness};
use azure::{Azure, Cloud, Http};
use azure_simulator::{Options, Simulator, faults};
use certificate_management::checks::CheckId;
use certificate_management::configuration::Configuration;
use certificate_management::next_step::Caller;
use functions_host::Server;
use policysync::application::Application;
use policysync::commands::laptop::local_world::{DEFAULT_CONFIGURATION, Schedules, app_settings};
use policysync::fleet::Outside;
use policysync::serving::{Needs, Serving};
use policysync::settings::Settings;
use policysync::{functions, reporting};
use reqwest::Method;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::in_process::{AnyToken, InProcess, received};

/// The simulated account takes any key.
const KEY: &str = "SharedKey storage:c2ltdWxhdG9y";
const BLOB: &str = "/storage/config/policysync.toml";

/// A simulated Azure with a blob, and a clock that the test moves.
struct Azures {
    simulator: Simulator,
    ahead: Arc<AtomicI64>,
}

impl Azures {
    async fn with(configuration: Option<&str>) -> Self {
        let simulator = Simulator::start(Options::default()).await.unwrap();
        let azures = Self { simulator, ahead: Arc::default() };
        azures.send(Method::PUT, "/storage/config?restype=container", "").await;
        if let Some(text) = configuration {
            azures.upload(text).await;
        }
        azures
    }

    async fn send(&self, method: Method, path: &str, body: &str) {
        let url = format!("{}{path}", self.simulator.url());
        let request = reqwest::Client::new().request(method, url).header("Authorization", KEY);
        let answer = request.body(body.to_owned()).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    async fn upload(&self, text: &str) {
        self.send(Method::PUT, BLOB, text).await;
    }

    fn later(&self, by: Duration) {
        self.ahead.fetch_add(by.whole_seconds(), Ordering::Relaxed);
    }

    fn faults(&self, faults: &Value) {
        self.simulator.faults().replace(faults::read(&json!({"faults": faults})).unwrap());
    }

    /// A process of the app that has just started.
    fn process(&self) -> Serving {
        let mut variables = app_settings(self.simulator.url(), Schedules::default());
        variables.insert("POLICYSYNC_CONFIG".to_owned(), format!("{}{BLOB}", self.simulator.url()));
        let moved = Arc::clone(&self.ahead);
        let now = move || OffsetDateTime::now_utc() + Duration::seconds(moved.load(Ordering::Relaxed));
        let ambient = Ambient { clock: Clock::of(now), randomness: Randomness::of_system() };
        let http = Http::shared(ambient.clone()).unwrap();
        let cloud = Cloud::new(Some(self.simulator.url())).unwrap();
        let azure = Some(Azure::new(http, cloud, Arc::new(AnyToken)));
        let outside = Outside { azure, ..Outside::of(ambient) };
        Serving::start(&Settings::from_variables(&variables).unwrap(), outside).unwrap()
    }

    /// Gives every policy another issuing CA, which no hub trusts yet.
    async fn rotate(&self) {
        let state = self.simulator.state();
        for namespace in state["namespaces"].as_array().unwrap() {
            for policy in namespace["policies"].as_array().unwrap() {
                let url = format!("{}/simulator/rotate", self.simulator.url());
                let answer = reqwest::Client::new().post(url).json(&json!({"policyId": policy})).send().await;
                assert!(answer.unwrap().status().is_success(), "{policy}");
            }
        }
    }

    /// How many messages wait for `sync-policies`.
    async fn queued(&self) -> u64 {
        let url = format!("{}/simulator/queues", self.simulator.url());
        let counts: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        let of = |kind: &str| counts["sync-requests"][kind].as_u64().unwrap();
        of("active") + of("scheduled")
    }

    /// The statuses of the reads of the blob, so far.
    fn reads(&self) -> Vec<Option<u16>> {
        let entries = self.simulator.log().entries();
        let of_blob = entries.iter().filter(|entry| entry.path == BLOB && entry.method == "GET");
        of_blob.map(|entry| entry.status).collect()
    }
}

async fn now(process: &Serving) -> Arc<Application> {
    match process.application(Needs::Any).await {
        Ok(application) => application,
        Err(unconfigured) => panic!("{}", unconfigured.problem),
    }
}

async fn namespaces(process: &Serving) -> usize {
    now(process).await.fleet.configuration.namespaces.len()
}

/// The default configuration with its first namespaces alone.
fn first(count: usize) -> String {
    let parts: Vec<&str> = DEFAULT_CONFIGURATION.split("[[namespace]]").collect();
    parts[..=count].join("[[namespace]]")
}

/// What the report finds of the configuration, and what it tells the topic of that.
async fn told(process: &Serving) -> (Vec<Value>, Vec<String>) {
    let application = now(process).await;
    let done = reporting::run(&application).await.unwrap();
    let report = reporting::pages::read(&application.store, 1).await.unwrap().unwrap();
    let of =
        |finding: &&certificate_management::report::Finding| finding.check.code() == "configuration-behind";
    let findings = report.findings.iter().filter(of).map(|finding| json!(finding)).collect();
    let events = done
        .events
        .iter()
        .map(|event| json!(event))
        .filter(|event| event["subject"].as_str().unwrap().starts_with("configuration-behind/"));
    (findings, events.map(|event| event["data"]["state"].as_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn another_version_counts_for_the_next_invocation_and_not_for_the_one_under_way() {
    let azures = Azures::with(Some(DEFAULT_CONFIGURATION)).await;
    let process = azures.process();
    assert_eq!(azures.reads(), [], "nothing is read before the first invocation");
    let under_way = now(&process).await;
    azures.upload(&first(1)).await;
    assert_eq!(namespaces(&process).await, 3, "a look is believed for a minute");
    azures.later(Duration::seconds(61));
    assert_eq!(namespaces(&process).await, 1);
    assert_eq!(under_way.fleet.configuration.namespaces.len(), 3, "what is under way goes on with its own");
    azures.later(Duration::seconds(61));
    assert_eq!(namespaces(&process).await, 1);
    assert_eq!(azures.reads(), [Some(200), Some(200), Some(304)], "what has not changed is not sent again");
    azures.simulator.stop().await;
}

#[tokio::test]
async fn invocations_that_begin_at_once_look_once_and_have_one_version() {
    let azures = Azures::with(Some(DEFAULT_CONFIGURATION)).await;
    let process = azures.process();
    let all = futures::future::join_all((0..20).map(|_| now(&process))).await;
    assert!(all.iter().all(|one| Arc::ptr_eq(one, &all[0])));
    assert_eq!(azures.reads().len(), 1);
    azures.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_cannot_be_used_changes_nothing_is_told_once_and_clears_with_a_good_one() {
    let azures = Azures::with(Some(DEFAULT_CONFIGURATION)).await;
    let process = azures.process();
    assert_eq!(told(&process).await, (Vec::new(), Vec::new()));
    for (broken, named) in [
        ("[[namespace", "TOML"),
        ("colour = \"red\"\n", "colour"),
        ("", "there is no [[namespace]]"),
        (&DEFAULT_CONFIGURATION.replace("expect = \"short-lived\"", "expect = \"default\""), "line-7"),
    ] {
        azures.upload(broken).await;
        azures.later(Duration::seconds(61));
        let (findings, events) = told(&process).await;
        assert_eq!((findings.len(), namespaces(&process).await), (1, 3), "{broken}");
        let finding = &findings[0];
        assert_eq!(finding["reason"], "configuration-refused");
        let message = finding["message"].as_str().unwrap();
        assert!(message.contains(named) && message.contains("version 20"), "{message}");
        assert!(finding["nextStep"].as_str().unwrap().contains("policysync config push"), "{finding}");
        // Each broken version is a finding of its own, and the one before ends.
        assert!(!events.is_empty(), "{broken}");
        let (same, silent) = told(&process).await;
        assert_eq!((same.len(), silent), (1, Vec::new()), "it is told once");
        let application = now(&process).await;
        let (fleet, store) = (&application.fleet, &application.store);
        let status = reporting::live::report(fleet, Caller::Person, Ok(store)).await;
        let is_it =
            |found: &certificate_management::report::Finding| found.check == CheckId::ConfigurationBehind;
        assert!(status.findings.iter().any(is_it), "`policysync status` tells it too");
    }
    azures.upload(&first(2)).await;
    azures.later(Duration::seconds(61));
    assert_eq!(told(&process).await, (Vec::new(), vec!["cleared".to_owned()]));
    assert_eq!(namespaces(&process).await, 2);
    azures.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blob_that_may_not_be_read_or_is_gone_changes_nothing_and_is_told() {
    let azures = Azures::with(Some(DEFAULT_CONFIGURATION)).await;
    let process = azures.process();
    assert_eq!(namespaces(&process).await, 3);
    azures.faults(&json!([{"method": "GET", "path": BLOB, "status": 403}]));
    azures.later(Duration::seconds(61));
    let (findings, _) = told(&process).await;
    assert_eq!((findings.len(), &findings[0]["reason"]), (1, &json!("configuration-unreadable")));
    assert!(findings[0]["message"].as_str().unwrap().contains("403"), "{}", findings[0]);
    azures.faults(&json!([]));
    azures.later(Duration::seconds(61));
    assert_eq!(told(&process).await, (Vec::new(), vec!["cleared".to_owned()]));
    azures.send(Method::DELETE, BLOB, "").await;
    azures.later(Duration::seconds(61));
    let (findings, _) = told(&process).await;
    assert_eq!((findings.len(), namespaces(&process).await), (1, 3));
    assert!(findings[0]["message"].as_str().unwrap().contains("there is no blob"), "{}", findings[0]);
    azures.simulator.stop().await;
}

/// A service that is away for moments is told of only when that lasts, and then it is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blob_that_is_away_for_ten_minutes_is_told_and_for_one_it_is_not() {
    let azures = Azures::with(Some(DEFAULT_CONFIGURATION)).await;
    let process = azures.process();
    assert_eq!(namespaces(&process).await, 3);
    azures.faults(&json!([{"method": "GET", "path": BLOB, "status": 503}]));
    for (minutes, findings) in [(2, 0), (9, 0), (2, 1)] {
        azures.later(Duration::minutes(minutes));
        assert_eq!((told(&process).await.0.len(), namespaces(&process).await), (findings, 3), "{minutes}");
    }
    azures.faults(&json!([]));
    azures.later(Duration::seconds(61));
    assert_eq!(told(&process).await, (Vec::new(), vec!["cleared".to_owned()]));
    azures.simulator.stop().await;
}

/// Who can write records decides nothing: a record that was forged is looked at and never written by.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_record_of_the_last_good_version_gives_no_group_a_policy() {
    let audit = DEFAULT_CONFIGURATION.replace("mode = \"enforce\"", "mode = \"audit\"");
    let azures = Azures::with(Some(&audit)).await;
    let application = now(&azures.process()).await;
    let key = "configuration/last-good";
    let mut record = application.store.get::<Value>(key).await.unwrap().unwrap().value;
    record["text"] = json!(DEFAULT_CONFIGURATION.replace("sync = \"ask\"", "sync = \"automatic\""));
    application.store.put(key, &record).await.unwrap();
    azures.upload("[[namespace").await;
    let (earlier, without) = (azures.process(), azures.process());
    // The one reads what the blob had, though the record says otherwise; the other finds no such version.
    let modes = |application: &Arc<Application>| {
        let all = application.fleet.configuration.namespaces.iter();
        all.filter(|namespace| namespace.mode == certificate_management::configuration::Mode::Enforce).count()
    };
    assert_eq!(modes(&now(&earlier).await), 0);
    record["version"]["versionId"] = json!("2020-01-01T00:00:00.0000000Z");
    application.store.put(key, &record).await.unwrap();
    assert!(modes(&now(&without).await) > 0, "it is shown");
    assert!(without.application(Needs::OfBlob).await.is_err(), "and not written by");
    // Nor is a sync left on the queue, to be heeded once there is a configuration.
    azures.rotate().await;
    let done = reporting::run(&*now(&without).await).await.unwrap();
    assert_eq!((done.submitted, azures.queued().await), (0, 0), "{done:?}");
    azures.upload(DEFAULT_CONFIGURATION).await;
    azures.later(Duration::seconds(61));
    let done = reporting::run(&*now(&without).await).await.unwrap();
    assert!(done.submitted > 0 && azures.queued().await > 0, "the blob itself may ask: {done:?}");
    azures.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_starts_with_a_broken_version_has_the_last_good_one_of_the_records() {
    let azures = Azures::with(Some(&first(2))).await;
    assert_eq!(namespaces(&azures.process()).await, 2);
    azures.upload("[[namespace").await;
    let next = azures.process();
    let (findings, _) = told(&next).await;
    assert_eq!((findings.len(), namespaces(&next).await), (1, 2));
    assert_eq!(
        findings[0]["severity"], "warning",
        "the blob has told its earlier version itself: {}",
        findings[0]
    );
    assert!(next.application(Needs::OfBlob).await.is_ok());
    azures.send(Method::DELETE, BLOB, "").await;
    let after = azures.process();
    let (findings, _) = told(&after).await;
    assert_eq!((findings.len(), namespaces(&after).await), (1, 2));
    assert!(findings[0]["message"].as_str().unwrap().contains("no function writes"), "{}", findings[0]);
    assert!(after.application(Needs::OfBlob).await.is_err(), "the text of a record moves nothing in Azure");
    azures.upload(DEFAULT_CONFIGURATION).await;
    azures.later(Duration::seconds(61));
    assert_eq!((told(&next).await.0.len(), namespaces(&next).await), (0, 3));
    azures.simulator.stop().await;
}

/// Posts an invocation as the host does.
async fn invoke(url: &str, function: &str, data: Value) -> (u16, Value) {
    invoke_with(url, function, data, json!({"sys": {"MethodName": function}})).await
}

async fn invoke_with(url: &str, function: &str, data: Value, metadata: Value) -> (u16, Value) {
    let body = json!({"Data": data, "Metadata": metadata});
    let answer = reqwest::Client::new()
        .post(format!("{url}/{function}"))
        .header("X-Azure-Functions-InvocationId", "0d7f9b1e-5a3c-4c0e-9f53-9b5d8a1c2f10")
        .header("Content-Type", "application/json; charset=utf-8")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_any_version_nothing_is_done_nothing_is_lost_and_the_page_says_why() {
    let azures = Azures::with(Some("[[namespace")).await;
    let process = Arc::new(azures.process());
    let server = Server::bind(0).unwrap();
    let url = format!("http://{}", server.local_addr());
    let serving = tokio::spawn(server.serve(functions::router(&process)));

    let get = |accept: &str| {
        json!({"req": {"Method": "GET", "Url": "http://h/api/policy-status", "Query": {}, "Params": {},
            "Headers": {"Accept": [accept]}}})
    };
    for (accept, media) in [("text/html", "text/html"), ("application/json", "application/json")] {
        let (status, answer) = invoke(&url, "policy-status", get(accept)).await;
        let response = answer["Outputs"]["res"].clone();
        assert_eq!((status, response["statusCode"].to_string().trim_matches('"')), (200, "503"), "{answer}");
        let body = response["body"].to_string();
        assert!(body.contains("there is no configuration") && body.contains("TOML"), "{media}: {body}");
    }
    let (status, answer) =
        invoke(&url, "reconcile-assignments", json!({"timer": {"IsPastDue": false}})).await;
    assert_eq!(status, 500, "a timer fails, and fires again: {answer}");

    let id = Configuration::parse(DEFAULT_CONFIGURATION).unwrap().namespaces[0].id.clone();
    let request = json!({"schema": "sync-request/v1", "requestId": "held-1", "namespaceId": id});
    let messages = json!({"requests": [request.to_string(), "no JSON"]});
    let (status, answer) = invoke(&url, "sync-policies", messages).await;
    assert_eq!(status, 200, "{answer}");
    let waiting = azures.simulator.queues();
    azures.simulator.advance(Duration::minutes(10));
    let locked = waiting.receive("sync-requests", 16, std::time::Duration::ZERO).await;
    let bodies: Vec<String> = locked.iter().map(|one| String::from_utf8(one.body.clone()).unwrap()).collect();
    assert_eq!(bodies.len(), 2, "both come again: {bodies:?}");
    assert!(bodies.contains(&request.to_string()) && bodies.contains(&"no JSON".to_owned()), "{bodies:?}");
    let writes = azures.simulator.log().entries();
    let writes = writes.iter().filter(|entry| entry.path.starts_with("/subscriptions/"));
    assert_eq!(writes.count(), 0, "nothing was asked of Azure");

    let worn = json!({"requests": [request.to_string()]});
    let metadata = json!({"MessageIdArray": ["held-1~held-100"], "sys": {"MethodName": "sync-policies"}});
    let (status, answer) = invoke_with(&url, "sync-policies", worn, metadata).await;
    assert_eq!(status, 200, "{answer}");
    let parked = waiting.receive("sync-requests-parked", 16, std::time::Duration::ZERO).await;
    let envelopes: Vec<Value> = parked.iter().map(|one| serde_json::from_slice(&one.body).unwrap()).collect();
    assert_eq!(envelopes.len(), 1, "after hours a person has to look: {envelopes:?}");
    assert_eq!(envelopes[0]["reason"], "configuration-missing", "{envelopes:?}");
    assert!(envelopes[0]["detail"].as_str().unwrap().contains("TOML"), "{envelopes:?}");

    azures.upload(DEFAULT_CONFIGURATION).await;
    azures.later(Duration::seconds(11));
    let (_, answer) = invoke(&url, "policy-status", get("text/html")).await;
    assert_eq!(answer["Outputs"]["res"]["statusCode"].to_string().trim_matches('"'), "200", "{answer}");
    serving.abort();
    azures.simulator.stop().await;
}

/// The app as another version of the configuration makes it, as a process does that goes on, and as a deployment does, which starts
/// another process.
fn switch(app: &mut InProcess, text: &str, restarts: bool) {
    if restarts {
        app.reconfigure(text);
        return;
    }
    let standing = certificate_management::in_force::VersionInForce {
        version: certificate_management::in_force::Version {
            e_tag: "2".to_owned(),
            version_id: None,
            modified_at: OffsetDateTime::UNIX_EPOCH,
        },
        source: certificate_management::in_force::Source::Newest,
        troubles: Vec::new(),
    };
    let configuration = Arc::new(Configuration::parse(text).unwrap());
    app.application = app.application.under(configuration, standing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_whose_namespace_leaves_the_file_ends_as_it_does_with_a_deployment() {
    let without = DEFAULT_CONFIGURATION.split("[[namespace]]").enumerate();
    let without: Vec<&str> = without.filter(|(place, _)| *place != 1).map(|(_, part)| part).collect();
    let without = without.join("[[namespace]]");
    // It leaves before the sync is sent, while it is under way, and after it.
    for (batches, end) in [(0, "refused"), (1, "refused"), (2, "trusted")] {
        let mut ends = Vec::new();
        for restarts in [true, false] {
            let mut app = InProcess::start().await;
            app.rotate(0).await;
            let request = app.request(0, "r-1", &json!({}));
            app.handle(received(std::slice::from_ref(&request))).await;
            app.deliver_batches(batches).await;
            let before = app.posts().len();
            switch(&mut app, &without, restarts);
            app.deliver(Duration::minutes(2)).await;
            let ((outcome, reason), after) = (app.outcome("r-1").await, app.posts().len());
            assert_eq!(before, after, "{batches} {restarts}: nothing is sent to a namespace that left");
            ends.push((outcome, reason, after));
            app.simulator.stop().await;
        }
        assert_eq!(ends[0], ends[1], "{batches}");
        let because = (end == "refused").then_some("namespace-not-configured");
        assert_eq!((ends[1].0.as_str(), ends[1].1), (end, because), "{batches}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_leaves_is_not_reported_and_is_seen_again_when_it_comes_back() {
    let azures = Azures::with(Some(DEFAULT_CONFIGURATION)).await;
    let process = azures.process();
    let lines = async || {
        let application = now(&process).await;
        reporting::run(&application).await.unwrap();
        let report = reporting::pages::read(&application.store, 1).await.unwrap().unwrap();
        let sections = application.store.list("sections").await.unwrap().keys.len();
        (report.lines.len(), report.lines.iter().filter(|line| line.is_unreadable).count(), sections)
    };
    assert_eq!(lines().await, (3, 0, 3));
    azures.upload(&first(1)).await;
    azures.later(Duration::seconds(61));
    assert_eq!(lines().await, (1, 0, 3), "its section stays until records of its age go");
    azures.upload(DEFAULT_CONFIGURATION).await;
    azures.later(Duration::seconds(61));
    assert_eq!(lines().await, (3, 0, 3));
    azures.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_a_version_apart_make_one_sync_of_a_request() {
    let mut app = InProcess::start().await;
    app.rotate(0).await;
    let request = app.request(0, "r-1", &json!({}));
    app.handle(received(std::slice::from_ref(&request))).await;
    let newer = format!("{DEFAULT_CONFIGURATION}\n# another version\n").replacen(
        "sync = \"ask\"",
        "sync = \"automatic\"",
        1,
    );
    for turn in 0..40 {
        switch(&mut app, if turn % 2 == 0 { &newer } else { DEFAULT_CONFIGURATION }, false);
        app.deliver_batches(1).await;
    }
    app.deliver(Duration::minutes(1)).await;
    assert_eq!(app.outcome("r-1").await.0, "trusted");
    assert_eq!(app.posts().len(), 1, "{:?}", app.posts());
    app.simulator.stop().await;
}
