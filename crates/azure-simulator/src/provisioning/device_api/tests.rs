use super::stable_hash;
use crate::device::{Device, DeviceError};
use crate::device_token;
use crate::testing::*;
use reqwest::Method;
use serde_json::json;

fn id_scope(served: &Served) -> String {
    served.state()["idScopes"]["contoso-dps"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_registration_is_assigning_and_then_assigned() {
    let served = Served::with(|fleet| fleet.registration_seconds = 60).await;
    let (scope, key) = (id_scope(&served), served.group_key("line-1").await);
    let expiry = time::OffsetDateTime::now_utc().unix_timestamp() + 60;
    let token = device_token::authorization(&key, &scope, "pump-1", expiry).unwrap();
    let headers = [("authorization", token.as_str())];
    let root = format!("/{scope}/registrations/pump-1");
    let register = format!("{root}/register?api-version={DPS}");
    let body = json!({"registrationId": "pump-1", "payload": {"a": 1}});
    let started = served.call(Method::PUT, &register, &headers, Some(body)).await;
    assert_eq!((started.status, &started.body["status"]), (202, &json!("assigning")));
    let operation =
        format!("{root}/operations/{}?api-version={DPS}", started.body["operationId"].as_str().unwrap());
    let running = served.call(Method::GET, &operation, &headers, None).await;
    assert_eq!((running.status, &running.body), (202, &started.body));
    assert_eq!(running.header("retry-after"), Some("60"));
    served.wait(60);
    let done = served.call(Method::GET, &operation, &headers, None).await;
    assert_eq!((done.status, &done.body["status"]), (200, &json!("assigned")));
    let state = &done.body["registrationState"];
    assert_eq!((&state["substatus"], &state["payload"]), (&json!("initialAssignment"), &json!({"a": 1})));
    assert!(state.get("issuedCertificateChain").is_none(), "no signing request, no certificate");
    assert_eq!(served.call(Method::GET, &operation, &[], None).await.status, 401);
}

#[tokio::test]
async fn a_device_gets_a_chain_of_three_and_always_the_same_hub() {
    let served = Served::start().await;
    let device = Device::new("pump-1").unwrap();
    let key = served.group_key("line-1").await;
    let registered = device.register(&served.base_url, &id_scope(&served), &key).await.unwrap();
    assert_eq!((registered.device_id.as_str(), registered.enrollment_group.as_str()), ("pump-1", "line-1"));
    assert_eq!(registered.chain.len(), 3);
    let again = device.register(&served.base_url, &id_scope(&served), &key).await.unwrap();
    assert_eq!(again.assigned_hub, registered.assigned_hub);
    let policy = served.hub_certificate(HUB_A, "short-lived").await.unwrap().1;
    assert_eq!(policy["thumbprint"], crate::pki::sha1_thumbprint(&registered.chain[1]));
}

#[tokio::test]
async fn a_group_without_a_policy_gives_no_certificate() {
    let served = Served::start().await;
    served.put("/dps/contoso-dps/enrollmentGroups/line-2", DPS, group("line-2")).await;
    let key = served.group_key("line-2").await;
    let device = Device::new("pump-2").unwrap();
    let registered = device.register(&served.base_url, &id_scope(&served), &key).await.unwrap();
    assert!(registered.chain.is_empty());
    let mut body = group("line-3");
    body["credentialPolicyName"] = "gone".into();
    body["iotHubs"] = json!(["hub-b.azure-devices.net"]);
    served.put("/dps/contoso-dps/enrollmentGroups/line-3", DPS, body).await;
    let key = served.group_key("line-3").await;
    let error = device.register(&served.base_url, &id_scope(&served), &key).await.unwrap_err();
    assert!(matches!(&error, DeviceError::NotAssigned(why) if why.contains("gone")), "{error}");
}

#[tokio::test]
async fn a_device_is_refused_without_the_key_of_an_enabled_group() {
    let served = Served::start().await;
    let device = Device::new("pump-1").unwrap();
    let scope = id_scope(&served);
    let status = async |scope: &str, key: &str| match device.register(&served.base_url, scope, key).await {
        Err(DeviceError::Refused { status, code, .. }) => (status, code),
        other => panic!("{other:?}"),
    };
    let key = served.group_key("line-1").await;
    let other = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, [7; 64]);
    assert_eq!(status(&scope, &other).await, (401, 401_002));
    assert_eq!(status("0ne00000000", &key).await.0, 404);
    let mut body = served.get("/dps/contoso-dps/enrollmentGroups/line-1", DPS).await.body;
    body["attestation"]["symmetricKey"] = json!({"primaryKey": key, "secondaryKey": other});
    body["provisioningStatus"] = "disabled".into();
    served.put("/dps/contoso-dps/enrollmentGroups/line-1", DPS, body).await;
    assert_eq!(status(&scope, &key).await.0, 401);
    let bare = served
        .put(&format!("/{scope}/registrations/pump-1/register"), DPS, json!({"registrationId": "pump-1"}))
        .await;
    assert_eq!((bare.status, &bare.body["errorCode"]), (401, &json!(401_002)));
}

#[test]
fn the_hash_spreads_and_stays() {
    assert_eq!(stable_hash("pump-1"), stable_hash("pump-1"));
    let even = (0..100).filter(|n| stable_hash(&format!("pump-{n}")).is_multiple_of(2)).count();
    assert!((25..75).contains(&even), "{even}");
}

#[tokio::test]
async fn the_registrations_of_a_group_are_its_devices_page_by_page_and_no_others() {
    let served = Served::with(|fleet| fleet.page_size = 2).await;
    served.put("/dps/contoso-dps/enrollmentGroups/line-2", DPS, group("line-2")).await;
    let scope = id_scope(&served);
    for (id, of) in [("pump-1", "line-1"), ("pump-2", "line-1"), ("pump-3", "line-1"), ("fan-1", "line-2")] {
        let key = served.group_key(of).await;
        Device::new(id).unwrap().register(&served.base_url, &scope, &key).await.unwrap();
    }
    let query = async |group: &str, headers: &[(&str, &str)]| {
        let path = format!("/dps/contoso-dps/registrations/{group}/query?api-version={DPS}");
        let headers = [&[("authorization", "Bearer any-token")], headers].concat();
        served.call(Method::POST, &path, &headers, None).await
    };
    let ids = |body: &serde_json::Value| -> Vec<String> {
        let states = body.as_array().unwrap().iter();
        states.map(|state| state["registrationId"].as_str().unwrap().to_owned()).collect()
    };
    let first = query("LINE-1", &[]).await;
    assert_eq!(ids(&first.body), ["pump-1", "pump-2"]);
    let state = &first.body[0];
    assert_eq!((&state["status"], &state["deviceId"]), (&json!("assigned"), &json!("pump-1")));
    assert!(state["lastUpdatedDateTimeUtc"].is_string() && state["assignedHub"].is_string(), "{state}");
    assert!(state.get("issuedCertificateChain").is_none() && state.get("symmetricKey").is_none(), "{state}");
    let token = first.header("x-ms-continuation").unwrap();
    let last = query("line-1", &[("x-ms-continuation", token)]).await;
    assert_eq!((ids(&last.body), last.header("x-ms-continuation")), (vec!["pump-3".to_owned()], None));
    assert_eq!(ids(&query("line-2", &[]).await.body), ["fan-1"]);
    assert_eq!(query("gone", &[]).await.status, 404);
}

#[tokio::test]
async fn a_device_that_registers_again_keeps_the_date_of_its_first_time() {
    let served = Served::start().await;
    let (scope, key) = (id_scope(&served), served.group_key("line-1").await);
    let device = Device::new("pump-1").unwrap();
    let dates = async || {
        device.register(&served.base_url, &scope, &key).await.unwrap();
        let path = format!("/dps/contoso-dps/registrations/line-1/query?api-version={DPS}");
        let found = served.call(Method::POST, &path, &[("authorization", "Bearer any-token")], None).await;
        (found.body[0]["createdDateTimeUtc"].clone(), found.body[0]["lastUpdatedDateTimeUtc"].clone())
    };
    let (created, _) = dates().await;
    served.wait(60);
    let (again, updated) = dates().await;
    assert!(again == created && updated.as_str() > created.as_str(), "{created} {again} {updated}");
}
