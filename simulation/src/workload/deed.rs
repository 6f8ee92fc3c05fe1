//! The kinds of deeds, and how they are drawn.

use std::time::Duration;

use serde_json::{Value, json};

use super::access::ROLES;
use crate::seed::{Draws, Seed};
use crate::world::{Drawn, World};

/// Something that is done.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    /// A pipeline submits a sync over HTTP.
    Submit(Value),
    /// A pipeline puts a request on the queue by itself.
    Send(Value),
    /// The service renews the issuing CA of a policy; its hubs are not told, or by its push. In a renewal they trust both for a while, where
    /// they are told.
    Rotate { namespace: String, policy: String, is_renewal: bool },
    /// A pipeline puts something on the queue that is no request.
    SendWrong(Value),
    /// A person creates an enrollment group, and a publisher tells of it so long after, or before.
    Create { service: String, group: String, told: Vec<Told> },
    /// A person gives a group another policy.
    Move { service: String, group: String, policy: String },
    /// A person deletes a group.
    Delete { service: String, group: String },
    /// A person changes the tags of a group.
    Retag { service: String, group: String },
    /// The platform takes an instance away.
    Kill,
    /// An operator sets the kill switch, and takes it away after some time, or never.
    Switch { until: Option<Duration> },
    /// An operator writes another version of the configuration, which these draws decide.
    Replace(Draws),
    /// An operator uploads something that cannot be used, and repairs it after some time.
    Break { until: Duration },
    /// A person makes a plan, and performs it so long after, in audit too where they insist.
    Plan { until: Duration, even_in_audit: bool },
    /// The role of this number is taken from the identity of the app, for a while or for ever.
    Revoke { role: usize, until: Option<Duration> },
    /// A hub cannot be read, for a while or for ever.
    Hide { hub: String, until: Option<Duration> },
    /// A person links a hub to a namespace, or takes its link away.
    Relink { namespace: String, hub: String, is_linked: bool },
}

/// When an event about a group comes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Told {
    /// So long before the group is there.
    Before(Duration),
    /// So long after it.
    After(Duration),
}

impl Deed {
    /// For the trace.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Submit(_) => "a request over HTTP".to_owned(),
            Self::Send(_) => "a request on the queue".to_owned(),
            Self::Rotate { policy, .. } => format!("a new issuing CA of {policy}"),
            Self::SendWrong(_) => "a message that is no request".to_owned(),
            Self::Move { service, group, policy } => format!("{policy} for {service}/{group}"),
            Self::Delete { service, group } => format!("the end of {service}/{group}"),
            Self::Create { service, group, .. } => format!("a new group {service}/{group}"),
            Self::Retag { service, group } => format!("other tags for {service}/{group}"),
            Self::Kill => "an instance is taken away".to_owned(),
            Self::Switch { until: None } => "the kill switch is set".to_owned(),
            Self::Switch { until: Some(_) } => "the kill switch is set for a while".to_owned(),
            Self::Replace(_) => "another configuration".to_owned(),
            Self::Break { .. } => "a broken configuration".to_owned(),
            Self::Plan { .. } => "a plan".to_owned(),
            Self::Revoke { role, .. } => format!("role {role} is taken away"),
            Self::Hide { hub, .. } => format!("{hub} cannot be read"),
            Self::Relink { hub, is_linked: true, .. } => format!("{hub} is linked"),
            Self::Relink { hub, is_linked: false, .. } => format!("{hub} is unlinked"),
        }
    }
}

/// Draws what is done, and when; everything begins before `calm`.
pub(super) fn draw(seed: Seed, world: &World, calm: Duration) -> Vec<(Duration, Deed)> {
    let mut draws = seed.stream("workload");
    let count = draws.between(2, 14);
    let calm = u64::try_from(calm.as_millis()).unwrap_or(u64::MAX);
    let mut deeds: Vec<(Duration, Deed)> = (0..count)
        .filter_map(|number| Some((draws.milliseconds(0, calm), of_anyone(&mut draws, world, number)?)))
        .collect();
    let mut draws = seed.stream("operators");
    let count = if draws.percent(50) { 0 } else { draws.between(1, 4) };
    deeds.extend((0..count).map(|_| (draws.milliseconds(0, calm), of_operator(&mut draws))));
    let mut draws = seed.stream("access");
    let count = if draws.percent(60) { 0 } else { draws.between(1, 3) };
    deeds.extend((0..count).filter_map(|_| of_owner(&mut draws, world, calm)));
    // Many at one time meet more than many over an hour.
    if draws.percent(30) {
        let together = draws.milliseconds(0, calm);
        deeds.iter_mut().for_each(|(at, _)| *at = together + *at / 200);
    }
    deeds
}

fn of_operator(draws: &mut Draws) -> Deed {
    match draws.between(0, 9) {
        0..3 => {
            let until = draws.milliseconds(10_000, 40 * 60_000);
            Deed::Switch { until: draws.percent(75).then_some(until) }
        }
        3..6 => Deed::Replace(draws.split()),
        6..9 => {
            Deed::Plan { until: draws.milliseconds(1_000, 30 * 60_000), even_in_audit: draws.percent(50) }
        }
        _ => Deed::Break { until: draws.milliseconds(10_000, 25 * 60_000) },
    }
}

/// What the owners of the resources do.
fn of_owner(draws: &mut Draws, world: &World, calm: u64) -> Option<(Duration, Deed)> {
    // Some are so from the beginning.
    let at = if draws.percent(25) { Duration::ZERO } else { draws.milliseconds(0, calm) };
    let until = draws.milliseconds(5_000, 50 * 60_000);
    let until = draws.percent(85).then_some(until);
    let namespace = draws.pick(&world.namespaces)?;
    let deed = match draws.between(0, 9) {
        0..5 => {
            let last = u64::try_from(ROLES.len()).unwrap_or_default() - 1;
            Deed::Revoke { role: usize::try_from(draws.between(0, last)).unwrap_or_default(), until }
        }
        5..7 => Deed::Hide { hub: draws.pick(&namespace.hubs)?.clone(), until },
        _ => {
            let hub = draws.pick(&namespace.hubs)?.clone();
            Deed::Relink { namespace: namespace.id.clone(), hub, is_linked: draws.percent(65) }
        }
    };
    Some((at, deed))
}

fn of_anyone(draws: &mut Draws, world: &World, number: u64) -> Option<Deed> {
    let namespace = draws.pick(&world.namespaces)?.clone();
    let service = namespace.service.clone();
    Some(match draws.between(0, 99) {
        0..25 => Deed::Submit(request(draws, &namespace)),
        25..40 => Deed::Send(request(draws, &namespace)),
        40..65 => {
            let policy = namespace.policy_id(draws.pick(&namespace.policies)?);
            Deed::Rotate { namespace: namespace.id, policy, is_renewal: draws.percent(30) }
        }
        65..85 => {
            let kind = if draws.percent(70) { "line" } else { "gate" };
            Deed::Create { service, group: format!("{kind}-new-{number}"), told: told(draws) }
        }
        // It may be one that does not exist, and is made then.
        85..88 => Deed::Retag { service, group: "line-0".to_owned() },
        88..91 => {
            let policy = draws.pick(&namespace.policies)?.clone();
            Deed::Move { service, group: some_group(draws, number), policy }
        }
        91..94 => Deed::Delete { service, group: some_group(draws, number) },
        94..97 => Deed::SendWrong(wrong(draws, &namespace)),
        _ => Deed::Kill,
    })
}

/// A group that may be there: one from the beginning, or one that was made lately.
fn some_group(draws: &mut Draws, number: u64) -> String {
    let kind = if draws.percent(60) { "line" } else { "gate" };
    match draws.percent(50) {
        true => format!("{kind}-{}", draws.between(0, 2)),
        false => format!("{kind}-new-{}", draws.between(0, number)),
    }
}

fn told(draws: &mut Draws) -> Vec<Told> {
    let times = *draws.pick(&[0, 0, 1, 1, 2]).unwrap_or(&0);
    let each = (0..times).map(|_| match draws.between(0, 9) {
        0..3 => Told::Before(draws.milliseconds(0, 20_000)),
        3..7 => Told::After(draws.milliseconds(0, 5_000)),
        _ => Told::After(draws.milliseconds(5_000, 1_200_000)),
    });
    each.collect()
}

/// A message that must harm no neighbour.
fn wrong(draws: &mut Draws, namespace: &Drawn) -> Value {
    let schema = "sync-request/v1";
    match draws.between(0, 5) {
        0 => json!("not an object"),
        1 => json!({"schema": "sync-request/v9", "requestId": "wrong-9", "namespaceId": namespace.id}),
        2 => json!({"schema": schema, "requestId": "wrong-id", "namespaceId": "no ARM id"}),
        3 => json!({"schema": schema, "requestId": "wrong-hubs", "namespaceId": namespace.id, "hubs": 7}),
        4 => {
            json!({"schema": schema, "requestId": "wrong-place", "namespaceId": namespace.id.replace("plant", "plan")})
        }
        _ => json!([{"schema": schema}]),
    }
}

fn request(draws: &mut Draws, namespace: &Drawn) -> Value {
    let mut body = json!({"namespaceId": namespace.id});
    if draws.percent(30)
        && let Some(policy) = draws.pick(&namespace.policies)
    {
        body["policies"] = json!([policy]);
        body["allowWholeNamespace"] = draws.percent(70).into();
    }
    body
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_is_drawn_and_all_begin_before_the_calm() {
        let calm = Duration::from_secs(5_400);
        let mut kinds = BTreeSet::new();
        for seed in (0..200).map(Seed) {
            for (at, deed) in draw(seed, &World::draw(seed), calm) {
                assert!(at < calm * 2);
                let shown = format!("{deed:?}");
                let name = shown.split(['(', ' ']).next().unwrap_or_default();
                kinds.insert(name.to_owned());
            }
        }
        let mut all = vec![
            "Break", "Create", "Delete", "Hide", "Kill", "Move", "Plan", "Relink", "Replace", "Retag",
            "Revoke", "Rotate",
        ];
        all.extend(["Send", "SendWrong", "Submit", "Switch"]);
        assert_eq!(kinds, all.into_iter().map(str::to_owned).collect());
    }
}
