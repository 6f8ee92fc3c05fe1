//! Who depends on the target: groups, individual enrollments, hubs, and the certificates that devices have of it; and what
//! of that could not be read.

use time::{Duration, OffsetDateTime};

use super::LONGEST_LEAF_DAYS;
use super::count::Count;
use super::facts::{Facts, Service};
use super::radius::{AffectedGroup, AffectedHub, Basis, Holds, Leaves, Statement};
use super::target::{Action, Target};
use crate::authority::{AuthorityType, Issuer};
use crate::generation::Generation;
use crate::model::{EnrollmentGroup, HubCertificate, Policy};
use crate::reference::Reference;

/// Who depends on the target.
pub(super) struct Usage {
    /// The groups that use it.
    pub groups: Vec<AffectedGroup>,
    /// The individual enrollments that use it.
    pub individual: Count,
    /// The hubs that the step is about.
    pub hubs: Vec<AffectedHub>,
    /// The certificates that devices can have.
    pub leaves: Vec<Leaves>,
    /// What could not be read, or is out of sight.
    pub unknown: Vec<Statement>,
}

impl Usage {
    pub fn of(facts: &Facts) -> Self {
        let mut unknown = Vec::new();
        let groups = places(facts).into_iter().map(|(service, group)| affected(facts, service, group));
        let groups = groups.collect();
        let individual = individual(facts, &mut unknown);
        unread_services(facts, &mut unknown);
        let hubs = hubs(facts, &mut unknown);
        let leaves = policies(facts).map(|policy| leaves(policy, facts.now)).collect();
        Self { groups, individual, hubs, leaves, unknown }
    }

    /// Devices that registered through the groups.
    pub fn devices(&self) -> Count {
        self.groups.iter().fold(Count::exactly(0), |sum, group| sum.and(group.devices.clone()))
    }

    /// How many hubs hold the CA.
    pub fn holding(&self) -> usize {
        self.hubs.iter().filter(|hub| matches!(hub.holds, Holds::Yes { .. })).count()
    }

    /// Whether a group or an individual enrollment uses it for certain.
    pub fn is_enrolled(&self) -> bool {
        self.groups.iter().any(|group| group.is_certain)
            || matches!(&self.individual, Count::Exactly { number } | Count::AtLeast { number, .. } if *number > 0)
    }

    /// After this no device certificate of the target is valid any more.
    pub fn none_after(&self) -> Option<OffsetDateTime> {
        let ends: Option<Vec<_>> = self.leaves.iter().map(|leaves| leaves.none_after).collect();
        ends?.into_iter().max()
    }
}

/// The policies whose devices the step reaches.
pub(super) fn policies(facts: &Facts) -> impl Iterator<Item = &Policy> {
    facts.policies.iter().filter(|policy| match &facts.target {
        Target::Policy(target) => policy.id == target.id,
        Target::Authority(target) if target.kind == AuthorityType::Root => {
            policy.generation() == Generation::CertificateAuthorities && policy.bring_your_own_root.is_none()
        }
        Target::Authority(target) => *policy.issuer_id() == target.id,
        Target::Hub(_) | Target::ProvisioningService { .. } => true,
    })
}

/// The services that the step reaches. Unlinking a DPS reaches no other one.
fn services(facts: &Facts) -> impl Iterator<Item = (usize, &Service)> {
    let all = facts.services.iter().flatten().enumerate();
    all.filter(|(_, service)| match &facts.target {
        Target::ProvisioningService { name, id } => match (id, &service.id) {
            (Some(id), Some(own)) => id == own,
            _ => service.name.eq_ignore_ascii_case(name),
        },
        _ => true,
    })
}

/// Places of the groups that use the target.
pub(super) fn places(facts: &Facts) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (place, service) in services(facts) {
        let groups = service.groups.iter().flatten().enumerate();
        found.extend(
            groups.filter(|(_, group)| uses(facts, &group.group).is_some()).map(|(group, _)| (place, group)),
        );
    }
    found
}

/// Whether a group uses the target: for certain, or perhaps (`Some(false)`).
fn uses(facts: &Facts, group: &EnrollmentGroup) -> Option<bool> {
    match &facts.target {
        Target::ProvisioningService { .. } => Some(true),
        // Without hubs of its own a group allocates to every hub of its DPS.
        Target::Hub(hub) => {
            (group.hubs.is_empty() || group.hubs.iter().any(|name| hub.is_at(name))).then_some(true)
        }
        Target::Policy(_) | Target::Authority(_) => names(facts, group.policy.as_deref()?),
    }
}

/// Whether a reference names the target: for certain, or perhaps.
fn names(facts: &Facts, text: &str) -> Option<bool> {
    let is_certain = match (&facts.target, Reference::parse(text)) {
        (Target::Policy(policy), _) if policy.is_named(text) => return Some(true),
        (_, Reference::Unclear) => return Some(false),
        (Target::Authority(target), Reference::Certificate { namespace, authority, .. }) => {
            let is_meant = |name: &str| name.eq_ignore_ascii_case(authority);
            let below = facts
                .authorities
                .iter()
                .filter(|one| one.kind == AuthorityType::Issuing && one.issuer == Issuer::Microsoft);
            namespace.eq_ignore_ascii_case(facts.namespace.id.name())
                && match target.kind {
                    AuthorityType::Issuing => is_meant(&target.name),
                    AuthorityType::Root => below.into_iter().any(|one| is_meant(&one.name)),
                }
        }
        _ => false,
    };
    is_certain.then_some(true)
}

fn affected(facts: &Facts, service: usize, group: usize) -> AffectedGroup {
    // Both places come from `places`, which has them from these lists.
    let service = &facts.services.as_ref().map_or(&[][..], Vec::as_slice)[service];
    let group = &service.groups.as_ref().map_or(&[][..], Vec::as_slice)[group];
    AffectedGroup {
        provisioning_service: service.name.clone(),
        enrollment_group: group.group.id.clone(),
        policy: group.group.policy.clone(),
        enabled: group.group.enabled,
        devices: group.devices.clone(),
        is_certain: uses(facts, &group.group) == Some(true),
    }
}

/// The individual enrollments that use the target. Of a hub those that could go to it: all of them.
fn individual(facts: &Facts, unknown: &mut Vec<Statement>) -> Count {
    let is_link = facts.action == Action::Unlink;
    let mut sum = Count::exactly(0);
    for (_, service) in services(facts) {
        let read = match &service.individuals {
            Ok(read) => read,
            Err(error) => {
                unknown.push(unread(&format!("The individual enrollments of {}", service.name), error));
                sum = sum.and(Count::unknown(error.to_string()));
                continue;
            }
        };
        let uses = |policy: &&Option<String>| {
            is_link || policy.as_deref().is_some_and(|text| names(facts, text).is_some())
        };
        let number = u64::try_from(read.policies.iter().filter(uses).count()).unwrap_or(u64::MAX);
        sum = sum.and(Count::exactly(number));
        if let Some(why) = &read.cut {
            unknown.push(unread(&format!("More individual enrollments of {}", service.name), why));
            sum = sum.and(Count::unknown(why));
        }
    }
    match &facts.services {
        Ok(_) => sum,
        Err(error) => Count::unknown(error.to_string()),
    }
}

fn unread_services(facts: &Facts, unknown: &mut Vec<Statement>) {
    let known = match &facts.services {
        Ok(known) => known,
        Err(error) => return unknown.push(unread("The provisioning services of the namespace", error)),
    };
    for (_, service) in services(facts) {
        if let Err(error) = &service.groups {
            unknown.push(unread(&format!("The enrollment groups of {}", service.name), error));
        }
    }
    if facts.action == Action::Unlink {
        return;
    }
    if known.is_empty() && facts.generation() == Generation::Credentials {
        let why = "in this generation a namespace does not name its provisioning services, so none was read and there may be some";
        unknown.push(unread("A provisioning service of the namespace", why));
    }
    let is_unread = |id: &&crate::ArmId| !known.iter().any(|service| service.id.as_ref() == Some(*id));
    let linked = facts.namespace.links.iter().map(|link| &link.resource);
    for id in linked.filter(|id| id.is_of_type("Microsoft.Devices/provisioningServices")).filter(is_unread) {
        let why = "`provisioning_services` of policysync.toml names others, so it was not read";
        unknown.push(unread(&format!("The linked provisioning service {}", id.name()), why));
    }
}

fn hubs(facts: &Facts, unknown: &mut Vec<Statement>) -> Vec<AffectedHub> {
    let observed = match &facts.hubs {
        Ok(observed) => observed,
        Err(error) => {
            unknown.push(unread("The linked hubs", error));
            return Vec::new();
        }
    };
    if observed.is_empty() && facts.generation() == Generation::Credentials {
        let why = "in this generation hubs are found only in the `scopes` of policysync.toml, so none was read and there may be some";
        unknown.push(unread("A linked hub", why));
    }
    let mut found = Vec::new();
    for hub in observed {
        if matches!(&facts.target, Target::Hub(target) if target.id != hub.hub.id) {
            continue;
        }
        let holds = match &hub.certificates {
            Ok(certificates) => holds(facts, certificates),
            Err(error) => {
                unknown.push(unread(&format!("The CA certificates on hub {}", hub.hub.name), error));
                Holds::Unknown { why: error.to_string() }
            }
        };
        found.push(AffectedHub { hub: hub.hub.name.clone(), id: hub.hub.id.clone(), holds });
    }
    found
}

fn holds(facts: &Facts, certificates: &[HubCertificate]) -> Holds {
    let plain = |subject: &str| subject.split_whitespace().collect::<String>().to_ascii_lowercase();
    let own = || policies(facts).map(|policy| &policy.issuing_ca);
    let is_of_target = |certificate: &&HubCertificate| {
        match &certificate.issuer_id {
        Some(origin) => match &facts.target {
            Target::Policy(policy) => origin == policy.issuer_id(),
            Target::Authority(one) if one.kind == AuthorityType::Issuing => *origin == one.id,
            // Whatever the root or the namespace has put there.
            _ => origin.is_within(&facts.namespace.id),
        },
        // A person has uploaded it, or the service does not say where it comes from.
        None => own().any(|ca| {
            let has = |own: &Option<String>, seen: &Option<String>| {
                matches!((own, seen), (Some(own), Some(seen)) if plain(own) == plain(seen))
            };
            has(&ca.thumbprint, &certificate.thumbprint) || has(&ca.subject, &certificate.subject)
        }),
    }
    };
    let of_target: Vec<String> =
        certificates.iter().filter(is_of_target).map(|certificate| certificate.name.clone()).collect();
    match of_target.is_empty() {
        true => Holds::No,
        false => Holds::Yes { certificates: of_target },
    }
}

fn leaves(policy: &Policy, now: OffsetDateTime) -> Leaves {
    // No certificate holds beyond the CA that signed it (`ca-lifecycle-facts.md` §1.8).
    let capped = |end: OffsetDateTime| policy.issuing_ca.not_after.map_or(end, |ca| ca.min(end));
    let after = |days: u32| now.checked_add(Duration::days(i64::from(days))).map(capped);
    Leaves {
        policy: policy.name.clone(),
        validity_days: policy.leaf_validity_days,
        issued_today_end: policy.leaf_validity_days.and_then(after),
        none_after: after(policy.leaf_validity_days.unwrap_or_default().max(LONGEST_LEAF_DAYS)),
    }
}

fn unread(what: &str, why: impl std::fmt::Display) -> Statement {
    Statement::new(
        Basis::Unknown,
        format!("{what} could not be read, and may depend on it."),
        why.to_string(),
    )
}
