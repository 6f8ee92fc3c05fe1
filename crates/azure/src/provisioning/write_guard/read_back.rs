//! What is read after a write, and what follows from it.

use certificate_management::generation::NamespaceGeneration;
use serde_json::json;

use super::tests::{X509, assign, dps, group, stored};
use super::*;
use crate::fake::{Fake, Reply};

const PUT: &str = "PUT /enrollmentGroups/line-7";
const GET: &str = "GET /enrollmentGroups/line-7";

#[tokio::test]
async fn what_is_read_back_decides() {
    let fake = Fake::start(|seen, _| match seen.method.as_str() {
        "PUT" => Reply::text(200, seen.body.clone()),
        _ => Reply::text(200, X509),
    })
    .await;
    let result = assign(&fake, &group(X509), "new").await;
    assert!(
        matches!(&result, Err(AssignError::NotVerified { found: Some(found), .. }) if found == "old"),
        "{result:?}"
    );
    assert_eq!(fake.calls(), [PUT, GET], "it is not written again");

    let fake = Fake::start(|seen, _| match seen.method.as_str() {
        "PUT" => Reply::text(200, seen.body.clone()),
        _ => Reply::status(403),
    })
    .await;
    match assign(&fake, &group(X509), "new").await {
        Err(AssignError::Service(error)) => assert!(error.may_have_taken_effect()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_looked_up_before_it_counts_as_failed() {
    for (there, succeeds) in [("new", true), ("old", false)] {
        let fake = Fake::start(move |seen, _| match seen.method.as_str() {
            "PUT" => Reply::status(500),
            _ => Reply::text(200, X509.replace("old", there)),
        })
        .await;
        assert_eq!(assign(&fake, &group(X509), "new").await.is_ok(), succeeds);
        assert_eq!(fake.calls().iter().filter(|call| call.starts_with("PUT")).count(), 1);
    }
}

/// A refusal says for certain that nothing was written, so there is nothing to look up.
#[tokio::test]
async fn after_a_write_that_was_refused_the_group_is_not_read() {
    let fake = Fake::start(|seen, _| match seen.method.as_str() {
        "PUT" => Reply::json(400, json!({"errorCode": 400_000, "message": "no such policy"})),
        _ => Reply::text(200, X509.replace("old", "new")),
    })
    .await;
    match assign(&fake, &group(X509), "new").await {
        Err(AssignError::Service(error)) => assert!(!error.may_have_taken_effect(), "{error}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(fake.calls(), [PUT]);
}

/// Where a service has the newer version alone, no text of the older one is there to start from.
#[tokio::test]
async fn a_group_that_the_newer_version_alone_has_read_is_written_by_it() {
    let newer = dps(json!([stored(json!({}))]));
    let fake = Fake::start(move |seen, origin| match seen.query.contains("2025-07-01-preview") {
        true => {
            Reply::json(400, json!({"errorCode": 400_000, "message": "The api-version is not supported."}))
        }
        false => newer(seen, origin),
    })
    .await;
    let groups = fake.azure().enrollment_groups(NamespaceGeneration::CertificateAuthorities);
    let seen = groups.list(&fake.origin).await.unwrap().remove(0);
    let assigned = groups.assign(&fake.origin, &seen, "short").await.unwrap();
    assert_eq!(assigned.after.as_deref(), Some("short"));
    let puts: Vec<_> = fake.seen().into_iter().filter(|seen| seen.method == "PUT").collect();
    assert_eq!(puts.len(), 1);
    assert_eq!(puts[0].query, "api-version=2026-11-01");
}
