//! What Resource Manager answers to reads of namespaces, policies, authorities, hubs, certificates, links and permissions. The
//! first part of an input names the read, the others are the answers, one after the other.

use std::fmt::Debug;

use azure::{Azure, Error};
use certificate_management::ArmId;
use certificate_management::configuration::ApiGeneration;
use certificate_management::generation::{Generation, NamespaceGeneration};
use certificate_management::model::{Namespace, ProvisioningState};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cloud::{Script, clients, wait};
use crate::input::{parts, text};
use crate::targets::kept;

const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000000";

/// Whatever the service answers, a read ends with a result; it gives the same result the second time; no call leaves the cloud,
/// whatever links the answers hold; and what was read can be stored and read again as the same.
///
/// # Panics
/// When that does not hold.
pub fn run(input: &[u8]) {
    check(input, false);
}

/// Forgets the last answer the second time.
pub fn broken(input: &[u8]) {
    check(input, true);
}

fn check(input: &[u8], is_broken: bool) {
    let parts = parts(input);
    let [what, answers @ ..] = parts.as_slice() else { return };
    let what = text(what);
    let again = if is_broken { &answers[..answers.len().saturating_sub(1)] } else { answers };
    let read = |answers: &[&[u8]]| wait(outcome(what.trim(), &clients(Script::of(answers)).0));
    assert_eq!(read(answers), read(again), "two readings of the same answers differ");
}

/// What came of a read, as text.
async fn outcome(what: &str, azure: &Azure) -> String {
    let namespace = id("Microsoft.DeviceRegistry/namespaces/contoso");
    let hub = id("Microsoft.Devices/IotHubs/north");
    let service = id("Microsoft.Devices/provisioningServices/contoso-dps");
    let newer = Generation::CertificateAuthorities;
    let version = azure.registry().version(&namespace, newer);
    let of = |generation| Namespace {
        id: namespace.clone(),
        location: String::new(),
        provisioning_state: ProvisioningState::Succeeded,
        generation,
        links: Vec::new(),
    };
    let (first, second) =
        (of(NamespaceGeneration::Credentials), of(NamespaceGeneration::CertificateAuthorities));
    match what {
        "namespace" => told(azure.registry().namespace(&namespace, ApiGeneration::Auto).await),
        "linked namespace" => {
            told(azure.registry().namespace(&namespace, ApiGeneration::CertificateAuthorities).await)
        }
        "namespaces" => told(azure.registry().namespaces_of(SUBSCRIPTION).await),
        "policies" => told(azure.registry().policies(&first).await),
        "issuing" => {
            let issuing = azure.registry().issuing(&second).await;
            told(issuing.map(|issuing| (issuing.authorities, issuing.policies)))
        }
        "inventory" => told(azure.registry().inventory(&namespace, NamespaceGeneration::Migrating).await),
        "own authorities" => shown(azure.registry().own_authorities(&first).await),
        "own certificate authorities" => shown(azure.registry().own_authorities(&second).await),
        "hubs" => told(azure.hubs().in_subscription(SUBSCRIPTION).await),
        "certificates" => told(azure.hubs().certificates(&hub, NamespaceGeneration::Migrating).await),
        "namespace side" => told(azure.links().namespace_side(&namespace, version).await),
        "hub side" => told(azure.links().hub_side(&hub, newer).await),
        "service side" => told(azure.links().provisioning_service_side(&service, &namespace, newer).await),
        "services" => {
            let services = azure.provisioning_services();
            shown(services.in_subscription(SUBSCRIPTION, Generation::Credentials).await)
        }
        "service" => shown(azure.provisioning_services().get(&service, newer).await),
        "subscriptions" => told(azure.subscriptions().visible().await),
        "permissions" => {
            let granted = azure.access().at(&format!("/subscriptions/{SUBSCRIPTION}")).await;
            let allows = |action| granted.as_ref().is_ok_and(|granted| granted.allows(action, false));
            format!("{granted:?} {}", allows("Microsoft.Devices/IotHubs/read"))
        }
        "roles" => shown(azure.access().assigned("/subscriptions/s", "principal").await),
        _ => String::new(),
    }
}

/// A resource of the subscription.
fn id(rest: &str) -> ArmId {
    let text = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/r/providers/{rest}");
    ArmId::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn told<T: Serialize + DeserializeOwned + PartialEq + Debug>(read: Result<T, Error>) -> String {
    if let Ok(value) = &read {
        assert_eq!(kept(value), *value, "what was read is another thing when it is stored");
    }
    shown(read)
}

fn shown<T: Debug>(read: Result<T, Error>) -> String {
    // An error says what failed, for people and for logs.
    format!("{:?}", read.map_err(|error| (error.kind(), error.to_string())))
}
