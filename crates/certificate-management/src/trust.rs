//! Judges from the certificates on a hub alone whether it trusts a policy's current issuing CA.
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// It is not known, or the hub has the current issuing CA and it is not valid yet.
    Unreadable,
}

impl Trust {
    /// Whether the hub admits devices whose certificate comes from the policy's current CA.
    #[must_use]
    pub const fn admits_current(self) -> bool {
        matches!(self, Self::Trusted | Self::Leftover)
    }

    /// Whether the hub was seen to lack the policy's current CA. `Unreadable` is not that.
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

/// A certificate that was seen on a hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub expiry: Option<OffsetDateTime>,
    /// When it was read.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub seen_at: OffsetDateTime,
}

/// A judgement with its evidence.
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
    // In the second generation a hub gets the next CA before the policy shows it (`ca-lifecycle-facts.md` §1.8).
    let older = own
        .iter()
        .filter(|certificate| !current.contains(certificate) && !is_next(policy, certificate))
        .count();
    match (current.is_empty(), older == 0) {
        (false, true) if current.len() < own.len() => Assessment {
            trust: Trust::Trusted,
            evidence: newest(&current),
            why: "the hub has the policy's current issuing CA, and one beside it that ends later".to_owned(),
        },
        (false, true) => Assessment {
            trust: Trust::Trusted,
            evidence: newest(&current),
            why: "the hub has the policy's current issuing CA".to_owned(),
        },
        (false, false) => Assessment {
            trust: Trust::Leftover,
            evidence: newest(&current),
            why: format!("the hub has the current issuing CA and {older} older beside it"),
        },
        (true, _) => Assessment { trust: Trust::Stale, evidence: newest(&own), why: differences.join("; ") },
    }
}

/// Whether a hub certificate of the policy's issuer is that of the next CA rather than an older one: it ends after the
/// current one.
#[must_use]
pub fn is_next(policy: &Policy, certificate: &HubCertificate) -> bool {
    let (end, current) = (certificate.expiry, policy.issuing_ca.not_after);
    matches!((end, current), (Some(end), Some(current)) if end.unix_timestamp() > current.unix_timestamp())
}

enum Difference {
    Older(String),
    Unknown(String),
}

/// Compares a hub certificate with the policy's current CA. The thumbprint, where the policy shows one, or the end of
/// validity to the second (the hub's form has no fraction) proves that they are the same; a common name alone does not,
/// since a renewed CA can have the name of the one before it. A CA that has ended counts as an older one. A CA that is
/// not valid yet counts as neither: no sync would make it valid.
fn difference(policy: &Policy, certificate: &HubCertificate, now: OffsetDateTime) -> Result<(), Difference> {
    let older = |why: String| Err(Difference::Older(why));
    let unknown = |why: String| Err(Difference::Unknown(why));
    let name = &certificate.name;
    let ca = &policy.issuing_ca;
    let mut is_proven = false;
    // Of which hash the thumbprint of a policy is, no source says (`ca-lifecycle-facts.md` §1.7); that of a hub is SHA-1. Two
    // of different hashes cannot be compared.
    if let (Some(expected), Some(seen)) = (&ca.thumbprint, &certificate.thumbprint)
        && expected.len() == seen.len()
    {
        is_proven = true;
        if !expected.eq_ignore_ascii_case(seen) {
            return older(format!("certificate {name} has thumbprint {seen}, the policy {expected}"));
        }
    }
    if let (Some(expected), Some(seen)) = (ca.not_after, certificate.expiry) {
        is_proven = true;
        if expected.unix_timestamp() != seen.unix_timestamp() {
            return older(format!(
                "certificate {name} ends {}, the policy's CA {}",
                to_the_second(seen),
                to_the_second(expected)
            ));
        }
    }
    if let (Some(expected), Some(seen)) = (&ca.subject, &certificate.subject)
        && common_name(expected) != common_name(seen)
    {
        return older(format!("certificate {name} is {seen}, the policy's CA {expected}"));
    }
    if !is_proven {
        return unknown(format!(
            "certificate {name} and the policy share neither a thumbprint nor an end of validity to compare"
        ));
    }
    match (certificate.expiry.or(ca.not_after), ca.not_before) {
        (None, _) => unknown(format!("when certificate {name} ends is not known")),
        (Some(end), _) if end <= now => older(format!("certificate {name} ended {end}")),
        (Some(_), Some(start)) if start > now => {
            unknown(format!("certificate {name} is not valid before {}", to_the_second(start)))
        }
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

/// A time as text, to the second. The last hours of the year 9999 at an offset west of UTC have no date in UTC, and the time
/// stays at its own offset.
fn to_the_second(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    match time.checked_to_offset(UtcOffset::UTC) {
        Some(time) => time.format(format).unwrap_or_default(),
        None => time.to_string(),
    }
}

#[cfg(test)]
mod tests;
