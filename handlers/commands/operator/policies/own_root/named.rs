//! Finds the issuing CA under the customer's own root that a person names: by its own name, by that of its policy, as
//! AUTHORITY/POLICY, or by its ARM id.

use azure::OwnAuthority;
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::model::{Namespace, Policy};

use crate::commands::operator::command_failure::CommandFailure;
use crate::commands::operator::reader;
use crate::commands::terminal::line;
use crate::fleet::Fleet;
use crate::observation::Observer;

/// An issuing CA that a person has named.
pub struct Named<'f> {
    /// Its namespace, as the file has it.
    pub configuration: &'f NamespaceConfiguration,
    /// The same, as it was read.
    pub namespace: Namespace,
    /// The CA.
    pub authority: OwnAuthority,
}

/// What was found in one namespace.
struct Home<'f> {
    configuration: &'f NamespaceConfiguration,
    namespace: Namespace,
    authorities: Vec<OwnAuthority>,
}

/// Looks for it in every namespace that can be meant.
///
/// # Errors
/// When there is none, or not one alone; what there is instead.
pub async fn find<'f>(
    fleet: &'f Fleet,
    name: &str,
    namespace: Option<&str>,
) -> Result<Named<'f>, CommandFailure> {
    let candidates = reader::namespaces(&fleet.configuration, namespace).map_err(CommandFailure::Usage)?;
    let mut unreadable = Vec::new();
    let homes = homes(fleet, &candidates, &mut unreadable).await;
    let mut found = named(&homes, name);
    if found.is_empty() {
        found = by_policy(fleet, &homes, name, &mut unreadable).await;
    }
    match found.as_slice() {
        [] if !unreadable.is_empty() => {
            let places = unreadable.join("\n");
            Err(CommandFailure::Failed(format!(
                "`{}` cannot be looked for everywhere:\n{places}",
                line(name)
            )))
        }
        [] => Err(CommandFailure::Usage(absent(name, &homes))),
        [(home, authority)] => {
            unreadable.iter().for_each(|problem| complain!("a second one was not looked for: {problem}"));
            Ok(Named {
                configuration: home.configuration,
                namespace: home.namespace.clone(),
                authority: (*authority).clone(),
            })
        }
        several => {
            let ids: Vec<String> = several.iter().map(|(_, own)| format!("  {}", own.id)).collect();
            Err(CommandFailure::Usage(format!(
                "several authorities could be meant by `{}`; name one by its id, or its namespace with --namespace:\n{}",
                line(name),
                ids.join("\n")
            )))
        }
    }
}

async fn homes<'f>(
    fleet: &Fleet,
    candidates: &[&'f NamespaceConfiguration],
    unreadable: &mut Vec<String>,
) -> Vec<Home<'f>> {
    let observer = Observer::new(fleet);
    let mut homes = Vec::new();
    for &configuration in candidates {
        let read = async {
            let namespace = observer.registered(configuration).await?;
            let authorities = fleet.azure.registry().own_authorities(&namespace).await?;
            Ok::<_, azure::Error>(Home { configuration, namespace, authorities })
        };
        match read.await {
            Ok(home) => homes.push(home),
            Err(error) => unreadable.push(format!("  {}: {error}", configuration.id.name())),
        }
    }
    homes
}

/// An authority with where it was found.
type Found<'h, 'f> = (&'h Home<'f>, &'h OwnAuthority);

fn named<'h, 'f>(homes: &'h [Home<'f>], name: &str) -> Vec<Found<'h, 'f>> {
    of_homes(homes, |_, own| {
        own.name.eq_ignore_ascii_case(name) || own.id.as_str().eq_ignore_ascii_case(name)
    })
}

async fn by_policy<'h, 'f>(
    fleet: &Fleet,
    homes: &'h [Home<'f>],
    name: &str,
    unreadable: &mut Vec<String>,
) -> Vec<Found<'h, 'f>> {
    let mut policies: Vec<Policy> = Vec::new();
    for Home { namespace, .. } in homes.iter().filter(|home| !home.authorities.is_empty()) {
        match fleet.azure.registry().policies(namespace).await {
            Ok(found) => policies.extend(found),
            Err(error) => unreadable.push(format!("  {}: {error}", namespace.id.name())),
        }
    }
    let is_named = |policy: &Policy| policy.is_named(name) || policy.own_name().eq_ignore_ascii_case(name);
    policies.retain(is_named);
    of_homes(homes, |_, own| policies.iter().any(|policy| *policy.issuer_id() == own.id))
}

fn of_homes<'h, 'f>(
    homes: &'h [Home<'f>],
    is_meant: impl Fn(&Home<'f>, &OwnAuthority) -> bool,
) -> Vec<Found<'h, 'f>> {
    let all = homes.iter().flat_map(|home| home.authorities.iter().map(move |own| (home, own)));
    all.filter(|(home, own)| is_meant(home, own)).collect()
}

fn absent(name: &str, homes: &[Home<'_>]) -> String {
    let known: Vec<String> = of_homes(homes, |_, _| true)
        .into_iter()
        .map(|(home, own)| {
            format!("  {} in {}: {}", line(&own.name), home.namespace.id.name(), line(&own.status))
        })
        .collect();
    let name = line(name);
    if known.is_empty() {
        return format!(
            "there is no authority and no policy `{name}` under a root of your own: every issuing CA that was read is \
             signed by the service"
        );
    }
    format!("no authority under a root of your own is, or has, `{name}`; there are:\n{}", known.join("\n"))
}
