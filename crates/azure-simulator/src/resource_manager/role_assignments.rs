//! `Microsoft.Authorization/roleAssignments`: the roles that the identities of namespaces, hubs and provisioning services
//! have on one another (`ca-lifecycle-facts.md` §4.1, §4.5, `azure-wire-facts.md` §6). Each link has its roles, those of
//! both generations; a hub whose fleet says `lacks_role` has granted none to its namespace.

use http::Method;
use serde_json::{Value, json};

use super::permissions::{VERSIONS, is_collection};
use crate::arm::ArmRequest;
use crate::arm_error::ArmError;
use crate::cloud::Cloud;
use crate::world::{World, principal};

const COLLECTION: &str = "roleassignments";
const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const HUB_DATA_CONTRIBUTOR: &str = "4fc6c259-987e-4a07-842e-c321cc9d413f";
const HUB_REGISTRY_CONTRIBUTOR: &str = "4ea46cd5-c1b2-4a8e-910b-273211f9ce47";
const REGISTRY_ADMINISTRATOR: &str = "12675fd7-7f59-493f-9201-f7944860a2f1";
const REGISTRY_CONTRIBUTOR: &str = "a5c3590a-3a1a-4cd4-9648-ea0a32b15137";
const REGISTRY_ONBOARDING: &str = "547f7f0a-69c0-4807-bd9e-0321dfb66a84";

struct Assignment {
    principal: String,
    role: &'static str,
    scope: String,
}

/// Answers `GET {scope}/providers/Microsoft.Authorization/roleAssignments`; nothing for any other request.
pub(super) fn list(cloud: &Cloud, request: &ArmRequest) -> Option<Result<Value, ArmError>> {
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
    let filter = request.query.iter().find(|(name, _)| name == "$filter").map(|(_, filter)| filter.as_str());
    let principal = match asked(filter.unwrap_or_default()) {
        Ok(principal) => principal,
        Err(error) => return Some(Err(error)),
    };
    let path = request.path.to_ascii_lowercase();
    let scope = path.rsplit_once("/providers/microsoft.authorization").map_or("", |(scope, _)| scope);
    let is_at_or_above = |own: &str| {
        let own = own.to_ascii_lowercase();
        scope == own || scope.strip_prefix(&own).is_some_and(|below| below.starts_with('/'))
    };
    let world = cloud.lock();
    let mut value: Vec<Value> = all(&world)
        .into_iter()
        .filter(|one| is_at_or_above(&one.scope))
        .filter(|one| principal.is_none_or(|asked| asked.eq_ignore_ascii_case(&one.principal)))
        .map(|one| shown(&request.subscription, &one))
        .collect();
    value.dedup();
    Some(Ok(json!({ "value": value })))
}

/// The principal that a filter names, of the forms that the documentation has.
fn asked(filter: &str) -> Result<Option<&str>, ArmError> {
    let quoted = |start: &str, end: &str| filter.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
    match filter {
        "" | "atScope()" => Ok(None),
        _ => quoted("atScope() and assignedTo('", "')")
            .or_else(|| quoted("assignedTo('", "')"))
            .or_else(|| quoted("principalId eq '", "'"))
            .map(Some)
            .ok_or_else(|| {
                ArmError::bad_request("InvalidFilter", format!("The filter '{filter}' is not supported."))
            }),
    }
}

fn all(world: &World) -> Vec<Assignment> {
    let mut all = Vec::new();
    let mut give = |principal: &str, role, scope: &str| {
        all.push(Assignment { principal: principal.to_owned(), role, scope: scope.to_owned() });
    };
    for hub in &world.hubs {
        let namespace = hub.link.as_ref().and_then(|link| world.namespace(&link.namespace_id));
        let Some(namespace) = namespace else { continue };
        for role in [CONTRIBUTOR, HUB_DATA_CONTRIBUTOR, HUB_REGISTRY_CONTRIBUTOR] {
            if !hub.lacks_role {
                give(&namespace.principal_id, role, &hub.id);
            }
        }
        for identity in [&hub.id, &hub.identity_id].map(|id| principal::of(id)) {
            for role in [CONTRIBUTOR, REGISTRY_CONTRIBUTOR, REGISTRY_ONBOARDING] {
                give(&identity, role, &namespace.id);
            }
        }
    }
    for service in &world.services {
        let namespace = service.link.as_ref().and_then(|link| world.namespace(&link.namespace_id));
        let Some(namespace) = namespace else { continue };
        give(&namespace.principal_id, CONTRIBUTOR, &service.id);
        give(&namespace.principal_id, REGISTRY_ADMINISTRATOR, &namespace.id);
        for identity in [&service.id, &service.identity_id].map(|id| principal::of(id)) {
            for role in [CONTRIBUTOR, REGISTRY_CONTRIBUTOR, REGISTRY_ONBOARDING] {
                give(&identity, role, &namespace.id);
            }
        }
    }
    all
}

fn shown(subscription: &str, one: &Assignment) -> Value {
    let name = principal::of(&format!("{} {} {}", one.principal, one.role, one.scope));
    json!({
        "id": format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}", one.scope),
        "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": format!(
                "/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{}", one.role
            ),
            "principalId": one.principal,
            "principalType": "ServicePrincipal",
            "scope": one.scope,
            "condition": null,
            "conditionVersion": null,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_of_the_documentation_is_understood_and_no_other() {
        assert_eq!(asked("atScope()").unwrap(), None);
        for filter in ["atScope() and assignedTo('p')", "assignedTo('p')", "principalId eq 'p'"] {
            assert_eq!(asked(filter).unwrap(), Some("p"), "{filter}");
        }
        assert!(asked("roleName eq 'Owner'").is_err());
    }
}
