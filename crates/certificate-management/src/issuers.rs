//! The issuing CAs that policies were seen to have, over time. From that follows when a CA was rotated, and how long device
//! certificates of the one before may be valid.
//!
//! The service tells neither: it has no event and no history of a rotation (`ca-lifecycle-facts.md` §1.8). So each look at a
//! namespace adds what it saw. In whatever order looks come together, the outcome is the same.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::ArmId;
use crate::model::Policy;
use crate::plan::Observation;

/// How many are remembered of one policy: the current one, and those before it.
const OF_A_POLICY: usize = 4;
/// How many are remembered of a namespace.
const OF_A_NAMESPACE: usize = 64;

/// An issuing CA that a policy was seen to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenIssuer {
    /// The policy.
    pub policy_id: ArmId,
    /// Subject of the CA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Its thumbprint, where the service shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    /// The longest validity of a device certificate that was seen with it, in days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaf_validity_days: Option<u32>,
}

/// Those of one namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeenIssuers(Vec<SeenIssuer>);

/// A CA that a policy had before its current one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous<'a> {
    /// The CA.
    pub issuer: &'a SeenIssuer,
    /// When no valid device certificate of it can be left: it may have signed one until another CA was seen in its place,
    /// and none outlives it.
    pub leaves_end_by: OffsetDateTime,
}

impl SeenIssuers {
    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what a look at the namespace saw. A CA that does not say when it ends cannot be told from the one before, and a
    /// policy that does not sign has none yet.
    pub fn note(&mut self, observation: &Observation) {
        let seen_at = observation.seen_at;
        let seen = observation.active_policies().filter_map(|policy| {
            Some(SeenIssuer {
                policy_id: policy.id.clone(),
                subject: policy.issuing_ca.subject.clone(),
                thumbprint: policy.issuing_ca.thumbprint.clone(),
                not_after: policy.issuing_ca.not_after?,
                first_seen_at: seen_at,
                last_seen_at: seen_at,
                leaf_validity_days: policy.leaf_validity_days,
            })
        });
        self.add(seen.collect());
    }

    /// Adds what other looks saw.
    pub fn take(&mut self, other: Self) {
        self.add(other.0);
    }

    fn add(&mut self, seen: Vec<SeenIssuer>) {
        for one in seen {
            match self.0.iter_mut().find(|known| known.key() == one.key()) {
                Some(known) => {
                    known.first_seen_at = known.first_seen_at.min(one.first_seen_at);
                    known.last_seen_at = known.last_seen_at.max(one.last_seen_at);
                    known.leaf_validity_days = known.leaf_validity_days.max(one.leaf_validity_days);
                    known.not_after = known.not_after.max(one.not_after);
                    // Of two texts any will do, as long as it does not depend on the order.
                    known.subject = known.subject.take().max(one.subject);
                    known.thumbprint = known.thumbprint.take().max(one.thumbprint);
                }
                None => self.0.push(one),
            }
        }
        self.0.sort_by(|a, b| (b.last_seen_at, a.key()).cmp(&(a.last_seen_at, b.key())));
        let mut kept: Vec<SeenIssuer> = Vec::new();
        for one in std::mem::take(&mut self.0) {
            let of_policy = kept.iter().filter(|known| known.policy_id == one.policy_id).count();
            if of_policy < OF_A_POLICY && kept.len() < OF_A_NAMESPACE {
                kept.push(one);
            }
        }
        self.0 = kept;
    }

    /// The one that the policy has now, where a look has seen it.
    #[must_use]
    pub fn current(&self, policy: &Policy) -> Option<&SeenIssuer> {
        self.of(policy).find(|seen| seen.is_of(policy))
    }

    /// Those that the policy had before the one that it has now, the last one first.
    #[must_use]
    pub fn previous(&self, policy: &Policy) -> Vec<Previous<'_>> {
        let before = self.of(policy).filter(|seen| !seen.is_of(policy));
        before.map(|issuer| Previous { issuer, leaves_end_by: self.leaves_end_by(policy, issuer) }).collect()
    }

    fn of<'s>(&'s self, policy: &Policy) -> impl Iterator<Item = &'s SeenIssuer> + use<'s> {
        let id = policy.id.clone();
        self.0.iter().filter(move |seen| seen.policy_id == id)
    }

    fn leaves_end_by(&self, policy: &Policy, issuer: &SeenIssuer) -> OffsetDateTime {
        let later = self.of(policy).map(|other| other.first_seen_at);
        let replaced_by =
            later.filter(|first| *first > issuer.last_seen_at).min().unwrap_or(issuer.last_seen_at);
        let days = issuer.leaf_validity_days.map(|days| Duration::days(i64::from(days)));
        // Where it is not known how long they are valid, the CA itself is the bound.
        days.and_then(|days| replaced_by.checked_add(days))
            .map_or(issuer.not_after, |end| end.min(issuer.not_after))
    }
}

impl SeenIssuer {
    /// What tells one CA of a policy from another: when it ends, to the second. A subject or a thumbprint may be shown by one
    /// look and not by the next.
    fn key(&self) -> (String, i64) {
        (self.policy_id.key(), self.not_after.unix_timestamp())
    }

    fn is_of(&self, policy: &Policy) -> bool {
        let end = policy.issuing_ca.not_after;
        self.policy_id == policy.id
            && end.is_some_and(|end| end.unix_timestamp() == self.not_after.unix_timestamp())
    }
}

#[cfg(test)]
mod tests {
    //! What is remembered of looks, in whatever order they come, and what follows from it.

    use proptest::prelude::*;

    use super::*;
    use time::macros::datetime;

    use crate::model::{IssuingCa, Namespace, ProvisioningState};

    const NOW: OffsetDateTime = datetime!(2026-11-23 05:00 UTC);
    const FAR: OffsetDateTime = datetime!(2031-01-01 00:00 UTC);

    /// A look in this minute that sees the CA of this number, with leaves of so many days.
    fn look(minute: i64, ca: i64, days: u32) -> Observation {
        let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
        let id = ArmId::parse(id).unwrap();
        let not_after = Some(FAR + Duration::days(ca));
        Observation {
            authorities: Vec::new(),
            policies: vec![Policy {
                id: id.child("credentials", "default").child("policies", "short"),
                name: "short".into(),
                provisioning_state: ProvisioningState::Succeeded,
                issuing_ca: IssuingCa { not_after, ..IssuingCa::default() },
                leaf_validity_days: Some(days),
                bring_your_own_root: None,
            }],
            hubs: Vec::new(),
            namespace: Namespace {
                id,
                location: "westeurope".into(),
                provisioning_state: ProvisioningState::Succeeded,
                generation: Default::default(),
                links: Vec::new(),
            },
            seen_at: NOW + Duration::minutes(minute),
        }
    }

    fn together(looks: &[Observation]) -> SeenIssuers {
        let mut seen = SeenIssuers::default();
        for look in looks {
            let mut one = SeenIssuers::default();
            one.note(look);
            seen.take(one);
        }
        seen
    }

    proptest! {
        #[test]
        fn in_whatever_order_looks_come_the_same_is_remembered(
            (looks, written) in prop::collection::vec((0..4_i64, 1..90_u32), 1..12)
                .prop_map(|cas| cas.into_iter().zip(0..).map(|((ca, days), minute)| look(minute, ca, days)).collect::<Vec<_>>())
                .prop_flat_map(|looks| (Just(looks.clone()), Just(looks).prop_shuffle())),
        ) {
            let seen = together(&looks);
            prop_assert_eq!(&seen, &together(&written));
            let mut twice = seen.clone();
            twice.take(seen.clone());
            prop_assert_eq!(twice, seen);
        }
    }

    #[test]
    fn leaves_of_the_one_before_end_one_validity_after_another_was_seen() {
        let looks = [look(0, 0, 7), look(10, 0, 30), look(25, 1, 7), look(40, 1, 7)];
        let seen = together(&looks);
        let policy = &looks[3].policies[0];
        let current = seen.current(policy).unwrap();
        assert_eq!((current.first_seen_at, current.last_seen_at), (looks[2].seen_at, looks[3].seen_at));
        let [previous] = seen.previous(policy).try_into().unwrap();
        assert_eq!(previous.issuer.last_seen_at, looks[1].seen_at);
        assert_eq!(
            previous.leaves_end_by,
            looks[2].seen_at + Duration::days(30),
            "it may have signed one until then"
        );
        // None outlives its CA, and a number that is no length of time changes nothing of that.
        let long = [look(0, 0, u32::MAX), look(1, 1, 7)];
        let seen = together(&long);
        assert_eq!(seen.previous(&long[1].policies[0])[0].leaves_end_by, FAR);
    }

    #[test]
    fn a_subject_that_one_look_does_not_show_is_no_rotation() {
        let (mut named, bare) = (look(0, 0, 7), look(1, 0, 7));
        named.policies[0].issuing_ca.subject = Some("CN=07b5".to_owned());
        let seen = together(&[named.clone(), bare.clone()]);
        assert!(seen.previous(&named.policies[0]).is_empty() && seen.previous(&bare.policies[0]).is_empty());
        assert_eq!(seen.current(&bare.policies[0]).unwrap().subject.as_deref(), Some("CN=07b5"));
    }

    #[test]
    fn however_often_a_ca_is_rotated_the_last_ones_are_remembered() {
        let looks: Vec<Observation> = (0..100).map(|n| look(n, n, 7)).collect();
        let seen = together(&looks);
        assert_eq!(seen.0.len(), OF_A_POLICY);
        assert_eq!(seen.previous(&looks[99].policies[0])[0].issuer.last_seen_at, looks[98].seen_at);
    }
}
