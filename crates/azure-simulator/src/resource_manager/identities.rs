//! The identities of a resource as ARM shows them (`ca-lifecycle-facts.md` §4.1).

use serde_json::{Value, json};

use crate::world::principal;

/// The identities of a linked resource as ARM shows them. In generation B a link names the resource's own identity unless
/// it says otherwise, so the resource has one.
pub(super) fn of(resource: &str, user_assigned: &str, has_own: bool) -> Value {
    let user = json!({"principalId": principal::of(user_assigned), "clientId": principal::of(&format!("{user_assigned} client"))});
    let mut identity = json!({"type": "UserAssigned", "userAssignedIdentities": {user_assigned: user}});
    if has_own {
        identity["type"] = "SystemAssigned, UserAssigned".into();
        identity["principalId"] = principal::of(resource).into();
    }
    identity
}
