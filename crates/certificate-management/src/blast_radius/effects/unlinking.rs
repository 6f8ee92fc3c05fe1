//! A hub or a DPS is taken off its namespace (`ca-lifecycle-facts.md` §4.3, `azure-wire-facts.md` §2.1).

use super::super::facts::Facts;
use super::super::radius::{Basis, Statement};
use super::super::target::Target;
use super::super::usage::Usage;
use super::{Effects, enrolled};
use crate::generation::Generation;

pub(super) fn of(facts: &Facts, usage: &Usage) -> Effects {
    match (&facts.target, facts.generation()) {
        (Target::Hub(hub), Generation::CertificateAuthorities) => {
            of_permanent_hub(&hub.host_name, facts, usage)
        }
        (Target::Hub(_), Generation::Credentials) => of_hub(facts, usage),
        (_, Generation::CertificateAuthorities) => of_permanent_service(usage),
        (_, Generation::Credentials) => of_service(usage),
    }
}

/// A link of the newer generation ends with the hub itself.
fn of_permanent_hub(host_name: &str, facts: &Facts, usage: &Usage) -> Effects {
    let mut effects = Effects::default();
    effects.at_once.push(Statement::new(
        Basis::Published,
        "Every device of this hub loses it, also one without a certificate: the hub itself has to be deleted.",
        "A link is permanent. It goes only with the hub, and then the endpoint is taken out of the namespace.",
    ));
    if !usage.groups.is_empty() {
        effects.at_once.push(Statement::new(
            Basis::Inferred,
            format!(
                "{} can allocate to this hub; those that name no other have no place for their devices.",
                enrolled(usage)
            ),
            format!("They name {host_name}, or every hub of their DPS."),
        ));
    }
    let others = facts.hubs.iter().flatten().count().saturating_sub(1);
    effects.later.push(Statement::new(
        Basis::Inferred,
        "A device gets another hub when it registers with its DPS again, if its group has one.",
        format!("Linked hubs beside this one: {others}. A device registers again when its program does so after a refusal."),
    ));
    effects.irreversible.push(Statement::new(
        Basis::Published,
        "The hub's device identities, their keys, twins, routes and messages are gone with it.",
        "Deleting a hub deletes what it holds.",
    ));
    effects
}

fn of_hub(facts: &Facts, usage: &Usage) -> Effects {
    let mut effects = Effects::default();
    effects.at_once.push(Statement::new(
        Basis::Unknown,
        "The hub may stop admitting devices with operational certificates.",
        "No source says what a hub does with the CA certificates of a namespace that it no longer belongs to.",
    ));
    let ends = facts.policies.iter().filter_map(|policy| policy.issuing_ca.not_after).min();
    effects.later.push(
        Statement::new(
            Basis::Inferred,
            "No sync reaches the hub any more. From the next rotation of a CA on it refuses the certificates of the new one.",
            "A sync covers the hubs that are linked to the namespace. The first CA ends at this time, if none is rotated before.",
        )
        .until(ends),
    );
    if usage.is_enrolled() || !usage.groups.is_empty() {
        effects.later.push(Statement::new(
            Basis::Inferred,
            format!("{} may go on to allocate devices to it.", enrolled(usage)),
            "The link of a hub to its DPS is another one, and stays.",
        ));
    }
    effects.irreversible.push(Statement::new(
        Basis::Unknown,
        "Take it as final: whether the hub can be linked again is not certain.",
        "Sources contradict each other on whether an existing hub can be linked at all.",
    ));
    effects
}

fn of_permanent_service(usage: &Usage) -> Effects {
    let mut effects = Effects::default();
    effects.at_once.push(Statement::new(
        Basis::Published,
        format!("No device can register with this DPS any more: it has to be deleted, with {}.", enrolled(usage)),
        "A link is permanent. It goes only with the DPS, and then the endpoint is taken out of the namespace.",
    ));
    effects.later.push(
        Statement::new(
            Basis::Inferred,
            "Devices that have a certificate work on with their hubs until it ends, unless the hub renews it.",
            "Hubs trust the CA, whichever DPS has issued the certificate. An expired one is renewed by a registration only.",
        )
        .until(usage.none_after()),
    );
    effects.irreversible.push(Statement::new(
        Basis::Inferred,
        "The groups with their keys, the registrations and the ID scope are gone. A new DPS has another ID scope, which devices must be told.",
        "The service makes keys and the ID scope; no read shows the keys of a deleted DPS.",
    ));
    effects
}

fn of_service(usage: &Usage) -> Effects {
    let mut effects = Effects::default();
    effects.at_once.push(Statement::new(
        Basis::Inferred,
        format!("{} issue no certificate any more where they name a policy, and no policy can be given to a group.", enrolled(usage)),
        "A DPS without a namespace refuses policies (400004).",
    ));
    effects.later.push(
        Statement::new(
            Basis::Inferred,
            "Devices that have a certificate work on with their hubs until it ends, unless the hub renews it.",
            "Hubs trust the CA, whichever DPS has issued the certificate.",
        )
        .until(usage.none_after()),
    );
    effects.irreversible.push(Statement::new(
        Basis::Unknown,
        "Take it as final: whether the DPS can be linked again is not certain.",
        "Sources contradict each other on whether an existing DPS can be linked at all.",
    ));
    effects
}
