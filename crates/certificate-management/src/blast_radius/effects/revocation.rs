//! The issuing CA is given up and another takes its place (`ca-lifecycle-facts.md` §1.9). The one action by which a person
//! rotates a CA that the service signs is the same.

use time::Duration;

use super::super::facts::Facts;
use super::super::radius::{Basis, Statement};
use super::super::usage::Usage;
use super::{Effects, enrolled};
use crate::generation::Generation;
use crate::plural;

/// How long a revocation list is valid (`ca-lifecycle-facts.md` §1.9).
const REVOCATION_LIST: Duration = Duration::days(7);

/// Of a CA that the service signs.
pub(super) fn of(facts: &Facts, usage: &Usage) -> Effects {
    let mut effects = Effects::default();
    let (holding, all) = (usage.holding(), plural::count(usage.hubs.len(), "linked hub"));
    if holding > 0 {
        effects.at_once.push(Statement::new(
            Basis::Published,
            format!("{holding} of {all} stop trusting the present CA. Every device whose certificate it signed is refused when it connects again."),
            "The service makes another CA, pushes it to every linked hub, and the hubs stop trusting the old one.",
        ));
        effects.later.push(Statement::new(
            Basis::Published,
            "A refused device stays out until it registers with its DPS again and gets a certificate of the new CA.",
            "A hub renews nothing for a certificate that it does not trust; the onboarding credential of the device must still work.",
        ));
        effects.later.push(Statement::new(
            Basis::Inferred,
            "A device that is connected may stay so until its connection ends.",
            "The effect shows at the next connect; no source says that open connections are cut.",
        ));
    } else if usage.is_enrolled() {
        effects.later.push(Statement::new(
            Basis::Observed,
            format!("{} go on with the new CA, under the same name.", enrolled(usage)),
            "Policy and authority keep their names. No linked hub holds the present CA, so none admits its devices now.",
        ));
    }
    effects.later.push(
        Statement::new(
            Basis::Published,
            "A program that reads the revocation list may accept the old CA until its copy of the list has ended.",
            "The list is valid for 7 days and published anew at each revocation. Hubs do not read it.",
        )
        .until(facts.now.checked_add(REVOCATION_LIST)),
    );
    if facts.generation() == Generation::Credentials {
        effects.later.push(Statement::new(
            Basis::Unknown,
            "A hub that does not get the new CA refuses the new certificates until the namespace is synced.",
            "The documentation says that hubs get it by themselves; Microsoft's own tests sync by hand where they did not.",
        ));
    }
    effects.irreversible.push(Statement::new(
        Basis::Published,
        "The present CA and every certificate that it signed are lost. There is no way back.",
        "The service has no operation that undoes it.",
    ));
    effects
}

/// Of a CA that the customer's root signs.
pub(super) fn of_own_root(facts: &Facts, usage: &Usage) -> Effects {
    let mut effects = Effects::default();
    match facts.generation() {
        Generation::CertificateAuthorities => {
            effects.is_refused = true;
            effects.later.push(Statement::new(
                Basis::Published,
                "To revoke it at your own root stops no device at a hub.",
                "Hubs read no revocation list. Azure revokes an authority only where it has signed it: HTTP 400.",
            ));
        }
        // The refusal is said to be for the time being.
        Generation::Credentials => {
            if usage.holding() > 0 {
                effects.at_once.push(Statement::new(
                    Basis::Unknown,
                    "The service may refuse this (PolicyRevokeNotAllowedForBringYourOwnRoot). If it does not, devices with a certificate of this CA are refused when they connect again.",
                    "Microsoft's tests call the refusal a temporary one.",
                ));
            }
            effects.irreversible.push(Statement::new(
                Basis::Inferred,
                "If it is taken, the signed CA is lost: a new request has to be signed and activated.",
                "A revocation replaces the issuing CA, and the new one waits for your root.",
            ));
        }
    }
    effects
}

/// Of a root: no action revokes or rotates one.
pub(super) fn of_root() -> Effects {
    let later = Statement::new(
        Basis::Published,
        "The service rotates its root by itself before it ends, and both are trusted for a time.",
        "revokeAndRotate takes an issuing authority that the service signs, and answers a root with HTTP 400.",
    );
    Effects { is_refused: true, later: vec![later], ..Effects::default() }
}
