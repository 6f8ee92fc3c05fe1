//! Certificate authorities of the second generation as resources (`azure-wire-facts.md` §0, §2.4).
//!
//! A [`Policy`](crate::model::Policy) holds what a decision about trust needs of its issuing CA. This is what a decision
//! about the authority itself needs: also of a root, and of one that has no policy yet.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ArmId;
use crate::model::ProvisioningState;

/// What an authority signs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AuthorityType {
    /// Other authorities. A namespace has one at the most, and it has no policy.
    Root,
    /// The certificates of devices.
    #[default]
    Issuing,
}

impl std::fmt::Display for AuthorityType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Root => "root",
            Self::Issuing => "issuing",
        })
    }
}

/// Who signs an issuing authority.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Issuer {
    /// The root of its namespace, which Azure holds.
    #[default]
    Microsoft,
    /// A root of the customer's: a person signs its request.
    External,
}

impl std::fmt::Display for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Microsoft => "microsoft",
            Self::External => "external",
        })
    }
}

/// A certificate authority as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authority {
    /// Its ARM id.
    pub id: ArmId,
    /// Its name.
    pub name: String,
    /// What it signs.
    #[serde(rename = "type")]
    pub kind: AuthorityType,
    /// Who signs it; of a root `microsoft`.
    pub issuer: Issuer,
    /// Whether Azure finished making it. Of an external one this says nothing about whether it can sign.
    pub provisioning_state: ProvisioningState,
    /// Of an external one: `PendingActivation`, `Active`, `ActiveButPendingRenewal`, or what the service says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Subject of its certificate, or of its signing request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// End of its validity; `None` where the service does not say, as before an external one is activated.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub not_after: Option<OffsetDateTime>,
}

impl Authority {
    /// Whether it waits for a person's signature before it can sign anything.
    #[must_use]
    pub fn awaits_signature(&self) -> bool {
        self.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("PendingActivation"))
    }

    /// Whether it can sign: made by the service, and activated where the customer signs it.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.provisioning_state == ProvisioningState::Succeeded && !self.awaits_signature()
    }

    /// Whether there is any sign that it has, or has had, a certificate or a request of its own. To make such a one again
    /// could give it another key, and its devices would be stranded.
    #[must_use]
    pub fn may_have_worked(&self) -> bool {
        self.subject.is_some() || self.not_after.is_some() || self.status.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record that cannot be read back counts as none.
    #[test]
    fn what_is_written_can_be_read_whatever_is_absent() {
        let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/n/certificateAuthorities/ica";
        let bare = Authority {
            id: ArmId::parse(id).unwrap(),
            name: "ica".into(),
            kind: AuthorityType::Issuing,
            issuer: Issuer::Microsoft,
            provisioning_state: ProvisioningState::Succeeded,
            status: None,
            subject: None,
            not_after: None,
        };
        let full = Authority {
            status: Some("Active".into()),
            subject: Some("CN=ica".into()),
            not_after: Some(OffsetDateTime::UNIX_EPOCH),
            ..bare.clone()
        };
        for authority in [bare, full] {
            let text = serde_json::to_string(&authority).unwrap();
            assert_eq!(serde_json::from_str::<Authority>(&text).unwrap(), authority, "{text}");
        }
    }
}
