//! How much of what a namespace and a hub can have is there (`ca-lifecycle-facts.md` §1.2, §4.2, §4.6).

use super::seen::{Kind, Seen};
use super::{Aspect, Judged, Outcome};
use crate::authority::AuthorityType;
use crate::generation::Generation;

const ASPECT: Aspect = Aspect::LinkLimits;
/// Hubs of a namespace: the published limit of the preview, and the one of Microsoft's own command line.
const HUBS: (usize, usize) = (3, 10);
const SERVICES: usize = 1;
const ROOTS: usize = 1;
const ISSUING: usize = 3;
const POLICIES_OF_AUTHORITY: usize = 1;

pub(super) fn judge(seen: &Seen) -> Vec<Judged> {
    let mut problems = Vec::new();
    let mut told = Vec::new();
    let count = |kind: Kind| seen.sides.linked.iter().filter(|linked| linked.kind == kind).count();
    let (hubs, services) = (count(Kind::Hub), count(Kind::ProvisioningService));
    let mut over = |what: &str, number: usize, limit: usize, why: &str| {
        let message = format!("{what}: {number}; a namespace takes {limit}{why}");
        let next_step = "Spread them over several namespaces before the service refuses one.".to_owned();
        problems.push(Judged::new(ASPECT, "", Outcome::Doubtful, message, next_step));
    };
    let is_newer = seen.namespace.generation.has(Generation::CertificateAuthorities);
    // No limit is published for the older generation.
    told.push(match is_newer {
        true => format!("hubs {hubs} of {} (Microsoft's command line takes {})", HUBS.0, HUBS.1),
        false => format!("hubs {hubs}"),
    });
    if is_newer && hubs > HUBS.0 {
        over(
            "linked hubs",
            hubs,
            HUBS.0,
            " as published for the preview, and ten by Microsoft's command line",
        );
    }
    if is_newer && services > SERVICES {
        over("linked provisioning services", services, SERVICES, " by Microsoft's command line");
    }
    match &seen.inventory {
        Err(error) => {
            problems.push(Judged::unread(ASPECT, "", "authorities and policies", &seen.namespace.id, error));
        }
        Ok(inventory) if is_newer => {
            let of = |kind| inventory.authorities.iter().filter(|one| one.kind == kind).count();
            let (roots, issuing) = (of(AuthorityType::Root), of(AuthorityType::Issuing));
            told.push(format!("issuing authorities {issuing} of {ISSUING}"));
            if roots > ROOTS {
                over("root authorities", roots, ROOTS, "");
            }
            if issuing > ISSUING {
                over("issuing authorities", issuing, ISSUING, "");
            }
            for authority in &inventory.authorities {
                let below = inventory.policies.iter().filter(|one| one.id.is_within(&authority.id)).count();
                if below > POLICIES_OF_AUTHORITY {
                    over(
                        &format!("policies of {}", authority.name),
                        below,
                        POLICIES_OF_AUTHORITY,
                        " below an authority",
                    );
                }
            }
        }
        Ok(inventory) => told.push(format!(
            "policies {} (the documentation allows one, Microsoft's tests made two)",
            inventory.policies.len()
        )),
    }
    let (limit, margin) = seen.certificate_limit;
    for linked in &seen.sides.linked {
        let name = linked.id.name();
        match &linked.certificates {
            Some(Ok(number)) if number.saturating_add(margin) >= limit => {
                let outcome = if *number >= limit { Outcome::Wrong } else { Outcome::Doubtful };
                let message = format!("it has {number} CA certificates; a hub takes {limit}");
                let next_step =
                    "Delete certificates on the hub that no device needs, before the next rotation."
                        .to_owned();
                problems.push(Judged::new(ASPECT, name, outcome, message, next_step));
            }
            Some(Err(error)) => {
                problems.push(Judged::unread(ASPECT, name, "its CA certificates", &linked.id, error));
            }
            _ => {}
        }
    }
    super::all_or(problems, ASPECT, seen.sides.linked.len(), || told.join(", "))
}
