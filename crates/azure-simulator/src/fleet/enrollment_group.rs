//! Enrollment groups of a fleet file.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::default;

/// An enrollment group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrollmentGroup {
    /// Its id.
    pub name: String,
    /// How its devices prove who they are.
    #[serde(default)]
    pub attestation: Attestation,
    /// The credential policy that is assigned to it: generation A.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// In generation B: the issuing CA and its certificate policy, both or none. The namespace is the one of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_authority: Option<String>,
    /// See `certificate_authority`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_policy: Option<String>,
    /// Whether its devices may register.
    #[serde(default = "default::yes", skip_serializing_if = "Clone::clone")]
    pub enabled: bool,
    /// Names of the hubs that its devices go to. Empty: all hubs of the service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hubs: Vec<String>,
    /// Tags of the initial twin.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub tags: IndexMap<String, String>,
}

/// The attestation kinds of a fleet file, in the words of `policysync.toml`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attestation {
    /// A group key from which device keys are derived.
    #[default]
    SymmetricKey,
    /// A CA that was uploaded to the service, by reference.
    #[serde(rename = "x509-ca-reference", alias = "x509-ca")]
    X509Ca,
    /// A signing certificate inside the group.
    #[serde(rename = "x509-signing-certificate", alias = "x509-signing")]
    X509Signing,
    /// A trusted platform module.
    Tpm,
}

impl EnrollmentGroup {
    /// An enabled symmetric-key group without a policy.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            attestation: Attestation::default(),
            policy: None,
            certificate_authority: None,
            certificate_policy: None,
            enabled: true,
            hubs: Vec::new(),
            tags: IndexMap::new(),
        }
    }
}
