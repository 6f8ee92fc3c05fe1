//! Reads the namespaces, hubs and DPS of subscriptions, and the enrollment groups of each DPS that is linked. A read that fails
//! is part of what was seen, so that it hides no other.

use azure::{Azure, Error};
use certificate_management::ArmId;
use certificate_management::configuration::ApiGeneration;
use certificate_management::generation::{Generation, Link, NamespaceGeneration};
use certificate_management::model::{EnrollmentGroup, Hub, ProvisioningService, ReadFailure};
use certificate_management::proposal::seen::{Linked, Seen, SeenNamespace, SeenService, Unread};
use futures::{StreamExt, stream};

use crate::commands::operator::progress::Progress;
use crate::failure;

/// How many subscriptions, and how many namespaces or DPS, are read at once.
const AT_ONCE: usize = 8;

/// The lists of one subscription.
struct Listed {
    namespaces: Result<Vec<ArmId>, Error>,
    hubs: Result<Vec<Hub>, Error>,
}

/// Everything in these subscriptions.
pub(super) async fn seen(azure: &Azure, subscriptions: Vec<String>, progress: &mut Progress) -> Seen {
    let mut seen = Seen { subscriptions, ..Seen::default() };
    let (mut ids, mut hubs) = (Vec::new(), Vec::new());
    let reads: Vec<_> = seen.subscriptions.iter().map(|subscription| listed(azure, subscription)).collect();
    let mut reads = stream::iter(reads).buffered(AT_ONCE).enumerate();
    while let Some((number, listed)) = reads.next().await {
        let subscription = &seen.subscriptions[number];
        progress.show(&format!("reading subscription {} of {}", number + 1, seen.subscriptions.len()));
        let mut keep = |what: &str, error: Error| seen.unread.push(unread(what, subscription, &error));
        match listed.namespaces {
            Ok(mut found) => ids.append(&mut found),
            Err(error) => keep("the namespaces", error),
        }
        match listed.hubs {
            Ok(mut found) => hubs.append(&mut found),
            Err(error) => keep("the hubs", error),
        }
    }
    drop(reads);
    ids.sort();
    ids.dedup();
    let mut namespaces = Vec::new();
    let reads: Vec<_> = ids.iter().map(|id| namespace(azure, id)).collect();
    let mut reads = stream::iter(reads).buffered(AT_ONCE).enumerate();
    while let Some((number, read)) = reads.next().await {
        progress.show(&format!("reading namespace {} of {}", number + 1, ids.len()));
        namespaces.push(read);
    }
    drop(reads);
    let services = provisioning_services(azure, &namespaces, &mut seen).await;
    let linked: Vec<Linked> =
        namespaces.iter().map(|(own, links)| Linked::to(&own.id, links, &hubs, &services)).collect();
    let is_linked =
        |id: &ArmId| linked.iter().any(|linked| linked.hubs.contains(id) || linked.services.contains(id));
    let is_free = |namespace: &Option<ArmId>, id: &ArmId| namespace.is_none() && !is_linked(id);
    seen.free_hubs =
        hubs.iter().filter(|hub| is_free(&hub.namespace_id, &hub.id)).map(|hub| hub.name.clone()).collect();
    seen.free_services = services
        .iter()
        .filter(|service| is_free(&service.namespace_id, &service.id))
        .map(|service| service.name.clone())
        .collect();
    for ((mut own, _), linked) in namespaces.into_iter().zip(linked) {
        let count = linked.services.len();
        let reads: Vec<_> =
            linked.services.into_iter().map(|id| service(azure, id, &own.generation, &services)).collect();
        let mut reads = stream::iter(reads).buffered(AT_ONCE).enumerate();
        while let Some((number, read)) = reads.next().await {
            progress.show(&format!("reading the groups of {}: DPS {} of {count}", own.id.name(), number + 1));
            own.services.push(read);
        }
        drop(reads);
        own.hubs = linked.hubs;
        seen.namespaces.push(own);
    }
    seen
}

async fn listed(azure: &Azure, subscription: &str) -> Listed {
    let (registry, all_hubs) = (azure.registry(), azure.hubs());
    let (namespaces, hubs) =
        futures::join!(registry.namespaces_of(subscription), all_hubs.in_subscription(subscription));
    Listed { namespaces, hubs }
}

/// A namespace with its policies, without what is linked to it; and the links that it names itself.
async fn namespace(azure: &Azure, id: &ArmId) -> (SeenNamespace, Vec<Link>) {
    let registry = azure.registry();
    let (id, hubs, services) = (id.clone(), Vec::new(), Vec::new());
    match registry.namespace(&id, ApiGeneration::Auto).await {
        Ok(namespace) => {
            // A namespace without a credential has no policies yet, and that is no failure. Who may not read the credential may
            // be able to read its policies.
            let policies = match registry.inventory(&id, namespace.generation).await {
                Ok(inventory) => Ok(inventory.policies),
                Err(_) => registry.policies(&namespace).await.map_err(|error| failure::of(&error)),
            };
            let generation = Ok(namespace.generation);
            (SeenNamespace { id, generation, policies, hubs, services }, namespace.links)
        }
        Err(error) => {
            let why = failure::of(&error);
            let (generation, policies) = (Err(why.clone()), Err(why));
            (SeenNamespace { id, generation, policies, hubs, services }, Vec::new())
        }
    }
}

/// Every DPS of the subscriptions, as the generations show them that the namespaces are of.
async fn provisioning_services(
    azure: &Azure,
    namespaces: &[(SeenNamespace, Vec<Link>)],
    seen: &mut Seen,
) -> Vec<ProvisioningService> {
    let known: Vec<NamespaceGeneration> =
        namespaces.iter().filter_map(|(own, _)| own.generation.as_ref().ok()).copied().collect();
    let both = [Generation::Credentials, Generation::CertificateAuthorities];
    let asked: Vec<Generation> =
        both.into_iter().filter(|one| known.iter().any(|generation| generation.has(*one))).collect();
    let clients = azure.provisioning_services();
    let mut found: Vec<ProvisioningService> = Vec::new();
    for subscription in &seen.subscriptions {
        // Without a namespace the DPS are only named to a person, so the first version that answers does.
        let is_any_enough = asked.is_empty();
        let mut failed = None;
        for &generation in if is_any_enough { &both[..] } else { &asked[..] } {
            match clients.in_subscription(subscription, generation).await {
                Ok(listed) => {
                    failed = None;
                    add(&mut found, listed);
                    if is_any_enough {
                        break;
                    }
                }
                Err(error) => failed = Some(error),
            }
        }
        seen.unread.extend(failed.map(|error| unread("the DPS", subscription, &error)));
    }
    found
}

/// Adds DPS. One that is known already takes over its namespace where it had none: each version shows links of its own.
fn add(found: &mut Vec<ProvisioningService>, listed: Vec<ProvisioningService>) {
    for service in listed {
        match found.iter_mut().find(|known| known.id == service.id) {
            Some(known) => known.namespace_id = known.namespace_id.take().or(service.namespace_id),
            None => found.push(service),
        }
    }
}

async fn service(
    azure: &Azure,
    id: ArmId,
    generation: &Result<NamespaceGeneration, ReadFailure>,
    listed: &[ProvisioningService],
) -> SeenService {
    let groups = match generation {
        Ok(generation) => groups(azure, &id, *generation, listed).await,
        Err(why) => Err(why.clone()),
    };
    SeenService { id, groups }
}

async fn groups(
    azure: &Azure,
    id: &ArmId,
    generation: NamespaceGeneration,
    listed: &[ProvisioningService],
) -> Result<Vec<EnrollmentGroup>, ReadFailure> {
    let newest = match generation.has(Generation::CertificateAuthorities) {
        true => Generation::CertificateAuthorities,
        false => Generation::Credentials,
    };
    let endpoint = match listed.iter().find(|service| service.id == *id) {
        Some(service) => service.endpoint.clone(),
        // It is in a subscription that was not looked at.
        None => {
            let read = azure.provisioning_services().get(id, newest).await;
            read.map_err(|error| failure::of(&error))?.endpoint
        }
    };
    let read = azure.enrollment_groups(generation).list(&endpoint).await;
    let groups = read.map_err(|error| failure::of_enrollment_groups(&error))?;
    Ok(groups.into_iter().map(|group| group.view).collect())
}

fn unread(what: &str, subscription: &str, error: &Error) -> Unread {
    Unread { what: format!("{what} of subscription {subscription}"), why: failure::of(error) }
}
