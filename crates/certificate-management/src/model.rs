//! What the app observes in Azure, in the words that Azure uses, without the wire's spelling.
//!
//! The `azure` crate reads both API generations into these types.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use crate::read_failure::{MissingPermission, ReadFailure, ReadFailureKind};

use crate::ArmId;
use crate::generation::{Generation, Link, NamespaceGeneration};

/// `provisioningState` of an ARM resource (`azure-wire-facts.md` §1.2). Extensible, so an unknown value is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ProvisioningState {
    /// The resource is as it was asked to be.
    Succeeded,
    /// The last write failed.
    Failed,
    /// The last write was given up.
    Canceled,
    /// A write is going on.
    Accepted,
    /// The resource is being deleted.
    Deleting,
    /// A value that this version does not know.
    Other(String),
}

impl ProvisioningState {
    /// Whether Azure is still at work on the resource, as far as is known of a state that this version does not know.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        matches!(self, Self::Accepted | Self::Other(_))
    }
}

impl From<String> for ProvisioningState {
    fn from(text: String) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "succeeded" => Self::Succeeded,
            "failed" => Self::Failed,
            "canceled" => Self::Canceled,
            "accepted" => Self::Accepted,
            "deleting" => Self::Deleting,
            _ => Self::Other(text),
        }
    }
}

impl From<ProvisioningState> for String {
    fn from(state: ProvisioningState) -> Self {
        state.to_string()
    }
}

impl std::fmt::Display for ProvisioningState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
            Self::Accepted => "Accepted",
            Self::Deleting => "Deleting",
            Self::Other(text) => text,
        })
    }
}

/// An Azure Device Registry namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Namespace {
    /// Its ARM id.
    pub id: ArmId,
    /// Its Azure region, e.g. `westeurope`.
    pub location: String,
    /// Whether Azure finished making it.
    pub provisioning_state: ProvisioningState,
    /// Which generation of the service it is of.
    #[serde(default)]
    pub generation: NamespaceGeneration,
    /// The hubs and DPS that it says it is linked to; a namespace of the first generation does not say.
    #[serde(default)]
    pub links: Vec<Link>,
}

impl Namespace {
    /// Its link to a resource.
    #[must_use]
    pub fn link(&self, resource: &ArmId) -> Option<&Link> {
        self.links.iter().find(|link| link.resource == *resource)
    }

    /// The generation of the link to a resource: the namespace names what is linked as in the second.
    #[must_use]
    pub fn generation_of_link(&self, resource: &ArmId) -> Generation {
        match self.link(resource).is_some() || !self.generation.has(Generation::Credentials) {
            true => Generation::CertificateAuthorities,
            false => Generation::Credentials,
        }
    }
}

/// A policy with its issuing CA: a credential policy, or a certificate policy with its certificate authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Its ARM id.
    pub id: ArmId,
    /// Its name as people and rules write it: `short-lived`, or with its certificate authority `lines-ica/short-lived`.
    pub name: String,
    /// Whether Azure finished making it.
    pub provisioning_state: ProvisioningState,
    /// The CA that signs device certificates under this policy.
    pub issuing_ca: IssuingCa,
    /// How long a device certificate is valid, in days. Sources disagree on the bounds (1 to 90), so any value is kept.
    pub leaf_validity_days: Option<u32>,
    /// Set when the customer's own root signs the issuing CA: bring-your-own-root, or an external issuer.
    pub bring_your_own_root: Option<BringYourOwnRoot>,
}

impl Policy {
    /// The generation of the service that it belongs to: in the second the issuing CA is a resource of its own.
    #[must_use]
    pub fn generation(&self) -> Generation {
        if self.issuing_ca.id.is_some() {
            Generation::CertificateAuthorities
        } else {
            Generation::Credentials
        }
    }

    /// Whether its issuing CA had ended at that time. No sync cures that: it pushes the CA that there is.
    #[must_use]
    pub fn has_ended(&self, at: OffsetDateTime) -> bool {
        self.issuing_ca.not_after.is_some_and(|end| end <= at)
    }

    /// The resource that a hub certificate names as its origin.
    #[must_use]
    pub fn issuer_id(&self) -> &ArmId {
        self.issuing_ca.id.as_ref().unwrap_or(&self.id)
    }

    /// The text by which an enrollment group names it: [`Reference`](crate::reference::Reference).
    #[must_use]
    pub fn reference(&self) -> String {
        match (self.generation(), self.id.named("namespaces")) {
            (Generation::CertificateAuthorities, Some(namespace)) => format!("{namespace}/{}", self.name),
            _ => self.name.clone(),
        }
    }

    /// Whether a text is one of its full names: as people write it, as a group does, or its ARM id.
    #[must_use]
    pub fn is_named(&self, text: &str) -> bool {
        text.eq_ignore_ascii_case(&self.name)
            || text.eq_ignore_ascii_case(self.id.as_str())
            || (text.contains('/') && text.eq_ignore_ascii_case(&self.reference()))
    }

    /// Its name without its certificate authority's.
    #[must_use]
    pub fn own_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }
}

/// The issuing CA of a policy, as far as the policy tells. The service shows neither thumbprint nor certificate of a CA
/// under Microsoft's root (`azure-wire-facts.md` §1.3).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuingCa {
    /// The resource that a hub certificate names as its origin; `None`: the policy itself, as in the first generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ArmId>,
    /// Subject, e.g. `CN=07b5d73a70e046f288ddc64518bc517e`.
    pub subject: Option<String>,
    /// Start of its validity.
    #[serde(with = "time::serde::rfc3339::option")]
    pub not_before: Option<OffsetDateTime>,
    /// End of its validity.
    #[serde(with = "time::serde::rfc3339::option")]
    pub not_after: Option<OffsetDateTime>,
    /// SHA-1 thumbprint in hexadecimal; only a bring-your-own-root policy shows it.
    pub thumbprint: Option<String>,
}

/// State of a policy whose issuing CA is signed by the customer's root (`azure-wire-facts.md` §1.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BringYourOwnRoot {
    /// `PendingActivation`, `Active`, `ActiveButPendingRenewal`, or what the service says.
    pub status: String,
}

/// An IoT hub that is linked to a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hub {
    /// Its ARM id.
    pub id: ArmId,
    /// Its name.
    pub name: String,
    /// Its host name, which enrollment groups and DPS links use.
    pub host_name: String,
    /// The namespace it is linked to; `None` for an ordinary hub.
    pub namespace_id: Option<ArmId>,
}

impl Hub {
    /// Whether a host name is one of its own. Beside `{hub}.azure-devices.net` a hub has one for services and one for
    /// devices (`azure-wire-facts.md` §2.3), all of them beginning with its name, which is unique in the cloud.
    #[must_use]
    pub fn is_at(&self, host_name: &str) -> bool {
        const DOMAIN: &str = ".azure-devices.net";
        let label = |text: &str| {
            let text = text.to_ascii_lowercase();
            text.ends_with(DOMAIN).then(|| text.split('.').next().unwrap_or_default().to_owned())
        };
        host_name.eq_ignore_ascii_case(&self.host_name)
            || label(host_name).is_some_and(|own| label(&self.host_name) == Some(own))
    }
}

/// A CA certificate on a hub: the only place where a sync leaves a trace (`azure-wire-facts.md` §1.4, §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HubCertificate {
    /// Its name on the hub, made by the service and changed at each rotation.
    pub name: String,
    /// The policy or the certificate authority that it comes from; `None` for a certificate that a person uploaded.
    pub issuer_id: Option<ArmId>,
    /// Subject of the certificate, in any of the forms that services print.
    pub subject: Option<String>,
    /// SHA-1 thumbprint in hexadecimal.
    pub thumbprint: Option<String>,
    /// End of its validity.
    #[serde(with = "time::serde::rfc3339::option")]
    pub expiry: Option<OffsetDateTime>,
    /// Whether the hub regards it as verified.
    pub is_verified: Option<bool>,
}

/// A Device Provisioning Service as ARM shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProvisioningService {
    /// Its ARM id.
    pub id: ArmId,
    /// Its name.
    pub name: String,
    /// Base URL of its service API, e.g. `https://contoso-dps.azure-devices-provisioning.net`.
    pub endpoint: String,
    /// The namespace it is linked to.
    pub namespace_id: Option<ArmId>,
    /// Host names of its linked hubs.
    pub hubs: Vec<String>,
}

/// How devices of a group prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Attestation {
    /// X.509, by reference to CA certificates in the DPS.
    X509CaReference,
    /// X.509, by signing certificates in the group.
    X509SigningCertificate,
    /// Symmetric keys.
    SymmetricKey,
    /// A trusted platform module.
    Tpm,
    /// None, or a kind that this version does not know.
    Other,
}

impl std::fmt::Display for Attestation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::X509CaReference => "x509-ca-reference",
            Self::X509SigningCertificate => "x509-signing-certificate",
            Self::SymmetricKey => "symmetric-key",
            Self::Tpm => "tpm",
            Self::Other => "other",
        })
    }
}

/// What decisions need to know of an enrollment group. The group's own JSON stays in the `azure` crate, which writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrollmentGroup {
    /// Its id.
    pub id: String,
    /// Its version, verbatim for `If-Match`.
    pub etag: Option<String>,
    /// The policy it references, as [`crate::reference`] writes it.
    pub policy: Option<String>,
    /// How its devices prove who they are.
    pub attestation: Attestation,
    /// Host names of the hubs it allocates to; empty means every hub of its DPS.
    pub hubs: Vec<String>,
    /// Whether devices can provision through it.
    pub enabled: bool,
    /// When it was created (`azure-wire-facts.md` §3); `None` where the service does not tell.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<OffsetDateTime>,
    /// Tags of the initial twin, as JSON.
    #[serde(default)]
    pub tags: serde_json::Map<String, serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_provisioning_state_is_kept() {
        let state: ProvisioningState = serde_json::from_str("\"Migrating\"").unwrap();
        assert_eq!(state, ProvisioningState::Other("Migrating".to_owned()));
        assert_eq!(serde_json::to_string(&state).unwrap(), "\"Migrating\"");
        assert_eq!(ProvisioningState::from("SUCCEEDED".to_owned()), ProvisioningState::Succeeded);
    }
}
