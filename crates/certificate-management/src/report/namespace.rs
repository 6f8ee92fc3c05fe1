//! One namespace of the report: its policies, the grid of policies and hubs, its provisioning services.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::authorities::AuthorityReport;
use super::groups::EnrollmentGroups;
use crate::ArmId;
use crate::configuration::{Mode, Sync};
use crate::generation::NamespaceGeneration;
use crate::model::ProvisioningState;
use crate::trust::{Evidence, Trust};
use crate::trust_over_time::Spell;

/// One namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceReport {
    /// Its ARM id.
    pub id: ArmId,
    /// Its name.
    pub name: String,
    /// Its Azure region; `None`: it could not be read.
    pub location: Option<String>,
    /// Whether Azure finished making it; `None`: it could not be read.
    pub provisioning_state: Option<ProvisioningState>,
    /// Which generation of the service it is of; `None`: it could not be read.
    #[serde(default)]
    pub generation: Option<NamespaceGeneration>,
    /// Whether functions write to it.
    pub mode: Mode,
    /// Whether it is synced without being asked.
    pub sync: Sync,
    /// Why it could not be read, and then the rest is empty.
    pub unreadable: Option<String>,
    /// When it was looked at, whether or not it could be read; `None`: not yet.
    #[serde(with = "time::serde::rfc3339::option")]
    pub seen_at: Option<OffsetDateTime>,
    /// When its DPS and their groups were looked at; `None`: not yet.
    #[serde(with = "time::serde::rfc3339::option")]
    pub services_seen_at: Option<OffsetDateTime>,
    /// Where it could not be read: when it could be read last.
    #[serde(with = "time::serde::rfc3339::option")]
    pub read_at: Option<OffsetDateTime>,
    /// Its linked hubs.
    pub hubs: Vec<HubReport>,
    /// Its certificate authorities; the older generation has none.
    #[serde(default)]
    pub authorities: Vec<AuthorityReport>,
    /// Its policies.
    pub policies: Vec<PolicyReport>,
    /// The grid: trust of each linked hub in each active policy.
    pub trust: Vec<TrustReport>,
    /// What its links need; `None`: no run has looked at them yet, or the namespace could not be read.
    #[serde(default)]
    pub links: Option<LinksReport>,
    /// Its enrollment groups, per DPS.
    pub provisioning_services: Vec<ProvisioningServiceReport>,
}

/// What the links of a namespace need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinksReport {
    /// When both sides of them and the roles of their identities were read.
    #[serde(with = "time::serde::rfc3339")]
    pub seen_at: OffsetDateTime,
    /// How many needs are not met; each is a finding.
    pub unmet: usize,
    /// How many could not be checked.
    pub unchecked: usize,
    /// Why the first of them could not be.
    pub why_unchecked: Option<String>,
}

/// One linked hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HubReport {
    /// Its name.
    pub name: String,
    /// Its host name.
    pub host_name: String,
    /// How many CA certificates it has; `None`: they could not be read.
    pub certificates: Option<usize>,
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyReport {
    /// Its name.
    pub name: String,
    /// Whether Azure finished making it.
    pub provisioning_state: ProvisioningState,
    /// Subject of its issuing CA.
    pub issuing_ca_subject: Option<String>,
    /// Start of the issuing CA's validity.
    #[serde(with = "time::serde::rfc3339::option")]
    pub issuing_ca_not_before: Option<OffsetDateTime>,
    /// End of the issuing CA's validity.
    #[serde(with = "time::serde::rfc3339::option")]
    pub issuing_ca_not_after: Option<OffsetDateTime>,
    /// Whole days until then; negative when it has passed.
    pub issuing_ca_days_left: Option<i64>,
    /// How long a device certificate is valid, in days.
    pub leaf_validity_days: Option<u32>,
    /// State of the customer's own root, where there is one.
    pub bring_your_own_root_status: Option<String>,
    /// Since when looks have seen this issuing CA; `None`: none has been remembered.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub issuing_ca_seen_since: Option<OffsetDateTime>,
    /// The issuing CAs that it was seen to have before, the last one first; `None`: no earlier look is known.
    #[serde(default)]
    pub previous_cas: Option<Vec<PreviousCa>>,
}

/// An issuing CA that a policy had before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviousCa {
    /// Its subject.
    pub subject: Option<String>,
    /// Its thumbprint, where the service showed it.
    pub thumbprint: Option<String>,
    /// End of its validity.
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: OffsetDateTime,
    /// The first look that saw it.
    #[serde(with = "time::serde::rfc3339")]
    pub first_seen_at: OffsetDateTime,
    /// The last look that saw it.
    #[serde(with = "time::serde::rfc3339")]
    pub last_seen_at: OffsetDateTime,
    /// After this no device certificate of it can be valid.
    #[serde(with = "time::serde::rfc3339")]
    pub leaves_end_by: OffsetDateTime,
}

/// Trust of one hub in one policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustReport {
    /// Name of the policy.
    pub policy: String,
    /// Name of the hub.
    pub hub: String,
    /// The state.
    pub trust: Trust,
    /// What was seen on the hub, with thumbprint, expiry and when: the policy's current CA, or else the newest other one.
    pub evidence: Option<Arc<Evidence>>,
    /// What else the hub has of the policy: older CAs, and the next one while it is on its way.
    #[serde(default)]
    pub other_certificates: Vec<OtherCertificate>,
    /// Why, as a sentence.
    pub why: String,
    /// What looks have seen of the pair over time, the newest first; of changes between two looks nothing is known. Empty where no
    /// look is remembered.
    #[serde(default)]
    pub over_time: Vec<Spell>,
}

/// A CA certificate of a policy on a hub that is not the one by which its trust was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OtherCertificate {
    /// Its name on the hub.
    pub certificate_name: String,
    /// SHA-1 thumbprint, upper-case hexadecimal.
    pub thumbprint: Option<String>,
    /// End of its validity.
    #[serde(with = "time::serde::rfc3339::option")]
    pub expiry: Option<OffsetDateTime>,
    /// Whether it ends after the policy's current CA: the next one, which must not be deleted.
    pub is_next: bool,
}

/// The enrollment groups of one DPS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProvisioningServiceReport {
    /// Its endpoint.
    pub endpoint: String,
    /// Why its groups could not be read, and then there are none.
    pub unreadable: Option<String>,
    /// Its groups.
    pub enrollment_groups: EnrollmentGroups,
}
