//! `[[namespace.authority]]` and `[[namespace.policy]]`: what the file owns.

use serde::{Deserialize, Serialize};

use crate::authority::{AuthorityType, Issuer};

/// A certificate authority that the file owns. What the file does not name, Policysync reports and never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeclaredAuthority {
    /// Its name, 3 to 63 letters, digits and hyphens, of which the first is no hyphen (`azure-wire-facts.md` §1.2).
    pub name: String,
    /// What it signs. It cannot be changed once the authority is there.
    #[serde(rename = "type", default)]
    pub kind: AuthorityType,
    /// Who signs it. It cannot be changed once the authority is there.
    #[serde(default)]
    pub issuer: Issuer,
}

/// A policy that the file owns. What the file does not name, Policysync reports and never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeclaredPolicy {
    /// Its name, 3 to 63 letters, digits and hyphens, of which the first is no hyphen (`azure-wire-facts.md` §1.2).
    pub name: String,
    /// The certificate authority under which it is; without one, it is a policy of the namespace's credential.
    #[serde(default)]
    pub authority: Option<String>,
    /// How long a device certificate is valid, in days. The service has its bounds, and says what they are; without this,
    /// a new policy gets 30 and the value of a policy that is there is left alone.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    #[serde(default)]
    pub leaf_validity_days: Option<u32>,
    /// Of a policy of the credential: whether a root of the customer's signs its issuing CA. It cannot be changed once the
    /// policy is there.
    #[serde(default)]
    pub own_root: bool,
}

impl DeclaredPolicy {
    /// Its name as people and rules write it: `short-lived`, or with its certificate authority `lines-ica/short-lived`.
    #[must_use]
    pub fn full_name(&self) -> String {
        match &self.authority {
            Some(authority) => format!("{authority}/{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Whether a text can be the name of an authority or a policy (`azure-wire-facts.md` §1.2).
pub(super) fn is_name(text: &str) -> bool {
    (3..=63).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
