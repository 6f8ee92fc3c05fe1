//! Rotation, push, revocation and activation.

use crate::arm_error::ArmError;
use crate::testing::*;
use serde_json::json;
use trigger_sources::EventGridSource as _;

#[tokio::test]
async fn a_rotation_reaches_hubs_by_the_push_and_only_over_links_that_work() {
    let served = Served::both_with(|fleet| fleet.namespaces[0].hubs[1].lacks_role = true).await;
    assert!(served.authority_on(HUB_B, "factory-ica").await.is_none());
    let old = served.authority_on(HUB_A, "factory-ica").await.unwrap();
    let before = served.authority("factory-ica").await;
    served.cloud.rotate(&certificate_policy_id("FACTORY-ica", "short-lived")).unwrap();
    let after = served.authority("factory-ica").await;
    assert_ne!(after["subject"], before["subject"]);
    assert_eq!(after["uuid"], before["uuid"]);
    served.wait(59);
    assert_eq!(served.authority_on(HUB_A, "factory-ica").await.unwrap(), old);
    served.wait(2);
    let new = served.authority_on(HUB_A, "factory-ica").await.unwrap();
    assert_ne!(new.0, old.0, "another certificate name");
    assert_eq!(new.1["subject"], after["subject"]);
    assert!(served.authority_on(HUB_B, "factory-ica").await.is_none(), "no role, no certificate");
    served.cloud.rotate(&authority_id("factory-ica")).unwrap();
    for (id, status) in
        [(authority_id("factory-root"), 409), (authority_id("partner-ica"), 409), (authority_id("gone"), 404)]
    {
        assert_eq!(ArmError::from(served.cloud.rotate(&id).unwrap_err()).status.as_u16(), status, "{id}");
    }
}

#[tokio::test]
async fn a_held_push_never_comes() {
    let served = Served::both_with(|fleet| fleet.hold_push = true).await;
    let old = served.authority_on(HUB_A, "factory-ica").await.unwrap();
    served.cloud.rotate(&authority_id("factory-ica")).unwrap();
    served.wait(86_400);
    assert_eq!(served.authority_on(HUB_A, "factory-ica").await.unwrap(), old);
}

#[tokio::test]
async fn a_sync_of_credentials_does_not_touch_certificate_authorities() {
    let served = Served::both_with(|fleet| fleet.hold_push = true).await;
    let old = served.authority_on(HUB_A, "factory-ica").await.unwrap();
    served.cloud.rotate(&authority_id("factory-ica")).unwrap();
    served.synchronize().await;
    assert_eq!(served.authority_on(HUB_A, "factory-ica").await.unwrap(), old);
    let list = served.get(&format!("{HUB_A}/certificates"), HUBS).await.body;
    assert_eq!(list["value"].as_array().unwrap().len(), 2, "one of each generation");
}

#[tokio::test]
async fn only_what_microsoft_signs_is_revoked_and_rotated() {
    let served = Served::both().await;
    let act =
        async |name: &str| served.post(&format!("{}/revokeAndRotate", authority_id(name)), ADR_B, None).await;
    let before = served.authority("factory-ica").await;
    let started = act("factory-ica").await;
    assert_eq!(started.status, 202);
    assert!(started.header("location").is_some());
    served.wait(2);
    assert_ne!(served.authority("factory-ica").await["subject"], before["subject"]);
    assert_eq!(act("partner-ica").await.status, 400);
    assert_eq!(act("factory-root").await.status, 400);
    assert_eq!(act("gone").await.status, 404);
}

#[tokio::test]
async fn an_external_ca_is_signed_activated_and_pushed() {
    let served = Served::both().await;
    let activate = format!("{}/activate", authority_id("partner-ica"));
    let request = served.authority("partner-ica").await["issuer"]["certificateSigningRequest"].clone();
    let chain = json!({"certificateChain": sign(request.as_str().unwrap())});
    assert_eq!(served.post(&activate, ADR_B, None).await.status, 400, "the chain is required");
    let wrong = served.post(&activate, ADR_B, Some(json!({"certificateChain": "no"}))).await;
    assert_eq!((wrong.status, &wrong.body["error"]["code"]), (400, &json!("InvalidCertificateChain")));
    let other = format!("{}/activate", authority_id("factory-ica"));
    assert_eq!(served.post(&other, ADR_B, Some(chain.clone())).await.status, 400, "not of that type");
    assert_eq!(served.post(&activate, ADR_B, Some(chain.clone())).await.status, 202);
    served.wait(2);
    let issuer = served.authority("partner-ica").await["issuer"].clone();
    assert_eq!(issuer["status"], "Active");
    assert_eq!(served.post(&activate, ADR_B, Some(chain)).await.status, 409, "nothing is pending");
    served.wait(60);
    let (_, certificate) = served.authority_on(HUB_A, "partner-ica").await.unwrap();
    assert_eq!(certificate["thumbprint"], issuer["thumbprint"]);
    served.cloud.rotate(&authority_id("partner-ica")).unwrap();
    assert_eq!(served.authority("partner-ica").await["issuer"]["status"], "ActiveButPendingRenewal");
}

#[tokio::test]
async fn writes_and_actions_are_told_by_event_grid_when_they_are_done() {
    let served = Served::both().await;
    let next = async || served.cloud.feeds().next(std::time::Duration::from_millis(1)).await;
    served.put(&authority_id("new-ica"), ADR_B, issuing()).await;
    assert!(next().await.is_none(), "not while it runs");
    served.wait(2);
    let event = next().await.unwrap().body;
    assert_eq!(event["type"], "Microsoft.Resources.ResourceWriteSuccess");
    assert_eq!(event["subject"], authority_id("new-ica"));
    served.post(&format!("{}/revokeAndRotate", authority_id("factory-ica")), ADR_B, None).await;
    served.wait(2);
    let event = next().await.unwrap().body;
    assert_eq!(event["type"], "Microsoft.Resources.ResourceActionSuccess");
    assert_eq!(
        event["data"]["operationName"],
        "Microsoft.DeviceRegistry/namespaces/certificateAuthorities/revokeAndRotate/action"
    );
}
