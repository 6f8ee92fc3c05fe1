use crate::fleet::Generation;
use crate::world::testing::*;
use serde_json::{Value, json};

async fn versions(served: &Served, name: &str) -> Value {
    let answer = served.get("/subscriptions/S/providers/Microsoft.DeviceRegistry", "2021-04-01").await;
    let types = answer.body["resourceTypes"].as_array().unwrap().clone();
    let found = types.into_iter().find(|one| one["resourceType"] == name);
    found.map_or(Value::Null, |one| one["apiVersions"].clone())
}

#[tokio::test]
async fn a_cloud_offers_what_its_namespaces_need_unless_the_fleet_says_otherwise() {
    const AUTHORITIES: &str = "namespaces/certificateAuthorities";
    let a = Served::start().await;
    assert_eq!(versions(&a, AUTHORITIES).await, Value::Null);
    assert_eq!(
        versions(&a, "namespaces").await,
        json!(["2026-04-01", "2026-03-01-preview", "2025-11-01-preview", "2025-10-01"])
    );
    let both = Served::both().await;
    assert_eq!(versions(&both, AUTHORITIES).await, json!(["2026-11-02-preview", "2026-11-01"]));
    assert_eq!(
        versions(&both, "namespaces/credentials/policies").await,
        json!(["2026-03-01-preview", "2025-11-01-preview"])
    );
    let b = Served::both_with(|fleet| fleet.offers = Some(Generation::CertificateAuthorities)).await;
    assert_eq!(versions(&b, "namespaces/credentials").await, Value::Null);
    let gone = b.get(&policy_id("default"), ADR).await;
    assert_eq!((gone.status, &gone.body["error"]["code"]), (404, &json!("InvalidResourceType")));
    assert_eq!(b.get(NAMESPACE, ADR_B).await.status, 200);
}

#[tokio::test]
async fn a_version_that_does_not_do_is_refused_with_those_that_would() {
    let served = Served::start().await;
    for (path, version, status, code, listed) in [
        (NAMESPACE.to_owned(), "2030-01-01", 400, "InvalidApiVersionParameter", "2026-11-01,"),
        (
            NAMESPACE.to_owned(),
            "2026-11-01",
            400,
            "NoRegisteredProviderFound",
            "2026-04-01, 2026-03-01-preview,",
        ),
        (HUB_A.to_owned(), "2026-11-01", 400, "NoRegisteredProviderFound", "2026-05-01-preview, "),
        (
            policy_id("default"),
            "2025-10-01",
            404,
            "InvalidResourceType",
            "2026-03-01-preview,2025-11-01-preview",
        ),
        (authority_id("any"), "2026-11-01", 404, "InvalidResourceType", "certificateauthorities"),
    ] {
        let answer = served.get(&path, version).await;
        let (found, message) = (&answer.body["error"]["code"], answer.body["error"]["message"].as_str());
        assert_eq!((answer.status, found.as_str()), (status, Some(code)), "{answer:?}");
        assert!(message.unwrap().contains(listed) && message.unwrap().contains(version), "{message:?}");
    }
}
