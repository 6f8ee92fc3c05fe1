//! `GET /subscriptions`: those that the caller can see, which are all (`azure-wire-facts.md` §1.7).

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use indexmap::IndexMap;
use serde_json::{Value, json};

use crate::arm::ok;
use crate::arm_error::ArmError;
use crate::cloud::Cloud;

pub(super) async fn list(
    State(cloud): State<Arc<Cloud>>,
    Query(parameters): Query<IndexMap<String, String>>,
) -> Response {
    if !parameters.keys().any(|name| name.eq_ignore_ascii_case("api-version")) {
        let message = "The api-version query parameter (?api-version=) is required for all requests.";
        return ArmError::bad_request("MissingApiVersionParameter", message).into_response();
    }
    let world = cloud.lock();
    let mut subscriptions: IndexMap<String, &str> = IndexMap::new();
    for (subscription, _) in world.scopes() {
        subscriptions.entry(subscription.to_ascii_lowercase()).or_insert(subscription);
    }
    let shown = subscriptions.values().enumerate().map(|(number, id)| -> Value {
        json!({
            "id": format!("/subscriptions/{id}"),
            "subscriptionId": id,
            "tenantId": world.tenant_id,
            "displayName": format!("Subscription {}", number + 1),
            "state": "Enabled",
            "authorizationSource": "RoleBased",
        })
    });
    ok(json!({ "value": shown.collect::<Vec<_>>() })).unwrap_or_else(IntoResponse::into_response)
}

#[cfg(test)]
mod tests {
    use crate::testing::*;

    #[tokio::test]
    async fn each_subscription_in_which_something_is_stands_there_once() {
        let served = Served::start().await;
        let answer = served.get("/subscriptions", "2022-12-01").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let all = answer.body["value"].as_array().unwrap();
        let ids: Vec<&str> = all.iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["/subscriptions/S", "/subscriptions/S2"], "{answer:?}");
    }
}
