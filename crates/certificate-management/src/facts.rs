//! What checks and the report look at: the input, with every pair and group judged once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::configuration::{NamespaceConfiguration, Suppression, Thresholds};
use crate::declared;
use crate::finding::Subject;
use crate::finding_subject as subject;
use crate::hold::GroupHolds;
use crate::in_force::VersionInForce;
use crate::issuers::SeenIssuers;
use crate::model::{EnrollmentGroup, Policy, ReadFailure, ReadFailureKind};
use crate::next_step::{Caller, Situation};
use crate::plan::{self, AssignmentPlan, Observation, Pair};
use crate::readiness;
use crate::reason::Reason;
use crate::report_input::{Counted, FleetRecords, Looks, NamespaceInput, Records, ReportInput};
use crate::rules::allocated_hubs;
use crate::trust_over_time::TrustOverTime;

/// Everything that checks look at.
pub struct Facts<'a> {
    /// The namespaces, in the order of the configuration.
    pub namespaces: Vec<NamespaceFacts<'a>>,
    /// What records tell of the namespaces; `None`: they were not looked at.
    pub records: Option<&'a Records>,
    /// What they tell of the fleet as a whole; `None`: they were not looked at, or this is not about the whole.
    pub fleet: Option<&'a FleetRecords>,
    /// Whether `POLICYSYNC_MODE=audit` is set.
    pub kill_switch: bool,
    /// Who has looked.
    pub caller: Caller,
    /// The thresholds of checks.
    pub thresholds: &'a Thresholds,
    /// What the configuration keeps quiet.
    pub suppressions: &'a [Suppression],
    /// What the service sent that this version does not know.
    pub surprises: &'a [String],
    /// Which version of the configuration is in force; `None`: it is a file, or this is not about the whole.
    pub standing: Option<&'a VersionInForce>,
    /// The time.
    pub now: OffsetDateTime,
}

/// One namespace.
pub struct NamespaceFacts<'a> {
    /// Its configuration.
    pub configuration: &'a NamespaceConfiguration,
    /// Its observation, or why there is none; then there are neither pairs nor groups.
    pub observation: &'a Result<Observation, ReadFailure>,
    /// Every active policy with every linked hub.
    pub pairs: Vec<Pair<'a>>,
    /// Its DPS; none where they could not be listed.
    pub provisioning_services: Vec<ServiceFacts<'a>>,
    /// Why its DPS could not be listed.
    pub services_unread: Option<&'a ReadFailure>,
    /// What was counted there last.
    pub counted: &'a Counted,
    /// What is to be done about what the file declares, or why that is not known; nothing where functions do not keep it.
    pub declared: Result<Vec<declared::Step>, &'a ReadFailure>,
    /// What its links lack, and when they were read; `None`: no run has read them yet, or nothing is known of the namespace now.
    pub links: Option<(OffsetDateTime, readiness::Found)>,
    /// The issuing CAs that its policies were seen to have.
    pub issuers: &'a SeenIssuers,
    /// Since when its hubs trust its policies.
    pub trust: &'a TrustOverTime,
    /// When it was looked at.
    pub looks: Looks,
}

/// One DPS of a namespace.
pub struct ServiceFacts<'a> {
    /// Its endpoint.
    pub endpoint: &'a str,
    /// Host names of its hubs.
    pub hubs: &'a [String],
    /// Its groups, or why they could not be read.
    pub groups: Result<Vec<GroupFacts<'a>>, &'a ReadFailure>,
}

/// One enrollment group.
pub struct GroupFacts<'a> {
    /// The group.
    pub group: &'a EnrollmentGroup,
    /// The policy that it names, where the namespace has it.
    pub policy: Option<&'a Policy>,
    /// What would be done about it.
    pub plan: AssignmentPlan,
    /// The name of the policy that the rules, or the default, have for it.
    pub wanted: Option<String>,
    /// Names of the hubs that it can allocate to and that were not seen to trust that policy.
    pub untrusting: Vec<String>,
}

/// Something that was not seen although nothing failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unseen {
    /// What it is.
    pub subject: Subject,
    /// Of a list of hubs that may lack some: the names of those that it shows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<String>,
}

impl<'a> Facts<'a> {
    /// Judges everything once.
    #[must_use]
    pub fn of(input: &'a ReportInput<'a>) -> Self {
        Self {
            namespaces: input.namespaces.iter().map(NamespaceFacts::of).collect(),
            records: input.records.as_ref(),
            fleet: input.records.as_ref().map(|records| &records.fleet),
            kill_switch: input.kill_switch,
            caller: Caller::App,
            thresholds: &input.configuration.checks,
            suppressions: &input.configuration.suppressions,
            surprises: &input.surprises,
            standing: input.standing.as_ref(),
            now: input.now,
        }
    }

    /// The namespaces that could be read, each with its observation.
    pub fn readable(&self) -> impl Iterator<Item = (&NamespaceFacts<'a>, &'a Observation)> {
        self.namespaces.iter().filter_map(|namespace| Some((namespace, namespace.observation.as_ref().ok()?)))
    }

    /// The groups of readable namespaces and DPS, each with its subject.
    pub fn groups(&self) -> impl Iterator<Item = (&NamespaceFacts<'a>, &GroupFacts<'a>, Subject)> {
        self.namespaces.iter().flat_map(|namespace| {
            namespace.provisioning_services.iter().flat_map(move |service| {
                let groups = service.groups.iter().flatten();
                groups.map(move |group| {
                    let subject = namespace.subject().in_provisioning_service(service.endpoint);
                    (namespace, group, subject.group(&group.group.id))
                })
            })
        })
    }

    /// What decides the next step of a finding about a subject.
    #[must_use]
    pub fn situation(&self, subject: &Subject) -> Situation<'a> {
        let of_it = |namespace: &&NamespaceFacts<'a>| {
            Some(&namespace.configuration.id) == subject.namespace_id.as_ref()
        };
        let fleet = Situation::of_fleet(self.kill_switch, self.caller);
        let Some(namespace) = self.namespaces.iter().find(of_it) else { return fleet };
        let situation = Situation { configuration: Some(namespace.configuration), ..fleet }.at(self.now);
        match namespace.observation {
            Err(failure) if failure.kind == ReadFailureKind::Unauthorized => situation.logged_out(),
            Err(_) => situation,
            Ok(observation) => {
                let situation = situation.in_generation(observation.namespace.generation);
                let policy = subject.policy.as_deref();
                let policy =
                    policy.and_then(|name| observation.policies.iter().find(|policy| policy.name == name));
                let link_lacks_role = subject.hub.as_deref().is_some_and(|hub| namespace.lacks_role(hub));
                let situation = Situation { link_lacks_role, ..situation };
                policy.map_or(situation, |policy| situation.about(policy))
            }
        }
    }

    /// Everything that could not be read, with what it is.
    #[must_use]
    pub fn unread(&self) -> Vec<(Subject, &'a ReadFailure)> {
        let mut unread = Vec::new();
        for namespace in &self.namespaces {
            let subject = || namespace.subject();
            match namespace.observation {
                Err(failure) => unread.push((subject(), failure)),
                Ok(observation) => {
                    for hub in &observation.hubs {
                        let failure = hub.certificates.as_ref().err();
                        unread.extend(failure.map(|failure| (subject().on_hub(&hub.hub.name), failure)));
                    }
                }
            }
            // Why a namespace cannot be read is told once.
            let declared = namespace.declared.as_ref().err().filter(|_| namespace.observation.is_ok());
            unread.extend(declared.map(|failure| (subject().part(subject::DECLARED), *failure)));
            let services = namespace.services_unread;
            unread.extend(services.map(|failure| (subject().part(subject::PROVISIONING_SERVICES), failure)));
            for service in &namespace.provisioning_services {
                let failure = service.groups.as_ref().err();
                unread.extend(
                    failure.map(|failure| (subject().in_provisioning_service(service.endpoint), *failure)),
                );
            }
        }
        let records = self.fleet.into_iter().flat_map(|records| &records.unread);
        unread.extend(records.map(|(part, failure)| (Subject::component(part), failure)));
        unread
    }

    /// What was not seen although nothing failed: it raises nothing, and no alert about it clears. A list of hubs shows only
    /// those that the identity may read. So a hub that it lacks is believed to be gone only when the list has others, and
    /// every DPS tells its hubs and names this one no more.
    #[must_use]
    pub fn unseen(&self) -> Vec<Unseen> {
        let mut unseen = Vec::new();
        let all_of = |subject| Unseen { subject, shown: Vec::new() };
        for (namespace, observation) in self.readable() {
            let services = &namespace.provisioning_services;
            if observation.hubs.is_empty()
                || namespace.services_unread.is_some()
                || services.iter().any(|service| service.hubs.is_empty())
            {
                let shown = observation.hubs.iter().map(|hub| hub.hub.name.clone()).collect();
                unseen.push(Unseen { subject: namespace.subject().part(subject::HUBS), shown });
            }
            let mut missing: Vec<&str> = services
                .iter()
                .flat_map(|service| service.hubs)
                .filter(|host_name| !observation.hubs.iter().any(|hub| hub.hub.is_at(host_name)))
                .map(|host_name| host_name.split('.').next().unwrap_or(host_name))
                .collect();
            missing.sort_unstable();
            missing.dedup();
            unseen.extend(missing.into_iter().map(|name| all_of(namespace.subject().on_hub(name))));
        }
        for namespace in &self.namespaces {
            let is_known = namespace.links.as_ref().is_some_and(|(_, links)| links.unchecked.is_empty());
            unseen.extend((!is_known).then(|| all_of(namespace.subject().part(subject::LINKS))));
            let early = namespace.counted.early_devices.iter();
            let uncounted = early.filter(|early| early.devices.is_none());
            let uncounted: BTreeSet<&str> =
                uncounted.map(|early| early.provisioning_service.as_str()).collect();
            let services = namespace.provisioning_services.iter().map(|service| service.endpoint);
            unseen.extend(services.filter(|endpoint| uncounted.contains(endpoint)).map(|endpoint| {
                all_of(namespace.subject().in_provisioning_service(endpoint).part(subject::DEVICES))
            }));
        }
        let cut = self.fleet.into_iter().flat_map(|records| &records.cut);
        unseen.extend(cut.map(|part| all_of(Subject::component(part))));
        unseen
    }
}

impl<'a> NamespaceFacts<'a> {
    /// Whether the link of a hub was seen to lack a role, without which the service pushes nothing to it.
    #[must_use]
    pub fn lacks_role(&self, hub: &str) -> bool {
        let wrong = self.links.iter().flat_map(|(_, found)| &found.wrong);
        wrong.into_iter().any(|judged| judged.missing.is_some() && judged.subject.eq_ignore_ascii_case(hub))
    }

    /// Judges one namespace.
    #[must_use]
    pub fn of(input: &'a NamespaceInput<'a>) -> Self {
        let observation = input.observation.as_ref().ok();
        let services = input.provisioning_services.iter().flatten().map(|service| ServiceFacts {
            endpoint: &service.endpoint,
            hubs: &service.hubs,
            groups: match (&service.enrollment_groups, observation) {
                (Err(failure), _) => Err(failure),
                // Without the namespace's policies nothing can be said about a group.
                (Ok(_), None) => Ok(Vec::new()),
                (Ok(groups), Some(observation)) => Ok(groups
                    .iter()
                    .map(|group| GroupFacts::of(group, &service.hubs, input.configuration, observation))
                    .collect()),
            },
        });
        Self {
            configuration: input.configuration,
            observation: &input.observation,
            pairs: observation.map(Observation::pairs).unwrap_or_default(),
            provisioning_services: services.collect(),
            services_unread: input.provisioning_services.as_ref().err(),
            counted: &input.counted,
            declared: match &input.declared {
                None => Ok(Vec::new()),
                Some(Ok(seen)) => Ok(seen.steps(input.configuration)),
                Some(Err(failure)) => Err(failure),
            },
            links: observation
                .zip(input.links.as_ref())
                .map(|(observation, (at, sides))| (*at, readiness::of_report(observation, sides, *at))),
            issuers: &input.issuers,
            trust: &input.trust,
            looks: input.looks,
        }
    }

    /// Takes holds and freezes into account: what would be written to a group and is not, since it is held or frozen at `now`, has that
    /// reason. What is not read of holds holds nothing here; only the guard of a write must be sure.
    pub fn restrain(&mut self, holds: &[GroupHolds], now: OffsetDateTime) {
        let configuration = self.configuration;
        let of_here = |holds: &&GroupHolds| holds.namespace_id == configuration.id;
        for service in &mut self.provisioning_services {
            let name = crate::finding_subject::name_of_service(service.endpoint);
            for group in service.groups.iter_mut().flatten().filter(|group| group.plan.write.is_some()) {
                let held = holds.iter().filter(of_here).find(|holds| holds.is_of(name, &group.group.id));
                let freeze = configuration.frozen(Some(&group.group.tags), now);
                let restraint = match (held.and_then(GroupHolds::in_force), freeze) {
                    (Some(hold), _) => Some((Reason::Held, format!("it is held: {}", hold.why()))),
                    (None, Some(freeze)) => Some((Reason::Frozen, freeze.why())),
                    (None, None) => None,
                };
                if let Some((reason, why)) = restraint {
                    let detail = format!("{}; {why}", group.plan.detail);
                    group.plan = AssignmentPlan { write: None, reason, detail, ..group.plan.clone() };
                }
            }
        }
    }

    /// The groups that stand elsewhere than the rules say, by the endpoint of their DPS and their id: what we wrote last to
    /// them is worth looking up.
    #[must_use]
    pub fn astray(&self) -> Vec<(String, String)> {
        let of_service = |service: &ServiceFacts<'a>| {
            let groups = service.groups.iter().flatten();
            let astray = groups.filter(|group| group.plan.reason != Reason::AlreadyAssigned);
            let endpoint = service.endpoint.trim_end_matches('/').to_owned();
            astray.map(move |group| (endpoint.clone(), group.group.id.clone())).collect::<Vec<_>>()
        };
        self.provisioning_services.iter().flat_map(of_service).collect()
    }

    /// The namespace as the subject of a finding.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject::namespace(&self.configuration.id)
    }
}

/// Where a group stands, as the report tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It names a policy of the namespace.
    Assigned,
    /// It names a policy that the namespace does not have.
    Dangling,
    /// It has no policy and should have none.
    OptedOut,
    /// It gets its policy, or another one than it has, when hubs trust it, when it is active, or when its CA was renewed.
    Waiting,
    /// It has no policy and should have one.
    Unassigned,
}

impl<'a> GroupFacts<'a> {
    /// Judges one group. `service_hubs` are the host names of the hubs of its DPS.
    fn of(
        group: &'a EnrollmentGroup,
        service_hubs: &[String],
        configuration: &NamespaceConfiguration,
        observation: &'a Observation,
    ) -> Self {
        let plan = plan::plan_assignment(group, service_hubs, configuration, observation);
        let text = plan.decision.verdict.policy();
        let named = text.and_then(|text| observation.policy_named(text).ok());
        let successor = || observation.successor(configuration, text?)?.ok();
        let policy = named.or_else(successor);
        let untrusting = allocated_hubs(group, service_hubs).iter().filter_map(|host_name| {
            let Some(hub) = observation.hubs.iter().find(|hub| hub.hub.is_at(host_name)) else {
                return Some(host_name.split('.').next().unwrap_or(host_name).to_owned());
            };
            let trusts = policy.is_some_and(|policy| observation.assess(policy, hub).trust.admits_current());
            (!trusts).then(|| hub.hub.name.clone())
        });
        Self {
            policy: group.policy.as_deref().and_then(|name| observation.policy_referenced(name)),
            wanted: policy.map(|policy| policy.name.clone()).or_else(|| text.map(str::to_owned)),
            untrusting: untrusting.collect(),
            group,
            plan,
        }
    }

    /// Why it stands where it does. Until the next reconcile has written it, a group that a rule has a policy for is without
    /// one.
    #[must_use]
    pub fn reason(&self) -> Reason {
        if self.plan.write.is_some() { Reason::GroupUnassigned } else { self.plan.reason }
    }

    /// Where it stands: a group whose hubs are not known waits for trust as well.
    #[must_use]
    pub fn status(&self) -> Reason {
        match self.reason() {
            Reason::HubsUnknown => Reason::WaitingForTrust,
            reason => reason,
        }
    }

    /// The kind of its status.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let is_waiting =
            matches!(self.status(), Reason::WaitingForTrust | Reason::PolicyNotActive | Reason::CaExpired);
        match (&self.group.policy, self.policy) {
            (Some(_), None) => Standing::Dangling,
            (_, _) if is_waiting => Standing::Waiting,
            (Some(_), Some(_)) => Standing::Assigned,
            (None, _) if matches!(self.status(), Reason::RuleSaysNone | Reason::OptedOut) => {
                Standing::OptedOut
            }
            (None, _) => Standing::Unassigned,
        }
    }
}
