use certificate_management::configuration::ApiGeneration;
use certificate_management::generation::{Generation, NamespaceGeneration};
use serde_json::json;
use time::macros::datetime;

use super::*;
use crate::error::ErrorKind;
use crate::fake::{Fake, Reply, Seen};

const NAMESPACE: &str =
    "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
const HUB: &str = "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/IotHubs/contoso-hub";

fn id() -> ArmId {
    ArmId::parse(NAMESPACE).unwrap()
}

fn ica(name: &str, issuer: Value) -> Value {
    json!({
        "id": format!("{NAMESPACE}/certificateAuthorities/{name}"), "name": name, "location": "westeurope",
        "properties": {"provisioningState": "Succeeded", "certificateAuthorityType": "ICA", "keyType": "ECC",
            "issuer": issuer, "subject": "CN=lines", "validityNotBefore": "2026-01-01T00:00:00Z",
            "validityNotAfter": "2031-01-01T00:00:00Z"}
    })
}

fn root() -> Value {
    json!({"name": "root", "properties": {"provisioningState": "Succeeded", "certificateAuthorityType": "Root"}})
}

fn microsoft() -> Value {
    json!({"issuerType": "Microsoft", "certificateAuthorityResourceId": format!("{NAMESPACE}/certificateAuthorities/root")})
}

/// A service: what it offers, the authorities of the namespace, and the names of its credential's policies.
fn service(
    offers: Value,
    authorities: Vec<Value>,
    credential: Option<&[&str]>,
) -> impl Fn(&Seen, &str) -> Reply {
    let credential: Option<Vec<Value>> =
        credential.map(|names| names.iter().map(|name| json!({ "name": name })).collect());
    move |seen, _| {
        let tail = seen.path.strip_prefix(NAMESPACE).unwrap_or(&seen.path);
        match tail {
            "/subscriptions/S/providers/Microsoft.DeviceRegistry" if offers.is_null() => {
                Reply::json(403, json!({"error": {"code": "AuthorizationFailed", "message": "No."}}))
            }
            "/subscriptions/S/providers/Microsoft.DeviceRegistry" => Reply::json(200, offers.clone()),
            "" => Reply::json(200, json!({"id": NAMESPACE, "location": "westeurope"})),
            "/certificateAuthorities" => Reply::json(200, json!({"value": authorities})),
            "/credentials/default/policies" => match &credential {
                Some(policies) => Reply::json(200, json!({"value": policies})),
                None => Reply::json(404, json!({"error": {"code": "ResourceNotFound", "message": "None."}})),
            },
            _ if tail.ends_with("/certificatePolicies") => Reply::json(
                200,
                json!({"value": [{"name": "short", "properties": {"provisioningState": "Succeeded",
                    "certificate": {"validityPeriodInDays": 30}}}]}),
            ),
            _ => Reply::status(500),
        }
    }
}

fn both() -> Value {
    json!({"resourceTypes": [
        {"resourceType": "namespaces/credentials", "apiVersions": ["2026-03-01-preview"]},
        {"resourceType": "namespaces/certificateAuthorities", "apiVersions": ["2026-11-01"]}
    ]})
}

#[tokio::test]
async fn a_namespace_is_of_the_generation_of_what_it_has() {
    use NamespaceGeneration::{CertificateAuthorities, Credentials, Migrating};
    let only = |resource_type: &str, version: &str| json!({"resourceTypes": [{"resourceType": resource_type, "apiVersions": [version]}]});
    let old = only("namespaces/credentials", "2026-03-01-preview");
    let new = only("namespaces/certificateAuthorities", "2026-11-02-preview");
    let authorities = || vec![root(), ica("lines", microsoft())];
    let some: Option<&[&str]> = Some(&["short"]);
    for (offers, authorities, credential, expected) in [
        (old, authorities(), some, Credentials),
        (new, vec![], None, CertificateAuthorities),
        (both(), vec![], some, Credentials),
        (both(), vec![], None, Credentials),
        (both(), authorities(), None, CertificateAuthorities),
        (both(), authorities(), Some(&[][..]), CertificateAuthorities),
        (both(), authorities(), some, Migrating),
        // An identity that may not ask for the offer asks the namespace.
        (Value::Null, authorities(), some, Migrating),
        (Value::Null, vec![], some, Credentials),
    ] {
        let fake = Fake::start(service(offers.clone(), authorities, credential)).await;
        let read = fake.azure().registry().namespace(&id(), ApiGeneration::Auto).await.unwrap();
        assert_eq!(read.generation, expected, "{offers} {credential:?}");
    }
}

#[tokio::test]
async fn what_is_offered_is_asked_once_per_subscription_and_used() {
    let fake = Fake::start(service(both(), vec![ica("lines", microsoft())], None)).await;
    let azure = fake.azure();
    for _ in 0..3 {
        let namespace = azure.registry().namespace(&id(), ApiGeneration::Auto).await.unwrap();
        azure.clone().registry().policies(&namespace).await.unwrap();
    }
    let asked = "GET /subscriptions/S/providers/Microsoft.DeviceRegistry";
    assert_eq!(fake.calls().iter().filter(|call| *call == asked).count(), 1);
    let listed = fake.seen().into_iter().filter(|seen| seen.path.contains("certificateAuthorities"));
    assert!(listed.into_iter().all(|seen| seen.query == "api-version=2026-11-01"));
}

#[tokio::test]
async fn a_configured_generation_is_not_asked_about() {
    let fake = Fake::start(service(both(), vec![ica("lines", microsoft())], Some(&["short"]))).await;
    let registry = fake.azure().registry();
    for (choice, expected, policies) in [
        (ApiGeneration::Credentials, NamespaceGeneration::Credentials, vec!["short"]),
        (
            ApiGeneration::CertificateAuthorities,
            NamespaceGeneration::CertificateAuthorities,
            vec!["lines/short"],
        ),
    ] {
        let namespace = registry.namespace(&id(), choice).await.unwrap();
        assert_eq!(namespace.generation, expected);
        let found = registry.policies(&namespace).await.unwrap();
        let names: Vec<_> = found.iter().map(|policy| policy.name.as_str()).collect();
        assert_eq!(names, policies);
    }
    assert!(
        !fake
            .calls()
            .iter()
            .any(|call| call.contains("/providers/Microsoft.DeviceRegistry/") && call.len() < 60)
    );
}

#[tokio::test]
async fn an_identity_from_before_may_not_read_authorities_and_goes_on_with_its_credential() {
    for (credential, is_read) in [(Some(&["short"][..]), true), (None, false)] {
        let plain = service(both(), vec![], credential);
        let fake = Fake::start(move |seen, origin| match seen.path.ends_with("/certificateAuthorities") {
            true => Reply::json(403, json!({"error": {"code": "AuthorizationFailed", "message": "No."}})),
            false => plain(seen, origin),
        })
        .await;
        let read = fake.azure().registry().namespace(&id(), ApiGeneration::Auto).await;
        match read {
            Ok(namespace) => assert!(is_read && namespace.generation == NamespaceGeneration::Credentials),
            Err(error) => assert!(!is_read && error.kind() == ErrorKind::Forbidden, "{error}"),
        }
    }
}

#[tokio::test]
async fn an_identity_for_authorities_alone_may_not_read_a_credential_and_goes_on_with_them() {
    for (authorities, is_read) in [(vec![root(), ica("lines", microsoft())], true), (vec![], false)] {
        let plain = service(both(), authorities, None);
        let fake =
            Fake::start(move |seen, origin| match seen.path.ends_with("/credentials/default/policies") {
                true => Reply::json(403, json!({"error": {"code": "AuthorizationFailed", "message": "No."}})),
                false => plain(seen, origin),
            })
            .await;
        let registry = fake.azure().registry();
        let namespace = registry.namespace(&id(), ApiGeneration::Auto).await.unwrap();
        assert_eq!(namespace.generation == NamespaceGeneration::CertificateAuthorities, is_read);
        // Where the authorities are forbidden, the namespace counts as an older one, and its policies are forbidden
        // too.
        assert_eq!(registry.policies(&namespace).await.is_ok(), is_read);
    }
}

#[tokio::test]
async fn a_version_that_is_not_answered_says_which_are() {
    let fake = Fake::start(|_, _| {
        let message =
            "The api-version '2026-11-02-preview' is invalid. The supported versions are '2027-05-01'.";
        Reply::json(400, json!({"error": {"code": "InvalidApiVersionParameter", "message": message}}))
    })
    .await;
    let choice = ApiGeneration::CertificateAuthorities;
    let error = fake.azure().registry().namespace(&id(), choice).await.unwrap_err();
    assert!(error.rejects_api_version());
    assert!(error.to_string().contains("2027-05-01"), "{error}");
}

#[test]
fn an_issuing_authority_gives_its_policies_their_ca_and_a_root_has_none() {
    let surprises = Surprises::default();
    assert!(authority(&id(), &root(), &surprises).is_none());
    let lines = authority(&id(), &ica("lines", microsoft()), &surprises).unwrap();
    let body = json!({"name": "short", "properties": {"provisioningState": "Succeeded",
        "certificate": {"validityPeriodInDays": 30}}});
    let read = policy(&id(), &lines, &body, &surprises).unwrap();
    assert_eq!(read.name, "lines/short");
    assert_eq!(read.reference(), "contoso/lines/short");
    assert_eq!(read.generation(), Generation::CertificateAuthorities);
    assert_eq!(*read.issuer_id(), id().child("certificateAuthorities", "lines"));
    assert_eq!(read.id, id().child("certificateAuthorities", "lines").child("certificatePolicies", "short"));
    assert_eq!(read.issuing_ca.not_after, Some(datetime!(2031-01-01 00:00 UTC)));
    assert_eq!((read.leaf_validity_days, read.bring_your_own_root), (Some(30), None));
    assert_eq!(surprises.snapshot(), []);
}

#[test]
fn an_external_issuer_is_a_root_of_the_customers_own() {
    let surprises = Surprises::default();
    let issuer = json!({"issuerType": "External", "status": "PendingActivation", "certificateSigningRequest": "c",
        "thumbprint": "0a:1b"});
    let own = authority(&id(), &ica("own", issuer), &surprises).unwrap();
    let read = policy(&id(), &own, &json!({"name": "p"}), &surprises).unwrap();
    assert_eq!(read.bring_your_own_root.map(|own| own.status).as_deref(), Some("PendingActivation"));
    assert_eq!(read.issuing_ca.thumbprint.as_deref(), Some("0A1B"));
}

#[test]
fn a_policy_is_as_far_as_the_less_finished_of_itself_and_its_authority() {
    let surprises = Surprises::default();
    for (authority_state, policy_state, expected) in [
        ("Succeeded", "Succeeded", ProvisioningState::Succeeded),
        ("Accepted", "Succeeded", ProvisioningState::Accepted),
        ("Succeeded", "Failed", ProvisioningState::Failed),
    ] {
        let mut body = ica("lines", microsoft());
        body["properties"]["provisioningState"] = json!(authority_state);
        let lines = authority(&id(), &body, &surprises).unwrap();
        let body = json!({"name": "p", "properties": {"provisioningState": policy_state}});
        assert_eq!(policy(&id(), &lines, &body, &surprises).unwrap().provisioning_state, expected);
    }
}

#[test]
fn links_are_read_with_their_error_and_what_is_new_is_counted() {
    let surprises = Surprises::default();
    let body = json!({"properties": {"messaging": {"endpoints": {
        "hub": {"endpointType": "Microsoft.Devices/IotHubs", "resourceId": HUB, "linkingState": "Failed",
            "linkingError": {"code": "AdrMiNotAuthorized", "message": "No role."}, "region": "westeurope"},
        "topic": {"endpointType": "Microsoft.EventGrid", "address": "a", "resourceId": HUB, "shape": 1},
        "odd": {"endpointType": "Microsoft.Devices/IotHubs", "resourceId": "nonsense"},
        "later": {"endpointType": "microsoft.devices/iothubs", "resourceId": format!("{HUB}-2"), "linkingState": "Paused",
            "address": "contoso-hub-2.service.azure-devices.net", "deviceAddress": "contoso-hub-2.device.azure-devices.net"}
    }}}});
    let mut read = links(&body, &surprises);
    read.sort_by(|a, b| a.resource.cmp(&b.resource));
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].state, Some(LinkState::Failed));
    assert_eq!(read[0].error.as_ref().unwrap().to_string(), "AdrMiNotAuthorized: No role.");
    assert_eq!(read[1].state, Some(LinkState::Other("Paused".to_owned())));
    assert_eq!(read[1].host_names.last().unwrap(), "contoso-hub-2.device.azure-devices.net");
    let seen: Vec<String> = surprises.snapshot().iter().map(ToString::to_string).collect();
    assert_eq!(
        seen,
        ["namespaces endpoints: linkingState is `Paused`", "namespaces endpoints: region is a new member"]
    );
}
