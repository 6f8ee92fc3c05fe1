//! A whole invocation of a function of the app: from the body that the host sends to the calls that the app makes and to its
//! answer. The first line of an input names the function, the rest is the body. A namespace is in audit mode.

use std::sync::LazyLock;

use azure::http::transport::Outgoing;
use certificate_management::configuration::Configuration;
use certificate_management::parked::Envelope;
use certificate_management::request::Message;
use functions_host::{Definition, Failure, Invocation, Reply};
use http::{HeaderMap, StatusCode};
use policysync::application::{Application, Queues};
use policysync::deadlines::Deadlines;
use policysync::fleet::{Fleet, Outside};
use policysync::functions::{
    api_description, assign_policy, handle_resource_event, handle_streamed_events, policy_status,
    reconcile_assignments, report_policy_status, sync_policies, sync_requests,
};
use policysync::in_hand::InHand;
use policysync::settings::{ConfigurationSource, FleetSettings, QueueSettings};
use policysync::walk::Pace;
use serde_json::Value;
use state::Store;

use crate::cloud::{Answer, HOST, Made, Service, ambient, clients, wait};
use crate::input::first_line;

const CONFIGURATION: &str = include_str!("invocation/policysync.toml");
static CONFIGURED: LazyLock<Configuration> =
    LazyLock::new(|| Configuration::parse(CONFIGURATION).unwrap_or_else(|error| panic!("{error}")));

/// Whatever the host delivers: in audit mode the app writes nothing to Resource Manager and to a DPS; each message that it sends
/// is one that it can read, and each that it parks is whole; an HTTP function answers each request that can be decoded, and
/// never with 500; a batch of messages that can be decoded is never given back; and the answer is one that the host understands.
///
/// # Panics
/// When that does not hold.
pub fn run(input: &[u8]) {
    check(input, false);
}

/// Counts each message that is sent as a write to Resource Manager.
pub fn broken(input: &[u8]) {
    check(input, true);
}

fn check(input: &[u8], is_broken: bool) {
    let (name, body) = first_line(input);
    let Some(definition) = definition(&name) else { return };
    let (azure, calls) = clients(World);
    let answered = wait(async {
        let application = application(azure);
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(55);
        let invocation = Invocation::decode(&definition, &HeaderMap::new(), body, deadline).ok()?;
        let is_decoded = match definition.name {
            "sync-policies" => invocation.service_bus_texts("requests").is_ok(),
            "sync-requests" | "policy-status" | "api-description" => invocation.http("req").is_ok(),
            _ => false,
        };
        Some((is_decoded, invoke(&application, definition.name, invocation).await))
    });
    for call in calls.made() {
        allowed(&call, is_broken);
    }
    match answered {
        Some((_, Ok(reply))) => understood(&reply.to_json()),
        Some((true, Err(failure))) => panic!("it failed for what can be decoded: {failure}"),
        _ => {}
    }
}

fn definition(name: &str) -> Option<Definition> {
    let all = policysync::functions::DEFINITIONS.into_iter().chain([handle_streamed_events::DEFINITION]);
    all.into_iter().find(|definition| definition.name == name)
}

async fn invoke(application: &Application, name: &str, invocation: Invocation) -> Result<Reply, Failure> {
    match name {
        "api-description" => api_description::run(&invocation),
        "assign-policy" => assign_policy::run(application, invocation).await,
        "handle-resource-event" => handle_resource_event::run(application, invocation).await,
        "handle-streamed-events" => handle_streamed_events::run(application, invocation).await,
        "policy-status" => policy_status::run(application, invocation).await,
        "reconcile-assignments" => reconcile_assignments::run(application, invocation).await,
        "report-policy-status" => report_policy_status::run(application, invocation).await,
        "sync-policies" => sync_policies::run(application, invocation).await,
        _ => sync_requests::run(application, invocation).await,
    }
}

fn application(azure: azure::Azure) -> Application {
    let bus = format!("Endpoint=sb://{HOST}/servicebus");
    let queues = QueueSettings {
        service_bus: azure::ServiceBusConnection::parse(&bus).unwrap_or_else(|error| panic!("{error}")),
        requests: "requests".to_owned(),
        parked: "parked".to_owned(),
    };
    let settings = FleetSettings {
        configuration: ConfigurationSource::File("policysync.toml".into()),
        kill_switch: false,
        arm_endpoint: None,
    };
    let outside = Outside {
        azure: Some(azure),
        ambient: ambient(),
        deadlines: Deadlines::default(),
        pace: Pace::default().without_a_pause(),
    };
    let fleet = Fleet::of(&settings, CONFIGURED.clone(), outside).unwrap_or_else(|error| panic!("{error}"));
    let queues = Queues::open(&queues, &fleet.azure).unwrap_or_else(|error| panic!("{error}"));
    Application {
        fleet,
        store: Store::memory(),
        queues: queues.into(),
        in_hand: InHand::default(),
        signs_in: true,
        standing: None,
    }
}

/// A small Azure in which everything that is asked for exists.
struct World;

impl Service for World {
    fn answer(&self, call: &Outgoing) -> Answer {
        let path = call.url.path().to_ascii_lowercase();
        let body: &[u8] = match path.as_str() {
            _ if path.ends_with("/messages/head") => return Answer::status(StatusCode::NO_CONTENT),
            _ if path.starts_with("/servicebus/") => return Answer::status(StatusCode::CREATED),
            _ if path.ends_with("/policies") => include_bytes!("invocation/policies.json"),
            _ if path.ends_with("/iothubs") => include_bytes!("invocation/hubs.json"),
            _ if path.ends_with("/certificates") => include_bytes!("invocation/certificates.json"),
            _ if path.ends_with("/provisioningservices") => include_bytes!("invocation/services.json"),
            _ if path.ends_with("/enrollmentgroups/query") => include_bytes!("invocation/groups.json"),
            _ if path.contains("/enrollmentgroups/") => include_bytes!("invocation/group.json"),
            _ if path.ends_with("/query") => b"[]",
            _ if path.ends_with("/namespaces/contoso") => include_bytes!("invocation/namespace.json"),
            _ => return Answer::status(StatusCode::NOT_FOUND),
        };
        Answer::ok(body)
    }
}

/// Judges a call.
fn allowed(call: &Made, is_broken: bool) {
    let Made { method, path, body } = call;
    if let (Some(queue), false) = (path.strip_prefix("/servicebus/"), is_broken) {
        if queue.ends_with("/messages/head") {
            // Dead letters are counted by locking them; a DELETE would take them away.
            let is_lock = method == "POST" && queue.to_ascii_lowercase().contains("/$deadletterqueue/");
            assert!(is_lock, "a function takes messages from a queue: {method} {path}");
        } else if queue.starts_with("parked/") {
            let envelope = Envelope::read(body);
            assert!(
                envelope.is_some_and(|envelope| envelope.fits()),
                "what was parked cannot be read: {body}"
            );
        } else {
            let read = Message::parse(body);
            assert!(read.is_ok(), "the app sent a message that it cannot read: {read:?}: {body}");
        }
        return;
    }
    let reads = method == "GET" || (method == "POST" && path.ends_with("/query"));
    assert!(reads, "a write in audit mode: {method} {path}");
}

/// Judges an answer: an object, and in it for an HTTP function a status that means something.
fn understood(reply: &Value) {
    assert!(reply["Outputs"].is_object() && reply["Logs"].is_array(), "{reply}");
    let Some(response) = reply["Outputs"].get("res") else { return };
    let status = response["statusCode"].as_u64().unwrap_or_default();
    assert!((200..600).contains(&status) && status != 500, "status {status}: {response}");
    let headers = response["headers"].as_object().into_iter().flatten();
    for (name, value) in headers {
        let is_text = value.as_str().is_some_and(|value| !value.contains(char::is_control));
        assert!(is_text, "the header {name} is no line");
    }
}
