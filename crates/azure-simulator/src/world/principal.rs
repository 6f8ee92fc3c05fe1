//! Object ids of the identities of hubs and provisioning services.

use sha2::{Digest as _, Sha256};

/// The object id of an identity, always the same for the id of its resource. The ids of a seed's other resources do not
/// change with it.
pub(crate) fn of(id: &str) -> String {
    let digest = Sha256::digest(id.to_ascii_lowercase());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
