//! `Microsoft.Authorization/permissions`: lists what a caller may do, from the cloud's [`Permissions`].

use http::Method;
use serde_json::{Value, json};

use crate::arm::ArmRequest;
use crate::arm_error::ArmError;
use crate::permissions::{LeftOut, Permissions};

/// Versions that list a caller's permissions.
pub(super) const VERSIONS: [&str; 3] = ["2022-04-01", "2018-07-01", "2015-07-01"];
/// The resource type and its collection.
const PROVIDER: &str = "microsoft.authorization";
const COLLECTION: &str = "permissions";

/// Whether a request is for a collection of `Microsoft.Authorization` at some scope.
pub(super) fn is_collection(request: &ArmRequest, collection: &str) -> bool {
    let last = |list: &[String]| list.last().map(|text| text.to_ascii_lowercase()).unwrap_or_default();
    let is_own = request.provider == PROVIDER && request.types.len() == 1;
    let is_of_resource = request.types.len() > 1 && last(&request.names) == PROVIDER;
    last(&request.types) == collection && (is_own || is_of_resource)
}

/// Answers `GET {scope}/providers/Microsoft.Authorization/permissions`; nothing for any other request.
pub(super) fn list(permissions: &Permissions, request: &ArmRequest) -> Option<Result<Value, ArmError>> {
    if !is_collection(request, COLLECTION) {
        return None;
    }
    if request.method != Method::GET {
        return Some(Err(ArmError::method_not_allowed(&request.method, &request.path)));
    }
    if !VERSIONS.contains(&request.api_version.as_str()) {
        let message = format!("The supported api-versions are '{}'.", VERSIONS.join(", "));
        return Some(Err(ArmError::bad_request("InvalidApiVersionParameter", message)));
    }
    let LeftOut { not_actions, not_data_actions } = permissions.left_out();
    Some(Ok(json!({"value": [{
        "actions": ["*"], "notActions": not_actions, "dataActions": ["*"], "notDataActions": not_data_actions,
    }]})))
}
