//! The certificate authorities of a namespace by themselves: also a root, and one that has no policy yet. The older generation
//! has none; there a policy is its own authority.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::authority::{Authority, AuthorityType, Issuer};
use crate::model::ProvisioningState;
use crate::plan::Observation;

/// One certificate authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorityReport {
    /// Its name.
    pub name: String,
    /// What it signs.
    #[serde(rename = "type")]
    pub kind: AuthorityType,
    /// Who signs it.
    pub issuer: Issuer,
    /// Whether Azure finished making it. Of an external one this says nothing about whether it can sign.
    pub provisioning_state: ProvisioningState,
    /// What the service says of an external one.
    pub status: Option<String>,
    /// Subject of its certificate, or of its signing request.
    pub subject: Option<String>,
    /// End of its validity.
    #[serde(with = "time::serde::rfc3339::option")]
    pub not_after: Option<OffsetDateTime>,
    /// Whole days until then; negative when it has passed.
    pub days_left: Option<i64>,
    /// How many policies issue by it.
    pub policies: usize,
    /// What it waits for; `None`: it signs, or could.
    pub waits_for: Option<AuthorityWait>,
}

/// What an authority waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthorityWait {
    /// A person signs its request; until then it signs nothing.
    Signature,
    /// A person signs the request of its renewal; it works with its old certificate until that ends.
    Renewal,
    /// Azure finishes making it, or a person repairs what has failed.
    Service,
}

impl AuthorityWait {
    /// What this authority waits for.
    #[must_use]
    pub fn of(authority: &Authority) -> Option<Self> {
        if authority.provisioning_state != ProvisioningState::Succeeded {
            return Some(Self::Service);
        }
        let status = authority.status.as_deref().unwrap_or_default().to_ascii_lowercase();
        if status.contains("pendingrenewal") {
            return Some(Self::Renewal);
        }
        authority.awaits_signature().then_some(Self::Signature)
    }
}

/// All of a namespace, its root first.
pub(super) fn of(seen: &Observation, now: OffsetDateTime) -> Vec<AuthorityReport> {
    let mut authorities: Vec<&Authority> = seen.authorities.iter().collect();
    authorities.sort_by_key(|one| (one.kind != AuthorityType::Root, one.name.to_ascii_lowercase()));
    let report = |authority: &Authority| AuthorityReport {
        name: authority.name.clone(),
        kind: authority.kind,
        issuer: authority.issuer,
        provisioning_state: authority.provisioning_state.clone(),
        status: authority.status.clone(),
        subject: authority.subject.clone(),
        not_after: authority.not_after,
        days_left: authority.not_after.map(|end| (end - now).whole_days()),
        policies: seen.policies_of(authority).count(),
        waits_for: AuthorityWait::of(authority),
    };
    authorities.into_iter().map(report).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{NOW, World, authority};

    #[test]
    fn each_is_told_with_what_it_waits_for_its_root_first() {
        let mut world = World::healthy();
        let mut root = authority("zz-root");
        root.kind = AuthorityType::Root;
        let own = |name: &str, status: &str| Authority {
            issuer: Issuer::External,
            status: Some(status.to_owned()),
            ..authority(name)
        };
        let making = Authority { provisioning_state: ProvisioningState::Accepted, ..authority("making") };
        let ended = Authority { not_after: Some(NOW - time::Duration::days(2)), ..authority("b") };
        let waiting = own("a", "PendingActivation");
        let authorities =
            [making, waiting, own("c", "ActiveButPendingRenewal"), own("d", "Active"), ended, root];
        world.policy().issuing_ca.id = Some(authorities[4].id.clone());
        world.seen().authorities = authorities.into();
        let told: Vec<_> = of(world.seen(), NOW)
            .into_iter()
            .map(|one| (one.name, one.waits_for, one.policies, one.days_left))
            .collect();
        let row = |name: &str, waits_for, policies, left| (name.to_owned(), waits_for, policies, left);
        assert_eq!(
            told,
            [
                row("zz-root", None, 0, None),
                row("a", Some(AuthorityWait::Signature), 0, None),
                row("b", None, 1, Some(-2)),
                row("c", Some(AuthorityWait::Renewal), 0, None),
                row("d", None, 0, None),
                row("making", Some(AuthorityWait::Service), 0, None),
            ]
        );
    }
}
