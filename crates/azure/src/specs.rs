//! Lets each client read the example bodies of the official specs that it would get (`azure-wire-facts.md`).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use certificate_management::ArmId;
use certificate_management::configuration::ApiGeneration;
use certificate_management::generation::{LinkState, NamespaceGeneration};
use certificate_management::model::ProvisioningState;
use serde_json::{Value, json};

use crate::api_version::CREDENTIALS;
use crate::arm::OperationStatus;
use crate::fake::{Fake, Reply};
use crate::provisioning::RawGroup;

const NAMESPACE: &str =
    "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/specs")
}

/// The bodies of an example's answers, each once, without those that the example only describes in words.
fn bodies(example: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder().join(example)).unwrap();
    let example: Value = serde_json::from_str(&text).unwrap();
    let responses = example["responses"].as_object().unwrap();
    responses.values().map(|response| response["body"].clone()).filter(Value::is_object).collect()
}

fn id() -> ArmId {
    ArmId::parse(NAMESPACE).unwrap()
}

/// Answers every list with one item, every other read with the item itself.
async fn serving(body: Value) -> Fake {
    Fake::start(move |seen, _| match seen.path.rsplit('/').next().unwrap_or_default() {
        "policies" | "certificateAuthorities" | "certificatePolicies" => {
            Reply::json(200, json!({"value": [body]}))
        }
        _ => Reply::json(200, body.clone()),
    })
    .await
}

#[tokio::test]
async fn policies_of_a_credential() {
    for body in bodies("genA/Policies_CreateOrUpdate.json") {
        let fake = serving(body).await;
        let azure = fake.azure();
        let namespace = azure.registry().namespace(&id(), ApiGeneration::Credentials).await.unwrap();
        let policies = azure.registry().policies(&namespace).await.unwrap();
        assert_eq!((policies[0].name.as_str(), policies[0].leaf_validity_days), ("mypolicy", Some(10)));
        assert_eq!(policies[0].issuing_ca.subject.as_deref(), Some("CN=07b5d73a70e046f288ddc64518bc517e"));
        assert_eq!(policies[0].bring_your_own_root.as_ref().unwrap().status, "Active");
        assert_eq!(azure.surprises(), []);
    }
}

#[tokio::test]
async fn certificate_authorities() {
    for body in bodies("genB/CertificateAuthorities_CreateOrReplace_ICA.json") {
        let state =
            ProvisioningState::from(body["properties"]["provisioningState"].as_str().unwrap().to_owned());
        let fake = serving(body).await;
        let azure = fake.azure();
        let choice = ApiGeneration::CertificateAuthorities;
        let namespace = azure.registry().namespace(&id(), choice).await.unwrap();
        // The same body stands for its policy too, which has no more than a name in common with it.
        let policies = azure.registry().policies(&namespace).await.unwrap();
        assert_eq!(policies[0].name, "myica/myica");
        assert_eq!(policies[0].provisioning_state, state);
        assert_eq!(policies[0].issuing_ca.subject.as_deref(), Some("CN=myica"));
        assert_eq!(policies[0].issuer_id().name(), "myica");
    }
}

#[tokio::test]
async fn certificate_policies() {
    for body in bodies("genB/CertificatePolicies_CreateOrReplace.json") {
        let fake = Fake::start(move |seen, _| {
            let ica = json!({"name": "myrootca", "properties": {"provisioningState": "Succeeded"}});
            match seen.path.ends_with("/certificatePolicies") {
                true => Reply::json(200, json!({"value": [body]})),
                false => Reply::json(200, json!({"value": [ica]})),
            }
        })
        .await;
        let azure = fake.azure();
        let namespace =
            azure.registry().namespace(&id(), ApiGeneration::CertificateAuthorities).await.unwrap();
        let policies = azure.registry().policies(&namespace).await.unwrap();
        assert_eq!(policies[0].reference(), "mynamespace/myrootca/mycertificatepolicy");
        assert_eq!(policies[0].leaf_validity_days, Some(30));
        assert_eq!(azure.surprises(), []);
    }
}

#[tokio::test]
async fn namespaces_with_their_links() {
    for body in bodies("genB/Namespaces_CreateOrReplace_linked.json") {
        let is_done = body["properties"]["provisioningState"] == "Succeeded";
        let fake = serving(body).await;
        let azure = fake.azure();
        let read = azure.registry().namespace(&id(), ApiGeneration::CertificateAuthorities).await.unwrap();
        assert_eq!(read.location, "northeurope");
        let names: BTreeSet<&str> = read.links.iter().map(|link| link.resource.name()).collect();
        assert_eq!(names, BTreeSet::from(["myDps", "myIotHub1", "myIotHub2"]));
        let hub = read.links.iter().find(|link| link.resource.name() == "myIotHub2").unwrap();
        let expected = if is_done { LinkState::Succeeded } else { LinkState::InProgress };
        assert_eq!((hub.state.clone(), &hub.error), (Some(expected), &None));
        assert_eq!(hub.host_names.last().unwrap(), "myIotHub2.device.azure-devices.net");
        assert_eq!(azure.surprises(), []);
    }
}

/// A credential is not read by itself, but its namespace is by the same members.
#[tokio::test]
async fn credentials() {
    for body in bodies("genA/Credentials_CreateOrUpdate.json") {
        let fake = serving(body).await;
        let read = fake.azure().registry().namespace(&id(), ApiGeneration::Credentials).await.unwrap();
        assert_eq!(read.provisioning_state, ProvisioningState::Succeeded);
    }
}

/// An operation that ends like this has failed, even where its HTTP status is 200.
#[tokio::test]
async fn results_of_operations() {
    let failed = bodies("genA/NamespaceDevices_RevokeFailure.json").pop().unwrap();
    let fake = Fake::start(move |seen, origin| match seen.method.as_str() {
        "POST" => Reply::status(202).header("location", format!("{origin}/operationstatus")),
        _ => Reply::json(200, failed.clone()),
    })
    .await;
    let arm = fake.azure().arm();
    let operation = arm.post_long_running(NAMESPACE, CREDENTIALS.device_registry).await.unwrap();
    let code = "ResourceNotFound".to_owned();
    let message = "The resource was not found.".to_owned();
    assert_eq!(arm.operation_status(&operation).await.unwrap(), OperationStatus::Failed { code, message });
}

#[tokio::test]
async fn certificates_of_a_hub() {
    for body in bodies("iothub/Certificates_List_2025-08-01-preview.json") {
        let fake = serving(body).await;
        let azure = fake.azure();
        let hub = "/subscriptions/S/resourceGroups/R/providers/Microsoft.Devices/IotHubs/h";
        let hub = ArmId::parse(hub).unwrap();
        for generation in [NamespaceGeneration::Credentials, NamespaceGeneration::Migrating] {
            let read = azure.hubs().certificates(&hub, generation).await.unwrap();
            assert_eq!((read.len(), read[0].name.as_str()), (1, "cert"));
            assert_eq!((read[0].is_verified, &read[0].issuer_id), (Some(false), &None));
        }
        assert_eq!(azure.surprises(), []);
    }
}

#[test]
fn enrollment_groups() {
    for (example, policy) in [
        ("dps/EnrollmentGroup_CreateOrUpdate_2025-07-01-preview.json", "srm"),
        ("dps/EnrollmentGroup_Get_2026-11-01.json", "mynamespace/myCa/myPolicy"),
    ] {
        for body in bodies(example) {
            let group = RawGroup::parse(&body.to_string()).unwrap();
            let view = group.view().unwrap();
            assert_eq!((view.id.as_str(), view.policy.as_deref()), ("oq", Some(policy)));
            assert_eq!((view.hubs, view.enabled), (vec!["dzupk".to_owned()], true));
            let written: Value = serde_json::from_str(&group.to_json()).unwrap();
            assert_eq!(written, body);
        }
    }
}

/// Every example file with a body needs its test here.
#[test]
fn every_example_with_a_body_has_its_test() {
    let own = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/specs.rs")).unwrap();
    // A device's registration is an answer to a device, of which there is no client here.
    let of_devices = "dps/RuntimeRegistration_RegisterDeviceAndIssueCertificate_2025-07-01-preview.json";
    for area in ["genA", "genB", "dps", "iothub"] {
        for entry in fs::read_dir(folder().join(area)).unwrap() {
            let name = format!("{area}/{}", entry.unwrap().file_name().into_string().unwrap());
            let has_body = !bodies(&name).is_empty();
            assert!(!has_body || name == of_devices || own.contains(&format!("\"{name}\"")), "{name}");
        }
    }
}
