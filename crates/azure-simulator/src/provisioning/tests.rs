use crate::fleet::UnknownPolicy;
use crate::testing::*;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use trigger_sources::EventHubSource as _;

const GROUPS: &str = "/dps/contoso-dps/enrollmentGroups";

fn path(id: &str) -> String {
    format!("{GROUPS}/{id}")
}

#[tokio::test]
async fn reading_hides_symmetric_keys_and_the_attestation_mechanism_shows_them() {
    let served = Served::start().await;
    let group = served.get(&path("LINE-1"), DPS).await.body;
    assert_eq!(group["enrollmentGroupId"], "line-1", "ids match in any case");
    assert_eq!(group["attestation"], json!({"type": "symmetricKey", "symmetricKey": {}}));
    assert_eq!(group["credentialPolicyName"], "short-lived");
    assert_eq!(group["createdDateTimeUtc"], group["lastUpdatedDateTimeUtc"]);
    let etag = group["etag"].as_str().unwrap();
    assert!(etag.starts_with('"') && etag.ends_with('"'), "a quoted text in the body");
    let mechanism = served.post(&path("line-1/attestationmechanism"), DPS, None).await.body;
    assert_eq!(mechanism["type"], "symmetricKey");
    assert!(mechanism["symmetricKey"]["primaryKey"].as_str().unwrap().len() > 40);
}

#[tokio::test]
async fn writing_back_what_was_read_loses_the_keys() {
    let served = Served::start().await;
    let (read, key) = (served.get(&path("line-1"), DPS).await.body, served.group_key("line-1").await);
    assert_eq!(served.put(&path("line-1"), DPS, read.clone()).await.status, 200);
    assert_ne!(served.group_key("line-1").await, key, "the trap: new keys");

    let mut whole = served.get(&path("line-1"), DPS).await.body;
    let key = served.group_key("line-1").await;
    whole["attestation"] = served.post(&path("line-1/attestationmechanism"), DPS, None).await.body;
    served.put(&path("line-1"), DPS, whole).await;
    assert_eq!(served.group_key("line-1").await, key, "the safe way keeps them");
}

#[tokio::test]
async fn a_write_replaces_all_and_keeps_what_it_does_not_know() {
    let served = Served::start().await;
    let mut body = group("line-9");
    body["credentialPolicyName"] = "default".into();
    body["vendorExtension"] = json!({"deep": [1, {"x": null}], "text": "ä"});
    body["initialTwin"] = json!({"tags": {"site": "b"}});
    body["etag"] = "\"made up\"".into();
    body["createdDateTimeUtc"] = "2001-01-01T00:00:00.000Z".into();
    let created = served.put(&path("line-9"), DPS, body.clone()).await;
    assert_eq!(created.status, 200, "also for a new group");
    let read = served.get(&path("line-9"), DPS).await.body;
    assert_eq!(read, created.body);
    assert_eq!(read["vendorExtension"], body["vendorExtension"]);
    assert!(read["etag"] != body["etag"] && read["createdDateTimeUtc"] != body["createdDateTimeUtc"]);
    served.wait(1);
    let replaced = served.put(&path("line-9"), DPS, group("line-9")).await.body;
    for gone in ["vendorExtension", "initialTwin", "credentialPolicyName"] {
        assert!(replaced.get(gone).is_none(), "{gone}");
    }
    assert_eq!(replaced["createdDateTimeUtc"], read["createdDateTimeUtc"]);
    assert_ne!(replaced["lastUpdatedDateTimeUtc"], read["lastUpdatedDateTimeUtc"]);
}

#[tokio::test]
async fn an_older_api_version_neither_shows_nor_keeps_the_policy() {
    let served = Served::start().await;
    let older = served.get(&path("line-1"), "2021-10-01").await.body;
    assert!(older.get("credentialPolicyName").is_none());
    let mut body = served.get(&path("line-1"), DPS).await.body;
    assert_eq!(body["credentialPolicyName"], "short-lived");
    body["attestation"] = served.post(&path("line-1/attestationmechanism"), DPS, None).await.body;
    served.put(&path("line-1"), "2021-10-01", body).await;
    assert!(
        served.get(&path("line-1"), DPS).await.body.get("credentialPolicyName").is_none(),
        "silently cleared"
    );
}

#[tokio::test]
async fn if_match_is_word_for_word() {
    let served = Served::start().await;
    let etag = served.get(&path("line-1"), DPS).await.body["etag"].as_str().unwrap().to_owned();
    let put = async |id: &str, condition: &str| {
        let target = format!("{}?api-version={DPS}", path(id));
        served.call(Method::PUT, &target, &[("if-match", condition)], Some(group(id))).await
    };
    let stale = put("line-1", "\"other\"").await;
    assert_eq!((stale.status, stale.body["errorCode"].as_u64().unwrap() / 1000), (412, 412));
    assert_eq!(put("line-1", etag.trim_matches('"')).await.status, 412, "the quotes belong to it");
    let written = put("line-1", &etag).await;
    assert_eq!(written.status, 200);
    assert_eq!(put("line-1", &etag).await.status, 412, "it changed with the write");
    assert_eq!(put("line-1", "*").await.status, 200);
    assert_eq!(put("new", "*").await.status, 412, "there is nothing to match");
    let target = format!("{}?api-version={DPS}", path("line-1"));
    let delete =
        async |condition: &str| served.call(Method::DELETE, &target, &[("if-match", condition)], None).await;
    assert_eq!(delete(&etag).await.status, 412);
    assert_eq!(delete("*").await.status, 204);
    assert_eq!(delete("*").await.status, 404);
}

#[tokio::test]
async fn an_error_has_a_code_in_body_and_header() {
    let served = Served::start().await;
    let missing = served.get(&path("nowhere"), DPS).await;
    assert_eq!((missing.status, missing.header("x-ms-error-code")), (404, Some("404201")));
    assert_eq!(missing.body["errorCode"], 404_201);
    for member in ["trackingId", "message", "timestampUtc"] {
        assert!(missing.body[member].is_string(), "{member}");
    }
    assert_eq!(missing.header("content-type"), Some("application/json; charset=utf-8"));
    for (target, method, status) in [
        (format!("{GROUPS}/line-1"), Method::GET, 400),
        (format!("{GROUPS}/line-1?api-version=2030-01-01"), Method::GET, 400),
        (format!("/dps/missing/enrollmentGroups/a?api-version={DPS}"), Method::GET, 404),
        (format!("/dps/contoso-dps/other?api-version={DPS}"), Method::GET, 404),
        (format!("{GROUPS}/line-1?api-version={DPS}"), Method::PATCH, 405),
    ] {
        let answer = served.call(method, &target, &[], None).await;
        assert_eq!(answer.status, status, "{target}");
        assert_eq!(answer.body["errorCode"].as_u64().unwrap() / 1000, u64::from(status), "{target}");
    }
}

#[tokio::test]
async fn a_group_that_the_service_would_not_take_is_refused() {
    let served = Served::start().await;
    let key =
        json!({"type": "symmetricKey", "symmetricKey": {"primaryKey": "short", "secondaryKey": "short"}});
    for (id, body) in [
        ("line-9", group("line-8")),
        ("line-9", json!({"enrollmentGroupId": "line-9"})),
        ("line-9", json!({"enrollmentGroupId": "line-9", "attestation": {"type": "magic"}})),
        ("line-9", json!({"enrollmentGroupId": "line-9", "attestation": key})),
        ("-line", group("-line")),
        ("a%20b", group("a b")),
        ("line-9", json!([])),
    ] {
        assert_eq!(served.put(&path(id), DPS, body.clone()).await.status, 400, "{body}");
    }
    let colon = served.put(&path("line%3A9"), DPS, group("line:9")).await;
    assert_eq!(
        (colon.status, &colon.body["enrollmentGroupId"]),
        (200, &json!("line:9")),
        "ids are percent-decoded"
    );
}

#[tokio::test]
async fn a_policy_needs_a_namespace_and_its_name_is_not_looked_up_unless_the_fleet_says_so() {
    let mut body = group("line-9");
    body["credentialPolicyName"] = "nowhere".into();
    let served = Served::start().await;
    assert_eq!(served.put(&path("line-9"), DPS, body.clone()).await.status, 200);
    let plain = served.put("/dps/plain-dps/enrollmentGroups/line-9", DPS, body.clone()).await;
    assert_eq!((plain.status, &plain.body["errorCode"]), (400, &json!(400_004)));
    let strict = Served::with(|fleet| fleet.unknown_policy = UnknownPolicy::Refuse).await;
    assert_eq!(strict.put(&path("line-9"), DPS, body.clone()).await.status, 400);
    body["credentialPolicyName"] = "Default".into();
    assert_eq!(strict.put(&path("line-9"), DPS, body).await.status, 200);
}

async fn query(served: &Served, headers: &[(&str, &str)], text: &str) -> Answer {
    let target = format!("{GROUPS}/query?api-version={DPS}");
    served.call(Method::POST, &target, headers, Some(json!({ "query": text }))).await
}

#[tokio::test]
async fn a_query_is_paged_by_header_and_hides_keys() {
    let served = Served::start().await;
    let first = query(&served, &[], "SELECT *").await;
    let ids = |answer: &Answer| {
        let groups = answer.body.as_array().unwrap().iter();
        groups.map(|group| group["enrollmentGroupId"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&first), ["line-1", "packing"], "the page size of the fleet");
    assert_eq!(first.body[0]["attestation"]["symmetricKey"], json!({}));
    let token = first.header("x-ms-continuation").unwrap();
    let last = query(&served, &[("x-ms-continuation", token)], "select * FROM enrollmentGroups").await;
    assert_eq!((ids(&last), last.header("x-ms-continuation")), (vec!["trucks".to_owned()], None));
    let one = query(&served, &[("x-ms-max-item-count", "1")], "SELECT *").await;
    assert_eq!((ids(&one), one.header("x-ms-max-item-count")), (vec!["line-1".to_owned()], Some("1")));
    // The place stays right when the group that it names is gone.
    let token = one.header("x-ms-continuation").unwrap();
    served.delete(&path("line-1"), DPS).await;
    assert_eq!(
        ids(&query(&served, &[("x-ms-continuation", token)], "SELECT *").await),
        ["packing", "trucks"]
    );
    for (headers, text) in [
        (&[][..], "SELECT * WHERE credentialPolicyName = 'x'"),
        (&[("x-ms-continuation", "%")][..], "SELECT *"),
        (&[("x-ms-max-item-count", "0")][..], "SELECT *"),
    ] {
        assert_eq!(query(&served, headers, text).await.status, 400, "{text} {headers:?}");
    }
}

#[tokio::test]
async fn a_bulk_operation_judges_each_group_on_its_own() {
    let served = Served::start().await;
    let bulk = async |mode: &str, groups: Vec<Value>| {
        served.post(GROUPS, DPS, Some(json!({"mode": mode, "enrollmentGroups": groups}))).await
    };
    let created = bulk("create", vec![group("line-8"), group("line-1")]).await;
    assert_eq!((created.status, &created.body["isSuccessful"]), (200, &json!(false)));
    assert_eq!(created.body["errors"][0]["enrollmentGroupId"], "line-1");
    assert_eq!(served.get(&path("line-8"), DPS).await.status, 200);
    let mut stale = group("line-8");
    stale["etag"] = "\"other\"".into();
    let refused = bulk("updateIfMatchETag", vec![stale]).await.body;
    assert_eq!(refused["errors"][0]["errorCode"].as_u64().unwrap() / 1000, 412);
    assert_eq!(bulk("delete", vec![group("line-8")]).await.body, json!({"isSuccessful": true, "errors": []}));
    assert_eq!(bulk("update", vec![group("line-8")]).await.body["errors"][0]["errorCode"], 404_201);
    assert_eq!(bulk("create", (0..11).map(|n| group(&format!("g{n}"))).collect()).await.status, 400);
    assert_eq!(bulk("merge", vec![group("a")]).await.status, 400);
}

#[tokio::test]
async fn every_operation_leaves_a_diagnostic_record_a_little_later() {
    let served = Served::start().await;
    served.put(&path("line-9"), DPS, group("line-9")).await;
    served.get(&path("nowhere"), DPS).await;
    let receive =
        async || served.cloud.feeds().receive("dps-operations", -1, 9, Duration::from_millis(1)).await;
    assert!(receive().await.is_empty(), "records are late");
    served.wait(2);
    let events = receive().await;
    let record = |index: usize| -> Value {
        let body: Value = serde_json::from_str(&events[index].body).unwrap();
        assert_eq!(body["records"].as_array().unwrap().len(), 1);
        body["records"][0].clone()
    };
    let upsert = record(0);
    assert_eq!((&upsert["operationName"], &upsert["resultType"]), (&json!("Upsert"), &json!("Success")));
    assert_eq!(upsert["category"], "ServiceOperations");
    assert_eq!(
        upsert["resourceId"],
        "/SUBSCRIPTIONS/S/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.DEVICES/PROVISIONINGSERVICES/CONTOSO-DPS"
    );
    let properties: Value = serde_json::from_str(upsert["properties"].as_str().unwrap()).unwrap();
    assert_eq!(properties, json!({"id": "line-9", "type": "EnrollmentGroup", "protocol": "Http"}));
    let failed = record(1);
    assert_eq!((&failed["resultType"], &failed["resultSignature"]), (&json!("ClientError"), &json!("404")));
    assert_eq!(events.len(), 2);
}
