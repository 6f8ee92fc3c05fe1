//! The parts that all requests to Azure Resource Manager and its answers share. Another API version is a line in
//! [`api_versions`].

pub(crate) mod api_versions;
pub(crate) mod linking;
pub(crate) mod operations;
pub(crate) mod paging;
mod request;

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

pub(crate) use request::ArmRequest;

use super::arm_error::ArmError;

/// 200 with a body.
pub(crate) fn ok(body: Value) -> Result<Response, ArmError> {
    Ok(Json(body).into_response())
}
