//! Makes the report. A namespace that cannot be read becomes a finding, never a missing report.

use time::OffsetDateTime;

use super::namespace::HubReport;
use super::{
    EnrollmentGroups, Finding, NamespaceReport, PolicyReport, ProvisioningServiceReport, REPORT_SCHEMA,
    Report, ReportInput, RequestActivity, Summary, SuppressedFinding, TrustReport, Unread,
};
use crate::checks;
use crate::configuration::Suppression;
use crate::facts::{Facts, NamespaceFacts, ServiceFacts};
use crate::model::Policy;
use crate::plan::ObservedHub;

/// Makes the report.
#[must_use]
pub fn build(input: &ReportInput<'_>) -> Report {
    let facts = Facts::of(input);
    let (findings, suppressed) = split(checks::run(&facts), facts.suppressions, input.now);
    let namespaces: Vec<NamespaceReport> =
        facts.namespaces.iter().map(|facts| namespace(facts, input.kill_switch, input.now)).collect();
    let requests = facts.records.map(|records| RequestActivity::of(&records.requests));
    let unread = facts.unread().into_iter();
    Report {
        schema: REPORT_SCHEMA.to_owned(),
        generated_at: input.now,
        oldest_data_at: namespaces.iter().map(|namespace| namespace.seen_at).min().unwrap_or(input.now),
        kill_switch: input.kill_switch,
        summary: Summary::of(&namespaces, &findings, suppressed.len(), requests.as_ref()),
        findings,
        suppressed,
        unread: unread.map(|(subject, failure)| Unread { subject, failure: failure.clone() }).collect(),
        unseen: facts.unseen(),
        namespaces,
        requests,
    }
}

/// Tells what is kept quiet from what is not.
fn split(
    findings: Vec<Finding>,
    suppressions: &[Suppression],
    now: OffsetDateTime,
) -> (Vec<Finding>, Vec<SuppressedFinding>) {
    let (mut told, mut quiet) = (Vec::new(), Vec::new());
    for finding in findings {
        match suppressions.iter().find(|suppression| suppression.covers(&finding, now)) {
            Some(suppression) => quiet.push(SuppressedFinding {
                finding,
                reason: suppression.reason.clone(),
                until: suppression.until,
            }),
            None => told.push(finding),
        }
    }
    (told, quiet)
}

fn namespace(facts: &NamespaceFacts<'_>, kill_switch: bool, now: OffsetDateTime) -> NamespaceReport {
    let configuration = facts.configuration;
    let observation = facts.observation.as_ref().ok();
    let trust = facts.pairs.iter().map(|pair| TrustReport {
        policy: pair.policy.name.clone(),
        hub: pair.hub.name.clone(),
        trust: pair.assessment.trust,
        evidence: pair.assessment.evidence.clone(),
        why: pair.assessment.why.clone(),
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
        seen_at: observation.map_or(now, |seen| seen.seen_at),
        hubs: observation.iter().flat_map(|seen| &seen.hubs).map(hub).collect(),
        policies: observation.iter().flat_map(|seen| &seen.policies).map(|seen| policy(seen, now)).collect(),
        trust: trust.collect(),
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

fn policy(policy: &Policy, now: OffsetDateTime) -> PolicyReport {
    PolicyReport {
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
