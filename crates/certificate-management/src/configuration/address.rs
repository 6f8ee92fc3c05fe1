//! What a namespace is called in the address of its page: its name, and where several have that name, something that tells
//! them apart.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::ArmId;

/// Bytes of the hash that tells namespaces of one name apart.
const TOLD_APART: usize = 4;
/// What stands beside the namespaces in addresses: a namespace of this name has an address that is not its name. (The names of files
/// there have a dot, which no namespace has.)
pub const RESERVED: &str = "changes";

/// The addresses of the namespaces of a fleet.
pub struct Addresses<'a> {
    by_name: BTreeMap<String, Vec<&'a ArmId>>,
}

impl<'a> Addresses<'a> {
    /// Those of these namespaces.
    #[must_use]
    pub fn of(namespaces: impl IntoIterator<Item = &'a ArmId>) -> Self {
        let mut by_name: BTreeMap<String, Vec<&ArmId>> = BTreeMap::new();
        for id in namespaces {
            by_name.entry(id.name().to_ascii_lowercase()).or_default().push(id);
        }
        Self { by_name }
    }

    /// The address of a namespace: letters, digits and hyphens, as names are.
    #[must_use]
    pub fn address(&self, id: &ArmId) -> String {
        let name = id.name();
        match self.by_name.get(&name.to_ascii_lowercase()) {
            Some(same) if same.len() > 1 || name.eq_ignore_ascii_case(RESERVED) => {
                let hash = Sha256::digest(id.key().as_bytes());
                format!("{name}--{}", HEXLOWER.encode(&hash[..TOLD_APART]))
            }
            _ => name.to_owned(),
        }
    }

    /// The namespaces that an address may mean, in any case: one, none, or the several that have the name.
    #[must_use]
    pub fn find(&self, address: &str) -> Vec<&'a ArmId> {
        let named = self.by_name.get(&address.to_ascii_lowercase());
        if let Some(same) = named {
            return same.clone();
        }
        let mut all = self.by_name.values().flatten().copied();
        all.find(|id| self.address(id).eq_ignore_ascii_case(address)).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(group: &str, name: &str) -> ArmId {
        let text = format!(
            "/subscriptions/S/resourceGroups/{group}/providers/Microsoft.DeviceRegistry/namespaces/{name}"
        );
        ArmId::parse(&text).unwrap()
    }

    #[test]
    fn a_name_is_the_address_unless_several_have_it() {
        let ids = [id("a", "north"), id("b", "North"), id("a", "south")];
        let addresses = Addresses::of(&ids);
        assert_eq!(addresses.address(&ids[2]), "south");
        assert_eq!(addresses.find("SOUTH"), [&ids[2]]);
        assert_eq!(addresses.find("north").len(), 2, "it is said that there are several");
        for id in &ids {
            let address = addresses.address(id);
            assert_eq!(addresses.find(&address), [id], "{address}");
            assert!(address.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        }
        assert!(addresses.find("east").is_empty() && addresses.find("").is_empty());
    }

    #[test]
    fn a_namespace_has_never_the_address_of_something_else() {
        let ids = [id("a", "Changes")];
        let addresses = Addresses::of(&ids);
        let address = addresses.address(&ids[0]);
        assert!(!address.eq_ignore_ascii_case(RESERVED));
        assert_eq!(addresses.find(&address), [&ids[0]]);
    }
}
