//! Whether it is certain, after an error, that nothing was written.

use certificate_management::generation::NamespaceGeneration;
use serde_json::json;

use super::tests::{X509, assign, both_versions, group, stored, three};
use super::*;
use crate::fake::{Fake, Reply};

#[tokio::test]
async fn only_a_clear_refusal_says_that_nothing_was_written() {
    for (status, is_certain) in [
        (400, true),
        (401, true),
        (403, true),
        (404, true),
        (409, true),
        // The service, or something before it, may say so of a write that it has just done.
        (412, false),
        (500, false),
        (503, false),
    ] {
        let fake = Fake::start(move |seen, _| match seen.method.as_str() {
            "PUT" => Reply::status(status),
            _ => Reply::text(200, X509),
        })
        .await;
        let error = assign(&fake, &group(X509), "new").await.unwrap_err();
        assert_eq!(error.wrote_nothing(), is_certain, "{status}: {error}");
    }
    let fake = Fake::start(|_, _| Reply::text(200, X509)).await;
    let error = assign(&fake, &group(X509), "new").await.unwrap_err();
    assert!(matches!(error, AssignError::NotVerified { .. }) && !error.wrote_nothing(), "{error}");
}

#[tokio::test]
async fn a_refusal_of_the_second_of_two_writes_does_not_hide_the_first() {
    let service = both_versions(stored(three()), false);
    let fake =
        Fake::start(move |seen, origin| match seen.method == "PUT" && !seen.query.contains("2026-11-01") {
            true => Reply::status(403),
            false => service(seen, origin),
        })
        .await;
    let groups = fake.azure().enrollment_groups(NamespaceGeneration::Migrating);
    let seen = groups.list(&fake.origin).await.unwrap().remove(0);
    let error = groups.set_policy(&fake.origin, &seen, Some("old")).await.unwrap_err();
    assert!(matches!(&error, AssignError::Halfway { error, .. } if error.wrote_nothing()), "{error}");
    assert!(!error.wrote_nothing());
    let left = groups.get(&fake.origin, &seen.view.id).await.unwrap().unwrap();
    assert_eq!(left.view.policy, None, "the first write took it away");
    assert!(error.to_string().starts_with("the certificate policy of enrollment group"), "{error}");
}

#[tokio::test]
async fn a_refusal_of_the_first_write_says_that_nothing_was_written() {
    let service = both_versions(stored(three()), false);
    let fake = Fake::start(move |seen, origin| match seen.method.as_str() {
        "PUT" => Reply::json(403, json!({"errorCode": 403_000, "message": "no"})),
        _ => service(seen, origin),
    })
    .await;
    let groups = fake.azure().enrollment_groups(NamespaceGeneration::Migrating);
    let seen = groups.list(&fake.origin).await.unwrap().remove(0);
    let error = groups.set_policy(&fake.origin, &seen, Some("old")).await.unwrap_err();
    assert!(error.wrote_nothing() && matches!(error, AssignError::Service(_)), "{error}");
}
