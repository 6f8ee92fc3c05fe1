//! The proof: on each linked hub, the very certificate that the chain begins with.

use std::sync::Arc;

use azure::OwnAuthority;
use certificate_chain::Summary;
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::generation::Generation;
use certificate_management::model::{IssuingCa, Policy, ProvisioningState};
use certificate_management::next_step::{self, Caller, Situation};
use certificate_management::plan::{self, Observation, Pair};
use certificate_management::readiness::Found;
use certificate_management::reason::Reason;
use certificate_management::trust::{self, Assessment, Evidence, Trust};
use serde::Serialize;

/// What one hub shows of the certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HubProof {
    /// Name of the hub.
    pub hub: String,
    /// Whether it trusts the certificate.
    pub trust: Trust,
    /// What was seen on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Arc<Evidence>>,
    /// Why, as a sentence.
    pub why: String,
    /// What a person does about it; none of a hub that trusts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
    /// Whether it comes without a person.
    #[serde(skip)]
    pub comes: bool,
}

/// Whether each hub trusts the certificate. An empty list proves nothing.
pub fn is_proven(hubs: &[HubProof]) -> bool {
    !hubs.is_empty() && hubs.iter().all(|hub| hub.trust.admits_current())
}

/// What hubs show before the activation: what they lack cannot have come yet, and nothing is to be done about it.
pub fn before(hubs: Vec<HubProof>) -> Vec<HubProof> {
    let of_hub = |hub: HubProof| match hub.trust {
        Trust::Trusted | Trust::Leftover | Trust::Unreadable => hub,
        _ => HubProof { why: "it comes after the activation".to_owned(), next_step: None, ..hub },
    };
    hubs.into_iter().map(of_hub).collect()
}

/// Judges every linked hub. `links`: what was found of the links to them, where it was looked at.
pub fn judge(
    (observation, links): (&Observation, Option<&Found>),
    configuration: &NamespaceConfiguration,
    kill_switch: bool,
    authority: &OwnAuthority,
    certificate: &Summary,
) -> Vec<HubProof> {
    let expected = expected(authority, certificate);
    let of_hub = |hub: &plan::ObservedHub| {
        let assessment = match &hub.certificates {
            Ok(certificates) => trust::assess(&expected, certificates, observation.seen_at),
            Err(why) => Assessment { trust: Trust::Unreadable, evidence: None, why: why.to_string() },
        };
        let pair = Pair {
            policy: &expected,
            hub: &hub.hub,
            assessment,
            has_ended: expected.has_ended(observation.seen_at),
        };
        let (why, next_step, comes) = what_is_left((observation, links), configuration, kill_switch, &pair);
        let Assessment { trust, evidence, .. } = pair.assessment;
        HubProof { hub: hub.hub.name.clone(), trust, evidence, why, next_step, comes }
    };
    observation.hubs.iter().map(of_hub).collect()
}

/// The authority as it is to be: with the certificate of the chain, whatever the service shows of it.
fn expected(authority: &OwnAuthority, certificate: &Summary) -> Policy {
    Policy {
        id: authority.id.clone(),
        name: authority.name.clone(),
        provisioning_state: ProvisioningState::Succeeded,
        issuing_ca: IssuingCa {
            id: (authority.generation == Generation::CertificateAuthorities).then(|| authority.id.clone()),
            subject: None,
            not_before: Some(certificate.not_before),
            not_after: Some(certificate.not_after),
            thumbprint: Some(certificate.sha1.to_ascii_uppercase()),
        },
        leaf_validity_days: None,
        bring_your_own_root: None,
    }
}

/// Why a hub is as it is, what a person does about it, and whether it comes by itself.
fn what_is_left(
    (observation, links): (&Observation, Option<&Found>),
    configuration: &NamespaceConfiguration,
    kill_switch: bool,
    pair: &Pair<'_>,
) -> (String, Option<String>, bool) {
    let why = pair.assessment.why.clone();
    let again = |first: &str| Some(format!("{first}run the same command again."));
    match (pair.assessment.trust, pair.policy.generation()) {
        (Trust::Trusted | Trust::Leftover, _) => (why, None, true),
        (Trust::Unreadable, _) => (why, again("Put right what keeps the hub from being read, and "), true),
        (_, Generation::CertificateAuthorities) => {
            let obstacle = plan::obstacle(observation, pair);
            let lacks_role = links.is_some_and(|links| links.lacks_role(&pair.hub.name));
            let first = match obstacle.reason {
                Reason::PushAwaited if lacks_role => {
                    "Grant the role that its link lacks (`policysync check` has the command): the service pushes nothing to the hub \
                     before that. Then "
                }
                Reason::LinkMissing | Reason::LinkFailed => {
                    "Link the hub from the namespace (`az iot adr ns link`), and "
                }
                _ => "Wait, and ",
            };
            (obstacle.detail, again(first), obstacle.may_pass && !lacks_role)
        }
        (_, Generation::Credentials) => {
            let situation = Situation::of(configuration, kill_switch, Caller::Person).about(pair.policy);
            let next_step = next_step::of(Reason::PolicyMissing, &situation);
            (why, Some(next_step), next_step::comes_by_itself(&situation))
        }
    }
}
