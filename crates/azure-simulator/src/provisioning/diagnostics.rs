//! The resource log of a provisioning service, category `ServiceOperations`, in the form that Azure Monitor sends to an
//! event hub (`azure-wire-facts.md` §5).

use std::time::Instant;

use serde_json::json;

use super::error::ServiceError;
use crate::cloud::Cloud;
use crate::dates;
use crate::feeds::DPS_OPERATIONS;

/// Records one operation. `id` is empty for an operation that is not about one group.
pub(super) fn record(
    cloud: &Cloud,
    service: &str,
    operation: &str,
    id: &str,
    error: Option<&ServiceError>,
    started: Instant,
) {
    let now = cloud.clock().now();
    let mut world = cloud.lock();
    let delay = time::Duration::seconds(i64::from(world.fleet.diagnostics_delay_seconds));
    let Some(service) = world.service_mut(service) else { return };
    let (outcome, level) = match error.map(|error| error.status().as_u16()) {
        None => ("Success", "Information"),
        Some(400..=499) => ("ClientError", "Error"),
        Some(_) => ("Failure", "Error"),
    };
    // An object as text, as in the real records. It is inferred that a group's type is `EnrollmentGroup`.
    let properties = json!({"id": id, "type": "EnrollmentGroup", "protocol": "Http"}).to_string();
    let body = json!({"records": [{
        "time": dates::ticks(now),
        "resourceId": service.id.to_uppercase(),
        "operationName": operation,
        "category": "ServiceOperations",
        "level": level,
        "resultType": outcome,
        "resultSignature": error.map_or(String::new(), |error| error.status().as_u16().to_string()),
        "resultDescription": error.map_or("", |error| error.message.as_str()),
        "durationMs": started.elapsed().as_millis().to_string(),
        "callerIpAddress": "127.0.0.XXX",
        "correlationId": uuid::Uuid::new_v4().to_string(),
        "location": service.location.to_lowercase().replace(' ', ""),
        "operationVersion": "October2021",
        "properties": properties,
    }]});
    // Under the lock, so that records stand in the order of their operations.
    cloud.feeds().append(DPS_OPERATIONS, body.to_string(), now + delay);
}
