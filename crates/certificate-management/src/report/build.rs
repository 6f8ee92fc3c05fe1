//! Makes the part of a report that is about one namespace.

use time::OffsetDateTime;

use super::namespace::{HubReport, LinksReport, OtherCertificate, PreviousCa};
use super::{
    EnrollmentGroups, NamespaceReport, PolicyReport, ProvisioningServiceReport, TrustReport, authorities,
};
use crate::facts::{NamespaceFacts, ServiceFacts};
use crate::issuers::SeenIssuers;
use crate::model::{HubCertificate, Policy};
use crate::plan::{Observation, ObservedHub, Pair};
use crate::trust;

/// All there is to know of a namespace.
pub(super) fn namespace(
    facts: &NamespaceFacts<'_>,
    kill_switch: bool,
    now: OffsetDateTime,
) -> NamespaceReport {
    let configuration = facts.configuration;
    let observation = facts.observation.as_ref().ok();
    let trust = facts.pairs.iter().map(|pair| TrustReport {
        policy: pair.policy.name.clone(),
        hub: pair.hub.name.clone(),
        trust: pair.assessment.trust,
        evidence: pair.assessment.evidence.clone(),
        other_certificates: others(observation, pair),
        why: pair.assessment.why.clone(),
        over_time: facts.trust.of(&pair.policy.name, &pair.hub.name),
    });
    NamespaceReport {
        id: configuration.id.clone(),
        name: configuration.id.name().to_owned(),
        location: observation.map(|seen| seen.namespace.location.clone()),
        provisioning_state: observation.map(|seen| seen.namespace.provisioning_state.clone()),
        generation: observation.map(|seen| seen.namespace.generation),
        mode: configuration.effective_mode(kill_switch),
        sync: configuration.sync,
        unreadable: facts.observation.as_ref().err().map(ToString::to_string),
        seen_at: facts.looks.namespace_at,
        services_seen_at: facts.looks.services_at,
        read_at: facts.looks.read_at.filter(|_| observation.is_none()),
        hubs: observation.iter().flat_map(|seen| &seen.hubs).map(hub).collect(),
        authorities: observation.map(|seen| authorities::of(seen, now)).unwrap_or_default(),
        policies: observation
            .iter()
            .flat_map(|seen| &seen.policies)
            .map(|seen| policy(seen, facts.issuers, now))
            .collect(),
        trust: trust.collect(),
        links: facts.links.as_ref().map(|(at, links)| LinksReport {
            seen_at: *at,
            unmet: links.wrong.len(),
            unchecked: links.unchecked.len(),
            why_unchecked: links.unchecked.first().map(|judged| judged.message.clone()),
        }),
        provisioning_services: services(facts),
    }
}

fn hub(seen: &ObservedHub) -> HubReport {
    HubReport {
        name: seen.hub.name.clone(),
        host_name: seen.hub.host_name.clone(),
        certificates: seen.certificates.as_ref().ok().map(Vec::len),
    }
}

/// What the hub of a pair has of its policy beside what decided its trust.
fn others(observation: Option<&Observation>, pair: &Pair<'_>) -> Vec<OtherCertificate> {
    let decided = pair.assessment.evidence.as_ref().map(|evidence| evidence.certificate_name.as_str());
    let hub = observation.and_then(|seen| seen.hubs.iter().find(|hub| hub.hub.id == pair.hub.id));
    let certificates = hub.into_iter().flat_map(|hub| hub.certificates.iter().flatten());
    let others = certificates.filter(|certificate| {
        certificate.issuer_id.as_ref() == Some(pair.policy.issuer_id()) && Some(&*certificate.name) != decided
    });
    let other = |certificate: &HubCertificate| OtherCertificate {
        certificate_name: certificate.name.clone(),
        thumbprint: certificate.thumbprint.clone(),
        expiry: certificate.expiry,
        is_next: trust::is_next(pair.policy, certificate),
    };
    others.map(other).collect()
}

fn policy(policy: &Policy, issuers: &SeenIssuers, now: OffsetDateTime) -> PolicyReport {
    let previous = issuers.previous(policy).into_iter().map(|previous| PreviousCa {
        subject: previous.issuer.subject.clone(),
        thumbprint: previous.issuer.thumbprint.clone(),
        not_after: previous.issuer.not_after,
        first_seen_at: previous.issuer.first_seen_at,
        last_seen_at: previous.issuer.last_seen_at,
        leaves_end_by: previous.leaves_end_by,
    });
    PolicyReport {
        issuing_ca_seen_since: issuers.current(policy).map(|seen| seen.first_seen_at),
        previous_cas: Some(previous.collect()),
        name: policy.name.clone(),
        provisioning_state: policy.provisioning_state.clone(),
        issuing_ca_subject: policy.issuing_ca.subject.clone(),
        issuing_ca_not_before: policy.issuing_ca.not_before,
        issuing_ca_not_after: policy.issuing_ca.not_after,
        issuing_ca_days_left: policy.issuing_ca.not_after.map(|end| (end - now).whole_days()),
        leaf_validity_days: policy.leaf_validity_days,
        bring_your_own_root_status: policy.bring_your_own_root.as_ref().map(|own| own.status.clone()),
    }
}

/// Where the DPS could not be listed, those that the configuration names, with the reason.
fn services(facts: &NamespaceFacts<'_>) -> Vec<ProvisioningServiceReport> {
    let Some(failure) = facts.services_unread else {
        return facts.provisioning_services.iter().map(service).collect();
    };
    let named = facts.configuration.provisioning_services.iter();
    let unread = named.map(|endpoint| ProvisioningServiceReport {
        endpoint: endpoint.clone(),
        unreadable: Some(failure.to_string()),
        enrollment_groups: EnrollmentGroups::default(),
    });
    unread.collect()
}

fn service(facts: &ServiceFacts<'_>) -> ProvisioningServiceReport {
    ProvisioningServiceReport {
        endpoint: facts.endpoint.to_owned(),
        unreadable: facts.groups.as_ref().err().map(ToString::to_string),
        enrollment_groups: facts.groups.as_deref().map(EnrollmentGroups::of).unwrap_or_default(),
    }
}
