use super::*;
use crate::world::testing::*;
use serde_json::json;

#[test]
fn the_default_world_is_healthy() {
    let world = World::new(Fleet::default_fleet(), Clock::default(), 7).unwrap();
    let state = world.lock();
    assert!(state.namespaces.len() >= 3);
    for namespace in &state.namespaces {
        assert!(state.linked_hubs(&namespace.id).count() >= 2);
        for policy in namespace.policies() {
            let authority = policy.active_authority().unwrap();
            for hub in state.linked_hubs(&namespace.id) {
                assert!(hub.certificates.iter().any(|one| one.der == authority.der()), "{}", hub.name);
            }
        }
    }
}

#[test]
fn one_seed_makes_the_same_names_and_other_keys() {
    let world = |seed| World::new(Fleet::default_fleet(), Clock::default(), seed).unwrap();
    let (a, b, c) = (world(7), world(7), world(8));
    assert_eq!(a.state()["idScopes"], b.state()["idScopes"]);
    assert_ne!(a.state()["idScopes"], c.state()["idScopes"]);
    let subject = |world: &World| world.lock().hubs[0].certificates[0].subject.clone();
    let thumbprint = |world: &World| world.lock().hubs[0].certificates[0].thumbprint.clone();
    assert_eq!(subject(&a), subject(&b));
    assert_ne!(thumbprint(&a), thumbprint(&b), "certificates cannot be seeded");
}

#[tokio::test]
async fn the_state_shows_namespaces_hubs_and_what_a_device_needs() {
    let served = Served::start().await;
    let before = served.world.state();
    assert_eq!(before["hubs"][0]["deviceEndpoint"], json!(null), "not opened yet");
    served.world.start_device_endpoints().await.unwrap();
    let opened = served.world.state();
    served.world.start_device_endpoints().await.unwrap();
    assert_eq!(served.world.state(), opened, "opening them again changes nothing");
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
    let namespace = served.world.state()["namespaces"][0].clone();
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
    let world = World::new(fleet, Clock::default(), 1).unwrap();
    assert!(world.lock().hubs[0].certificates.is_empty());
    let policy = world.state()["namespaces"][0]["policies"][1].as_str().unwrap().to_owned();
    assert_eq!(world.rotate(&policy).unwrap_err().status.as_u16(), 409, "it has no issuing CA yet");
}

#[test]
fn debug_output_shows_no_keys() {
    let world = World::new(Fleet::default_fleet(), Clock::default(), 1).unwrap();
    let key = world.lock().services[0].group("line-1").unwrap().symmetric_keys().next().unwrap().to_owned();
    assert!(!format!("{world:?}").contains(&key));
}
