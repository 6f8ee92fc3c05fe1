//! Object ids of the identities of hubs and provisioning services.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The object id of an identity, always the same for the id of its resource. The ids of a seed's other resources do not
/// change with it.
pub(crate) fn of(id: &str) -> String {
    let digest = Sha256::digest(id.to_ascii_lowercase());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// The identities of a linked resource as ARM shows them. In generation B a link names the resource's own identity unless
/// it says otherwise, so the resource has one.
pub(crate) fn identity(resource: &str, user_assigned: &str, has_own: bool) -> Value {
    let user = json!({"principalId": of(user_assigned), "clientId": of(&format!("{user_assigned} client"))});
    let mut identity = json!({"type": "UserAssigned", "userAssignedIdentities": {user_assigned: user}});
    if has_own {
        identity["type"] = "SystemAssigned, UserAssigned".into();
        identity["principalId"] = of(resource).into();
    }
    identity
}
