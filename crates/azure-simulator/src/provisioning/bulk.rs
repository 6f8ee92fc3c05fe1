//! `POST /enrollmentGroups`: up to ten groups at once, each on its own (`azure-wire-facts.md` §3).

use std::time::Instant;

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::error::{ServiceError, answer};
use super::{ServiceRequest, diagnostics, groups};
use crate::cloud::Cloud;
use crate::world::World;

/// The service takes no more in one call.
const MOST_GROUPS: usize = 10;

pub(super) fn bulk(
    cloud: &Cloud,
    request: &ServiceRequest,
    started: Instant,
) -> Result<Response, ServiceError> {
    let invalid = |problem: String| ServiceError::new(400_000, problem);
    let mut body = request.object()?;
    let mode = body.get("mode").and_then(Value::as_str).unwrap_or_default().to_owned();
    let operation = match mode.as_str() {
        "create" | "update" | "updateIfMatchETag" => "Upsert",
        "delete" => "Delete",
        _ => {
            return Err(invalid(format!(
                "The mode {mode:?} is not one of create, update, updateIfMatchETag, delete."
            )));
        }
    };
    let given = match body.remove("enrollmentGroups") {
        Some(Value::Array(given)) if (1..=MOST_GROUPS).contains(&given.len()) => given,
        _ => return Err(invalid(format!("enrollmentGroups is not an array of 1 to {MOST_GROUPS} groups."))),
    };
    let mut errors = Vec::new();
    for group in given {
        let Value::Object(document) = group else {
            return Err(invalid("A group is not an object.".to_owned()));
        };
        let id = document.get("enrollmentGroupId").and_then(Value::as_str).unwrap_or_default().to_owned();
        let outcome = one(cloud, request, &mode, &id, document);
        // Whether Azure logs a bulk call once or per group is not documented; per group is what a reader needs.
        diagnostics::record(cloud, &request.service, operation, &id, outcome.as_ref().err(), started);
        if let Err(error) = outcome {
            errors.push(json!({
                "enrollmentGroupId": id, "errorCode": error.code, "errorStatus": error.message,
            }));
        }
    }
    Ok(answer(StatusCode::OK, &json!({"isSuccessful": errors.is_empty(), "errors": errors})))
}

fn one(
    cloud: &Cloud,
    request: &ServiceRequest,
    mode: &str,
    id: &str,
    document: Map<String, Value>,
) -> Result<(), ServiceError> {
    let now = cloud.clock().now();
    let mut world = cloud.lock();
    let exists = |world: &mut World| {
        world.service_mut(&request.service).is_some_and(|service| service.group(id).is_some())
    };
    let etag = document.get("etag").and_then(Value::as_str).map(str::to_owned);
    let condition = match mode {
        "create" if exists(&mut world) => {
            return Err(ServiceError::new(409_201, format!("Enrollment group '{id}' already exists.")));
        }
        "update" | "updateIfMatchETag" if !exists(&mut world) => return Err(ServiceError::no_group(id)),
        "updateIfMatchETag" => Some(etag.unwrap_or_default()),
        "delete" => return groups::remove(&mut world, &request.service, id, None),
        _ => None,
    };
    groups::write(&mut world, &request.service, id, document, condition.as_deref(), request.version, now)?;
    Ok(())
}
