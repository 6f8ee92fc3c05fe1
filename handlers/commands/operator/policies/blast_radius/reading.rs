//! Reads what the judgement looks at. Each read that fails is a part of the facts, so that it hides no other.

use azure::api_version::newest;
use azure::links::{HUB_LINK, PROVISIONING_SERVICE_LINK};
use azure::{EnrollmentGroups, Error};
use certificate_management::blast_radius::facts::{Facts, Group, Individuals, Service, Wire};
use certificate_management::blast_radius::{Action, Count, to_count};
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::generation::Generation;
use certificate_management::model::{Hub, Namespace};
use certificate_management::plan::ObservedHub;
use futures::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::finding::Found;
use crate::failure;
use crate::fleet::Fleet;
use crate::observation::{LinkedService, Observer, soon};
use crate::pace::Pace;

/// How many hubs, and how many DPS, are read at once.
const AT_ONCE: usize = 8;
/// Why a count ends before its end.
const BOUND: &str = "the bound on calls was reached; `--calls` raises it";

pub(super) async fn facts(
    fleet: &Fleet,
    observer: &Observer<'_>,
    found: Found<'_>,
    action: Action,
    calls: usize,
) -> Facts {
    let Found { configuration, inventory, target } = found;
    let namespace = inventory.namespace;
    let (hubs, services) = futures::join!(
        hubs(fleet, observer, configuration, &namespace),
        services(observer, configuration, fleet)
    );
    let mut endpoints = Vec::new();
    let mut calls_left = calls;
    let services = match services {
        Err(error) => Err(failure::of(&error)),
        Ok((linked, unlisted)) => {
            let reads: Vec<_> = linked.iter().map(|service| groups(fleet, service)).collect();
            let read: Vec<_> = stream::iter(reads).buffered(AT_ONCE).collect().await;
            let mut services = Vec::new();
            for (service, groups) in linked.into_iter().zip(read) {
                let individuals = individuals(fleet, &service, &mut calls_left).await;
                services.push(Service {
                    name: service.name.clone(),
                    id: service.id.clone(),
                    groups: groups.map_err(|error| failure::of_enrollment_groups(&error)),
                    individuals: individuals.map_err(|error| failure::of(&error)),
                });
                endpoints.push(service);
            }
            services.extend(unlisted);
            Ok(services)
        }
    };
    let wire = wire(fleet, &namespace, target.generation(&namespace));
    let mut facts = Facts {
        action,
        target,
        policies: inventory.policies,
        authorities: inventory.authorities,
        hubs,
        services,
        wire,
        now: fleet.now(),
        namespace,
    };
    count(fleet, &mut facts, &endpoints, calls_left).await;
    facts
}

/// What the commands say in the words of the wire. In the older generation only the newest version has every action.
fn wire(fleet: &Fleet, namespace: &Namespace, generation: Generation) -> Wire {
    let newest = newest(generation);
    let registry = match generation {
        Generation::Credentials => newest.device_registry,
        Generation::CertificateAuthorities => fleet.azure.registry().version(&namespace.id, generation),
    };
    Wire {
        registry: registry.to_string(),
        hub: newest.iot_hub.to_string(),
        hub_link: HUB_LINK,
        provisioning_service: newest.provisioning_service.to_string(),
        provisioning_service_link: PROVISIONING_SERVICE_LINK,
    }
}

async fn hubs(
    fleet: &Fleet,
    observer: &Observer<'_>,
    configuration: &NamespaceConfiguration,
    namespace: &Namespace,
) -> Result<Vec<ObservedHub>, certificate_management::model::ReadFailure> {
    let late = |_| Error::timed_out("listing the linked hubs");
    let listed = timeout_at(soon(), observer.linked_hubs(configuration, namespace)).await;
    let linked = listed.map_err(late).flatten().map_err(|error| failure::of(&error))?;
    let read = |hub: Hub| async move {
        let until = Instant::now() + fleet.deadlines.hub;
        let hubs = fleet.azure.hubs();
        let late = |_| Error::timed_out(format!("reading the certificates of hub {}", hub.name));
        let certificates = timeout_at(until, hubs.certificates(&hub.id, namespace.generation)).await;
        let certificates = certificates.map_err(late).flatten().map_err(|error| failure::of(&error));
        ObservedHub { hub, certificates }
    };
    let reads: Vec<_> = linked.into_iter().map(read).collect();
    Ok(stream::iter(reads).buffered(AT_ONCE).collect().await)
}

/// The DPS of the namespace: those that the configuration or the namespace names, and in the older generation those in the
/// scopes that name the namespace. With them, in the place of a DPS, each subscription that could not be searched.
async fn services(
    observer: &Observer<'_>,
    configuration: &NamespaceConfiguration,
    fleet: &Fleet,
) -> Result<(Vec<LinkedService>, Vec<Service>), Error> {
    let late = |_| Error::timed_out("listing the provisioning services");
    let listed = timeout_at(soon(), observer.provisioning_services(configuration)).await;
    let mut linked = listed.map_err(late).flatten()?;
    let namespace = observer.registered(configuration).await?;
    let mut unlisted = Vec::new();
    if !namespace.generation.has(Generation::Credentials) {
        return Ok((linked, unlisted));
    }
    let client = fleet.azure.provisioning_services();
    let version = match namespace.generation.has(Generation::CertificateAuthorities) {
        true => Generation::CertificateAuthorities,
        false => Generation::Credentials,
    };
    for subscription in configuration.subscriptions() {
        let late = |_| Error::timed_out(format!("listing the provisioning services of {subscription}"));
        let listed = timeout_at(soon(), client.in_subscription(&subscription, version)).await;
        match listed.map_err(late).flatten() {
            Ok(found) => {
                let own = found.iter().filter(|one| one.namespace_id.as_ref() == Some(&namespace.id));
                for service in own {
                    if !linked.iter().any(|known| known.name.eq_ignore_ascii_case(&service.name)) {
                        let generation = namespace.generation;
                        linked.push(LinkedService { generation, ..LinkedService::from(service) });
                    }
                }
            }
            Err(error) => unlisted.push(Service {
                name: format!("the provisioning services of subscription {subscription}"),
                id: None,
                groups: Err(failure::of(&error)),
                individuals: Ok(Individuals::default()),
            }),
        }
    }
    Ok((linked, unlisted))
}

fn client(fleet: &Fleet, service: &LinkedService) -> EnrollmentGroups {
    fleet.azure.enrollment_groups(service.generation)
}

async fn groups(fleet: &Fleet, service: &LinkedService) -> Result<Vec<Group>, Error> {
    let until = Instant::now() + Pace::of_a_command().service;
    let late = |_| Error::timed_out(format!("reading the enrollment groups of {}", service.name));
    let listed = timeout_at(until, client(fleet, service).list(&service.endpoint)).await;
    let of = |group: azure::Group| Group { group: group.view, devices: Count::unknown(BOUND) };
    Ok(listed.map_err(late).flatten()?.into_iter().map(of).collect())
}

async fn individuals(
    fleet: &Fleet,
    service: &LinkedService,
    calls_left: &mut usize,
) -> Result<Individuals, Error> {
    let late = |_| Error::timed_out(format!("reading the individual enrollments of {}", service.name));
    let client = client(fleet, service);
    // Half of the calls stay for the devices, which are what most people ask about.
    let share = calls_left.div_ceil(2);
    let read = timeout_at(soon(), client.individual_enrollments(&service.endpoint, share)).await;
    let read = read.map_err(late).flatten()?;
    *calls_left = calls_left.saturating_sub(read.calls);
    Ok(Individuals { policies: read.policies, cut: read.is_cut.then(|| BOUND.to_owned()) })
}

/// Counts the devices of the groups that use the target, as far as the calls go.
async fn count(fleet: &Fleet, facts: &mut Facts, endpoints: &[LinkedService], mut calls_left: usize) {
    let until = soon();
    for (place, group) in to_count(facts) {
        let Some(service) = endpoints.get(place) else { continue };
        let client = client(fleet, service);
        let Some(group) = facts
            .services
            .as_mut()
            .ok()
            .and_then(|services| services.get_mut(place))
            .and_then(|service| service.groups.as_mut().ok())
            .and_then(|groups| groups.get_mut(group))
        else {
            continue;
        };
        let registered = client.registrations_before(&service.endpoint, &group.group.id, None, calls_left);
        let late = |_| Error::timed_out("counting the devices");
        group.devices = match timeout_at(until, registered).await.map_err(late).flatten() {
            Ok(count) => {
                calls_left = calls_left.saturating_sub(count.pages);
                let number = u64::try_from(count.devices).unwrap_or(u64::MAX);
                match (count.is_cut, number) {
                    (false, _) => Count::exactly(number),
                    (true, 0) => Count::unknown(BOUND),
                    (true, _) => Count::AtLeast { number, why: BOUND.to_owned() },
                }
            }
            Err(error) => {
                // Only a first page can fail: one call.
                calls_left = calls_left.saturating_sub(1);
                Count::unknown(error.to_string())
            }
        };
    }
}
