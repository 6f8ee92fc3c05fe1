//! A policy or an authority is deleted (`ca-lifecycle-facts.md` §1.10, `azure-wire-facts.md` §8).

use super::super::facts::Facts;
use super::super::radius::{Basis, Statement};
use super::super::target::Target;
use super::super::usage::{self, Usage};
use super::{Effects, Signer, enrolled};
use crate::authority::{AuthorityType, Issuer};
use crate::generation::Generation;
use crate::plural;

pub(super) fn of(facts: &Facts, usage: &Usage, signer: Signer<'_>) -> Effects {
    let mut effects = match (&facts.target, facts.generation()) {
        (Target::Policy(_), Generation::Credentials) => of_credential_policy(usage),
        (Target::Policy(_), Generation::CertificateAuthorities) => of_certificate_policy(usage),
        _ if signer == Signer::Root => of_root(facts, usage),
        _ => of_authority(facts, usage),
    };
    if signer != Signer::Root {
        effects.later.extend(remaining_leaves(facts, usage));
    }
    effects.irreversible.push(match &facts.target {
        Target::Policy(_) if facts.generation() == Generation::CertificateAuthorities => Statement::new(
            Basis::Inferred,
            "Nothing is lost for good: a policy of the same name can be made again under the authority.",
            "The CA belongs to the authority, which stays.",
        ),
        _ => Statement::new(
            Basis::Inferred,
            "The key of the CA is lost. One that is made anew under the same name is another CA, which devices and hubs do not know.",
            "The service keeps the key and gives it out to no client.",
        ),
    });
    effects
}

/// The policy is its issuing CA too.
fn of_credential_policy(usage: &Usage) -> Effects {
    let mut effects = Effects::default();
    if usage.is_enrolled() {
        effects.at_once.push(Statement::new(
            Basis::Published,
            format!("{} can issue nothing any more: devices that register or renew through them get no certificate.", enrolled(usage)),
            "An enrollment that names a deleted policy must get another one or be disabled.",
        ));
    } else if !usage.groups.is_empty() {
        effects.at_once.push(unclear(usage));
    }
    if usage.holding() > 0 {
        effects.later.push(Statement::new(
            Basis::Published,
            format!("{} keep the CA, and admit devices that have a certificate of it, until it is deleted on each hub.", plural::count(usage.holding(), "hub")),
            "Deleting a policy does not remove its CA certificate from a hub.",
        ));
    }
    effects
}

/// The policy is the leaf profile of an authority, which stays.
fn of_certificate_policy(usage: &Usage) -> Effects {
    let mut effects = Effects::default();
    if !usage.groups.is_empty() || usage.is_enrolled() {
        effects.at_once.push(Statement::new(
            Basis::Unknown,
            format!("{} may be able to issue nothing any more, or the service may refuse to delete what they name.", enrolled(usage)),
            "For this generation no source says what a deleted policy does to the enrollments that name it. In the older one they cannot issue.",
        ));
    }
    if usage.holding() > 0 {
        effects.later.push(Statement::new(
            Basis::Inferred,
            "Hubs keep the CA: it belongs to the authority.",
            "The certificate on a hub names the certificate authority, not the policy.",
        ));
    }
    effects
}

fn of_authority(facts: &Facts, usage: &Usage) -> Effects {
    let mut effects = Effects::default();
    let own: Vec<&str> = usage::policies(facts).map(|policy| policy.own_name()).collect();
    if !own.is_empty() {
        effects.later.push(Statement::new(
            Basis::Inferred,
            format!(
                "The service is expected to refuse it while the authority has a policy: {}.",
                own.join(", ")
            ),
            "There is no cascade: HTTP 409, CannotDeleteResource.",
        ));
    }
    if usage.holding() > 0 {
        effects.at_once.push(Statement::new(
            Basis::Unknown,
            format!("{} may lose the CA. Then every device with a certificate of it is refused when it connects again.", plural::count(usage.holding(), "hub")),
            "For this generation no source says whether hubs keep the certificate of a deleted authority. In the older one they do.",
        ));
    }
    if !usage.groups.is_empty() || usage.is_enrolled() {
        effects.at_once.push(Statement::new(
            Basis::Unknown,
            format!(
                "{} name a policy of this authority, and issue nothing once it is gone.",
                enrolled(usage)
            ),
            "No source says whether the service refuses the deletion because of them.",
        ));
    }
    effects
}

fn of_root(facts: &Facts, usage: &Usage) -> Effects {
    let mut effects = Effects::default();
    let is_below = |one: &&crate::authority::Authority| {
        (one.kind, one.issuer) == (AuthorityType::Issuing, Issuer::Microsoft)
    };
    let below: Vec<&str> = facts.authorities.iter().filter(is_below).map(|one| one.name.as_str()).collect();
    if !below.is_empty() {
        effects.at_once.push(Statement::new(
            Basis::Inferred,
            format!("The service is expected to refuse it while it has issuing authorities: {}. If it does not, they can be renewed no more.", below.join(", ")),
            "There is no cascade: HTTP 409, CannotDeleteResource. No source shows that answer for a root.",
        ));
    } else if usage.holding() > 0 {
        effects.at_once.push(Statement::new(
            Basis::Unknown,
            format!(
                "{} hold certificates of this namespace, whose authorities may go back to this root.",
                plural::count(usage.holding(), "hub")
            ),
            "No source says what hubs do with them when the root is gone.",
        ));
    }
    effects
}

fn unclear(usage: &Usage) -> Statement {
    Statement::new(
        Basis::Unknown,
        format!("{} may name it: what they name is no clear reference.", enrolled(usage)),
        "A reference is one name in the older generation, and three in the newer one.",
    )
}

/// Until when devices can work with what they have.
fn remaining_leaves(facts: &Facts, usage: &Usage) -> Option<Statement> {
    let end = usage.none_after();
    usage::policies(facts).next()?;
    Some(
        Statement::new(
            Basis::Inferred,
            "A device that has a certificate works on, where its hub keeps the CA, until the certificate ends. It cannot renew it.",
            match end {
                Some(_) => "No device certificate lasts longer than its CA, or than 90 days where the policy was shortened.",
                None => "The service does not say when the CA ends.",
            },
        )
        .until(end),
    )
}
