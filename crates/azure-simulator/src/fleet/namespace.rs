//! Namespaces of a fleet file, with the hubs and services that are linked to them.

use serde::{Deserialize, Serialize};

use super::certificate_authority::{CertificateAuthority, Generation};
use super::default;
use super::enrollment_group::EnrollmentGroup;
use super::link::LinkingState;

/// A device registry namespace, with the hubs and services that are linked to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Its resource group, and that of its hubs and provisioning services where they do not name another.
    pub resource_group: String,
    /// Its subscription, where it is not the fleet's, and that of its hubs and provisioning services where they do not name another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// Which API generation it is of.
    #[serde(default, skip_serializing_if = "Generation::is_credentials")]
    pub generation: Generation,
    /// Whether certificate management is on: there is a credential, where its generation has one.
    #[serde(default = "default::yes", skip_serializing_if = "Clone::clone")]
    pub credential: bool,
    /// `Failed` is the known bug after a link that succeeded: DPS refuses devices with 403000 until a client writes the
    /// namespace's tags (`azure-wire-facts.md` §9).
    #[serde(default = "default::succeeded", skip_serializing_if = "default::is_succeeded")]
    pub provisioning_state: String,
    /// Certificate authorities, and their certificate policies.
    #[serde(default, rename = "certificate_authority", skip_serializing_if = "Vec::is_empty")]
    pub certificate_authorities: Vec<CertificateAuthority>,
    /// Credential policies.
    #[serde(default, rename = "policy", skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
    /// Linked hubs.
    #[serde(default, rename = "hub", skip_serializing_if = "Vec::is_empty")]
    pub hubs: Vec<Hub>,
    /// Linked provisioning services.
    #[serde(default, rename = "provisioning_service", skip_serializing_if = "Vec::is_empty")]
    pub provisioning_services: Vec<ProvisioningService>,
}

/// A credential policy: an issuing CA and the validity of what it issues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Validity of a device certificate, 1 to 90 days.
    pub leaf_validity_days: u32,
    /// Validity of its issuing CA in days, counted from the start of the simulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuing_ca_validity_days: Option<u32>,
    /// `Succeeded`, `Failed`, `Canceled`, `Accepted` or `Deleting`. Only `Succeeded` is synced to hubs.
    #[serde(default = "default::succeeded", skip_serializing_if = "default::is_succeeded")]
    pub provisioning_state: String,
    /// The root is the customer's own: the policy starts pending, with a signing request to be signed and activated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bring_your_own_root: bool,
}

/// A hub that is linked to a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hub {
    /// Its name; the host name is `{name}.azure-devices.net`.
    pub name: String,
    /// Its resource group, where it is not the namespace's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_group: Option<String>,
    /// Its subscription, where it is not the namespace's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// How the link to the namespace stands.
    #[serde(default, skip_serializing_if = "LinkingState::is_succeeded")]
    pub linking_state: LinkingState,
    /// Error code of a link that failed, e.g. `AdrMiNotAuthorized`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linking_error: Option<String>,
    /// The namespace's identity lacks its role on this hub, so that no certificate reaches it, by sync or by push.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lacks_role: bool,
    /// The policies, or certificate authorities, whose issuing CA it has at the start. Absent: all that reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusts: Option<Vec<String>>,
}

/// A hub without a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnlinkedHub {
    /// Its name; the host name is `{name}.azure-devices.net`.
    pub name: String,
    /// Its resource group.
    pub resource_group: String,
    /// Its subscription, where it is not the namespace's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
}

/// A device provisioning service of a namespace. All hubs of the namespace are linked to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvisioningService {
    /// Its name.
    pub name: String,
    /// Its resource group, where it is not the namespace's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_group: Option<String>,
    /// Its subscription, where it is not the namespace's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// How the link to the namespace stands.
    #[serde(default, skip_serializing_if = "LinkingState::is_succeeded")]
    pub linking_state: LinkingState,
    /// Error code of a link that failed, e.g. `AdrMiNotAuthorized`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linking_error: Option<String>,
    /// The known bug after linking: its data plane does not know the namespace, and refuses policies with 400004, until
    /// a client writes the service's tags (`azure-wire-facts.md` §2.3).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unaware_of_namespace: bool,
    /// Seconds from the start until its roles on the namespace have replicated: until then it refuses policies with
    /// 403000 (`azure-wire-facts.md` §2.3).
    #[serde(default, skip_serializing_if = "default::is_zero")]
    pub roles_replicate_after_seconds: u32,
    /// Enrollment groups.
    #[serde(default, rename = "enrollment_group", skip_serializing_if = "Vec::is_empty")]
    pub enrollment_groups: Vec<EnrollmentGroup>,
}

/// A device provisioning service without a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnlinkedProvisioningService {
    /// Its name.
    pub name: String,
    /// Its resource group.
    pub resource_group: String,
    /// Names of the hubs that are linked to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hubs: Vec<String>,
    /// Enrollment groups.
    #[serde(default, rename = "enrollment_group", skip_serializing_if = "Vec::is_empty")]
    pub enrollment_groups: Vec<EnrollmentGroup>,
}

impl Namespace {
    /// A namespace of generation A with a credential, and nothing else.
    #[must_use]
    pub fn new(name: &str, resource_group: &str) -> Self {
        Self {
            name: name.to_owned(),
            resource_group: resource_group.to_owned(),
            subscription: None,
            generation: Generation::default(),
            credential: true,
            provisioning_state: default::succeeded(),
            certificate_authorities: Vec::new(),
            policies: Vec::new(),
            hubs: Vec::new(),
            provisioning_services: Vec::new(),
        }
    }
}

impl Hub {
    /// A hub that is where its namespace is, and trusts all that reaches it.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            resource_group: None,
            subscription: None,
            linking_state: LinkingState::default(),
            linking_error: None,
            lacks_role: false,
            trusts: None,
        }
    }

    /// Whether the certificates of the namespace reach it.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.linking_state == LinkingState::Succeeded && !self.lacks_role
    }
}

impl ProvisioningService {
    /// A service that is where its namespace is, without groups.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            resource_group: None,
            subscription: None,
            linking_state: LinkingState::default(),
            linking_error: None,
            unaware_of_namespace: false,
            roles_replicate_after_seconds: 0,
            enrollment_groups: Vec::new(),
        }
    }
}
