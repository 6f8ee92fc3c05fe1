//! Azure Resource Manager: one dispatcher for everything under `/subscriptions`.
//!
//! ARM ignores the case of paths, so [`ArmRequest`] takes them apart instead of the router. Each resource provider has
//! a module of its own.

mod hubs;
mod identities;
mod permissions;
mod provisioning_services;
mod registry;
mod role_assignments;
mod subscriptions;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};

use super::arm::{ArmRequest, api_versions, ok};
use super::arm_error::ArmError;
use super::cloud::Cloud;

/// Largest request body that is read: no resource of these providers comes near it.
const LARGEST_BODY: usize = 256 * 1024;

/// Everything under `/subscriptions`, which [`super::front`] has put into lower case; the rest matches in any case.
pub fn router(cloud: Arc<Cloud>) -> Router {
    Router::new()
        .route("/subscriptions", get(subscriptions::list))
        .route("/subscriptions/{*path}", any(dispatch))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(cloud)
}

async fn dispatch(
    State(cloud): State<Arc<Cloud>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    ArmRequest::parse(method, &uri, headers, body)
        .and_then(|request| answer(&cloud, &request))
        .unwrap_or_else(IntoResponse::into_response)
}

fn answer(cloud: &Cloud, request: &ArmRequest) -> Result<Response, ArmError> {
    known_scope(cloud, request)?;
    if let Some(listed) = permissions::list(cloud.permissions(), request) {
        return ok(listed?);
    }
    if let Some(listed) = role_assignments::list(cloud, request) {
        return ok(listed?);
    }
    if request.types.is_empty() {
        return api_versions::describe_provider(cloud, request);
    }
    api_versions::check(cloud, request)?;
    match request.provider_and_type() {
        ("microsoft.deviceregistry", _) => registry::handle(cloud, request),
        ("microsoft.devices", "iothubs") => hubs::handle(cloud, request),
        ("microsoft.devices", "provisioningservices") => provisioning_services::handle(cloud, request),
        _ => Err(ArmError::not_found(&request.path)),
    }
}

/// A subscription or resource group that nothing is in does not exist.
fn known_scope(cloud: &Cloud, request: &ArmRequest) -> Result<(), ArmError> {
    let world = cloud.lock();
    let mut scopes =
        world.scopes().filter(|(subscription, _)| subscription.eq_ignore_ascii_case(&request.subscription));
    if scopes.next().is_none() {
        return Err(ArmError::new(
            StatusCode::NOT_FOUND,
            "SubscriptionNotFound",
            format!("The subscription '{}' could not be found.", request.subscription),
        ));
    }
    // A PUT may be the first resource of its group.
    if let Some(group) = request.resource_group.as_deref().filter(|_| request.method != Method::PUT) {
        let found = world.scopes().any(|(subscription, resource_group)| {
            subscription.eq_ignore_ascii_case(&request.subscription)
                && resource_group.eq_ignore_ascii_case(group)
        });
        if !found {
            return Err(ArmError::new(
                StatusCode::NOT_FOUND,
                "ResourceGroupNotFound",
                format!("Resource group '{group}' could not be found."),
            ));
        }
    }
    Ok(())
}
