//! The safe order of steps. What Policysync proves comes before what a person cannot take back.

use super::effects::{Signer, signer};
use super::facts::Facts;
use super::radius::{Basis, Statement};
use super::target::{Action, Target};
use super::usage::{self, Usage};
use crate::authority::AuthorityType;
use crate::generation::Generation;

/// Most issuing authorities of a namespace (`ca-lifecycle-facts.md` §1.2).
const MOST_ISSUING: usize = 3;

/// A step of the order.
pub(super) struct Step {
    pub statement: Statement,
    /// It saves what would stop, and is needless where nothing does.
    pub is_precaution: bool,
}

fn precaution(basis: Basis, text: impl Into<String>, why: impl Into<String>) -> Step {
    Step { statement: Statement::new(basis, text, why), is_precaution: true }
}

fn step(basis: Basis, text: impl Into<String>, why: impl Into<String>) -> Step {
    Step { is_precaution: false, ..precaution(basis, text, why) }
}

pub(super) fn of(facts: &Facts, usage: &Usage) -> Vec<Step> {
    match (facts.action, signer(&facts.target)) {
        (Action::Unlink, _) => unlink(facts, usage),
        (Action::Delete, _) => delete(facts, usage),
        (Action::Revoke | Action::Rotate, Signer::Root) => Vec::new(),
        (Action::Rotate, Signer::Own(_)) => renew(facts, usage),
        (Action::Revoke, Signer::Own(_)) => cut_off(),
        (Action::Revoke | Action::Rotate, Signer::Service) => replace(facts, usage),
    }
}

/// Groups move to another policy, and the certificates of the present CA run out, before it goes.
fn move_groups(facts: &Facts, usage: &Usage) -> Vec<Step> {
    let room = match facts.generation() {
        Generation::Credentials => {
            "Documents allow one policy for a credential; Microsoft's tests made two.".to_owned()
        }
        Generation::CertificateAuthorities => {
            let issuing = facts.authorities.iter().filter(|one| one.kind == AuthorityType::Issuing).count();
            format!("A namespace has {MOST_ISSUING} issuing authorities at the most; this one has {issuing}.")
        }
    };
    vec![
        precaution(
            Basis::Published,
            "Have another policy under another CA, declared in policysync.toml: `policysync policies apply --apply`.",
            room,
        ),
        precaution(
            Basis::Observed,
            "Wait until `policysync status` shows that every linked hub trusts it.",
            "A device with a certificate of a CA that its hub lacks is refused.",
        ),
        precaution(
            Basis::Observed,
            "Give the groups that policy, in the rules of policysync.toml; `policysync plan` shows what changes.",
            "Rules with `reassign = true` move groups that have a policy already.",
        ),
        Step {
            statement: Statement::new(
                Basis::Inferred,
                "Wait until no device certificate of the present CA is valid, or until every device has renewed.",
                "The device renews, at about 80 % of the validity. Certificates of before can last as long as is said here.",
            )
            .until(usage.none_after()),
            is_precaution: true,
        },
    ]
}

fn replace(facts: &Facts, usage: &Usage) -> Vec<Step> {
    let mut steps = vec![precaution(
        Basis::Published,
        "Unless the CA is compromised, wait: the service renews its own CAs before they end, with both trusted for a time.",
        "The action below is for a key that is known to others. It revokes; there is no rotation without it.",
    )];
    steps.extend(move_groups(facts, usage));
    steps.push(precaution(
        Basis::Published,
        "If it is compromised, do not wait: see that devices can register again, then take the step.",
        "Registering needs the onboarding credential: the group's keys or its X.509 CA.",
    ));
    steps.push(prove(facts));
    steps
}

/// What to look at after the step.
fn prove(facts: &Facts) -> Step {
    match facts.generation() {
        Generation::Credentials => step(
            Basis::Observed,
            format!(
                "After it: `policysync status` until every hub shows the new CA. With `mode = \"enforce\"`, `policysync submit \
                 --namespace {} --wait` asks for the sync and proves it on each hub.",
                facts.namespace.id
            ),
            "A finished operation is no proof; the certificate on the hub is.",
        ),
        Generation::CertificateAuthorities => step(
            Basis::Observed,
            "After it: `policysync status` until every hub shows the new CA.",
            "The service pushes it; a finished operation is no proof, the certificate on the hub is.",
        ),
    }
}

fn cut_off() -> Vec<Step> {
    vec![
        step(
            Basis::Published,
            "To cut off one device, revoke its certificates and disable it: the hub compares a credential id, not a list.",
            "Registry devices have `revokeCertificates` in 2026-11-02-preview; the older generation has `revoke` on a device.",
        ),
        step(
            Basis::Published,
            "To cut off all devices of the CA, delete its certificate on each hub. That stops them at once.",
            "A hub admits what a CA in its list has signed.",
        ),
    ]
}

fn renew(facts: &Facts, usage: &Usage) -> Vec<Step> {
    let name = facts.target.name();
    let mut steps = vec![
        step(
            Basis::Observed,
            format!(
                "`policysync policies csr {name} --out FILE` fetches the request and prints how to sign it."
            ),
            "The request names subject and key; the certificate must have both.",
        ),
        step(
            Basis::Observed,
            format!("`policysync policies lint {name} --chain FILE` until nothing is wrong."),
            "The service refuses a wrong chain, for most faults with a code that is not published.",
        ),
        step(
            Basis::Published,
            "Activate the chain: the command below.",
            "Proof is `Active` with the thumbprint of the chain.",
        ),
    ];
    if facts.generation() == Generation::Credentials {
        steps.push(step(
            Basis::Published,
            "Then sync: the older generation pushes nothing by itself under a root of your own.",
            "Until then hubs refuse certificates of the new CA.",
        ));
    }
    steps.push(prove(facts));
    if usage.holding() > 0 {
        steps.push(Step {
            statement: Statement::new(
                Basis::Inferred,
                "Delete the old certificate on a hub, where it is left, only after this time.",
                "Until then a device may hold a certificate of it.",
            )
            .until(usage.none_after()),
            is_precaution: false,
        });
    }
    steps
}

fn delete(facts: &Facts, usage: &Usage) -> Vec<Step> {
    let mut steps = Vec::new();
    let is_root = signer(&facts.target) == Signer::Root;
    if is_root {
        steps.push(step(
            Basis::Published,
            "First the policies, then the issuing authorities, each with its own blast radius; the root is last.",
            "The order of Microsoft's tests: devices, policy, issuing authority, root, namespace. There is no cascade.",
        ));
    } else {
        steps.extend(move_groups(facts, usage));
    }
    if matches!(signer(&facts.target), Signer::Own(_)) {
        steps.push(precaution(
            Basis::Published,
            "Revoke the device certificates first.",
            "The documentation advises so for a CA under a root of your own.",
        ));
    }
    if matches!(facts.target, Target::Authority(_)) && usage::policies(facts).next().is_some() && !is_root {
        steps.push(step(
            Basis::Published,
            "Delete its policy, see that it is gone (404), then the authority.",
            "There is no cascade, and the service's index of children may lag.",
        ));
    }
    steps.push(step(
        Basis::Inferred,
        "Take it out of policysync.toml before, or `policies apply` and the rules bring it back or miss it.",
        "What the file declares is made when it is missing.",
    ));
    if usage.holding() > 0
        && !matches!(
            (&facts.target, facts.generation()),
            (Target::Policy(_), Generation::CertificateAuthorities)
        )
    {
        steps.push(Step {
            statement: Statement::new(
                Basis::Published,
                "Delete the CA certificate on each hub where it is left, only after this time.",
                "Until then a device may hold a certificate of it, and that deletion stops it at once.",
            )
            .until(usage.none_after()),
            is_precaution: false,
        });
    }
    steps
}

fn unlink(facts: &Facts, usage: &Usage) -> Vec<Step> {
    let is_hub = matches!(facts.target, Target::Hub(_));
    let mut steps = vec![match is_hub {
        true => precaution(
            Basis::Observed,
            "Have another linked hub that trusts every policy: `policysync status`.",
            "Devices that move are refused by a hub that lacks their CA.",
        ),
        false => precaution(
            Basis::Inferred,
            "Have another DPS with the same groups, and the devices told its ID scope.",
            "A namespace has one DPS at the most in the newer generation, so the devices that register meanwhile are refused.",
        ),
    }];
    if is_hub {
        steps.push(precaution(
            Basis::Inferred,
            "Take the hub out of the groups that name it, and let their devices register again.",
            "A group that names no hub allocates to every hub of its DPS.",
        ));
        steps.push(precaution(
            Basis::Inferred,
            "Look at the hub's own devices: some may come from no group.",
            "Devices that were made on the hub itself are not counted here.",
        ));
    } else {
        steps.push(Step {
            statement: Statement::new(
                Basis::Inferred,
                "Let devices renew before: what they hold is all they have until they can register again.",
                "The device renews, at about 80 % of the validity.",
            )
            .until(usage.none_after()),
            is_precaution: true,
        });
    }
    if facts.generation() == Generation::CertificateAuthorities {
        steps.push(step(
            Basis::Published,
            "Delete the resource first, then write the namespace without its endpoint, reading it just before.",
            "The namespace has no ETag: a change in between is lost. Its outbound identity needs Reader on the resource group, 30 s before.",
        ));
    }
    steps.push(step(
        Basis::Observed,
        "After it: take what is gone out of policysync.toml, and look at `policysync check`.",
        "A link that the file still expects is a finding.",
    ));
    steps
}
