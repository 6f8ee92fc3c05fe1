use crate::testing::*;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_certificate_authority_shows_its_type_its_issuer_and_its_dates() {
    let served = Served::both().await;
    let root = served.authority("Factory-Root").await;
    assert_eq!((&root["certificateAuthorityType"], root.get("issuer")), (&json!("Root"), None));
    let issuing = served.authority("factory-ica").await;
    assert_eq!(issuing["certificateAuthorityType"], "ICA");
    assert_eq!(
        issuing["issuer"],
        json!({"issuerType": "Microsoft", "certificateAuthorityResourceId": authority_id("factory-root")})
    );
    assert!(issuing["subject"].as_str().unwrap().starts_with("CN="));
    assert!(issuing["uuid"].is_string() && issuing["validityNotAfter"].is_string());
    let external = served.authority("partner-ica").await;
    assert_eq!(external["issuer"]["status"], "PendingActivation");
    assert!(external["issuer"]["certificateSigningRequest"].as_str().unwrap().contains("REQUEST"));
    assert!(external.get("validityNotAfter").is_none() && external["issuer"].get("thumbprint").is_none());
}

#[tokio::test]
async fn authorities_and_policies_are_listed_page_by_page() {
    let served = Served::both().await;
    let first = served.get(&format!("{NAMESPACE}/certificateAuthorities"), ADR_B).await.body;
    assert_eq!(first["value"].as_array().unwrap().len(), 2);
    let last = served.call(Method::GET, first["nextLink"].as_str().unwrap(), &[], None).await.body;
    assert_eq!((&last["value"][0]["name"], &last["nextLink"]), (&json!("partner-ica"), &json!(null)));
    let policies = served.get(&format!("{}/certificatePolicies", authority_id("factory-ica")), ADR_B).await;
    let policy = &policies.body["value"][0];
    assert_eq!(policy["id"], certificate_policy_id("factory-ica", "short-lived"));
    assert_eq!(policy["properties"]["certificate"], json!({"validityPeriodInDays": 7}));
    assert!(policy.get("location").is_none() && policy.get("tags").is_none(), "a proxy resource");
    let none = served.get(&format!("{}/certificatePolicies", authority_id("factory-root")), ADR_B).await;
    assert_eq!(none.body["value"], json!([]));
}

#[tokio::test]
async fn an_issuing_ca_with_its_policy_is_made_from_nothing_and_pushed_by_itself() {
    let served = Served::both_with(|fleet| fleet.namespaces[0].certificate_authorities.clear()).await;
    let (root, issuing_ca) = (authority_id("factory-root"), authority_id("new-ica"));
    let root_body = json!({"location": "East US 2", "properties": {"certificateAuthorityType": "Root", "keyType": "ECC"}});
    let early = served.put(&issuing_ca, ADR_B, issuing()).await;
    assert_eq!(early.status, 400, "its issuer does not exist");
    let created = served.put(&root, ADR_B, root_body).await;
    assert_eq!((created.status, &created.body["properties"]["provisioningState"]), (201, &json!("Accepted")));
    assert!(created.header("azure-asyncoperation").is_some());
    assert_eq!(served.put(&issuing_ca, ADR_B, issuing()).await.status, 409, "its issuer is not ready");
    served.wait(2);
    assert_eq!(served.put(&issuing_ca, ADR_B, issuing()).await.status, 201);
    served.wait(2);
    assert_eq!(served.authority("new-ica").await["provisioningState"], "Succeeded");
    let policy =
        json!({"location": "East US 2", "properties": {"certificate": {"validityPeriodInDays": 30}}});
    let made = served.put(&certificate_policy_id("new-ica", "mypol"), ADR_B, policy).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert!(served.authority_on(HUB_A, "new-ica").await.is_none(), "a push takes a while");
    served.wait(60);
    let (_, certificate) = served.authority_on(HUB_A, "new-ica").await.unwrap();
    assert_eq!(certificate["subject"], served.authority("new-ica").await["subject"]);
    assert!(served.authority_on(HUB_B, "new-ica").await.is_some());
    assert!(served.authority_on(HUB_A, "factory-root").await.is_none(), "hubs get issuing CAs");
}

#[tokio::test]
async fn the_limits_of_a_namespace_hold() {
    let served = Served::both().await;
    let root = json!({"location": "x", "properties": {"certificateAuthorityType": "Root", "keyType": "ECC"}});
    assert_eq!(served.put(&authority_id("second-root"), ADR_B, root).await.status, 409);
    assert_eq!(served.put(&authority_id("third-ica"), ADR_B, issuing()).await.status, 201);
    let fourth = served.put(&authority_id("fourth-ica"), ADR_B, issuing()).await;
    assert_eq!(fourth.status, 409, "{fourth:?}");
    let policy = json!({"properties": {"certificate": {"validityPeriodInDays": 30}}});
    let below_root = served.put(&certificate_policy_id("factory-root", "mypol"), ADR_B, policy.clone()).await;
    assert_eq!(
        (below_root.status, &below_root.body["error"]["code"]),
        (409, &json!("PolicyRequiresIssuingCa"))
    );
    let second = served.put(&certificate_policy_id("factory-ica", "second"), ADR_B, policy).await;
    assert_eq!(second.status, 409, "one policy per issuing CA");
}

#[tokio::test]
async fn policies_go_before_their_ca_and_issuing_cas_before_the_root() {
    let served = Served::both().await;
    let delete = async |path: String| served.delete(&path, ADR_B).await.status;
    assert_eq!(delete(authority_id("factory-ica")).await, 409);
    assert_eq!(delete(certificate_policy_id("factory-ica", "short-lived")).await, 202);
    served.wait(2);
    assert_eq!(delete(certificate_policy_id("factory-ica", "short-lived")).await, 204);
    assert_eq!(delete(authority_id("factory-root")).await, 409);
    let certificate = served.authority_on(HUB_A, "factory-ica").await;
    assert_eq!(delete(authority_id("factory-ica")).await, 202);
    served.wait(2);
    assert_eq!(served.get(&authority_id("factory-ica"), ADR_B).await.status, 404);
    assert_eq!(served.authority_on(HUB_A, "factory-ica").await, certificate, "it stays on the hubs");
    assert_eq!(delete(authority_id("factory-root")).await, 202);
    served.wait(2);
    assert_eq!(delete(authority_id("factory-root")).await, 204);
}

#[tokio::test]
async fn tags_and_validity_can_change_and_nothing_else() {
    let served = Served::both().await;
    let patch = async |path: String, body: Value| {
        served.call(Method::PATCH, &format!("{path}?api-version={ADR_B}"), &[], Some(body)).await
    };
    let tagged = patch(authority_id("factory-ica"), json!({"tags": {"site": "a"}})).await;
    assert_eq!((tagged.status, &tagged.body["tags"]["site"]), (200, &json!("a")));
    let days = json!({"properties": {"certificate": {"validityPeriodInDays": 9}}});
    let changed = patch(certificate_policy_id("factory-ica", "short-lived"), days).await;
    assert_eq!(changed.body["properties"]["certificate"]["validityPeriodInDays"], 9);
    let again = served.put(&authority_id("factory-ica"), ADR_B, issuing()).await;
    assert_eq!((again.status, &again.body["tags"]), (200, &json!({})), "a write replaces all");
    let external = json!({"location": "x", "properties": {"certificateAuthorityType": "ICA", "keyType": "ECC",
        "issuer": {"issuerType": "External"}}});
    assert_eq!(served.put(&authority_id("factory-ica"), ADR_B, external).await.status, 400);
}

#[tokio::test]
async fn a_body_that_the_service_would_not_take_is_refused_with_the_member() {
    let served = Served::both().await;
    let authority = |properties: Value| json!({"location": "x", "properties": properties});
    let ica = |issuer: Value| {
        authority(json!({"certificateAuthorityType": "ICA", "keyType": "ECC", "issuer": issuer}))
    };
    for (name, body, problem) in [
        (
            "new-ica",
            json!({"properties": {"certificateAuthorityType": "Root", "keyType": "ECC"}}),
            "location",
        ),
        ("new-ica", authority(json!({"certificateAuthorityType": "Root", "keyType": "RSA"})), "keyType"),
        ("new-ica", authority(json!({"certificateAuthorityType": "Leaf", "keyType": "ECC"})), "Type"),
        ("new-ica", ica(json!({"issuerType": "Internal"})), "issuerType"),
        ("new-ica", ica(json!({"issuerType": "Microsoft"})), "certificateAuthorityResourceId"),
        (
            "new-ica",
            ica(
                json!({"issuerType": "Microsoft", "certificateAuthorityResourceId": authority_id("factory-ica")}),
            ),
            "Root",
        ),
        ("x_", issuing(), "name"),
    ] {
        let answer = served.put(&authority_id(name), ADR_B, body).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.body["error"]["message"].as_str().unwrap().contains(problem), "{answer:?}");
    }
    for days in [json!(0), json!(91), json!("7"), Value::Null] {
        let body = json!({"properties": {"certificate": {"validityPeriodInDays": days}}});
        let answer = served.put(&certificate_policy_id("partner-ica", "partner"), ADR_B, body).await;
        assert_eq!(answer.status, 400, "{days}");
    }
}
