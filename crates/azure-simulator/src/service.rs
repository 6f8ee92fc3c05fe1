//! Finds the service of a path, and words refusals as that service does.
//!
//! One port plays several services. Clients tell failures apart by the shape of the body as much as by the status, so
//! every refusal in front of a service (authorization, throttling, faults) has that service's form: ARM and DPS have
//! theirs beside their resources, Service Bus answers XML, a managed identity JSON of its own.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::answer::{answer, json_answer, timestamp};
use super::arm_error::ArmError;
use super::provisioning::error::ServiceError;
use super::storage;

/// A service behind the port, known by the first segment of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "Service Bus is what that service is called")]
pub enum Service {
    /// `/subscriptions/...`: Azure Resource Manager.
    ResourceManager,
    /// `/dps/{name}/...`: the service API of a Device Provisioning Service.
    Provisioning,
    /// `/{idScope}/registrations/...`: its device API, which checks the key of the device itself.
    DeviceProvisioning,
    /// `/servicebus/...`.
    ServiceBus,
    /// `/storage/...`: blobs.
    Storage,
    /// `/identity`.
    Identity,
    /// `/eventgrid/...`: custom topics.
    EventGrid,
    /// `/simulator/...`: our own control surface; neither logged nor made to fail.
    Control,
    /// No service.
    Unknown,
}

impl Service {
    /// Whether the first segment of its paths is a fixed word, which is read in any case.
    #[must_use]
    pub fn has_fixed_prefix(self) -> bool {
        !matches!(self, Self::DeviceProvisioning | Self::Unknown)
    }

    /// The service that answers `path`. Paths of Azure are read in any case, so this one is too.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let mut segments = path.split('/').skip(1);
        let first = segments.next().unwrap_or_default().to_ascii_lowercase();
        match first.as_str() {
            "subscriptions" => Self::ResourceManager,
            "dps" => Self::Provisioning,
            "servicebus" => Self::ServiceBus,
            "storage" => Self::Storage,
            "identity" => Self::Identity,
            "eventgrid" => Self::EventGrid,
            "simulator" => Self::Control,
            _ if segments.next().is_some_and(|second| second.eq_ignore_ascii_case("registrations")) => {
                Self::DeviceProvisioning
            }
            _ => Self::Unknown,
        }
    }

    /// The refusal that a client of this service would see for `status` when nothing more is known.
    #[must_use]
    pub fn refuse(self, status: StatusCode, now: OffsetDateTime) -> Response {
        let message = status.canonical_reason().unwrap_or("The request failed");
        match self {
            Self::Provisioning | Self::DeviceProvisioning => {
                ServiceError::new(provisioning_code(status), message).respond(now)
            }
            Self::ServiceBus => service_bus(status, message, now),
            Self::Storage => storage::refuse(status, storage_code(status)),
            Self::Identity => identity(status, message),
            Self::ResourceManager | Self::EventGrid | Self::Control | Self::Unknown => {
                ArmError::new(status, resource_manager_code(status), message).into_response()
            }
        }
    }
}

/// The XML error of Service Bus. `detail` must not hold markup.
#[must_use]
pub fn service_bus(status: StatusCode, detail: &str, now: OffsetDateTime) -> Response {
    let tracking = Uuid::new_v4();
    let detail = detail.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let body = format!(
        "<Error><Code>{}</Code><Detail>{detail} TrackingId:{tracking}, Timestamp:{}</Detail></Error>",
        status.as_u16(),
        timestamp(now),
    );
    answer(status, "application/xml; charset=utf-8", body)
}

/// The error of the managed identity endpoint of App Service.
#[must_use]
pub fn identity(status: StatusCode, message: &str) -> Response {
    let correlation = Uuid::new_v4().to_string();
    json_answer(
        status,
        &json!({"statusCode": status.as_u16(), "message": message, "correlationId": correlation}),
    )
}

fn resource_manager_code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "BadRequest",
        401 => "AuthenticationFailed",
        403 => "AuthorizationFailed",
        404 => "ResourceNotFound",
        408 => "RequestTimeout",
        409 => "Conflict",
        412 => "PreconditionFailed",
        429 => "TooManyRequests",
        502 => "BadGateway",
        503 => "ServiceUnavailable",
        504 => "GatewayTimeout",
        _ => "InternalServerError",
    }
}

fn storage_code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "NoAuthenticationInformation",
        403 => "AuthorizationPermissionMismatch",
        404 => "ResourceNotFound",
        412 => "ConditionNotMet",
        429 | 503 => "ServerBusy",
        504 => "OperationTimedOut",
        _ => "InternalError",
    }
}

/// The sub-codes that are known; the others are unpublished and zero stands for them.
fn provisioning_code(status: StatusCode) -> u32 {
    let sub_code = match status.as_u16() {
        401 => 2,
        404 => 201,
        429 => 1,
        _ => 0,
    };
    u32::from(status.as_u16()) * 1000 + sub_code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_the_service_of_its_first_segment_in_any_case() {
        assert_eq!(Service::of("/subscriptions/S/resourceGroups/R"), Service::ResourceManager);
        assert_eq!(Service::of("/Subscriptions/S"), Service::ResourceManager);
        assert_eq!(Service::of("/dps/contoso/enrollmentGroups/line-a"), Service::Provisioning);
        assert_eq!(Service::of("/0neABC/registrations/d1/register"), Service::DeviceProvisioning);
        assert_eq!(Service::of("/servicebus/sync-requests/messages"), Service::ServiceBus);
        assert_eq!(Service::of("/storage/policysync"), Service::Storage);
        assert_eq!(Service::of("/simulator"), Service::Control);
        assert_eq!(Service::of("/subscriptionsX"), Service::Unknown);
        assert_eq!(Service::of("/"), Service::Unknown);
    }
}
