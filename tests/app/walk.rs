//! A hundred and twenty days in one go: two instances, one store, one simulated Azure whose clock the test moves. One
//! CA ends and no person acts; another is renewed every 30 days and synced a day later.

use std::collections::BTreeMap;
use std::sync::Arc;

use ambient::{Ambient, Clock, Randomness};
use azure::{Azure, Cloud, Http};
use azure_simulator::fleet::Fleet;
use azure_simulator::{Options, Simulator};
use certificate_management::ArmId;
use functions_host::Server;
use policysync::application::Application;
use policysync::commands::laptop::local_world::{Schedules, app_settings};
use policysync::fleet::Outside;
use policysync::serving::Serving;
use policysync::settings::Settings;
use policysync::{functions, reporting};
use serde_json::{Value, json};
use state::Store;
use time::Duration;

use crate::in_process::AnyToken;

const FLEET: &str = r#"
subscription = "6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40"
location = "westeurope"

[[namespace]]
name = "contoso"
resource_group = "rg"
[[namespace.policy]]
name = "expiring"
leaf_validity_days = 1
issuing_ca_validity_days = 100
[[namespace.policy]]
name = "rotating"
leaf_validity_days = 1
issuing_ca_validity_days = 40
[[namespace.hub]]
name = "contoso-hub"
"#;
const NAMESPACE: &str = "/subscriptions/6f1c2a94-7d53-4b0e-9a28-c3d5e8b71f40/resourceGroups/rg/providers/Microsoft.DeviceRegistry/namespaces/contoso";
const DAYS: i64 = 120;

/// The world that the instances share.
struct Shared {
    simulator: Simulator,
    store: Store,
    folder: tempfile::TempDir,
}

impl Shared {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // This walk has one report a day.
        let configuration =
            format!("[checks.report-overdue]\nminutes = 2000\n[[namespace]]\nid = \"{NAMESPACE}\"\n");
        std::fs::write(folder.path().join("policysync.toml"), configuration).unwrap();
        let fleet = Fleet::from_toml(FLEET).unwrap();
        let simulator = Simulator::start(Options { fleet, ..Options::default() }).await.unwrap();
        Self { simulator, store: Store::memory(), folder }
    }

    /// An instance that has just been started. It goes by the clock of the simulated Azure.
    fn instance(&self) -> Application {
        let mut variables = app_settings(self.simulator.url(), Schedules::default());
        let path = self.folder.path().join("policysync.toml");
        variables.insert("POLICYSYNC_CONFIG".to_owned(), path.to_str().unwrap().to_owned());
        variables.insert("POLICYSYNC_STATE".to_owned(), "memory".to_owned());
        let settings = Settings::from_variables(&variables).unwrap();
        let clock = self.simulator.clock().clone();
        let clock = Clock::of(move || clock.now());
        let ambient = Ambient { clock, randomness: Randomness::of_system() };
        let http = Http::shared(ambient.clone()).unwrap();
        let azure = Azure::new(http, Cloud::new(Some(self.simulator.url())).unwrap(), Arc::new(AnyToken));
        let outside = Outside { azure: Some(azure), ..Outside::of(ambient) };
        Application { store: self.store.clone(), ..Application::start(&settings, outside).unwrap() }
    }

    /// Lets an instance make a report over HTTP, as the host would; answers what it hands to the topic.
    async fn fire(&self, is_past_due: bool) -> Vec<Value> {
        let server = Server::bind(0).unwrap();
        let url = format!("http://{}/report-policy-status", server.local_addr());
        let router = functions::router(&Arc::new(Serving::File(Arc::new(self.instance()))));
        let serving = tokio::spawn(server.serve(router));
        let timer =
            json!({"Schedule": {"AdjustForDST": true}, "ScheduleStatus": null, "IsPastDue": is_past_due});
        let body =
            json!({"Data": {"timer": timer}, "Metadata": {"sys": {"MethodName": "report-policy-status"}}});
        let answer = reqwest::Client::new()
            .post(url)
            .header("X-Azure-Functions-InvocationId", "0d7f9b1e-5a3c-4c0e-9f53-9b5d8a1c2f10")
            .header("Content-Type", "application/json; charset=utf-8")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        let answer: Value = answer.json().await.unwrap();
        let events = answer["Outputs"]["findings"].as_array().cloned().unwrap_or_default();
        // The host has the answer; the app records the delivery a moment later.
        self.until_confirmed(&events).await;
        serving.abort();
        events
    }

    async fn until_confirmed(&self, events: &[Value]) {
        let since = std::time::Instant::now();
        let is_pending = async || {
            let ledger = self.store.get::<Value>(policysync::alerting::LEDGER).await.unwrap();
            let pending = ledger.map(|stored| stored.value["pending"].to_string()).unwrap_or_default();
            events.iter().any(|event| pending.contains(event["id"].as_str().unwrap()))
        };
        while is_pending().await {
            assert!(since.elapsed().as_secs() < 20, "never confirmed");
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    }

    async fn renew(&self, day: i64) {
        if day % 30 == 0 && day > 0 {
            let policy = format!("{NAMESPACE}/credentials/default/policies/rotating");
            self.simulator.rotate(&policy).unwrap();
        }
        if day % 30 == 1 && day > 1 {
            let namespace = ArmId::parse(NAMESPACE).unwrap();
            self.instance()
                .fleet
                .azure
                .registry()
                .synchronize(&namespace, azure::http::DEFAULT_DEADLINE)
                .await
                .unwrap();
            self.simulator.advance(Duration::hours(1));
        }
    }
}

fn told(events: &[Value]) -> BTreeMap<String, Vec<String>> {
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in events {
        assert_eq!((&event["type"], &event["specversion"]), (&json!("Policysync.Finding"), &json!("1.0")));
        let data = &event["data"];
        let step = if data["state"] == "cleared" { &data["state"] } else { &data["step"] };
        told.entry(event["subject"].as_str().unwrap().to_owned())
            .or_default()
            .push(step.as_str().unwrap().to_owned());
    }
    told
}

/// Walks the days. With `deaths`, on every third day the instance that fires first dies with its answer.
async fn walk(deaths: bool) -> Vec<Value> {
    let shared = Shared::start().await;
    let mut topic = Vec::new();
    for day in 0..=DAYS {
        shared.renew(day).await;
        if deaths && day % 3 == 0 {
            // The instance records the events that it is about to deliver, and dies before it delivers them.
            let died = reporting::run(&shared.instance()).await.unwrap();
            assert_eq!(died.failures, Vec::<String>::new());
            shared.simulator.advance(Duration::minutes(11));
        }
        let (first, second) = tokio::join!(shared.fire(false), shared.fire(day % 2 == 0));
        topic.extend(first.into_iter().chain(second));
        if day % 10 == 0 {
            assert_eq!(shared.fire(false).await, Vec::<Value>::new(), "the timer came twice on day {day}");
        }
        shared.simulator.advance(Duration::DAY);
    }
    let writes = shared.simulator.log().entries();
    let writes =
        writes.iter().filter(|entry| entry.path.starts_with("/subscriptions/") && entry.method != "GET");
    assert_eq!(writes.filter(|entry| !entry.path.ends_with("/synchronize")).count(), 0);
    shared.simulator.stop().await;
    topic
}

fn expected() -> BTreeMap<String, Vec<String>> {
    let list = |steps: &[&str]| steps.iter().map(ToString::to_string).collect::<Vec<_>>();
    let renewed_four_times = ["60-days", "30-days", "14-days", "cleared"].repeat(4);
    BTreeMap::from([
        (
            "ca-expiring/contoso / expiring".to_owned(),
            list(&["90-days", "60-days", "30-days", "14-days", "7-days", "1-day", "expired"]),
        ),
        (
            "ca-expiring/contoso / rotating".to_owned(),
            [list(&renewed_four_times), list(&["60-days"])].concat(),
        ),
        // The fourth renewal is on the last day.
        (
            "hub-untrusting/contoso / rotating / contoso-hub".to_owned(),
            list(&["critical", "cleared", "critical", "cleared", "critical", "cleared", "critical"]),
        ),
        ("ca-shorter-than-leaf/contoso / expiring".to_owned(), list(&["soon", "now", "cleared"])),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_is_told_once_and_each_clearing_once() {
    let topic = walk(false).await;
    assert_eq!(told(&topic), expected());
    let ids: std::collections::BTreeSet<&str> =
        topic.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), topic.len(), "an id came twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_instance_had_recorded_another_tells_once() {
    assert_eq!(told(&walk(true).await), expected());
}
