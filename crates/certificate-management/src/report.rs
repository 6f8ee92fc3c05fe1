//! The report that people look at: what was observed, what needs a person, and how old the data is.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ArmId;
use crate::configuration::{Mode, NamespaceConfiguration, Sync};
use crate::model::{EnrollmentGroup, Policy, ProvisioningState};
use crate::plan::{self, Observation};
use crate::reason::{Reason, Severity};
use crate::trust::{Evidence, Trust};

/// Version of the report's JSON.
pub const REPORT_SCHEMA: &str = "policy-status/v1";
/// A CA that ends within this many days is worth a warning.
pub const CA_EXPIRY_WARNING_DAYS: i64 = 60;

/// The status of every policy on every hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Always [`REPORT_SCHEMA`].
    pub schema: String,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub generated_at: OffsetDateTime,
    /// Whether `POLICYSYNC_MODE=audit` keeps every function from writing.
    pub kill_switch: bool,
    /// The namespaces, in the order of the configuration.
    pub namespaces: Vec<NamespaceReport>,
    /// What a person should know, the worst first.
    pub findings: Vec<Finding>,
}

/// One namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceReport {
    /// Its ARM id.
    pub id: ArmId,
    /// Its name.
    pub name: String,
    /// Whether functions write to it.
    pub mode: Mode,
    /// Whether it is synced without being asked.
    pub sync: Sync,
    /// Why it could not be read, and then the rest is empty.
    pub unreadable: Option<String>,
    /// When it was seen.
    #[serde(with = "time::serde::rfc3339")]
    pub seen_at: OffsetDateTime,
    /// Its policies.
    pub policies: Vec<PolicyReport>,
    /// Trust of each linked hub in each active policy.
    pub trust: Vec<TrustReport>,
    /// Its enrollment groups, per DPS.
    pub provisioning_services: Vec<ProvisioningServiceReport>,
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyReport {
    /// Its name.
    pub name: String,
    /// Whether Azure finished making it.
    pub provisioning_state: ProvisioningState,
    /// Subject of its issuing CA.
    pub issuing_ca_subject: Option<String>,
    /// Start of the issuing CA's validity.
    #[serde(with = "time::serde::rfc3339::option")]
    pub issuing_ca_not_before: Option<OffsetDateTime>,
    /// End of the issuing CA's validity.
    #[serde(with = "time::serde::rfc3339::option")]
    pub issuing_ca_not_after: Option<OffsetDateTime>,
    /// Whole days until then; negative when it has passed.
    pub issuing_ca_days_left: Option<i64>,
    /// How long a device certificate is valid, in days.
    pub leaf_validity_days: Option<u32>,
    /// State of the customer's own root, where there is one.
    pub bring_your_own_root_status: Option<String>,
}

/// Trust of one hub in one policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustReport {
    /// Name of the policy.
    pub policy: String,
    /// Name of the hub.
    pub hub: String,
    /// The state.
    pub trust: Trust,
    /// What was seen on the hub.
    pub evidence: Option<Evidence>,
    /// Why, as a sentence.
    pub why: String,
}

/// The enrollment groups of one DPS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProvisioningServiceReport {
    /// Its endpoint.
    pub endpoint: String,
    /// Why its groups could not be read.
    pub unreadable: Option<String>,
    /// Its groups.
    pub enrollment_groups: Vec<EnrollmentGroupReport>,
}

/// One enrollment group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrollmentGroupReport {
    /// Its id.
    pub id: String,
    /// The policy that it names.
    pub policy: Option<String>,
    /// Where it stands: `already-assigned`, `waiting-for-trust` and so on.
    pub status: Reason,
}

/// Something a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// How much a person is needed.
    pub severity: Severity,
    /// What it is.
    pub reason: Reason,
    /// What it is about, e.g. `contoso / short-lived / contoso-hub-1`.
    pub subject: String,
    /// The particulars.
    pub message: String,
    /// What to do.
    pub next_step: String,
}

/// What was learnt of one namespace, or why nothing was.
#[derive(Debug)]
pub struct NamespaceInput<'a> {
    /// Its configuration.
    pub configuration: &'a NamespaceConfiguration,
    /// Its observation.
    pub observation: Result<Observation, String>,
    /// Its DPS: the endpoint, the host names of its hubs, and its groups.
    pub provisioning_services: Vec<ProvisioningServiceInput>,
}

/// What was learnt of one DPS.
#[derive(Debug)]
pub struct ProvisioningServiceInput {
    /// Its endpoint.
    pub endpoint: String,
    /// Host names of its hubs.
    pub hubs: Vec<String>,
    /// Its groups, or why they could not be read.
    pub enrollment_groups: Result<Vec<EnrollmentGroup>, String>,
}

/// Makes the report. A namespace that cannot be read becomes a finding, never a missing report.
#[must_use]
pub fn build(inputs: &[NamespaceInput<'_>], kill_switch: bool, now: OffsetDateTime) -> Report {
    let mut findings = Vec::new();
    let namespaces = inputs.iter().map(|input| namespace(input, kill_switch, now, &mut findings)).collect();
    findings.sort_by(|a: &Finding, b| b.severity.cmp(&a.severity).then_with(|| a.subject.cmp(&b.subject)));
    Report { schema: REPORT_SCHEMA.to_owned(), generated_at: now, kill_switch, namespaces, findings }
}

fn namespace(
    input: &NamespaceInput<'_>,
    kill_switch: bool,
    now: OffsetDateTime,
    findings: &mut Vec<Finding>,
) -> NamespaceReport {
    let configuration = input.configuration;
    let name = configuration.id.name();
    let mut report = NamespaceReport {
        id: configuration.id.clone(),
        name: name.to_owned(),
        mode: configuration.effective_mode(kill_switch),
        sync: configuration.sync,
        unreadable: None,
        seen_at: now,
        policies: Vec::new(),
        trust: Vec::new(),
        provisioning_services: Vec::new(),
    };
    let observation = match &input.observation {
        Ok(observation) => observation,
        Err(why) => {
            findings.push(finding(Reason::NamespaceUnreadable, name.to_owned(), why.clone()));
            report.unreadable = Some(why.clone());
            return report;
        }
    };
    report.seen_at = observation.seen_at;
    for policy in &observation.policies {
        report.policies.push(policy_report(policy, name, now, findings));
    }
    if observation.hubs.is_empty() {
        findings.push(finding(Reason::NoHubsLinked, name.to_owned(), "no linked hub was found".to_owned()));
    }
    for pair in observation.pairs() {
        let subject = format!("{name} / {} / {}", pair.policy.name, pair.hub.name);
        let reason = match pair.assessment.trust {
            Trust::Trusted => None,
            Trust::Leftover => Some(Reason::CaLeftover),
            Trust::Stale => Some(Reason::PolicyStale),
            Trust::Missing => Some(Reason::PolicyMissing),
            Trust::Unreadable => Some(Reason::HubUnreadable),
        };
        findings.extend(reason.map(|reason| {
            let finding = finding(reason, subject, pair.assessment.why.clone());
            let is_untrusted = matches!(reason, Reason::PolicyStale | Reason::PolicyMissing);
            if is_untrusted && configuration.sync == Sync::Ask {
                let next_step = format!("Run `policysync submit --namespace {}`.", configuration.id);
                return Finding { next_step, ..finding };
            }
            finding
        }));
        report.trust.push(TrustReport {
            policy: pair.policy.name.clone(),
            hub: pair.hub.name.clone(),
            trust: pair.assessment.trust,
            evidence: pair.assessment.evidence,
            why: pair.assessment.why,
        });
    }
    for service in &input.provisioning_services {
        report.provisioning_services.push(service_report(service, configuration, observation, findings));
    }
    report
}

fn policy_report(
    policy: &Policy,
    namespace: &str,
    now: OffsetDateTime,
    findings: &mut Vec<Finding>,
) -> PolicyReport {
    let subject = format!("{namespace} / {}", policy.name);
    let days_left = policy.issuing_ca.not_after.map(|end| (end - now).whole_days());
    if let Some(end) = policy.issuing_ca.not_after {
        let days = days_left.unwrap_or_default();
        if end <= now {
            findings.push(finding(Reason::CaExpired, subject.clone(), format!("it ended {}", end.date())));
        } else if days < CA_EXPIRY_WARNING_DAYS {
            findings.push(finding(
                Reason::CaExpiring,
                subject.clone(),
                format!("it ends {} ({days} days)", end.date()),
            ));
        }
    }
    if !plan::is_active(policy) {
        let message = format!("its state is {}", policy.provisioning_state);
        findings.push(finding(Reason::PolicyNotActive, subject, message));
    }
    PolicyReport {
        name: policy.name.clone(),
        provisioning_state: policy.provisioning_state.clone(),
        issuing_ca_subject: policy.issuing_ca.subject.clone(),
        issuing_ca_not_before: policy.issuing_ca.not_before,
        issuing_ca_not_after: policy.issuing_ca.not_after,
        issuing_ca_days_left: days_left,
        leaf_validity_days: policy.leaf_validity_days,
        bring_your_own_root_status: policy.bring_your_own_root.as_ref().map(|own| own.status.clone()),
    }
}

fn service_report(
    service: &ProvisioningServiceInput,
    configuration: &NamespaceConfiguration,
    observation: &Observation,
    findings: &mut Vec<Finding>,
) -> ProvisioningServiceReport {
    let name = configuration.id.name();
    let (groups, unreadable) = match &service.enrollment_groups {
        Ok(groups) => (groups.as_slice(), None),
        Err(why) => {
            findings.push(finding(
                Reason::GroupUnreadable,
                format!("{name} / {}", service.endpoint),
                why.clone(),
            ));
            (&[][..], Some(why.clone()))
        }
    };
    let mut enrollment_groups = Vec::new();
    for group in groups {
        let plan = plan::plan_assignment(group, &service.hubs, configuration, observation);
        let subject = format!("{name} / {}", group.id);
        let exists = |policy: &String| {
            observation.policies.iter().any(|known| known.name.eq_ignore_ascii_case(policy))
        };
        // Until the next reconcile has written it, a group that a rule has a policy for is still without one.
        let status = if plan.write.is_some() { Reason::GroupUnassigned } else { plan.reason };
        match &group.policy {
            Some(policy) if !exists(policy) => {
                findings.push(finding(Reason::PolicyNotFound, subject, format!("it names `{policy}`")));
            }
            Some(_) => {}
            None if matches!(status, Reason::RuleSaysNone | Reason::OptedOut) => {}
            None => findings.push(finding(status, subject, plan.detail)),
        }
        enrollment_groups.push(EnrollmentGroupReport {
            id: group.id.clone(),
            policy: group.policy.clone(),
            status,
        });
    }
    ProvisioningServiceReport { endpoint: service.endpoint.clone(), unreadable, enrollment_groups }
}

fn finding(reason: Reason, subject: String, message: String) -> Finding {
    Finding {
        severity: reason.severity(),
        reason,
        subject,
        message,
        next_step: reason.next_step().to_owned(),
    }
}

impl Report {
    /// Whether every pair of an active policy and a linked hub is trusted, and every namespace could be read.
    #[must_use]
    pub fn is_all_trusted(&self) -> bool {
        self.namespaces.iter().all(|namespace| {
            namespace.unreadable.is_none()
                && !namespace.trust.is_empty()
                && namespace.trust.iter().all(|pair| pair.trust.admits_current())
        })
    }
}

#[cfg(test)]
mod tests;
