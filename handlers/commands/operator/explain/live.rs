//! Finds the group in Azure and plans it as a function would.

use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::milestones::{self, Step};
use certificate_management::plan;
use certificate_management::readiness;
use certificate_management::rules::{self, Subject};

use super::{Explained, OFFLINE, Restraint, Source, Unexplained, Wanted, only};
use crate::fleet::Fleet;
use crate::links;
use crate::observation::{LinkedService, Observer, soon};
use crate::walk::{GroupHint, Pace, Scope, Unread, VisitedService, walk};

/// A group that was found.
struct Found<'a> {
    namespace: &'a NamespaceConfiguration,
    service: LinkedService,
    group: azure::Group,
}

/// Explains the group as it is now, or by its id alone where it does not exist.
pub(super) async fn explain<'a>(
    fleet: &'a Fleet,
    wanted: &Wanted<'_>,
    candidates: &[&'a NamespaceConfiguration],
) -> Result<Explained<'a>, Unexplained> {
    let observer = Observer::new(fleet);
    let mut found = Vec::new();
    let mut looked_at = Vec::new();
    let mut unreadable = Vec::new();
    let hint = GroupHint {
        provisioning_service: wanted.service.map(str::to_owned),
        enrollment_group: wanted.group.to_owned(),
    };
    let scope = Scope::Groups(vec![hint]);
    let pace = Pace::of_a_command();
    let walked = walk(fleet, &observer, candidates, &scope, pace, None, std::future::ready).await;
    for (namespace, visit) in walked {
        let services = match visit.map(|visit| visit.services) {
            Some(Ok(services)) => services,
            Some(Err(error)) => {
                unreadable.push(format!("{}: {error}", namespace.id.name()));
                continue;
            }
            None => continue,
        };
        for VisitedService { service, groups, unread } in services {
            unreadable.extend(unread.iter().map(|Unread { error, .. }| format!("{}: {error}", service.name)));
            match groups.into_iter().next() {
                Some(group) => found.push(Found { namespace, service, group }),
                None if unread.is_empty() => looked_at.push((namespace, service)),
                None => {}
            }
        }
    }
    match found.len() {
        0 if !unreadable.is_empty() => Err(Unexplained::Failed(format!(
            "group `{}` cannot be looked for everywhere:\n{}\n{OFFLINE}",
            wanted.group,
            unreadable.join("\n")
        ))),
        0 => absent(fleet, &observer, wanted, candidates, &looked_at).await,
        1 => {
            for problem in unreadable {
                complain!("a second group of this name was not looked for: {problem}");
            }
            live(fleet, &observer, found.remove(0)).await
        }
        _ => {
            let places = found.iter().map(|place| {
                format!("  {}/{}  in {}", place.service.name, place.group.view.id, place.namespace.as_typed())
            });
            Err(Unexplained::Usage(format!(
                "group `{}` exists on {} provisioning services; name one as DPS/GROUP:\n{}",
                wanted.group,
                found.len(),
                places.collect::<Vec<_>>().join("\n")
            )))
        }
    }
}

async fn live<'a>(
    fleet: &Fleet,
    observer: &Observer<'_>,
    found: Found<'a>,
) -> Result<Explained<'a>, Unexplained> {
    let Found { namespace, service, group } = found;
    let observation = observer.namespace(namespace, soon()).await.map_err(|error| {
        Unexplained::Failed(format!("namespace {} cannot be read: {error}\n{OFFLINE}", namespace.id.name()))
    })?;
    let (group, hubs, mode) = (&group.view, &service.hubs, fleet.mode(namespace));
    let plan = plan::plan_assignment(group, hubs, namespace, &observation);
    let restraint = Restraint::of(fleet, namespace, &service.name, group).await;
    let applied = restraint.applied(&plan);
    let way = |links: Option<&readiness::Found>| {
        milestones::milestones(group, hubs, namespace, fleet.kill_switch, (&observation, links), &applied)
    };
    let milestones = match way(None) {
        // Whether the push can come depends on the links, which are looked at where that is the question.
        known if milestones::waits_for(&known).is_some_and(|one| one.step == Step::Pushed) => {
            way(Some(&links::of_hubs(fleet, &observation).await))
        }
        known => known,
    };
    Ok(Explained {
        namespace,
        mode,
        kill_switch: fleet.kill_switch,
        now: fleet.now(),
        generation: observation.namespace.generation,
        source: Source::Live,
        subject: Subject::of(group, hubs),
        milestones,
        plan,
        restraint,
        provisioning_service: Some(service.name),
    })
}

/// Explains a group that does not exist on any DPS that the person can mean.
async fn absent<'a>(
    fleet: &Fleet,
    observer: &Observer<'_>,
    wanted: &Wanted<'_>,
    candidates: &[&'a NamespaceConfiguration],
    looked_at: &[(&'a NamespaceConfiguration, LinkedService)],
) -> Result<Explained<'a>, Unexplained> {
    let mut homes: Vec<&NamespaceConfiguration> = Vec::new();
    for (namespace, _) in looked_at {
        if !homes.iter().any(|known| known.id == namespace.id) {
            homes.push(namespace);
        }
    }
    if let (Some(service), true) = (wanted.service, homes.is_empty()) {
        let message = format!("no namespace of the configuration has a provisioning service `{service}`");
        return Err(Unexplained::Usage(message));
    }
    let homes = if homes.is_empty() { candidates } else { &homes };
    let namespace = only(homes).map_err(|problem| match problem {
        Unexplained::Usage(message) => {
            Unexplained::Usage(format!("group `{}` does not exist on any DPS; {message}", wanted.group))
        }
        failed @ Unexplained::Failed(_) => failed,
    })?;
    // With one DPS the hubs of a new group are known too, unless it will name its own.
    let service = match looked_at {
        [(_, service)] => Some(service),
        _ => None,
    };
    let hubs = service.map(|service| service.hubs.clone()).unwrap_or_default();
    let subject = Subject { hubs, ..Subject::named(wanted.group) };
    let plan = plan::foresee_assignment(wanted.group, rules::decide(namespace, &subject));
    // Whether there is such a policy is known without the group.
    let observation = observer.namespace(namespace, soon()).await.map_err(|error| {
        Unexplained::Failed(format!("namespace {} cannot be read: {error}\n{OFFLINE}", namespace.id.name()))
    })?;
    let plan = plan::foresee_in(plan, namespace, &observation);
    Ok(Explained {
        namespace,
        mode: fleet.mode(namespace),
        kill_switch: fleet.kill_switch,
        now: fleet.now(),
        generation: service.map(|service| service.generation).unwrap_or_default(),
        provisioning_service: service.map(|service| service.name.clone()),
        source: Source::Absent,
        subject,
        plan,
        restraint: Restraint::foreseen(namespace, None, fleet.now()),
        milestones: Vec::new(),
    })
}
