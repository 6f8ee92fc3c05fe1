//! Azure Resource Manager: one dispatcher for everything under `/subscriptions`.
//!
//! ARM ignores the case of paths, so they are taken apart here instead of by the router. What a resource provider
//! answers lives with it: [`super::registry`], [`super::hubs`], [`super::provisioning_services`]. Another API version is a
//! line in [`api_versions`].

pub(crate) mod api_versions;
pub(crate) mod operations;
pub(crate) mod paging;
mod request;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::Value;

pub(crate) use request::ArmRequest;

use super::arm_error::ArmError;
use super::world::World;
use super::{hubs, provisioning_services, registry};

/// Largest request body that is read: no resource of these providers comes near it.
const LARGEST_BODY: usize = 256 * 1024;

/// Everything under `/subscriptions`, which [`super::front`] has put into lower case; the rest matches in any case.
pub fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/subscriptions/{*path}", any(dispatch))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(world)
}

async fn dispatch(
    State(world): State<Arc<World>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    ArmRequest::parse(method, &uri, headers, body)
        .and_then(|request| answer(&world, &request))
        .unwrap_or_else(IntoResponse::into_response)
}

fn answer(world: &World, request: &ArmRequest) -> Result<Response, ArmError> {
    known_scope(world, request)?;
    if let Some(listed) = world.permissions().list(request) {
        return ok(listed?);
    }
    if request.types.is_empty() {
        return api_versions::describe_provider(world, request);
    }
    api_versions::check(world, request)?;
    match request.provider_and_type() {
        ("microsoft.deviceregistry", _) => registry::handle(world, request),
        ("microsoft.devices", "iothubs") => hubs::handle(world, request),
        ("microsoft.devices", "provisioningservices") => provisioning_services::handle(world, request),
        _ => Err(ArmError::not_found(&request.path)),
    }
}

/// A subscription or resource group that nothing is in does not exist.
fn known_scope(world: &World, request: &ArmRequest) -> Result<(), ArmError> {
    let state = world.lock();
    let mut scopes =
        state.scopes().filter(|(subscription, _)| subscription.eq_ignore_ascii_case(&request.subscription));
    if scopes.next().is_none() {
        return Err(ArmError::new(
            StatusCode::NOT_FOUND,
            "SubscriptionNotFound",
            format!("The subscription '{}' could not be found.", request.subscription),
        ));
    }
    // A PUT may be the first resource of its group.
    if let Some(group) = request.resource_group.as_deref().filter(|_| request.method != Method::PUT) {
        let found = state.scopes().any(|(subscription, resource_group)| {
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

/// 200 with a body.
pub(crate) fn ok(body: Value) -> Result<Response, ArmError> {
    Ok(Json(body).into_response())
}
