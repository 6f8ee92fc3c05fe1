//! Finds the action of a request, and refuses it where the callers' role leaves it out. Roles do not limit shared
//! access signatures, as in Azure.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, header};
use time::OffsetDateTime;

use super::arm_error::ArmError;
use super::permissions::Permissions;
use super::provisioning::error::ServiceError;
use super::service::Service;

/// The code of DPS for a caller without the right (`azure-wire-facts.md` §2.3).
const FORBIDDEN: u32 = 403_000;

/// The action that a request needs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Needed {
    action: String,
    is_data: bool,
}

/// Refuses a request whose action is left out, in the words of its service.
pub(crate) fn refuse(
    permissions: &Permissions,
    service: Service,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    now: OffsetDateTime,
) -> Option<Response> {
    let needed = match service {
        Service::ResourceManager => of_resource_manager(method, path)?,
        Service::Provisioning if is_bearer(headers) => of_provisioning(method, path)?,
        _ => return None,
    };
    if permissions.allow(&needed.action, needed.is_data) {
        return None;
    }
    let scope = path.trim_end_matches('/');
    let message = format!(
        "The client does not have authorization to perform action '{}' over scope '{scope}' or the scope is invalid. \
         If access was recently granted, please refresh your credentials.",
        needed.action
    );
    Some(match service {
        Service::Provisioning => ServiceError::new(FORBIDDEN, message).respond(now),
        _ => ArmError::new(StatusCode::FORBIDDEN, "AuthorizationFailed", message).into_response(),
    })
}

fn is_bearer(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "))
}

/// ARM's rule for the name of an action: the provider, the types without the names between them, and the deed of the
/// verb.
fn of_resource_manager(method: &Method, path: &str) -> Option<Needed> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let at = segments.iter().rposition(|segment| segment.eq_ignore_ascii_case("providers"))?;
    let (provider, rest) = segments[at + 1..].split_first()?;
    let types: Vec<&str> = rest.iter().step_by(2).copied().collect();
    if types.is_empty() {
        return None;
    }
    let verb = match *method {
        Method::GET | Method::HEAD => "read",
        Method::PUT | Method::PATCH => "write",
        Method::DELETE => "delete",
        _ => "action",
    };
    Some(Needed { action: format!("{provider}/{}/{verb}", types.join("/")), is_data: false })
}

/// The data actions of DPS (`azure-wire-facts.md` §6). `path` begins with `/dps/{name}`.
fn of_provisioning(method: &Method, path: &str) -> Option<Needed> {
    let lower = path.to_ascii_lowercase();
    let segments: Vec<&str> = lower.split('/').filter(|segment| !segment.is_empty()).skip(2).collect();
    let action = match (method.as_str(), segments.as_slice()) {
        ("POST", ["enrollmentgroups", _, "attestationmechanism"]) => "attestationmechanism/details/action",
        ("POST", ["enrollmentgroups", "query"]) | ("GET", ["enrollmentgroups", ..]) => {
            "enrollmentGroups/read"
        }
        ("DELETE", ["enrollmentgroups", ..]) => "enrollmentGroups/delete",
        (_, ["enrollmentgroups", ..]) => "enrollmentGroups/write",
        ("POST", ["enrollments", "query"]) => "enrollments/read",
        ("DELETE", ["registrations", ..]) => "registrationStates/delete",
        (_, ["registrations", ..]) => "registrationStates/read",
        _ => return None,
    };
    Some(Needed { action: format!("Microsoft.Devices/provisioningServices/{action}"), is_data: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_the_action_of_its_types_and_verb() {
        let namespace = "/subscriptions/s/resourceGroups/r/providers/Microsoft.DeviceRegistry/namespaces/n";
        for (method, path, action) in [
            (Method::GET, namespace.to_owned(), "Microsoft.DeviceRegistry/namespaces/read"),
            (
                Method::GET,
                format!("{namespace}/credentials/default/policies"),
                "Microsoft.DeviceRegistry/namespaces/credentials/policies/read",
            ),
            (
                Method::POST,
                format!("{namespace}/credentials/default/synchronize"),
                "Microsoft.DeviceRegistry/namespaces/credentials/synchronize/action",
            ),
            (
                Method::GET,
                "/subscriptions/s/providers/Microsoft.Devices/IotHubs".to_owned(),
                "Microsoft.Devices/IotHubs/read",
            ),
            (
                Method::GET,
                format!("{namespace}/providers/Microsoft.Authorization/permissions"),
                "Microsoft.Authorization/permissions/read",
            ),
        ] {
            assert_eq!(of_resource_manager(&method, &path).unwrap().action, action, "{method} {path}");
        }
        assert_eq!(of_resource_manager(&Method::GET, "/subscriptions/s/providers/Microsoft.Devices"), None);
    }

    #[test]
    fn a_call_of_dps_is_its_data_action() {
        for (method, path, action) in [
            (Method::POST, "/dps/d/enrollmentGroups/query", "enrollmentGroups/read"),
            (Method::GET, "/dps/d/EnrollmentGroups/g", "enrollmentGroups/read"),
            (Method::PUT, "/dps/d/enrollmentGroups/g", "enrollmentGroups/write"),
            (
                Method::POST,
                "/dps/d/enrollmentGroups/g/attestationmechanism",
                "attestationmechanism/details/action",
            ),
        ] {
            let needed = of_provisioning(&method, path).unwrap();
            assert_eq!(needed.action, format!("Microsoft.Devices/provisioningServices/{action}"));
            assert!(needed.is_data);
        }
    }
}
