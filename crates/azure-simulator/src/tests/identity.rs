//! The managed identity endpoint and what its tokens open.

use serde_json::json;

use super::*;

const TOKEN: &str = "/identity?api-version=2019-08-01&resource=";

impl Caller {
    async fn identity(&self, query: &str) -> Response {
        self.bare(Method::GET, query).header("x-identity-header", "x").send().await.unwrap()
    }

    async fn token(&self, audience: &str) -> String {
        let body: Value = self.identity(&format!("{TOKEN}{audience}")).await.json().await.unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }

    async fn with_token(&self, method: Method, path: &str, token: &str) -> Response {
        let body = json!({"query": "SELECT *"}).to_string();
        let request = self.bare(method, path).header("content-type", "application/json");
        request.bearer_auth(token).body(body).send().await.unwrap()
    }
}

#[tokio::test]
async fn a_token_is_answered_as_app_service_answers_it() {
    let cloud = Caller::start().await;
    let answer = cloud.identity(&format!("{TOKEN}https://management.azure.com")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let body: Value = answer.json().await.unwrap();
    let lives: i64 = body["expires_on"].as_str().unwrap().parse().unwrap();
    let lives = lives - OffsetDateTime::now_utc().unix_timestamp();
    assert!((3590..=3600).contains(&lives), "{lives}");
    assert_eq!(body["resource"], "https://management.azure.com");
    assert_eq!(body["token_type"], "Bearer");
    assert!(body["client_id"].is_string());
}

#[tokio::test]
async fn a_request_without_the_secret_version_or_resource_is_refused() {
    let cloud = Caller::start().await;
    let path = format!("{TOKEN}https://management.azure.com");
    let none = cloud.bare(Method::GET, &path).send().await.unwrap();
    assert_eq!(none.status(), StatusCode::UNAUTHORIZED);
    let wrong = cloud.bare(Method::GET, &path).header("x-identity-header", "y").send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let body: Value = wrong.json().await.unwrap();
    assert!(body["statusCode"] == 401 && body["correlationId"].is_string());
    assert_eq!(cloud.identity("/identity?resource=a").await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(cloud.identity("/identity?api-version=2019-08-01").await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn with_user_assigned_identities_only_one_must_be_named() {
    let cloud = Caller::with(Options { user_assigned: true, ..Options::default() }).await;
    let path = format!("{TOKEN}https://management.azure.com");
    let refused = cloud.identity(&path).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert_eq!(
        refused.json::<Value>().await.unwrap()["message"],
        "Unable to load the proper Managed Identity."
    );
    let named: Value = cloud.identity(&format!("{path}&client_id=abc")).await.json().await.unwrap();
    assert_eq!(named["client_id"], "abc");
}

#[tokio::test]
async fn a_token_opens_the_service_of_its_audience() {
    let cloud = Caller::start().await;
    let (namespace, groups) = (cloud.namespace().await, cloud.groups().await);
    let bus = "/servicebus/sync-requests/messages";
    for audience in ["https://management.azure.com", "https://management.azure.com/"] {
        let arm = cloud.token(audience).await;
        assert_eq!(cloud.with_token(Method::GET, &namespace, &arm).await.status(), StatusCode::OK);
        assert_eq!(cloud.with_token(Method::POST, bus, &arm).await.status(), StatusCode::UNAUTHORIZED);
    }
    let service_bus = cloud.token("https://servicebus.azure.net").await;
    assert_eq!(cloud.with_token(Method::POST, bus, &service_bus).await.status(), StatusCode::CREATED);
    let refused = cloud.with_token(Method::GET, &namespace, &service_bus).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["code"], "InvalidAuthenticationTokenAudience");
    assert!(!body.to_string().contains(&service_bus));
    let dps = cloud.token("https://azure-devices-provisioning.net").await;
    assert_eq!(cloud.with_token(Method::POST, &groups, &dps).await.status(), StatusCode::OK);
}
