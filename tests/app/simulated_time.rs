//! A fleet and the app, both by a clock that jumps to the next thing that happens: ten minutes of calls take as long as they take
//! to compute. Azure is a table here, without sockets, since those know no other clock than the real one; what it answers is
//! only as much as a walk reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ambient::{Ambient, Clock, Randomness};
use async_trait::async_trait;
use azure::http::RetryPolicy;
use azure::http::transport::{Incoming, Outgoing, Transport, TransportFailure};
use azure::{Azure, Cloud, Http};
use functions_host::{Definition, Invocation};
use futures::StreamExt;
use http::{HeaderMap, StatusCode};
use policysync::application::Application;
use policysync::commands::laptop::local_world::{Schedules, app_settings};
use policysync::deadlines::Deadlines;
use policysync::fleet::Outside;
use policysync::settings::Settings;
use policysync::walk::Pace;
use serde_json::{Value, json};
use time::macros::datetime;
use tokio::time::Instant;

use crate::in_process::AnyToken;

/// Where no program listens; nothing is sent there.
const ADDRESS: &str = "http://127.0.0.1:9";
/// How long a call is under way.
const LATENCY: Duration = Duration::from_millis(50);

/// How much of everything. Namespaces take turns in being in a subscription.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub subscriptions: usize,
    pub namespaces: usize,
    pub hubs: usize,
    /// Of the first namespaces, one each.
    pub services: usize,
}

/// A call that the fleet has answered.
#[derive(Debug, Clone)]
pub struct Answered {
    pub at: Instant,
    pub method: String,
    /// In lower case.
    pub path: String,
}

/// The fleet.
pub struct Azures {
    size: Size,
    answered: Mutex<Vec<Answered>>,
    /// Names of DPS that refuse every call, and of those that hang; `servicebus` is the queue.
    refusing: Mutex<BTreeSet<String>>,
    hanging: Mutex<BTreeSet<String>>,
    /// Hubs that were linked to the first namespace later.
    linked: Mutex<Vec<String>>,
}

/// The app over it.
pub struct SimulatedTime {
    pub azure: Arc<Azures>,
    pub application: Application,
}

fn subscription(index: usize) -> String {
    format!("0000000{index}-0000-4000-8000-000000000000")
}

impl Size {
    fn group(self, namespace: usize) -> String {
        format!("/subscriptions/{}/resourceGroups/rg/providers", subscription(namespace % self.subscriptions))
    }

    pub fn namespace(self, index: usize) -> String {
        format!("{}/Microsoft.DeviceRegistry/namespaces/n{index}", self.group(index))
    }

    pub fn hub(self, namespace: usize, name: &str) -> String {
        format!("{}/Microsoft.Devices/IotHubs/{name}", self.group(namespace))
    }

    fn service(self, index: usize) -> String {
        format!("{}/Microsoft.Devices/provisioningServices/d{index}", self.group(index))
    }

    fn configuration(self) -> String {
        let namespace = |index: usize| {
            let services =
                if index < self.services { format!("\"{}\"", self.service(index)) } else { String::new() };
            format!(
                "[[namespace]]\nid = \"{}\"\nprovisioning_services = [{services}]\n\
                 [[namespace.rule]]\nname = \"all\"\nenrollment_groups = [\"*\"]\npolicy = \"none\"\n",
                self.namespace(index)
            )
        };
        (0..self.namespaces).map(namespace).collect()
    }
}

impl SimulatedTime {
    /// An app that has just been started, at the usual pace.
    pub fn start(size: Size) -> Self {
        Self::at(size, Pace::default())
    }

    pub fn at(size: Size, pace: Pace) -> Self {
        let azure = Arc::new(Azures {
            size,
            answered: Mutex::default(),
            refusing: Mutex::default(),
            hanging: Mutex::default(),
            linked: Mutex::default(),
        });
        let began = Instant::now();
        let clock = Clock::of(move || datetime!(2026-11-29 12:00 UTC) + began.elapsed());
        let ambient = Ambient { clock, randomness: Randomness::of_seed(7) };
        let transport = Arc::clone(&azure) as Arc<dyn Transport>;
        let http = Http::over(transport, RetryPolicy::default(), ambient.clone());
        let clients = Azure::new(http, Cloud::new(Some(ADDRESS)).unwrap(), Arc::new(AnyToken));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policysync.toml");
        std::fs::write(&path, size.configuration()).unwrap();
        let mut variables = app_settings(ADDRESS, Schedules::default());
        variables.insert("POLICYSYNC_CONFIG".to_owned(), path.to_str().unwrap().to_owned());
        variables.insert("POLICYSYNC_STATE".to_owned(), "memory".to_owned());
        let outside = Outside { azure: Some(clients), ambient, deadlines: Deadlines::default(), pace };
        let settings = Settings::from_variables(&variables).unwrap();
        Self { azure, application: Application::start(&settings, outside).unwrap() }
    }
}

/// The invocation of a function with this data.
pub fn invocation(definition: &Definition, data: &Value) -> Invocation {
    let envelope = json!({"Data": data, "Metadata": {}}).to_string();
    let deadline = Instant::now() + Duration::from_secs(900);
    Invocation::decode(definition, &HeaderMap::new(), envelope.as_bytes(), deadline).unwrap()
}

impl Azures {
    pub fn answered(&self) -> Vec<Answered> {
        self.answered.lock().unwrap().clone()
    }

    /// Forgets what was answered so far.
    pub fn forget(&self) {
        self.answered.lock().unwrap().clear();
    }

    /// How many calls were answered whose path ends so.
    pub fn count(&self, end: &str) -> usize {
        let end = end.to_ascii_lowercase();
        self.answered().iter().filter(|answered| answered.path.ends_with(&end)).count()
    }

    /// The DPS whose groups were listed, each once, in the order of the first list.
    pub fn listed(&self) -> Vec<String> {
        let mut listed = Vec::new();
        for Answered { path, .. } in self.answered() {
            if let Some(name) =
                path.strip_prefix("/dps/").and_then(|rest| rest.strip_suffix("/enrollmentgroups/query"))
                && !listed.iter().any(|known| known == name)
            {
                listed.push(name.to_owned());
            }
        }
        listed
    }

    pub fn refuse(&self, service: &str) {
        self.refusing.lock().unwrap().insert(service.to_owned());
    }

    pub fn hang(&self, service: &str) {
        self.hanging.lock().unwrap().insert(service.to_owned());
    }

    /// Every DPS answers again.
    pub fn heal(&self) {
        self.refusing.lock().unwrap().clear();
        self.hanging.lock().unwrap().clear();
    }

    /// A person links a new hub to the first namespace.
    pub fn link(&self, hub: &str) {
        self.linked.lock().unwrap().push(hub.to_owned());
    }

    /// When each read of a subscription came, from the first one on.
    pub fn reads(&self) -> BTreeMap<String, Vec<Duration>> {
        let mut reads: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
        for Answered { at, method, path } in self.answered() {
            let subscription = path.strip_prefix("/subscriptions/").and_then(|rest| rest.split('/').next());
            if let (Some(subscription), "GET") = (subscription, method.as_str()) {
                reads.entry(subscription.to_owned()).or_default().push(at);
            }
        }
        reads
            .into_iter()
            .map(|(key, at)| (key, at.iter().map(|instant| *instant - at[0]).collect()))
            .collect()
    }

    fn hubs(&self, subscription: &str) -> Vec<Value> {
        let size = self.size;
        let mut hubs = Vec::new();
        for index in 0..size.namespaces {
            if size.group(index).split('/').nth(2) != Some(subscription) {
                continue;
            }
            let names = (0..size.hubs).map(|hub| format!("h{index}-{hub}"));
            let later = self.linked.lock().unwrap().clone();
            for name in names.chain(later.into_iter().filter(|_| index == 0)) {
                hubs.push(json!({
                    "id": size.hub(index, &name), "name": name,
                    "properties": {
                        "hostName": format!("{name}.azure-devices.net"),
                        "deviceRegistry": {"namespaceResourceId": size.namespace(index)}
                    }
                }));
            }
        }
        hubs
    }

    fn services(&self, subscription: &str) -> Vec<Value> {
        let size = self.size;
        let within =
            (0..size.services).filter(|index| size.group(*index).split('/').nth(2) == Some(subscription));
        within
            .map(|index| {
                let hubs: Vec<_> =
                    (0..size.hubs).map(|hub| json!({"name": format!("h{index}-{hub}.azure-devices.net")})).collect();
                json!({
                    "id": size.service(index), "name": format!("d{index}"),
                    "properties": {"serviceOperationsHostName": format!("127.0.0.1:9/dps/d{index}"), "iotHubs": hubs}
                })
            })
            .collect()
    }

    /// The answer to a call; `None`: there is none.
    fn answer(&self, path: &str) -> Option<(u16, Value)> {
        let group = || json!({"enrollmentGroupId": "line-1", "attestation": {"type": "symmetricKey"}});
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        if let ["dps", service, rest @ ..] = segments.as_slice() {
            if self.hanging.lock().unwrap().contains(*service) {
                return None;
            }
            if self.refusing.lock().unwrap().contains(*service) {
                return Some((403, json!({"message": "No."})));
            }
            return Some(match rest {
                ["enrollmentgroups", "query"] => (200, json!([group()])),
                ["enrollmentgroups", "line-1"] => (200, group()),
                _ => (404, json!({})),
            });
        }
        let list = |value: Vec<Value>| (200, json!({ "value": value }));
        Some(match segments.as_slice() {
            ["servicebus", ..] if self.refusing.lock().unwrap().contains("servicebus") => (403, json!({})),
            ["servicebus", ..] => (201, json!({})),
            ["subscriptions", _, "providers", "microsoft.deviceregistry"] => {
                // Both generations, so that each namespace is asked which it is of.
                let offered =
                    [("credentials", "2026-03-01-preview"), ("certificateAuthorities", "2026-11-01")];
                let offered = offered.map(|(name, version)| {
                    json!({"resourceType": format!("namespaces/{name}"), "apiVersions": [version]})
                });
                (200, json!({"resourceTypes": offered}))
            }
            ["subscriptions", subscription, "providers", "microsoft.devices", "iothubs"] => {
                list(self.hubs(subscription))
            }
            ["subscriptions", subscription, "providers", "microsoft.devices", "provisioningservices"] => {
                list(self.services(subscription))
            }
            [.., "namespaces", name] => {
                let index = name.trim_start_matches('n').parse().unwrap();
                let properties = json!({"provisioningState": "Succeeded"});
                let id = self.size.namespace(index);
                (200, json!({"id": id, "location": "westeurope", "properties": properties}))
            }
            [.., "credentials", "default", "policies"] | [.., "certificateauthorities" | "certificates"] => {
                list(Vec::new())
            }
            _ => (404, json!({"error": {"code": "NotFound", "message": path}})),
        })
    }
}

#[async_trait]
impl Transport for Azures {
    async fn send(&self, request: Outgoing) -> Result<Incoming, TransportFailure> {
        let path = request.url.path().to_ascii_lowercase();
        let (at, method) = (Instant::now(), request.method.to_string());
        self.answered.lock().unwrap().push(Answered { at, method, path: path.clone() });
        let Some((status, body)) = self.answer(&path) else { return std::future::pending().await };
        tokio::time::sleep(LATENCY).await;
        let body = body.to_string().into_bytes();
        Ok(Incoming {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            length: None,
            body: futures::stream::once(std::future::ready(Ok(body.into()))).boxed(),
        })
    }
}
