//! The order in which things must be made (`azure-wire-facts.md` §0, §2.4, `ca-lifecycle-facts.md` §4.2): in the older
//! generation credential, policy, then a sync; in the newer one DPS, hubs, then authorities, then policies.

use super::seen::{Kind, Seen};
use super::{Aspect, Judged, Outcome};
use crate::authority::AuthorityType;
use crate::generation::Generation;
use crate::model::ProvisioningState;

const ASPECT: Aspect = Aspect::LinkOrder;

pub(super) fn judge(seen: &Seen) -> Vec<Judged> {
    let inventory = match &seen.inventory {
        Ok(inventory) => inventory,
        Err(error) => {
            return vec![Judged::unread(ASPECT, "", "authorities and policies", &seen.namespace.id, error)];
        }
    };
    let mut problems = Vec::new();
    let mut tell = |outcome, message: String, next_step: &str| {
        problems.push(Judged::new(ASPECT, "", outcome, message, next_step.to_owned()));
    };
    let of_first = |one: &&crate::model::Policy| one.generation() == Generation::Credentials;
    if seen.namespace.generation.has(Generation::Credentials) {
        match &inventory.credential {
            None => tell(
                Outcome::Wrong,
                "it has no credential: certificate management is not on".to_owned(),
                "First the credential, then the policy, then the sync: `policysync policies apply` shows what policysync.toml declares.",
            ),
            Some(ProvisioningState::Succeeded) if inventory.policies.iter().any(|one| of_first(&one)) => {}
            Some(ProvisioningState::Succeeded) => tell(
                Outcome::Doubtful,
                "it has a credential and no policy below it yet".to_owned(),
                "Make a policy, then sync: `policysync policies apply` shows what policysync.toml declares.",
            ),
            Some(other) => tell(
                Outcome::Doubtful,
                format!("its credential is {other}, so no policy can be made yet"),
                "Wait until the credential is Succeeded; where it has failed, repeat the write.",
            ),
        }
    }
    if seen.namespace.generation.has(Generation::CertificateAuthorities) {
        let count = |kind: Kind| seen.sides.linked.iter().filter(|linked| linked.kind == kind).count();
        let issuing: Vec<&str> = inventory
            .authorities
            .iter()
            .filter(|one| one.kind == AuthorityType::Issuing)
            .map(|one| one.name.as_str())
            .collect();
        if count(Kind::Hub) == 0 && !issuing.is_empty() {
            tell(
                Outcome::Wrong,
                format!("it has issuing authorities and no linked hub: {}", issuing.join(", ")),
                "Link the hubs first: the service pushes an authority to the hubs that are linked when it is made. Whether one that is linked later gets it is not certain.",
            );
        }
        if count(Kind::ProvisioningService) == 0 && count(Kind::Hub) > 0 {
            tell(
                Outcome::Doubtful,
                "hubs are linked and no provisioning service is".to_owned(),
                "Link the provisioning service: Microsoft's command line wants it before the first hub.",
            );
        }
        let has_policy = |name: &&str| {
            inventory.policies.iter().any(|policy| {
                policy.issuing_ca.id.as_ref().is_some_and(|id| id.name().eq_ignore_ascii_case(name))
            })
        };
        let bare: Vec<&str> = issuing.iter().copied().filter(|name| !has_policy(name)).collect();
        if !bare.is_empty() {
            tell(
                Outcome::Doubtful,
                format!("issuing authorities without a policy: {}", bare.join(", ")),
                "Make their policies: enrollment groups name a policy, not an authority.",
            );
        }
    }
    super::all_or(problems, ASPECT, 1, || match seen.namespace.generation.has(Generation::Credentials) {
        true => "credential before policy before sync".to_owned(),
        false => "links before authorities before policies".to_owned(),
    })
}
