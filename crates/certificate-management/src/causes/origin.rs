//! What a finding comes from, as far as the findings themselves tell it.

use std::collections::{BTreeMap, BTreeSet};

use crate::ArmId;
use crate::checks::CheckId;
use crate::finding::{Finding, POLICY, Subject, WAITS_FOR};
use crate::reason::{Reason, Severity};
use crate::reference;

/// What findings of one cause have in common. Names are in lower case, since Azure compares them in any case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// One action that the identity may not take, on however many resources: one role assignment allows it.
    Permission(String),
    /// The records of Policysync itself.
    Records,
    /// The runs of the report, which came late or not to every namespace.
    Runs,
    /// A namespace as a whole.
    Namespace(String),
    /// A sync of a namespace that failed before it came to any hub.
    Sync(String),
    /// A certificate authority of a namespace: an authority, or a policy that has its own.
    Authority(String, String),
    /// A hub of a namespace.
    Hub(String, String),
    /// A provisioning service of a namespace.
    Service(String, String),
    /// The same trouble in several places of a namespace, or of the fleet.
    Alike(String, CheckId, Reason),
}

/// What is wrong with one hub, with the authority where it is about one.
type Troubles = BTreeSet<(Option<String>, Origin)>;

/// What the set of the findings tells of the origin of each.
pub(super) struct Origins {
    /// Namespaces with a sync that failed as a whole.
    failed_syncs: BTreeSet<String>,
    /// Namespaces in which fewer hubs than authorities have to do with what is missing, such as after a hub was linked.
    by_hub: BTreeSet<String>,
    /// By namespace and hub.
    hubs: BTreeMap<(String, String), Troubles>,
    /// Namespaces without any hub.
    without_hubs: BTreeSet<String>,
    /// Groups that wait, by their subject.
    groups: BTreeMap<String, Origin>,
}

impl Origins {
    pub fn of(findings: &[Finding]) -> Self {
        let mut origins = Self {
            failed_syncs: namespaces(findings, |finding| {
                finding.check == CheckId::SyncUnverified && finding.subject.request.is_some()
            }),
            by_hub: by_hub(findings),
            hubs: BTreeMap::new(),
            without_hubs: namespaces(findings, |finding| finding.check == CheckId::NothingToSync),
            groups: BTreeMap::new(),
        };
        for finding in findings {
            let Some(hub) = finding.subject.hub.as_deref().filter(|_| is_about_trust(finding)) else {
                continue;
            };
            let policy = finding.subject.policy.as_deref().map(authority);
            let place = (namespace(finding), hub.to_ascii_lowercase());
            let origin = origins.direct(finding);
            origins.hubs.entry(place).or_default().insert((policy, origin));
        }
        for finding in findings.iter().filter(|finding| finding.check == CheckId::GroupUnassigned) {
            let origin = origins.of_waiting_group(finding);
            let known =
                origins.groups.entry(place_of_group(&finding.subject)).or_insert_with(|| origin.clone());
            *known = origin.min(known.clone());
        }
        origins
    }

    pub fn origin(&self, finding: &Finding) -> Origin {
        let group = || self.groups.get(&place_of_group(&finding.subject));
        match finding.check {
            CheckId::GroupUnassigned => self.of_waiting_group(finding),
            // A device that came before the policy came because the group waits.
            CheckId::DevicesBeforePolicy => group().cloned().unwrap_or_else(|| self.direct(finding)),
            _ => self.direct(finding),
        }
    }

    /// The origin of what does not follow from another finding about a hub or a group.
    fn direct(&self, finding: &Finding) -> Origin {
        let subject = &finding.subject;
        let namespace = namespace(finding);
        let alike = || Origin::Alike(namespace.clone(), finding.check, finding.reason);
        let of_authority = || match &subject.policy {
            Some(policy) => Origin::Authority(namespace.clone(), authority(policy)),
            None => alike(),
        };
        match finding.check {
            CheckId::PermissionMissing => match finding.fact("action") {
                Some(action) => Origin::Permission(action.to_ascii_lowercase()),
                None => of_place(subject, &namespace),
            },
            CheckId::SectionStale | CheckId::ReportOverdue => Origin::Runs,
            // No run has come to it yet.
            CheckId::Unreadable if finding.severity == Severity::Information => Origin::Runs,
            CheckId::Unreadable | CheckId::LinkUnready | CheckId::HubCertificateLimit => {
                of_place(subject, &namespace)
            }
            CheckId::NothingToSync => Origin::Namespace(namespace),
            CheckId::StateNotSucceeded if subject.policy.is_none() => Origin::Namespace(namespace),
            CheckId::SyncUnverified if subject.request.is_some() => Origin::Sync(namespace),
            CheckId::HubUntrusting => match (&subject.hub, finding.fact("obstacle")) {
                (Some(hub), Some(obstacle)) if is_of_link(obstacle) => {
                    Origin::Hub(namespace, hub.to_ascii_lowercase())
                }
                (_, None) if self.failed_syncs.contains(&namespace) => Origin::Sync(namespace),
                (Some(hub), None)
                    if finding.reason == Reason::PolicyMissing && self.by_hub.contains(&namespace) =>
                {
                    Origin::Hub(namespace, hub.to_ascii_lowercase())
                }
                _ => of_authority(),
            },
            CheckId::SyncUnverified => self.of_pair(finding).unwrap_or_else(of_authority),
            CheckId::CaExpiring
            | CheckId::CaShorterThanLeaf
            | CheckId::CaLeftover
            | CheckId::CaRemovedEarly
            | CheckId::StateNotSucceeded
            | CheckId::BringYourOwnRoot
            | CheckId::DeclaredResource => of_authority(),
            CheckId::GroupDangling => match finding.fact(POLICY) {
                // A group names the namespace of its policy too.
                Some(policy) => {
                    let own = subject.namespace_id.as_ref().map(ArmId::name).unwrap_or_default();
                    Origin::Authority(namespace.clone(), authority(reference::shown(policy, own)))
                }
                None => alike(),
            },
            _ => alike(),
        }
    }

    /// That of the pair whose hub does not trust its policy.
    fn of_pair(&self, finding: &Finding) -> Option<Origin> {
        let policy = finding.subject.policy.as_deref().map(authority);
        self.of_hub(&namespace(finding), finding.subject.hub.as_deref()?, policy.as_deref())
    }

    /// What is wrong with a hub; what is about the authority itself, or about the whole hub, before what is about another.
    fn of_hub(&self, namespace: &str, hub: &str, policy: Option<&str>) -> Option<Origin> {
        let known = self.hubs.get(&(namespace.to_owned(), hub.to_ascii_lowercase()))?;
        let fits = |of: &Option<String>| policy.is_none() || of.is_none() || of.as_deref() == policy;
        let origin = known.iter().find(|(of, _)| fits(of)).or_else(|| known.first());
        origin.map(|(_, origin)| origin.clone())
    }

    fn of_waiting_group(&self, finding: &Finding) -> Origin {
        let namespace = namespace(finding);
        let policy = finding.fact(POLICY).map(authority);
        let mut hubs: Vec<&str> = finding.facts(WAITS_FOR).collect();
        hubs.sort_unstable();
        let of_hubs = || hubs.iter().find_map(|hub| self.of_hub(&namespace, hub, policy.as_deref()));
        match (finding.reason, &policy) {
            (Reason::WaitingForTrust | Reason::HubsUnknown, _) => {
                of_hubs().unwrap_or_else(|| match self.without_hubs.contains(&namespace) {
                    true => Origin::Namespace(namespace.clone()),
                    false => self.direct(finding),
                })
            }
            (Reason::PolicyNotActive | Reason::CaExpired | Reason::PolicyNotFound, Some(policy)) => {
                Origin::Authority(namespace, policy.clone())
            }
            _ => self.direct(finding),
        }
    }
}

/// Whether what a finding says of a hub keeps groups from their policy.
fn is_about_trust(finding: &Finding) -> bool {
    matches!(
        finding.check,
        CheckId::HubUntrusting | CheckId::Unreadable | CheckId::PermissionMissing | CheckId::LinkUnready
    )
}

fn is_of_link(obstacle: &str) -> bool {
    [Reason::LinkMissing, Reason::LinkFailed, Reason::LinkInProgress, Reason::LinkNeedMissing]
        .iter()
        .any(|link| link.code() == obstacle)
}

/// What a finding is about, from the hub up.
fn of_place(subject: &Subject, namespace: &str) -> Origin {
    let lower = |name: &String| name.to_ascii_lowercase();
    match (&subject.hub, &subject.provisioning_service) {
        _ if namespace.is_empty() => Origin::Records,
        (Some(hub), _) => Origin::Hub(namespace.to_owned(), lower(hub)),
        (None, Some(service)) => Origin::Service(namespace.to_owned(), lower(service)),
        (None, None) => Origin::Namespace(namespace.to_owned()),
    }
}

/// Namespaces in which some hubs lack many authorities, rather than many hubs some authorities.
fn by_hub(findings: &[Finding]) -> BTreeSet<String> {
    let mut missing: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    let is_missing = |finding: &&Finding| {
        finding.check == CheckId::HubUntrusting && finding.reason == Reason::PolicyMissing
    };
    for finding in findings.iter().filter(is_missing) {
        let (hubs, authorities) = missing.entry(namespace(finding)).or_default();
        hubs.extend(finding.subject.hub.as_ref().map(|hub| hub.to_ascii_lowercase()));
        authorities.extend(finding.subject.policy.as_deref().map(authority));
    }
    let fewer = missing.into_iter().filter(|(_, (hubs, authorities))| hubs.len() < authorities.len());
    fewer.map(|(namespace, _)| namespace).collect()
}

fn namespaces(findings: &[Finding], is_meant: impl Fn(&Finding) -> bool) -> BTreeSet<String> {
    findings.iter().filter(|finding| is_meant(finding)).map(namespace).collect()
}

/// The ARM id of the namespace; empty for what is about none.
fn namespace(finding: &Finding) -> String {
    finding.subject.namespace_id.as_ref().map(ArmId::as_str).unwrap_or_default().to_ascii_lowercase()
}

/// The authority of a policy: policies of the second generation are `authority/policy`, and those of one authority share
/// its CA. A policy of the first generation has its own.
fn authority(policy: &str) -> String {
    policy.split('/').next().unwrap_or(policy).to_ascii_lowercase()
}

fn place_of_group(subject: &Subject) -> String {
    let parts = [
        subject.namespace_id.as_ref().map(ArmId::as_str),
        subject.provisioning_service.as_deref(),
        subject.enrollment_group.as_deref(),
    ];
    parts.map(Option::unwrap_or_default).join(" ").to_ascii_lowercase()
}
