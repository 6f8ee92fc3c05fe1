//! Where the enrollment groups of a provisioning service stand: counted by policy, those without one first.

use certificate_management::report::{GroupList, ProvisioningServiceReport};

use super::words;

/// So few ids are shown without unfolding.
const FEW: usize = 3;

/// The groups of one provisioning service.
pub struct Service {
    pub endpoint: String,
    /// Why they could not be read.
    pub unreadable: Option<String>,
    /// How many there are, with their noun.
    pub count: String,
    /// The kinds that occur, those that need something first.
    pub kinds: Vec<Kind>,
}

/// The groups that stand in the same place.
pub struct Kind {
    /// Where that is, e.g. `waiting for trust`.
    pub label: &'static str,
    pub class: &'static str,
    /// The policy that all of them name.
    pub policy: Option<String>,
    pub count: String,
    /// Whether they fit into the line.
    pub is_few: bool,
    /// The first of them.
    pub groups: Vec<Group>,
    /// How many more there are.
    pub left_out: Option<String>,
}

/// One group.
pub struct Group {
    pub id: String,
    /// The policy that it names, where that says more than its kind.
    pub policy: Option<String>,
}

impl Service {
    pub fn of(service: &ProvisioningServiceReport) -> Self {
        let groups = &service.enrollment_groups;
        let mut kinds = vec![
            Kind::of("policy does not exist", "bad", None, &groups.dangling),
            Kind::of("without a policy", "fair", None, &groups.unassigned),
            Kind::of("waiting for their policy", "fair", None, &groups.waiting),
        ];
        let by_policy = groups.by_policy.iter();
        kinds.extend(by_policy.map(|list| Kind::of("assigned", "good", Some(&list.policy), &list.groups)));
        kinds.push(Kind::of("opted out", "unknown", None, &groups.opted_out));
        kinds.retain(|kind| !kind.groups.is_empty());
        Self {
            endpoint: words::name(&service.endpoint),
            unreadable: service.unreadable.as_deref().map(words::text),
            count: words::count(groups.total, "enrollment group"),
            kinds,
        }
    }
}

impl Kind {
    fn of(label: &'static str, class: &'static str, policy: Option<&str>, list: &GroupList) -> Self {
        let left_out = list.count.saturating_sub(list.listed.len());
        let groups = list.listed.iter().map(|group| Group {
            id: words::name(&group.id),
            policy: group.policy.as_deref().filter(|_| policy.is_none()).map(words::name),
        });
        Self {
            label,
            class,
            policy: policy.map(words::name),
            count: words::thousands(list.count as u64),
            is_few: list.count <= FEW,
            groups: groups.collect(),
            left_out: (left_out > 0).then(|| words::thousands(left_out as u64)),
        }
    }
}
