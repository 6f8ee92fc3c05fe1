use crate::arm_error::ArmError;
use crate::testing::*;
use reqwest::Method;
use serde_json::json;
use std::time::Duration;
use trigger_sources::{EventGridSource as _, EventHubSource as _};

#[tokio::test]
async fn paths_match_in_any_case() {
    let served = Served::start().await;
    // The front has put the first segment into lower case before this router.
    let path = policy_id("default").to_uppercase().replace("/SUBSCRIPTIONS/", "/subscriptions/");
    let answer = served.get(&path, ADR).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["id"], policy_id("default"));
}

#[tokio::test]
async fn what_does_not_exist_is_a_404_that_says_what() {
    let served = Served::start().await;
    for (path, code) in [
        (format!("{NAMESPACE}x"), "ResourceNotFound"),
        (policy_id("other"), "ResourceNotFound"),
        (policy_id("default").replace("/default/", "/other/"), "ResourceNotFound"),
        (NAMESPACE.replace("/R/", "/R9/"), "ResourceGroupNotFound"),
        (NAMESPACE.replace("/S/", "/S9/"), "SubscriptionNotFound"),
        (NAMESPACE.replace("namespaces", "spaces"), "InvalidResourceType"),
        (format!("{NAMESPACE}/certificateAuthorities/root"), "InvalidResourceType"),
    ] {
        let answer = served.get(&path, ADR).await;
        assert_eq!((answer.status, answer.body["error"]["code"].as_str()), (404, Some(code)), "{path}");
    }
}

#[tokio::test]
async fn an_api_version_is_required_and_the_supported_ones_are_listed() {
    let served = Served::start().await;
    let missing = served.call(Method::GET, NAMESPACE, &[], None).await;
    assert_eq!((missing.status, &missing.body["error"]["code"]), (400, &json!("MissingApiVersionParameter")));
    let early =
        served.post(&format!("{}/revokeIssuer", policy_id("default")), "2025-11-01-preview", None).await;
    assert_eq!(early.status, 404, "the action came with the next version");
    assert!(early.body["error"]["message"].as_str().unwrap().contains(ADR));
}

#[tokio::test]
async fn the_provider_tells_its_generation() {
    let served = Served::start().await;
    let answer = served.get("/subscriptions/S/providers/microsoft.deviceregistry", "2021-04-01").await;
    let types = answer.body["resourceTypes"].as_array().unwrap();
    let versions =
        |name: &str| types.iter().find(|t| t["resourceType"] == name).map(|t| t["apiVersions"].clone());
    assert_eq!(versions("namespaces/credentials"), Some(json!(["2026-03-01-preview", "2025-11-01-preview"])));
    assert_eq!(versions("namespaces/credentials/synchronize"), None, "actions are not resource types");
}

#[tokio::test]
async fn a_policy_shows_subject_and_dates_with_milliseconds_and_no_thumbprint() {
    let served = Served::start().await;
    let policy = served.get(&policy_id("short-lived"), ADR).await.body;
    let authority = &policy["properties"]["certificate"]["certificateAuthorityConfiguration"];
    let subject = authority["subject"].as_str().unwrap();
    assert!(subject.len() == 35 && subject.starts_with("CN="), "{subject}");
    let not_after = authority["validityNotAfter"].as_str().unwrap();
    assert!(
        not_after.len() == 24 && not_after.ends_with('Z') && not_after.as_bytes()[19] == b'.',
        "{not_after}"
    );
    assert!(authority.get("thumbprint").is_none() && authority.get("bringYourOwnRoot").is_none());
    assert_eq!(
        policy["properties"]["certificate"]["leafCertificateConfiguration"]["validityPeriodInDays"],
        7
    );
    assert!(policy.get("location").is_none(), "a proxy resource");
    let tracked = served.get(&policy_id("short-lived"), "2025-11-01-preview").await.body;
    assert_eq!(tracked["location"], "East US 2");
    let list = served.get(&format!("{NAMESPACE}/credentials/default/policies"), ADR).await.body;
    assert_eq!((list["value"].as_array().unwrap().len(), &list["nextLink"]), (2, &json!(null)));
}

#[tokio::test]
async fn a_sync_is_202_without_a_body_and_its_outcome_follows_the_simulated_clock() {
    let served = Served::start().await;
    let path = format!("{NAMESPACE}/credentials/default/synchronize");
    let started = served.post(&path, ADR, None).await;
    assert_eq!((started.status, &started.body), (202, &json!(null)));
    assert_eq!(started.header("retry-after"), Some("2"));
    let location = started.header("location").unwrap().to_owned();
    assert!(
        location.starts_with(&served.base_url) && location.contains("/locations/eastus2/operationStatuses/")
    );

    let running = served.call(Method::GET, &location, &[], None).await;
    assert_eq!((running.status, running.header("location")), (202, Some(&*location)));
    assert_eq!(running.header("retry-after"), Some("2"));
    let second = served.post(&path, ADR, None).await;
    assert_eq!((second.status, &second.body["error"]["code"]), (409, &json!("Conflict")));

    served.wait(3);
    let done = served.call(Method::GET, &location, &[], None).await;
    assert_eq!((done.status, &done.body["status"]), (200, &json!("Succeeded")));
    assert!(done.body["startTime"].is_string() && done.body["endTime"].is_string());
    assert_eq!(served.post(&path, ADR, None).await.status, 202, "the next one may run");
}

#[tokio::test]
async fn a_rotation_leaves_hubs_stale_until_a_sync_brings_the_new_ca_under_a_new_name() {
    let served = Served::start().await;
    let old_policy = served.get(&policy_id("short-lived"), ADR).await.body;
    let old = served.hub_certificate(HUB_B, "short-lived").await.unwrap();
    let other = served.hub_certificate(HUB_A, "default").await.unwrap();
    served.cloud.rotate(&policy_id("SHORT-lived")).unwrap();
    let policy = served.get(&policy_id("short-lived"), ADR).await.body;
    let pointer = "/properties/certificate/certificateAuthorityConfiguration";
    let (before, now) = (old_policy.pointer(pointer).unwrap(), policy.pointer(pointer).unwrap());
    assert_ne!(now["subject"], before["subject"]);
    let second =
        |authority: &serde_json::Value| authority["validityNotAfter"].as_str().unwrap()[..19].to_owned();
    assert!(second(now) > second(before), "at least one second later");
    assert_eq!(served.hub_certificate(HUB_B, "short-lived").await.unwrap(), old, "hubs untouched");

    assert_eq!(served.synchronize().await.status, 200);
    for hub in [HUB_A, HUB_B] {
        let (name, certificate) = served.hub_certificate(hub, "short-lived").await.unwrap();
        assert_ne!(name, old.0);
        assert_eq!(certificate["subject"], now["subject"]);
    }
    assert_eq!(
        served.hub_certificate(HUB_A, "default").await.unwrap(),
        other,
        "an unchanged one is left alone"
    );
    let settled = served.hub_certificate(HUB_A, "short-lived").await.unwrap();
    served.synchronize().await;
    assert_eq!(served.hub_certificate(HUB_A, "short-lived").await.unwrap(), settled);
    assert_eq!(ArmError::from(served.cloud.rotate(&policy_id("gone")).unwrap_err()).status.as_u16(), 404);
}

#[tokio::test]
async fn revoking_an_issuer_pushes_to_the_hubs_unless_the_fleet_says_otherwise() {
    for pushes in [true, false] {
        let served = Served::with(|fleet| fleet.revoke_pushes_to_hubs = pushes).await;
        let old = served.hub_certificate(HUB_A, "default").await.unwrap();
        let started = served.post(&format!("{}/revokeIssuer", policy_id("default")), ADR, None).await;
        assert_eq!(started.status, 202);
        assert_eq!(served.hub_certificate(HUB_A, "default").await.unwrap(), old, "not yet");
        served.wait(2);
        let new = served.hub_certificate(HUB_A, "default").await.unwrap();
        assert_eq!(new != old, pushes);
    }
}

#[tokio::test]
async fn a_policy_is_created_changed_and_deleted_and_its_hub_certificate_stays() {
    let served = Served::start().await;
    let path = policy_id("nightly");
    let body =
        json!({"properties": {"certificate": {"leafCertificateConfiguration": {"validityPeriodInDays": 9}}}});
    let created = served.put(&path, ADR, body.clone()).await;
    assert_eq!((created.status, &created.body["properties"]["provisioningState"]), (201, &json!("Accepted")));
    let status = created.header("azure-asyncoperation").unwrap().to_owned();
    assert!(created.header("retry-after").is_some());
    let running = served.call(Method::GET, &status, &[], None).await;
    assert_eq!((running.status, &running.body["status"]), (200, &json!("InProgress")));
    assert_eq!(served.put(&path, ADR, body.clone()).await.status, 409, "still being created");
    served.wait(2);
    assert_eq!(served.call(Method::GET, &status, &[], None).await.body["status"], "Succeeded");
    assert!(served.hub_certificate(HUB_A, "nightly").await.is_none(), "only a sync brings it to the hubs");
    served.synchronize().await;
    let certificate = served.hub_certificate(HUB_A, "nightly").await.unwrap();

    let patch = json!({"properties": {"certificate": {"leafCertificateConfiguration": {"validityPeriodInDays": 10}}}});
    let changed = served.call(Method::PATCH, &format!("{path}?api-version={ADR}"), &[], Some(patch)).await;
    let days = "/properties/certificate/leafCertificateConfiguration/validityPeriodInDays";
    assert_eq!((changed.status, changed.body.pointer(days)), (200, Some(&json!(10))));
    served.synchronize().await;
    assert_eq!(served.hub_certificate(HUB_A, "nightly").await.unwrap(), certificate, "the CA did not change");

    let refused = served.delete(&format!("{NAMESPACE}/credentials/default"), ADR).await;
    assert_eq!(refused.status, 409, "policies go first");
    assert_eq!(served.delete(&path, ADR).await.status, 202);
    served.wait(2);
    assert_eq!(served.get(&path, ADR).await.status, 404);
    assert_eq!(served.delete(&path, ADR).await.status, 204);
    served.synchronize().await;
    assert_eq!(served.hub_certificate(HUB_A, "nightly").await.unwrap(), certificate);
}

#[tokio::test]
async fn a_body_that_the_service_would_not_take_is_refused_with_the_member() {
    let served = Served::start().await;
    let days = |days: i64| json!({"properties": {"certificate": {"leafCertificateConfiguration": {"validityPeriodInDays": days}}}});
    let kind =
        json!({"properties": {"certificate": {"certificateAuthorityConfiguration": {"keyType": "RSA"}}}});
    for (version, name, body, problem) in [
        (ADR, "nightly", days(91), "validityPeriodInDays"),
        (ADR, "nightly", days(0), "validityPeriodInDays"),
        (ADR, "nightly", kind, "keyType"),
        (ADR, "x_", days(7), "name"),
        ("2025-11-01-preview", "nightly", days(7), "location"),
    ] {
        let answer = served.put(&policy_id(name), version, body).await;
        assert_eq!(answer.status, 400);
        assert!(answer.body["error"]["message"].as_str().unwrap().contains(problem), "{answer:?}");
    }
}

#[tokio::test]
async fn a_namespace_with_certificate_management_can_be_made_from_nothing() {
    let served = Served::start().await;
    let namespace = NAMESPACE.replace("contoso", "fabrikam");
    let place = json!({"location": "East US 2"});
    let credential = format!("{namespace}/credentials/default");
    assert_eq!(served.post(&format!("{credential}/synchronize"), ADR, None).await.status, 404);
    assert_eq!(served.put(&namespace, ADR, place.clone()).await.status, 201);
    served.wait(2);
    assert_eq!(served.get(&namespace, ADR).await.body["properties"]["provisioningState"], "Succeeded");
    assert_eq!(served.get(&credential, ADR).await.status, 404);
    assert_eq!(served.put(&credential, ADR, place.clone()).await.status, 201);
    assert_eq!(
        served.put(&format!("{credential}/policies/default"), ADR, json!({})).await.status,
        409,
        "too early"
    );
    served.wait(2);
    assert_eq!(served.put(&format!("{credential}/policies/default"), ADR, json!({})).await.status, 201);
    served.wait(2);
    let policies = served.get(&format!("{credential}/policies"), ADR).await.body;
    assert_eq!(policies["value"][0]["properties"]["provisioningState"], "Succeeded");
    let tags = json!({"tags": {"site": "a"}});
    let tagged =
        served.call(Method::PATCH, &format!("{credential}?api-version={ADR}"), &[], Some(tags)).await;
    assert_eq!((tagged.status, &tagged.body["tags"]["site"]), (200, &json!("a")));
    let all =
        served.get("/subscriptions/S/providers/Microsoft.DeviceRegistry/namespaces", "2025-10-01").await;
    assert_eq!(all.body["value"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_root_of_ones_own_is_signed_activated_and_then_synced() {
    let served = Served::start().await;
    let path = policy_id("own-root");
    let body = json!({"properties": {"certificate": {"certificateAuthorityConfiguration":
        {"keyType": "ECC", "bringYourOwnRoot": {"enabled": true}}}}});
    served.put(&path, ADR, body).await;
    served.wait(2);
    let own = |policy: &serde_json::Value| {
        policy
            .pointer("/properties/certificate/certificateAuthorityConfiguration/bringYourOwnRoot")
            .unwrap()
            .clone()
    };
    let pending = own(&served.get(&path, ADR).await.body);
    assert_eq!(pending["status"], "PendingActivation");
    let revoked = served.post(&format!("{path}/revokeIssuer"), ADR, None).await;
    assert_eq!(revoked.body["error"]["code"], "PolicyRevokeNotAllowedForBringYourOwnRoot");

    let activate = format!("{path}/activateBringYourOwnRoot");
    let wrong = served.post(&activate, ADR, Some(json!({"certificateChain": "no"}))).await;
    assert_eq!(wrong.status, 400);
    let chain = sign(pending["certificateSigningRequest"].as_str().unwrap());
    assert_eq!(served.post(&activate, ADR, Some(json!({ "certificateChain": chain }))).await.status, 202);
    served.wait(2);
    let active = own(&served.get(&path, ADR).await.body);
    assert_eq!(active["status"], "Active");
    assert!(served.hub_certificate(HUB_A, "own-root").await.is_none(), "activation is not a sync");
    served.synchronize().await;
    let (_, certificate) = served.hub_certificate(HUB_A, "own-root").await.unwrap();
    assert_eq!(certificate["thumbprint"], active["issuingCertificateThumbprint"]);
    served.cloud.rotate(&path).unwrap();
    assert_eq!(own(&served.get(&path, ADR).await.body)["status"], "ActiveButPendingRenewal");
}

#[tokio::test]
async fn writes_and_actions_are_told_by_event_grid_when_they_are_done() {
    let served = Served::start().await;
    let next = async || served.cloud.feeds().next(Duration::from_millis(1)).await;
    served.post(&format!("{NAMESPACE}/credentials/default/synchronize"), ADR, None).await;
    assert!(next().await.is_none(), "not while it runs");
    served.wait(3);
    let event = next().await.unwrap().body;
    assert_eq!(event["type"], "Microsoft.Resources.ResourceActionSuccess");
    assert_eq!(event["subject"], format!("{NAMESPACE}/credentials/default"));
    assert_eq!(event["source"], "/subscriptions/S");
    assert_eq!(
        event["data"]["operationName"],
        "Microsoft.DeviceRegistry/namespaces/credentials/synchronize/action"
    );
    served.put(&policy_id("default"), ADR, json!({})).await;
    let event = next().await.unwrap().body;
    assert_eq!(
        (&event["type"], &event["subject"]),
        (&json!("Microsoft.Resources.ResourceWriteSuccess"), &json!(policy_id("default")))
    );
    served.cloud.rotate(&policy_id("default")).unwrap();
    assert!(next().await.is_none(), "no event is documented for a renewal by the service");
    assert!(served.cloud.feeds().receive("dps-operations", -1, 9, Duration::from_millis(1)).await.is_empty());
}
