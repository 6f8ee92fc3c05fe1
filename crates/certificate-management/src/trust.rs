//! Does a hub trust a policy's current issuing CA? Judged only from the certificates on the hub.
//!
//! The service tells no per-hub result of a sync, and a finished operation proves nothing
//! (`azure-wire-facts.md` §1.4), so the hub's certificate list is the evidence.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

use crate::ArmId;
use crate::model::{HubCertificate, Policy};

/// The state of one (policy, hub) pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// The hub has the current issuing CA, and no other of this policy.
    Trusted,
    /// The hub has the current issuing CA and an older one beside it.
    Leftover,
    /// The hub has only an older issuing CA.
    Stale,
    /// The hub has no CA of this policy.
    Missing,
    /// It could not be learnt.
    Unreadable,
}

impl Trust {
    /// Whether the hub admits devices whose certificate comes from the policy's current CA.
    #[must_use]
    pub const fn admits_current(self) -> bool {
        matches!(self, Self::Trusted | Self::Leftover)
    }

    /// Whether the hub was seen to lack the policy's current CA. What could not be read is no such case.
    #[must_use]
    pub const fn lacks_current(self) -> bool {
        matches!(self, Self::Missing | Self::Stale)
    }
}

impl std::fmt::Display for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Trusted => "trusted",
            Self::Leftover => "leftover",
            Self::Stale => "stale",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
        })
    }
}

/// What was seen on a hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The policy that the certificate belongs to.
    pub policy_id: ArmId,
    /// Name of the certificate on the hub.
    pub certificate_name: String,
    /// SHA-1 thumbprint, upper-case hexadecimal.
    pub thumbprint: Option<String>,
    /// End of the certificate's validity.
    #[serde(with = "time::serde::rfc3339::option")]
    pub expiry: Option<OffsetDateTime>,
    /// When it was read.
    #[serde(with = "time::serde::rfc3339")]
    pub seen_at: OffsetDateTime,
}

/// A judgement with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assessment {
    /// The state.
    pub trust: Trust,
    /// The certificate that decided it: the current one, else the newest older one.
    pub evidence: Option<Arc<Evidence>>,
    /// Why, as a sentence.
    pub why: String,
}

/// Judges one pair from the certificates that were read on the hub at `seen_at`.
#[must_use]
pub fn assess(policy: &Policy, certificates: &[HubCertificate], seen_at: OffsetDateTime) -> Assessment {
    let own: Vec<&HubCertificate> = certificates
        .iter()
        .filter(|certificate| certificate.issuer_id.as_ref() == Some(policy.issuer_id()))
        .collect();
    let evidence = |certificate: &HubCertificate| {
        Arc::new(Evidence {
            policy_id: policy.id.clone(),
            certificate_name: certificate.name.clone(),
            thumbprint: certificate.thumbprint.clone(),
            expiry: certificate.expiry,
            seen_at,
        })
    };
    let newest = |of: &[&HubCertificate]| {
        of.iter().max_by_key(|certificate| certificate.expiry).map(|certificate| evidence(certificate))
    };
    if own.is_empty() {
        let why = format!("the hub has no certificate of policy {}", policy.name);
        return Assessment { trust: Trust::Missing, evidence: None, why };
    }
    let mut differences = Vec::new();
    let mut current = Vec::new();
    for certificate in &own {
        match difference(policy, certificate, seen_at) {
            Ok(()) => current.push(*certificate),
            Err(Difference::Older(why)) => differences.push(why),
            Err(Difference::Unknown(why)) => {
                return Assessment { trust: Trust::Unreadable, evidence: newest(&own), why };
            }
        }
    }
    match (current.is_empty(), current.len() == own.len()) {
        (false, true) => Assessment {
            trust: Trust::Trusted,
            evidence: newest(&current),
            why: "the hub has the policy's current issuing CA".to_owned(),
        },
        (false, false) => Assessment {
            trust: Trust::Leftover,
            evidence: newest(&current),
            why: format!(
                "the hub has the current issuing CA and {} older beside it",
                own.len() - current.len()
            ),
        },
        (true, _) => Assessment { trust: Trust::Stale, evidence: newest(&own), why: differences.join("; ") },
    }
}

enum Difference {
    Older(String),
    Unknown(String),
}

/// Compares a hub certificate with the policy's current CA: end of validity to the second (the hub's form has no
/// fraction), common name, and the thumbprint where the policy shows one.
fn difference(policy: &Policy, certificate: &HubCertificate, now: OffsetDateTime) -> Result<(), Difference> {
    let older = |why: String| Err(Difference::Older(why));
    let ca = &policy.issuing_ca;
    let mut compared = false;
    if let (Some(expected), Some(seen)) = (&ca.thumbprint, &certificate.thumbprint) {
        compared = true;
        if !expected.eq_ignore_ascii_case(seen) {
            return older(format!(
                "certificate {} has thumbprint {seen}, the policy {expected}",
                certificate.name
            ));
        }
    }
    if let (Some(expected), Some(seen)) = (ca.not_after, certificate.expiry) {
        compared = true;
        if expected.unix_timestamp() != seen.unix_timestamp() {
            return older(format!(
                "certificate {} ends {}, the policy's CA {}",
                certificate.name,
                to_the_second(seen),
                to_the_second(expected)
            ));
        }
    }
    if let (Some(expected), Some(seen)) = (&ca.subject, &certificate.subject) {
        compared = true;
        if common_name(expected) != common_name(seen) {
            return older(format!("certificate {} is {seen}, the policy's CA {expected}", certificate.name));
        }
    }
    if !compared {
        let name = &certificate.name;
        return Err(Difference::Unknown(format!(
            "certificate {name} and the policy share nothing to compare"
        )));
    }
    match certificate.expiry.or(ca.not_after) {
        Some(end) if end <= now => older(format!("certificate {} ended {end}", certificate.name)),
        _ => Ok(()),
    }
}

/// The common name within a subject in any of the printed forms: `CN=x`, `CN = x, O=y`, `/O=y/CN=x`, `x`.
fn common_name(subject: &str) -> String {
    let parts = subject.split([',', '/', '+']);
    for part in parts {
        if let Some((key, value)) = part.split_once('=')
            && key.trim().eq_ignore_ascii_case("CN")
        {
            return value.trim().to_ascii_lowercase();
        }
    }
    subject.trim().to_ascii_lowercase()
}

/// An end as a person reads it.
fn to_the_second(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    time.to_offset(UtcOffset::UTC).format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IssuingCa, ProvisioningState};
    use proptest::prelude::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-23 05:00 UTC);

    fn policy() -> Policy {
        let id = ArmId::parse("/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/n/credentials/default/policies/p").unwrap();
        Policy {
            name: "p".into(),
            id,
            provisioning_state: ProvisioningState::Succeeded,
            issuing_ca: IssuingCa {
                id: None,
                subject: Some("CN=07b5".into()),
                not_before: Some(datetime!(2026-01-01 00:00 UTC)),
                not_after: Some(datetime!(2031-01-01 00:00:00.741 UTC)),
                thumbprint: None,
            },
            leaf_validity_days: Some(30),
            bring_your_own_root: None,
        }
    }

    fn certificate(name: &str) -> HubCertificate {
        HubCertificate {
            name: name.into(),
            issuer_id: Some(ArmId::parse(&policy().id.as_str().to_uppercase()).unwrap()),
            subject: Some("CN = 07B5".into()),
            thumbprint: Some("AB".into()),
            expiry: Some(datetime!(2031-01-01 00:00 UTC)),
            is_verified: Some(true),
        }
    }

    fn older(name: &str) -> HubCertificate {
        HubCertificate {
            subject: Some("CN=old".into()),
            expiry: Some(datetime!(2030-01-01 00:00 UTC)),
            ..certificate(name)
        }
    }

    #[test]
    fn the_current_ca_is_found_across_case_fraction_and_subject_form() {
        let assessment = assess(&policy(), &[certificate("c1")], NOW);
        assert_eq!(assessment.trust, Trust::Trusted);
        assert_eq!(assessment.evidence.unwrap().thumbprint.as_deref(), Some("AB"));
    }

    #[test]
    fn states_follow_the_certificates() {
        let foreign = HubCertificate { issuer_id: None, ..certificate("uploaded") };
        for (certificates, expected) in [
            (vec![], Trust::Missing),
            (vec![foreign.clone()], Trust::Missing),
            (vec![older("c0")], Trust::Stale),
            (vec![older("c0"), certificate("c1")], Trust::Leftover),
            (vec![foreign, certificate("c1")], Trust::Trusted),
        ] {
            assert_eq!(assess(&policy(), &certificates, NOW).trust, expected);
        }
    }

    #[test]
    fn a_renewal_one_second_later_is_another_ca_even_with_the_same_subject() {
        let renewed =
            HubCertificate { expiry: Some(datetime!(2031-01-01 00:00:01 UTC)), ..certificate("c1") };
        assert_eq!(assess(&policy(), &[renewed], NOW).trust, Trust::Stale);
    }

    #[test]
    fn an_expired_ca_is_not_trusted() {
        let assessment = assess(&policy(), &[certificate("c1")], datetime!(2031-01-01 00:00:01 UTC));
        assert_eq!(assessment.trust, Trust::Stale);
        assert!(assessment.why.contains("ended"), "{}", assessment.why);
    }

    #[test]
    fn a_thumbprint_decides_where_the_policy_shows_one() {
        let mut policy = policy();
        policy.issuing_ca.thumbprint = Some("cd".into());
        assert_eq!(assess(&policy, &[certificate("c1")], NOW).trust, Trust::Stale);
        policy.issuing_ca.thumbprint = Some("ab".into());
        assert_eq!(assess(&policy, &[certificate("c1")], NOW).trust, Trust::Trusted);
    }

    #[test]
    fn nothing_to_compare_is_unreadable_and_never_trusted() {
        let mut policy = policy();
        policy.issuing_ca = IssuingCa::default();
        assert_eq!(assess(&policy, &[certificate("c1")], NOW).trust, Trust::Unreadable);
    }

    proptest! {
        /// Adding certificates of others never changes a judgement.
        #[test]
        fn certificates_of_others_change_nothing(current in any::<bool>(), old in any::<bool>(), foreign in 0usize..5) {
            let mut certificates = Vec::new();
            if current { certificates.push(certificate("c1")); }
            if old { certificates.push(older("c0")); }
            let alone = assess(&policy(), &certificates, NOW);
            for n in 0..foreign {
                certificates.insert(0, HubCertificate { issuer_id: None, ..certificate(&format!("f{n}")) });
            }
            prop_assert_eq!(assess(&policy(), &certificates, NOW), alone);
        }
    }
}
