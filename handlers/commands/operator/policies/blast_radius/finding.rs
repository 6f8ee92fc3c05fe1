//! Finds the policy, authority, hub or DPS that a person names, in the namespaces of the configuration.

use azure::Error;
use certificate_management::blast_radius::Action;
use certificate_management::blast_radius::target::{Kind, Target, named};
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::declared::Inventory;
use tokio::time::timeout_at;

use crate::commands::operator::command_failure::CommandFailure;
use crate::commands::operator::reader;
use crate::commands::terminal::line;
use crate::fleet::Fleet;
use crate::observation::{Observer, soon};

/// What the person asks about.
pub(super) struct Wanted<'a> {
    pub name: &'a str,
    pub action: Action,
    pub kind: Option<Kind>,
    pub namespace: Option<&'a str>,
}

/// What was found, with what was read of its namespace on the way.
pub(super) struct Found<'f> {
    pub configuration: &'f NamespaceConfiguration,
    pub inventory: Inventory,
    pub target: Target,
}

/// One namespace with everything in it that the action could be taken on.
struct Home<'f> {
    configuration: &'f NamespaceConfiguration,
    inventory: Inventory,
    targets: Vec<Target>,
}

/// Finds the one thing that the person means.
///
/// # Errors
/// When there is none, or not one alone; what there is instead.
pub(super) async fn find<'f>(
    fleet: &'f Fleet,
    observer: &Observer<'_>,
    wanted: &Wanted<'_>,
) -> Result<Found<'f>, CommandFailure> {
    let (mut homes, mut unreadable) = (Vec::new(), Vec::new());
    let candidates = reader::namespaces(&fleet.configuration, wanted.namespace);
    for configuration in candidates.map_err(CommandFailure::Usage)? {
        let late = |_| Error::timed_out(format!("reading namespace {}", configuration.id.name()));
        let read = timeout_at(soon(), home(fleet, observer, configuration, wanted.action)).await;
        match read.map_err(late).flatten() {
            Ok(home) => homes.push(home),
            Err(error) => unreadable.push(format!("  {}: {error}", configuration.id.name())),
        }
    }
    let mut found: Vec<(usize, Target)> = Vec::new();
    for (place, home) in homes.iter().enumerate() {
        let all = home.targets.iter().cloned();
        let targets = named(wanted.name, wanted.action, wanted.kind, all, &home.inventory.authorities);
        found.extend(targets.into_iter().map(|target| (place, target)));
    }
    match found.len() {
        1 => {}
        0 if !unreadable.is_empty() => {
            let places = unreadable.join("\n");
            let name = line(wanted.name);
            return Err(CommandFailure::Failed(format!(
                "`{name}` cannot be looked for everywhere:\n{places}"
            )));
        }
        0 => return Err(CommandFailure::Usage(absent(wanted, &homes))),
        _ => return Err(CommandFailure::Usage(ambiguous(wanted.name, &found))),
    }
    unreadable.iter().for_each(|problem| complain!("a second one was not looked for: {problem}"));
    // There is exactly one.
    let (place, target) = found.swap_remove(0);
    let Home { configuration, inventory, .. } = homes.swap_remove(place);
    Ok(Found { configuration, inventory, target })
}

async fn home<'f>(
    fleet: &Fleet,
    observer: &Observer<'_>,
    configuration: &'f NamespaceConfiguration,
    action: Action,
) -> Result<Home<'f>, Error> {
    let namespace = observer.registered(configuration).await?;
    let inventory = fleet.azure.registry().inventory(&configuration.id, namespace.generation).await?;
    let targets = if action == Action::Unlink {
        let hubs = observer.linked_hubs(configuration, &inventory.namespace).await?;
        let services = observer.provisioning_services(configuration).await?;
        let services = services
            .into_iter()
            .map(|service| Target::ProvisioningService { name: service.name, id: service.id });
        hubs.into_iter().map(Target::Hub).chain(services).collect()
    } else {
        let policies = inventory.policies.iter().cloned().map(Target::Policy);
        policies.chain(inventory.authorities.iter().cloned().map(Target::Authority)).collect()
    };
    Ok(Home { configuration, inventory, targets })
}

fn absent(wanted: &Wanted<'_>, homes: &[Home<'_>]) -> String {
    let all = homes.iter().flat_map(|home| home.targets.iter().map(move |target| (home, target)));
    let fits = all.filter(|(_, target)| wanted.kind.is_none_or(|kind| kind == target.kind()));
    let known: Vec<String> = fits
        .map(|(home, target)| {
            format!("  {} {} in {}", target.kind(), line(target.name()), home.configuration.id.name())
        })
        .collect();
    let (name, action) = (line(wanted.name), wanted.action);
    match known.is_empty() {
        true => format!("there is nothing to {action}, and no `{name}`, in the namespaces that were read"),
        false => format!("there is no `{name}` to {action}; there are:\n{}", known.join("\n")),
    }
}

fn ambiguous(name: &str, found: &[(usize, Target)]) -> String {
    let several: Vec<String> = found
        .iter()
        .map(|(_, target)| {
            let id = target.id().map_or_else(|| target.name().to_owned(), ToString::to_string);
            format!("  --kind {}: {}", target.kind(), line(&id))
        })
        .collect();
    format!(
        "several could be meant by `{}`; say which with --kind or --namespace, as AUTHORITY/POLICY, or by its id:\n{}",
        line(name),
        several.join("\n")
    )
}
