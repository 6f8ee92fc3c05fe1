//! The resources at the start, as the services show them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::clock::Clock;
use crate::cloud::Cloud;
use crate::control;
use crate::device_endpoints::DeviceEndpoints;
use crate::fleet::Fleet;
use crate::start;
use crate::testing::*;
use crate::world::ActionError;

fn state(cloud: &Cloud) -> Value {
    control::state::state(cloud, &DeviceEndpoints::new(cloud.clock().now()).unwrap())
}

#[test]
fn the_default_world_is_healthy() {
    let cloud = start::cloud(Fleet::default_fleet(), Clock::default(), 7).unwrap();
    let world = cloud.lock();
    assert!(world.namespaces.len() >= 3);
    for namespace in &world.namespaces {
        assert!(world.linked_hubs(&namespace.id).count() >= 2);
        for policy in namespace.policies() {
            let authority = policy.active_authority().unwrap();
            for hub in world.linked_hubs(&namespace.id) {
                assert!(hub.certificates.iter().any(|one| one.der == authority.der()), "{}", hub.name);
            }
        }
    }
}

#[test]
fn hubs_and_services_are_in_the_subscription_of_their_namespace() {
    let mut fleet = Fleet::default_fleet();
    let given = &mut fleet.namespaces[1];
    given.subscription = Some("other".to_owned());
    given.hubs[1].subscription = Some("third".to_owned());
    let cloud = start::cloud(fleet, Clock::default(), 7).unwrap();
    let world = cloud.lock();
    let [first, second] = &world.namespaces[..2] else { panic!("there are three namespaces") };
    assert_ne!(first.subscription, "other");
    assert!(second.id.starts_with("/subscriptions/other/resourceGroups/"), "{}", second.id);
    let hubs: Vec<&str> = world.linked_hubs(&second.id).map(|hub| hub.subscription.as_str()).collect();
    assert_eq!(hubs, ["other", "third"]);
    assert_eq!(world.services[1].subscription, "other");
}

#[test]
fn one_seed_makes_the_same_names_and_other_keys() {
    let cloud = |seed| start::cloud(Fleet::default_fleet(), Clock::default(), seed).unwrap();
    let (a, b, c) = (cloud(7), cloud(7), cloud(8));
    assert_eq!(state(&a)["idScopes"], state(&b)["idScopes"]);
    assert_ne!(state(&a)["idScopes"], state(&c)["idScopes"]);
    let subject = |cloud: &Cloud| cloud.lock().hubs[0].certificates[0].subject.clone();
    let thumbprint = |cloud: &Cloud| cloud.lock().hubs[0].certificates[0].thumbprint.clone();
    assert_eq!(subject(&a), subject(&b));
    assert_ne!(thumbprint(&a), thumbprint(&b), "certificates cannot be seeded");
}

#[tokio::test]
async fn the_state_shows_namespaces_hubs_and_what_a_device_needs() {
    let served = Served::start().await;
    let before = served.state();
    assert_eq!(before["hubs"][0]["deviceEndpoint"], json!(null), "not opened yet");
    served.open_device_endpoints().await;
    let opened = served.state();
    served.open_device_endpoints().await;
    assert_eq!(served.state(), opened, "opening them again changes nothing");
    assert_eq!(
        opened["namespaces"],
        json!([{
            "id": NAMESPACE,
            "generation": "credentials",
            "provisioningServices": ["contoso-dps"],
            "hubs": [HUB_A, HUB_B],
            "policies": [policy_id("default"), policy_id("short-lived")],
            "certificateAuthorities": [],
        }])
    );
    assert!(opened["hubs"][2]["deviceEndpoint"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert_eq!(opened["hubs"][2]["hostName"], "plain.azure-devices.net");
    assert!(
        opened["deviceServerCertificateAuthority"]
            .as_str()
            .unwrap()
            .starts_with("-----BEGIN CERTIFICATE-----")
    );
}

#[tokio::test]
async fn the_state_of_a_namespace_in_migration_names_the_policies_of_both_generations() {
    let served = Served::both().await;
    let namespace = served.state()["namespaces"][0].clone();
    assert_eq!(namespace["generation"], "both");
    assert_eq!(
        namespace["policies"],
        json!([
            policy_id("default"),
            certificate_policy_id("factory-ica", "short-lived"),
            certificate_policy_id("partner-ica", "partner"),
        ])
    );
    assert_eq!(
        namespace["certificateAuthorities"],
        json!(["factory-ica", "factory-root", "partner-ica"].map(authority_id))
    );
}

#[test]
fn a_policy_that_is_not_active_is_not_synced() {
    let mut fleet = Fleet::default_fleet();
    fleet.namespaces[0].policies[0].provisioning_state = "Failed".to_owned();
    fleet.namespaces[0].policies[1].bring_your_own_root = true;
    let cloud = start::cloud(fleet, Clock::default(), 1).unwrap();
    assert!(cloud.lock().hubs[0].certificates.is_empty());
    let policy = state(&cloud)["namespaces"][0]["policies"][1].as_str().unwrap().to_owned();
    assert!(matches!(cloud.rotate(&policy), Err(ActionError::Conflict(_))), "it has no issuing CA yet");
}

#[test]
fn debug_output_shows_no_keys() {
    let cloud = start::cloud(Fleet::default_fleet(), Clock::default(), 1).unwrap();
    let key = cloud.lock().services[0].group("line-1").unwrap().symmetric_keys[0].clone();
    assert!(!format!("{cloud:?}").contains(&key));
}

/// Each service's door puts the model into its wire format: the model itself knows none, and no door.
#[test]
fn the_model_knows_no_wire_format_and_no_door() {
    fn sources(path: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => sources(&entry, found),
                false => found.push(entry),
            }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![src.join("world.rs")];
    sources(&src.join("world"), &mut files);
    assert!(files.len() > 15, "{files:?}");
    let foreign = [
        "serde_json",
        "axum",
        "http::",
        "StatusCode",
        "ArmError",
        "ServiceError",
        "crate::feeds",
        "crate::arm",
    ];
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for word in foreign {
            assert!(!text.contains(word), "{} says {word}", file.display());
        }
    }
}
