use serde_json::json;

use super::*;
use crate::error::Sent;
use crate::fake::{Fake, Reply, TOKEN};

fn group_body(id: &str) -> serde_json::Value {
    json!({"enrollmentGroupId": id, "etag": format!("\"{id}\""), "attestation": {"type": "none"}, "later": 1})
}

fn ids(groups: &[Group]) -> Vec<&str> {
    groups.iter().map(|group| group.view.id.as_str()).collect()
}

#[tokio::test]
async fn every_page_of_a_query_is_read() {
    let fake = Fake::start(|seen, _| match seen.number {
        0 => {
            Reply::json(200, json!([group_body("a"), group_body("b")])).header("x-ms-continuation", "next==")
        }
        1 => Reply::status(503),
        _ => Reply::json(200, json!([group_body("c"), {"no": "id"}, 7])).header("x-ms-continuation", ""),
    })
    .await;
    let endpoint = format!("{}/dps/contoso/", fake.origin);
    let groups =
        fake.azure().enrollment_groups(NamespaceGeneration::Credentials).list(&endpoint).await.unwrap();
    assert_eq!(ids(&groups), ["a", "b", "c"]);
    let seen = fake.seen();
    assert_eq!(seen.len(), 3, "a query is repeated, since it is a read");
    for (request, continuation) in seen.iter().zip([None, Some("next=="), Some("next==")]) {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/dps/contoso/enrollmentGroups/query")
        );
        assert_eq!(request.query, "api-version=2025-07-01-preview");
        assert_eq!(request.body, r#"{"query":"SELECT *"}"#);
        assert_eq!(request.header("x-ms-continuation"), continuation);
        assert_eq!(request.header("x-ms-max-item-count"), Some("100"));
        assert_eq!(request.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
        assert_eq!(request.header("content-type"), Some("application/json; charset=utf-8"));
    }
}

#[tokio::test]
async fn a_query_that_goes_in_circles_is_given_up() {
    let fake = Fake::start(|_, _| Reply::json(200, json!([])).header("x-ms-continuation", "same")).await;
    let error = fake
        .azure()
        .enrollment_groups(NamespaceGeneration::Credentials)
        .list(&fake.origin)
        .await
        .unwrap_err();
    assert_eq!((error.kind(), fake.seen().len()), (ErrorKind::Unreadable, 2));
    let fake =
        Fake::start(|seen, _| Reply::json(200, json!([])).header("x-ms-continuation", seen.number)).await;
    let error = fake
        .azure()
        .enrollment_groups(NamespaceGeneration::Credentials)
        .list(&fake.origin)
        .await
        .unwrap_err();
    assert_eq!((error.kind(), fake.seen().len()), (ErrorKind::Unreadable, MAX_PAGES));
}

#[tokio::test]
async fn a_group_that_does_not_exist_is_none_and_other_refusals_are_errors_with_the_dps_code() {
    let fake = Fake::start(|seen, _| match seen.number {
        0 => Reply::json(200, group_body("line 7/ä")),
        1 => Reply::json(404, json!({"errorCode": 404_201, "trackingId": "t", "message": "Not found."})),
        _ => Reply::json(403, json!({"errorCode": 403_000, "trackingId": "t", "message": "No grant."})),
    })
    .await;
    let groups = fake.azure().enrollment_groups(NamespaceGeneration::Credentials);
    let read = groups.get(&fake.origin, "line 7/ä").await.unwrap().unwrap();
    assert_eq!(read.view.etag.as_deref(), Some("\"line 7/ä\""));
    assert_eq!(fake.seen()[0].path, "/enrollmentGroups/line%207%2F%C3%A4");
    assert!(groups.get(&fake.origin, "gone").await.unwrap().is_none());
    let error = groups.get(&fake.origin, "hidden").await.unwrap_err();
    assert_eq!((error.kind(), error.service_code()), (ErrorKind::Forbidden, Some("403000")));
}

#[tokio::test]
async fn a_write_is_for_the_version_that_was_read_and_keeps_every_member() {
    let fake = Fake::start(|seen, _| match seen.number {
        0 | 1 => Reply::text(200, seen.body.clone()),
        _ => Reply::json(412, json!({"errorCode": 412_001, "message": "Stale."})),
    })
    .await;
    let groups = fake.azure().enrollment_groups(NamespaceGeneration::Credentials);
    let text = r#"{"enrollmentGroupId":"a","etag":"\"v1\"","odd":1.00}"#;
    let raw = RawGroup::parse(text).unwrap();
    groups.put(&fake.origin, "a", &raw, Generation::Credentials).await.unwrap();
    groups
        .put(
            &fake.origin,
            "a",
            &RawGroup::parse(r#"{"enrollmentGroupId":"a"}"#).unwrap(),
            Generation::Credentials,
        )
        .await
        .unwrap();
    let seen = fake.seen();
    assert_eq!((seen[0].body.as_str(), seen[0].header("if-match")), (text, Some("\"v1\"")));
    assert_eq!(seen[1].header("if-match"), None);
    let error = groups.put(&fake.origin, "a", &raw, Generation::Credentials).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
    assert_eq!(fake.seen().len(), 3);
}

#[tokio::test]
async fn an_endpoint_outside_the_cloud_gets_neither_token_nor_call() {
    let fake = Fake::start(|_, _| Reply::status(200)).await;
    let elsewhere = Fake::start(|_, _| Reply::json(200, json!([]))).await;
    let groups = fake.azure().enrollment_groups(NamespaceGeneration::Credentials);
    for endpoint in
        [elsewhere.origin.as_str(), "https://contoso-dps.azure-devices-provisioning.net", "contoso.com"]
    {
        let error = groups.list(endpoint).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Untrusted, Sent::No), "{endpoint}");
    }
    assert_eq!(elsewhere.seen().len(), 0);
    for id in ["", ".", ".."] {
        assert_eq!(groups.get(&fake.origin, id).await.unwrap_err().kind(), ErrorKind::Invalid);
    }
}

#[tokio::test]
async fn a_body_that_is_no_list_or_no_group_is_unreadable() {
    let fake = Fake::start(|_, _| Reply::json(200, json!({"value": []}))).await;
    let groups = fake.azure().enrollment_groups(NamespaceGeneration::Credentials);
    assert_eq!(groups.list(&fake.origin).await.unwrap_err().kind(), ErrorKind::Unreadable);
    assert_eq!(groups.get(&fake.origin, "a").await.unwrap_err().kind(), ErrorKind::Unreadable);
}
