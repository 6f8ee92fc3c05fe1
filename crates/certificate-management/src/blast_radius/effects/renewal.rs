//! A CA under the customer's own root is replaced: its new request is signed and activated (`ca-lifecycle-facts.md` §1.7,
//! §1.8).

use super::super::facts::Facts;
use super::super::radius::{Basis, Statement};
use super::super::usage::Usage;
use super::Effects;
use crate::generation::Generation;

pub(super) fn of(facts: &Facts, usage: &Usage, status: &str) -> Effects {
    let mut effects = Effects::default();
    let is = |word: &str| status.eq_ignore_ascii_case(word);
    if usage.holding() > 0 {
        let (basis, text, why) = match facts.generation() {
            Generation::CertificateAuthorities => (
                Basis::Unknown,
                "Hubs may drop the present CA when the new one is activated. Then devices with a certificate of it are refused when they connect again.",
                "The service pushes the new CA to the hubs; no source says whether the old one stays beside it.",
            ),
            Generation::Credentials => (
                Basis::Inferred,
                "The sync after the activation takes the present CA off the hubs. Then devices with a certificate of it are refused when they connect again.",
                "Microsoft's test of a sync after a rotation finds the old certificate gone; for a root of your own that test is skipped.",
            ),
        };
        effects.at_once.push(Statement::new(basis, text, why));
    }
    if !is("PendingActivation") && !is("ActiveButPendingRenewal") {
        effects.later.push(Statement::new(
            Basis::Published,
            "There is nothing to sign yet: the service makes a new request only when the CA nears its end.",
            format!("Its status is `{status}`. How long before its end that happens is not published."),
        ));
    }
    effects.later.push(
        Statement::new(
            Basis::Published,
            "Devices get certificates of the new CA when they renew theirs.",
            "The device renews, at about 80 % of the validity; the service sends it nothing.",
        )
        .until(usage.none_after()),
    );
    effects.irreversible.push(Statement::new(
        Basis::Inferred,
        "The certificate that is replaced cannot be activated again.",
        "The service takes a certificate for the key of its present request only, and the renewal made a new request.",
    ));
    effects
}
