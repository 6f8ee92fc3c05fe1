//! Every refusal that is documented, and what the sources do not agree on.

use reqwest::Method;
use serde_json::{Value, json};

use crate::fleet::{ClientAuth, Moment, OperationEnd, OperationFailure, OperationStatus};
use crate::testing::*;
use crate::world::ActionError;
use crate::world::operation::Verdict;

fn days(days: u32) -> Value {
    json!({"properties": {"certificate": {"validityPeriodInDays": days}}})
}

fn external() -> Value {
    json!({"location": "East US 2", "properties": {"certificateAuthorityType": "ICA", "keyType": "ECC",
        "issuer": {"issuerType": "External"}}})
}

async fn listed(served: &Served) -> Value {
    let mut all = Vec::new();
    for name in ["factory-ica", "factory-root", "partner-ica"] {
        all.push(served.get(&authority_id(name), ADR_B).await.body);
        all.push(served.get(&format!("{}/certificatePolicies", authority_id(name)), ADR_B).await.body);
    }
    Value::Array(all)
}

async fn request_of(served: &Served, authority: &str) -> String {
    let issuer = served.authority(authority).await["issuer"].clone();
    issuer["certificateSigningRequest"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_documented_refusal_has_its_code_and_changes_nothing() {
    let served = Served::both().await;
    let before = listed(&served).await;
    let request = request_of(&served, "partner-ica").await;
    let chain = |change: fn(&mut rcgen::CertificateParams)| {
        Some(json!({"certificateChain": sign_with(&request, change)}))
    };
    let activate = |name: &str| format!("{}/activate", authority_id(name));
    let rotate = |name: &str| format!("{}/revokeAndRotate", authority_id(name));
    let mut other_issuer = issuing();
    other_issuer["properties"]["issuer"]["certificateAuthorityResourceId"] =
        authority_id("partner-ica").into();
    let sparse = json!({"properties": {"messaging": {"endpoints": {"hub-a": {"provisioning": {}}}}}});
    let root = json!({"location": "x", "properties": {"certificateAuthorityType": "Root", "keyType": "ECC"}});
    let no_usage: fn(&mut rcgen::CertificateParams) = |params| params.extended_key_usages.clear();
    let short: fn(&mut rcgen::CertificateParams) = |params| {
        params.not_after = time::OffsetDateTime::now_utc() + time::Duration::days(364);
    };
    let (put, post, patch, delete) = (Method::PUT, Method::POST, Method::PATCH, Method::DELETE);
    for (method, path, body, status, code) in [
        (&put, certificate_policy_id("factory-root", "any"), Some(days(7)), 409, "PolicyRequiresIssuingCa"),
        (&put, certificate_policy_id("gone", "any"), Some(days(7)), 404, "ParentResourceNotFound"),
        (
            &put,
            certificate_policy_id("factory-ica", "second"),
            Some(days(7)),
            409,
            "CertificatePolicyLimitExceeded",
        ),
        (&patch, certificate_policy_id("gone", "any"), Some(days(7)), 404, "ParentResourceNotFound"),
        (&delete, certificate_policy_id("gone", "any"), None, 404, "ParentResourceNotFound"),
        (&post, activate("gone"), chain(|_| {}), 404, "ParentResourceNotFound"),
        (&post, rotate("gone"), None, 404, "ParentResourceNotFound"),
        (&Method::GET, authority_id("gone"), None, 404, "ResourceNotFound"),
        (&Method::GET, certificate_policy_id("factory-ica", "gone"), None, 404, "ResourceNotFound"),
        (&put, authority_id("second-root"), Some(root), 409, "CertificateAuthorityLimitExceeded"),
        (&put, authority_id("factory-ica"), Some(external()), 400, "PropertyChangeNotAllowed"),
        (&put, authority_id("factory-ica"), Some(other_issuer), 400, "PropertyChangeNotAllowed"),
        (&delete, authority_id("factory-ica"), None, 409, "CannotDeleteResource"),
        (&delete, authority_id("factory-root"), None, 409, "CannotDeleteResource"),
        (&delete, NAMESPACE.to_owned(), None, 409, "NamespaceNotEmpty"),
        (&patch, NAMESPACE.to_owned(), Some(sparse), 400, "InvalidRequestContent"),
        (&post, activate("factory-ica"), chain(|_| {}), 400, "InvalidCertificateAuthorityType"),
        (&post, activate("factory-root"), chain(|_| {}), 400, "InvalidCertificateAuthorityType"),
        (&post, rotate("partner-ica"), None, 400, "InvalidCertificateAuthorityType"),
        (&post, rotate("factory-root"), None, 400, "InvalidCertificateAuthorityType"),
        (&post, activate("partner-ica"), chain(no_usage), 400, "InvalidPropertyValue"),
        (&post, activate("partner-ica"), chain(short), 400, "CertificateExpiringSoon"),
        (
            &post,
            activate("partner-ica"),
            chain(|params| params.is_ca = rcgen::IsCa::NoCa),
            400,
            "InvalidCertificateChain",
        ),
    ] {
        let answer = served.call(method.clone(), &format!("{path}?api-version={ADR_B}"), &[], body).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (status, &json!(code)), "{method} {path}");
    }
    served.wait(120);
    assert_eq!(listed(&served).await, before);
}

#[tokio::test]
async fn a_chain_that_is_refused_in_the_operation_leaves_everything_as_it_was() {
    let served = Served::both_with(|fleet| fleet.lifecycle.refusals = Moment::InOperation).await;
    let before = listed(&served).await;
    let request = request_of(&served, "partner-ica").await;
    let activate = format!("{}/activate", authority_id("partner-ica"));
    for (chain, code) in [
        (sign_with(&request, |params| params.extended_key_usages.clear()), "InvalidPropertyValue"),
        ("no".to_owned(), "InvalidCertificateChain"),
    ] {
        let started = served.post(&activate, ADR_B, Some(json!({"certificateChain": chain}))).await;
        assert_eq!(started.status, 202);
        served.wait(2);
        let end = served.call(Method::GET, started.header("location").unwrap(), &[], None).await;
        assert_eq!((&end.body["status"], &end.body["error"]["code"]), (&json!("Failed"), &json!(code)));
        assert_eq!(listed(&served).await, before);
    }
    let chain = json!({"certificateChain": sign(&request)});
    assert_eq!(served.post(&activate, ADR_B, Some(chain)).await.status, 202);
    served.wait(2);
    assert_eq!(served.authority("partner-ica").await["issuer"]["status"], "Active");
}

#[tokio::test]
async fn a_certificate_without_client_auth_does_where_the_table_of_the_documentation_holds() {
    let served = Served::both_with(|fleet| fleet.lifecycle.client_auth = ClientAuth::Optional).await;
    let chain =
        sign_with(&request_of(&served, "partner-ica").await, |params| params.extended_key_usages.clear());
    let activate = format!("{}/activate", authority_id("partner-ica"));
    assert_eq!(served.post(&activate, ADR_B, Some(json!({"certificateChain": chain}))).await.status, 202);
}

#[tokio::test]
async fn one_path_length_can_be_wanted() {
    let served = Served::both_with(|fleet| fleet.lifecycle.path_length = Some(0)).await;
    let request = request_of(&served, "partner-ica").await;
    let activate = format!("{}/activate", authority_id("partner-ica"));
    let of_length = |length: u8| {
        let chain = sign_with(&request, |params| {
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(length));
        });
        Some(json!({"certificateChain": chain}))
    };
    assert_eq!(served.post(&activate, ADR_B, of_length(1)).await.status, 400);
    assert_eq!(served.post(&activate, ADR_B, of_length(0)).await.status, 202);
}

#[tokio::test]
async fn a_second_policy_that_is_refused_in_the_operation_is_gone_afterwards() {
    let served = Served::both_with(|fleet| fleet.lifecycle.refusals = Moment::InOperation).await;
    let started = served.put(&certificate_policy_id("factory-ica", "second"), ADR_B, days(7)).await;
    assert_eq!(started.status, 201);
    served.wait(2);
    let end = served.call(Method::GET, started.header("azure-asyncoperation").unwrap(), &[], None).await;
    assert_eq!(end.body["error"]["code"], "CertificatePolicyLimitExceeded", "{end:?}");
    let policies =
        served.get(&format!("{}/certificatePolicies", authority_id("factory-ica")), ADR_B).await.body;
    assert_eq!(policies["value"].as_array().unwrap().len(), 1);
    assert_eq!(policies["value"][0]["name"], "short-lived");
}

#[tokio::test]
async fn an_operation_of_the_newer_generation_is_followed_at_either_address() {
    for (choice, own, other) in [
        (OperationStatus::AsyncOperationStatuses, "/asyncOperationStatuses/", "/operationStatuses/"),
        (OperationStatus::OperationStatuses, "/operationStatuses/", "/asyncOperationStatuses/"),
    ] {
        let served = Served::both_with(|fleet| fleet.lifecycle.operation_status = choice).await;
        let made = served.put(&authority_id("new-ica"), ADR_B, issuing()).await;
        let rotated =
            served.post(&format!("{}/revokeAndRotate", authority_id("factory-ica")), ADR_B, None).await;
        served.wait(2);
        for header in [made.header("azure-asyncoperation"), rotated.header("location")] {
            let status = header.unwrap();
            assert!(status.contains(own), "{status}");
            for address in [status.to_owned(), status.replace(own, other)] {
                let end = served.call(Method::GET, &address, &[], None).await;
                assert_eq!((end.status, &end.body["status"]), (200, &json!("Succeeded")), "{address}");
            }
        }
        let older = served.post(&format!("{NAMESPACE}/credentials/default/synchronize"), ADR, None).await;
        assert!(older.header("location").unwrap().contains("/operationStatuses/"));
        let unknown = served.get("/subscriptions/S/providers/Microsoft.DeviceRegistry/locations/eastus2/asyncOperationStatuses/1", ADR).await;
        assert_eq!(unknown.status, 404, "the type came with the newer generation");
    }
}

#[tokio::test]
async fn an_operation_ends_in_each_documented_way() {
    for (end, status, body) in [
        (OperationEnd::Status, 200, json!("Succeeded")),
        (OperationEnd::Empty, 200, Value::Null),
        (OperationEnd::NoContent, 204, Value::Null),
    ] {
        let served = Served::both_with(|fleet| fleet.lifecycle.operation_end = end).await;
        let made = served.put(&authority_id("new-ica"), ADR_B, issuing()).await;
        let rotated =
            served.post(&format!("{}/revokeAndRotate", authority_id("factory-ica")), ADR_B, None).await;
        let by_location = rotated.header("location").unwrap();
        let running = served.call(Method::GET, by_location, &[], None).await;
        assert_eq!((running.status, running.header("location")), (202, Some(by_location)));
        served.wait(2);
        let ended = served.call(Method::GET, by_location, &[], None).await;
        assert_eq!((ended.status, &ended.body["status"]), (status, &body));
        let by_status =
            served.call(Method::GET, made.header("azure-asyncoperation").unwrap(), &[], None).await;
        assert_eq!((by_status.status, &by_status.body["status"]), (200, &json!("Succeeded")));
    }
}

#[tokio::test]
async fn an_operation_fails_in_each_documented_way_and_its_resource_is_as_before() {
    let failure = || ActionError::Wanted { code: "Quota".to_owned(), message: "No.".to_owned() };
    for (choice, status, code, inner) in [
        (OperationFailure::Status, 200, "Quota", Value::Null),
        (OperationFailure::Accepted, 202, "Quota", Value::Null),
        (OperationFailure::Wrapped, 200, "AsyncOperationFailed", json!("Quota")),
        (OperationFailure::ErrorStatus, 400, "Quota", Value::Null),
    ] {
        let served = Served::both_with(|fleet| fleet.lifecycle.operation_failure = choice).await;
        let before = served.authority("factory-ica").await;
        let verdict = Verdict { resource_id: authority_id("FACTORY-ica"), failure: Some(failure()) };
        served.cloud.lock().verdicts.push(verdict);
        let rotate = format!("{}/revokeAndRotate", authority_id("factory-ica"));
        let started = served.post(&rotate, ADR_B, None).await;
        served.wait(2);
        let end = served.call(Method::GET, started.header("location").unwrap(), &[], None).await;
        let error = &end.body["error"];
        assert_eq!(
            (end.status, &error["code"], &error["details"][0]["code"]),
            (status, &json!(code), &inner)
        );
        assert_eq!(served.authority("factory-ica").await, before);
        assert_eq!(served.post(&rotate, ADR_B, None).await.status, 202, "the next one is not told to fail");
    }
}

#[tokio::test]
async fn a_creation_that_failed_or_was_canceled_shows_it_and_is_made_by_writing_it_again() {
    let failure = ActionError::Wanted { code: "Quota".to_owned(), message: "No.".to_owned() };
    for (failure, word) in [(Some(failure), "Failed"), (None, "Canceled")] {
        let served = Served::both().await;
        for (id, body) in [
            (authority_id("new-ica"), external()),
            (certificate_policy_id("new-ica", "new-policy"), days(7)),
            (policy_id("older"), json!({})),
        ] {
            let version = if id.contains("/credentials/") { ADR } else { ADR_B };
            served.cloud.lock().verdicts.push(Verdict { resource_id: id.clone(), failure: failure.clone() });
            let made = served.put(&id, version, body.clone()).await;
            served.wait(2);
            let status =
                served.call(Method::GET, made.header("azure-asyncoperation").unwrap(), &[], None).await;
            assert_eq!(status.body["status"], word);
            let failed = served.get(&id, version).await.body;
            assert_eq!(failed["properties"]["provisioningState"], word);
            assert_eq!(served.put(&id, version, body.clone()).await.status, 201);
            served.wait(2);
            let made = served.get(&id, version).await.body;
            assert_eq!(made["properties"]["provisioningState"], "Succeeded");
            assert_eq!(made["properties"]["uuid"], failed["properties"]["uuid"]);
        }
        assert!(request_of(&served, "new-ica").await.contains("REQUEST"));
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_repeated_to_the_same_place() {
    let served = Served::both().await;
    for (id, body) in
        [(authority_id("new-ica"), external()), (certificate_policy_id("new-ica", "new-policy"), days(7))]
    {
        let first = served.put(&id, ADR_B, body.clone()).await;
        let early = served.put(&id, ADR_B, body.clone()).await;
        assert_eq!((early.status, &early.body["error"]["code"]), (409, &json!("Conflict")));
        served.wait(2);
        let made = served.get(&id, ADR_B).await.body;
        let again = served.put(&id, ADR_B, body).await;
        assert_eq!((again.status, &again.body["properties"]), (200, &made["properties"]));
        assert_eq!(again.body["properties"]["uuid"], first.body["properties"]["uuid"]);
    }
    let activate = format!("{}/activate", authority_id("new-ica"));
    let chain = Some(json!({"certificateChain": sign(&request_of(&served, "new-ica").await)}));
    assert_eq!(served.post(&activate, ADR_B, chain.clone()).await.status, 202);
    assert_eq!(served.post(&activate, ADR_B, chain.clone()).await.status, 409, "it runs");
    assert_eq!(served.delete(&authority_id("new-ica"), ADR_B).await.status, 409);
    served.wait(2);
    let active = served.authority("new-ica").await;
    assert_eq!(served.post(&activate, ADR_B, chain).await.status, 409, "nothing is pending");
    assert_eq!(served.authority("new-ica").await, active);
}

#[tokio::test]
async fn an_update_in_an_operation_has_its_effect_at_the_end() {
    let served = Served::both_with(|fleet| fleet.lifecycle.updates = Moment::InOperation).await;
    let patch = async |path: &str, body: Value| {
        served.call(Method::PATCH, &format!("{path}?api-version={ADR_B}"), &[], Some(body)).await
    };
    let (authority, policy) =
        (authority_id("factory-ica"), certificate_policy_id("factory-ica", "short-lived"));
    assert_eq!(patch(&authority, json!({"tags": {"site": "a"}})).await.status, 202);
    assert_eq!(patch(&policy, days(9)).await.status, 202);
    let validity = async || served.get(&policy, ADR_B).await.body["properties"]["certificate"].clone();
    assert_eq!(validity().await, json!({"validityPeriodInDays": 7}));
    served.wait(2);
    assert_eq!(validity().await, json!({"validityPeriodInDays": 9}));
    assert_eq!(served.get(&authority, ADR_B).await.body["tags"], json!({"site": "a"}));
}

#[tokio::test]
async fn a_pending_ca_shows_a_thumbprint_where_the_example_holds() {
    let served = Served::both_with(|fleet| fleet.lifecycle.pending_thumbprint = true).await;
    let issuer = served.authority("partner-ica").await["issuer"].clone();
    assert_eq!(issuer["status"], "PendingActivation");
    assert!(issuer["thumbprint"].is_string());
    let chain = json!({"certificateChain": sign(&request_of(&served, "partner-ica").await)});
    served.post(&format!("{}/activate", authority_id("partner-ica")), ADR_B, Some(chain)).await;
    served.wait(2);
    assert_ne!(served.authority("partner-ica").await["issuer"]["thumbprint"], issuer["thumbprint"]);
}

#[tokio::test]
async fn a_namespace_goes_when_nothing_is_in_it_and_its_links_are_orphaned() {
    let served = Served::both().await;
    served.put("/dps/contoso-dps/enrollmentGroups/line-1", DPS, group("line-1")).await;
    for (path, version) in [
        (certificate_policy_id("factory-ica", "short-lived"), ADR_B),
        (certificate_policy_id("partner-ica", "partner"), ADR_B),
        (authority_id("factory-ica"), ADR_B),
        (authority_id("partner-ica"), ADR_B),
        (authority_id("factory-root"), ADR_B),
        (policy_id("default"), ADR),
        (format!("{NAMESPACE}/credentials/default"), ADR),
    ] {
        let early = served.delete(NAMESPACE, ADR_B).await;
        assert_eq!((early.status, &early.body["error"]["code"]), (409, &json!("NamespaceNotEmpty")));
        assert_eq!(served.delete(&path, version).await.status, 202, "{path}");
        served.wait(2);
        assert_eq!(served.get(&path, version).await.status, 404, "{path}");
    }
    let deleted = served.delete(NAMESPACE, ADR_B).await;
    assert_eq!(deleted.status, 202);
    assert_eq!(served.put(&authority_id("late"), ADR_B, external()).await.status, 409);
    assert_eq!(served.put(NAMESPACE, ADR_B, json!({"location": "East US 2"})).await.status, 409);
    served.wait(2);
    let end = served.call(Method::GET, deleted.header("location").unwrap(), &[], None).await;
    assert_eq!(end.body["status"], "Succeeded");
    assert_eq!(served.get(NAMESPACE, ADR_B).await.status, 404);
    assert_eq!(served.delete(NAMESPACE, ADR_B).await.status, 204);
    let hub = served.get(HUB_A, HUBS_B).await.body;
    assert_eq!(hub["properties"]["deviceRegistry"]["linkingProperties"]["state"], "Orphaned");
    assert_eq!(served.put(NAMESPACE, ADR_B, json!({"location": "East US 2"})).await.status, 201);
}

#[tokio::test]
async fn links_are_added_by_a_patch_and_a_ca_that_is_made_then_reaches_them() {
    let served = Served::both().await;
    let plain = HUB_A.replace("hub-a", "plain");
    let endpoint = json!({"endpointType": "Microsoft.Devices/IotHubs", "resourceId": plain,
        "inboundCallerIdentity": {"type": "SystemAssigned"}});
    let body = json!({"properties": {"messaging": {"endpoints": {"plain": endpoint}}}});
    let patched =
        served.call(Method::PATCH, &format!("{NAMESPACE}?api-version={ADR_B}"), &[], Some(body)).await;
    assert_eq!(patched.status, 202);
    let endpoints =
        async || served.get(NAMESPACE, ADR_B).await.body["properties"]["messaging"]["endpoints"].clone();
    assert_eq!(endpoints().await["plain"]["linkingState"], "InProgress");
    served.wait(2);
    let linked = endpoints().await;
    assert_eq!(
        (&linked["plain"]["linkingState"], &linked["hub-a"]["linkingState"]),
        (&json!("Succeeded"), &json!("Succeeded"))
    );
    assert!(served.authority_on(&plain, "factory-ica").await.is_none(), "it was there before the link");
    served.put(&authority_id("new-ica"), ADR_B, issuing()).await;
    served.wait(120);
    assert!(served.authority_on(&plain, "new-ica").await.is_some());
}

#[tokio::test]
async fn hubs_keep_or_lose_the_certificate_of_a_deleted_ca() {
    for loses in [false, true] {
        let served = Served::both_with(|fleet| fleet.lifecycle.delete_removes_from_hubs = loses).await;
        served.delete(&certificate_policy_id("factory-ica", "short-lived"), ADR_B).await;
        served.wait(2);
        served.delete(&authority_id("factory-ica"), ADR_B).await;
        served.wait(2);
        assert_eq!(served.authority_on(HUB_A, "factory-ica").await.is_none(), loses);
    }
}
