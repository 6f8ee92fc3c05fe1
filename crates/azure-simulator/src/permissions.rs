//! What callers may do: role-based access, as far as a simulation has it.
//!
//! Everybody has one role, which allows everything; `PUT /simulator/permissions` takes actions out of it, as the `notActions`
//! of a role do. What is taken out is refused wherever it is called, and `Microsoft.Authorization/permissions` says so: both
//! read the same list. Shared access signatures go past roles, as in Azure.

use std::sync::{Mutex, PoisonError};

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::arm::ArmRequest;
use super::arm_error::ArmError;
use super::provisioning::error::ServiceError;
use super::service::Service;

/// Versions that list a caller's permissions.
const VERSIONS: [&str; 3] = ["2022-04-01", "2018-07-01", "2015-07-01"];
/// The resource type and its collection.
const PROVIDER: &str = "microsoft.authorization";
const COLLECTION: &str = "permissions";
/// The code of DPS for a caller without the right (`azure-wire-facts.md` §2.3).
const FORBIDDEN: u32 = 403_000;

/// What the one role leaves out. Names may hold `*`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct LeftOut {
    /// Actions on resources.
    pub not_actions: Vec<String>,
    /// Actions on what is in them.
    pub not_data_actions: Vec<String>,
}

/// The permissions of every caller.
#[derive(Debug, Default)]
pub struct Permissions(Mutex<LeftOut>);

/// An action that a request is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Needed {
    action: String,
    is_data: bool,
}

impl Permissions {
    /// What is left out.
    #[must_use]
    pub fn left_out(&self) -> LeftOut {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Leaves out this and nothing else.
    pub fn leave_out(&self, left_out: LeftOut) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = left_out;
    }

    /// Refuses a request whose action is left out, in the words of its service.
    pub(crate) fn refuse(
        &self,
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
        let left_out = self.left_out();
        let names = if needed.is_data { &left_out.not_data_actions } else { &left_out.not_actions };
        if !names.iter().any(|name| covers(name, &needed.action)) {
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

    /// Answers `GET {scope}/providers/Microsoft.Authorization/permissions`; nothing for any other request.
    pub(crate) fn list(&self, request: &ArmRequest) -> Option<Result<Value, ArmError>> {
        let last = |list: &[String]| list.last().map(|text| text.to_ascii_lowercase()).unwrap_or_default();
        let is_own = request.provider == PROVIDER && request.types.len() == 1;
        let is_of_resource = request.types.len() > 1 && last(&request.names) == PROVIDER;
        if last(&request.types) != COLLECTION || !(is_own || is_of_resource) {
            return None;
        }
        if request.method != Method::GET {
            return Some(Err(ArmError::method_not_allowed(&request.method, &request.path)));
        }
        if !VERSIONS.contains(&request.api_version.as_str()) {
            let message = format!("The supported api-versions are '{}'.", VERSIONS.join(", "));
            return Some(Err(ArmError::bad_request("InvalidApiVersionParameter", message)));
        }
        let LeftOut { not_actions, not_data_actions } = self.left_out();
        Some(Ok(json!({"value": [{
            "actions": ["*"], "notActions": not_actions, "dataActions": ["*"], "notDataActions": not_data_actions,
        }]})))
    }
}

fn is_bearer(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "))
}

/// ARM's rule: the provider, the types without the names between them, and what the verb does.
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
        ("DELETE", ["registrations", ..]) => "registrationStates/delete",
        (_, ["registrations", ..]) => "registrationStates/read",
        _ => return None,
    };
    Some(Needed { action: format!("Microsoft.Devices/provisioningServices/{action}"), is_data: true })
}

/// Whether a name of a role covers an action, in any case. `*` stands for any text.
fn covers(name: &str, action: &str) -> bool {
    let (name, action) = (name.to_ascii_lowercase(), action.to_ascii_lowercase());
    let Some((first, rest)) = name.split_once('*') else { return name == action };
    let Some(mut left) = action.strip_prefix(first) else { return false };
    let parts: Vec<&str> = rest.split('*').collect();
    let (last, between) = parts.split_last().unwrap_or((&"", &[]));
    for part in between {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
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

    #[test]
    fn a_star_stands_for_anything_and_case_for_nothing() {
        assert!(covers("microsoft.devices/IOTHUBS/read", "Microsoft.Devices/IotHubs/read"));
        assert!(covers("*/read", "Microsoft.Devices/IotHubs/read") && covers("*", "a/b"));
        assert!(covers("Microsoft.Devices/*/read", "Microsoft.Devices/IotHubs/certificates/read"));
        assert!(!covers("Microsoft.Devices/*/read", "Microsoft.Devices/IotHubs/write"));
        assert!(!covers("Microsoft.Devices/IotHubs", "Microsoft.Devices/IotHubs/read"));
    }
}
