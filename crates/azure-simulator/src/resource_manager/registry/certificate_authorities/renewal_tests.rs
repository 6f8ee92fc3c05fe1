//! The renewals of the service, by the simulated clock.

use serde_json::{Value, json};

use crate::fleet::{Fleet, Subjects};
use crate::testing::*;

const DAY: i64 = 86_400;

/// The window is 5 days; `factory-ica` lasts for 20.
fn renewing(fleet: &mut Fleet) {
    fleet.lifecycle.renewal_window_days = Some(5);
}

async fn thumbprints(served: &Served, hub: &str, authority: &str) -> Vec<Value> {
    let list = served.get(&format!("{hub}/certificates"), HUBS_B).await.body;
    let all = list["value"].as_array().unwrap().iter().map(|one| &one["properties"]);
    let id = authority_id(authority);
    all.filter(|one| one["certificateAuthorityResourceId"] == id)
        .map(|one| one["thumbprint"].clone())
        .collect()
}

#[tokio::test]
async fn a_ca_of_microsoft_is_renewed_before_its_end_and_hubs_trust_both_until_then() {
    let served = Served::both_with(renewing).await;
    let first = served.authority("factory-ica").await;
    let old = thumbprints(&served, HUB_A, "factory-ica").await;
    served.wait(15 * DAY - 30);
    assert_eq!(thumbprints(&served, HUB_A, "factory-ica").await, old, "not before the window");
    served.wait(60);
    assert_eq!(served.authority("factory-ica").await, first, "devices get the new issuer once hubs have it");
    served.wait(60);
    let during = thumbprints(&served, HUB_A, "factory-ica").await;
    assert!(during.len() == 2 && during.contains(&old[0]), "{during:?}");
    let second = served.authority("factory-ica").await;
    assert_ne!(second["subject"], first["subject"]);
    assert_eq!(second["uuid"], first["uuid"]);
    served.wait(5 * DAY + 60);
    let after = thumbprints(&served, HUB_A, "factory-ica").await;
    assert!(after.len() == 1 && after != old && during.contains(&after[0]), "{after:?}");
    assert_eq!(served.authority("factory-ica").await, second);
    served.wait(80 * DAY);
    let current = served.authority("factory-ica").await;
    assert_ne!(current["subject"], second["subject"], "and so on");
    assert!(thumbprints(&served, HUB_B, "factory-ica").await.len() <= 2);
}

#[tokio::test]
async fn a_window_longer_than_a_life_begins_when_half_of_the_life_is_over() {
    let served = Served::both_with(|fleet| fleet.lifecycle.renewal_window_days = Some(3_650)).await;
    let first = served.authority("factory-ica").await;
    served.wait(10 * DAY - 60);
    assert_eq!(served.authority("factory-ica").await, first);
    served.wait(180);
    assert_ne!(served.authority("factory-ica").await, first);
}

#[tokio::test]
async fn without_a_window_nothing_is_renewed() {
    let served = Served::both().await;
    let first = served.authority("factory-ica").await;
    served.wait(400 * DAY);
    assert_eq!(served.authority("factory-ica").await, first);
}

#[tokio::test]
async fn revoking_in_the_middle_of_a_renewal_leaves_one_certificate() {
    let served = Served::both().await;
    let old = thumbprints(&served, HUB_A, "factory-ica").await;
    served.cloud.renew(&authority_id("factory-ica")).unwrap();
    served.cloud.renew(&certificate_policy_id("factory-ica", "short-lived")).unwrap();
    served.wait(61);
    assert_eq!(
        thumbprints(&served, HUB_A, "factory-ica").await.len(),
        2,
        "the second renewal joined the first"
    );
    served.cloud.renew(&authority_id("factory-ica")).unwrap();
    served.post(&format!("{}/revokeAndRotate", authority_id("factory-ica")), ADR_B, None).await;
    served.wait(120);
    let (_, only) = served.authority_on(HUB_A, "factory-ica").await.unwrap();
    assert_eq!(only["subject"], served.authority("factory-ica").await["subject"]);
    assert_ne!(only["thumbprint"], old[0]);
}

#[tokio::test]
async fn an_external_ca_asks_for_its_next_certificate_and_keeps_the_old_one_until_then() {
    let served = Served::both_with(|fleet| {
        renewing(fleet);
        fleet.lifecycle.subjects = Subjects::Name;
    })
    .await;
    let activate = format!("{}/activate", authority_id("partner-ica"));
    let sign_now = async || {
        let issuer = served.authority("partner-ica").await["issuer"].clone();
        let end = served.cloud.clock().now() + time::Duration::days(400);
        let request = issuer["certificateSigningRequest"].as_str().unwrap().to_owned();
        let chain = sign_with(&request, |params| params.not_after = end);
        assert_eq!(served.post(&activate, ADR_B, Some(json!({"certificateChain": chain}))).await.status, 202);
        served.wait(120);
        request
    };
    let first = sign_now().await;
    let issuer = served.authority("partner-ica").await["issuer"].clone();
    assert_eq!((&issuer["status"], issuer.get("certificateSigningRequest")), (&json!("Active"), None));
    served.wait(395 * DAY);
    let renewing = served.authority("partner-ica").await;
    assert_eq!(renewing["issuer"]["status"], "ActiveButPendingRenewal");
    assert_eq!(renewing["issuer"]["thumbprint"], issuer["thumbprint"]);
    assert_eq!(renewing["subject"], "CN=partner-ica");
    assert_eq!(thumbprints(&served, HUB_A, "partner-ica").await, [issuer["thumbprint"].clone()]);
    let second = sign_now().await;
    assert_ne!(second, first, "another key");
    let renewed = served.authority("partner-ica").await["issuer"].clone();
    assert_eq!(renewed["status"], "Active");
    assert_eq!(thumbprints(&served, HUB_A, "partner-ica").await, [renewed["thumbprint"].clone()]);
}

#[tokio::test]
async fn in_the_older_generation_a_renewal_waits_for_a_sync() {
    let served = Served::with(renewing).await;
    let old = served.hub_certificate(HUB_A, "short-lived").await.unwrap();
    served.wait(15 * DAY + 60);
    assert_eq!(served.hub_certificate(HUB_A, "short-lived").await.unwrap(), old);
    served.synchronize().await;
    let new = served.hub_certificate(HUB_A, "short-lived").await.unwrap();
    assert_ne!(new.1["thumbprint"], old.1["thumbprint"]);
    assert_eq!(
        new.1["subject"],
        served.get(&policy_id("short-lived"), ADR).await.body["properties"]["certificate"]["certificateAuthorityConfiguration"]
            ["subject"]
    );
}

#[tokio::test]
async fn a_policy_under_a_root_of_ones_own_asks_again_before_its_end_and_wants_a_sync_each_time() {
    let served = Served::with(|fleet| {
        renewing(fleet);
        fleet.namespaces[0].policies[0].bring_your_own_root = true;
    })
    .await;
    let own = async || {
        served.get(&policy_id("default"), ADR).await.body["properties"]["certificate"]
            ["certificateAuthorityConfiguration"]["bringYourOwnRoot"]
            .clone()
    };
    for round in 0..2 {
        let end = served.cloud.clock().now() + time::Duration::days(400);
        let request = own().await["certificateSigningRequest"].as_str().unwrap().to_owned();
        let chain = json!({"certificateChain": sign_with(&request, |params| params.not_after = end)});
        let activate = format!("{}/activateBringYourOwnRoot", policy_id("default"));
        assert_eq!(served.post(&activate, ADR, Some(chain)).await.status, 202);
        served.wait(2);
        let active = own().await;
        assert_eq!((&active["status"], &active["certificateSigningRequest"]), (&json!("Active"), &json!("")));
        let before = served.hub_certificate(HUB_A, "default").await;
        assert_eq!(before.is_some(), round > 0, "only a sync brings it");
        served.synchronize().await;
        let (_, certificate) = served.hub_certificate(HUB_A, "default").await.unwrap();
        assert_eq!(certificate["thumbprint"], active["issuingCertificateThumbprint"]);
        served.wait(396 * DAY);
        assert_eq!(own().await["status"], "ActiveButPendingRenewal");
    }
}
