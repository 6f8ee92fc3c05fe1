//! Certificate authorities of a fleet file: generation B (`azure-wire-facts.md` §0).

use serde::{Deserialize, Serialize};

use super::default;

/// Which API generation a namespace is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Generation {
    /// A: a credential with policies, and a sync that a client asks for.
    #[default]
    Credentials,
    /// B: certificate authorities with certificate policies, which the service pushes to linked hubs.
    CertificateAuthorities,
    /// In migration from A to B: both stand side by side. Of a cloud: it offers the API versions of both.
    Both,
}

impl Generation {
    /// Whether credentials exist in it.
    #[must_use]
    pub fn has_credentials(self) -> bool {
        self != Self::CertificateAuthorities
    }

    /// Whether certificate authorities exist in it.
    #[must_use]
    pub fn has_certificate_authorities(self) -> bool {
        self != Self::Credentials
    }

    pub(super) fn is_credentials(&self) -> bool {
        *self == Self::Credentials
    }
}

/// A certificate authority of a namespace: one root at the most, and three issuing CAs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateAuthority {
    /// Its name.
    pub name: String,
    /// What it is, and who signs it.
    #[serde(rename = "type")]
    pub kind: CertificateAuthorityKind,
    /// Validity in days, counted from the start of the simulation. Not of an external one: its signer decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity_days: Option<u32>,
    /// `Succeeded`, `Failed`, `Canceled`, `Accepted` or `Deleting`. Only `Succeeded` is pushed to hubs and issues.
    #[serde(default = "default::succeeded", skip_serializing_if = "default::is_succeeded")]
    pub provisioning_state: String,
    /// The certificate policy of an issuing CA: one at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<CertificatePolicy>,
}

/// The kinds of certificate authorities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateAuthorityKind {
    /// Self-signed, kept by the service.
    Root,
    /// An issuing CA that the namespace's root signs.
    Issuing,
    /// An issuing CA that the customer's own root signs: it starts pending, with a request to sign and activate.
    External,
}

/// The certificate policy of an issuing CA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificatePolicy {
    /// Its name.
    pub name: String,
    /// Validity of a device certificate, 1 to 90 days.
    pub leaf_validity_days: u32,
    /// As of a certificate authority.
    #[serde(default = "default::succeeded", skip_serializing_if = "default::is_succeeded")]
    pub provisioning_state: String,
}

/// How the service spells the member of a hub certificate that names its origin. Microsoft's specification and its own
/// tests disagree (`azure-wire-facts.md` §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemberCasing {
    /// `policyResourceId`, as specified.
    Camel,
    /// `PolicyResourceId`, as seen.
    Pascal,
}
