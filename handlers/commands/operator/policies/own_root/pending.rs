//! Finds the issuing CA under the customer's own root that a person names: by its own name, by that of its policy, as
//! AUTHORITY/POLICY, or by its ARM id.

use azure::OwnAuthority;
use certificate_chain::SigningRequest;
use certificate_management::ArmId;
use certificate_management::configuration::{Configuration, NamespaceConfiguration};
use certificate_management::model::{Namespace, Policy};

use crate::commands::operator::command_failure::CommandFailure;
use crate::commands::operator::reader;
use crate::commands::terminal::line;
use crate::fleet::Fleet;
use crate::observation::Observer;

/// An issuing CA that waits for a certificate.
pub struct Pending {
    /// Its namespace.
    pub namespace: ArmId,
    /// The CA.
    pub authority: OwnAuthority,
    /// Its request as the service shows it, PEM.
    pub pem: String,
    /// The same, read.
    pub request: SigningRequest,
}

/// What was found in one namespace.
struct Home {
    namespace: Namespace,
    authorities: Vec<OwnAuthority>,
}

/// Reads the request that waits for the person's root.
///
/// # Errors
/// When there is none, or not one alone; what there is instead.
pub async fn find(name: &str, namespace: Option<&str>) -> Result<Pending, CommandFailure> {
    let failed = |error: &dyn std::fmt::Display| CommandFailure::Failed(error.to_string());
    let settings = reader::settings().map_err(|error| failed(&error))?;
    let text = reader::configuration_text(&settings.configuration).map_err(|problem| {
        CommandFailure::Failed(format!("{problem}\nSet POLICYSYNC_CONFIG to the path of a policysync.toml."))
    })?;
    let configuration = Configuration::parse(&text).map_err(|error| {
        let path = settings.configuration.display();
        CommandFailure::Failed(format!("the configuration {path} cannot be used:\n{error}"))
    })?;
    let fleet = reader::fleet(&settings, configuration).map_err(|error| failed(&error))?;
    let candidates = candidates(&fleet.configuration, namespace)?;
    let mut unreadable = Vec::new();
    let homes = homes(&fleet, &candidates, &mut unreadable).await;
    let mut found = named(&homes, name);
    if found.is_empty() {
        found = by_policy(&fleet, &homes, name, &mut unreadable).await;
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
            pending(home, authority)
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

/// The namespaces that the person can mean.
fn candidates<'c>(
    configuration: &'c Configuration,
    wanted: Option<&str>,
) -> Result<Vec<&'c NamespaceConfiguration>, CommandFailure> {
    let is_wanted = |namespace: &&NamespaceConfiguration| {
        wanted.is_none_or(|wanted| {
            namespace.id.as_str().eq_ignore_ascii_case(wanted)
                || namespace.id.name().eq_ignore_ascii_case(wanted)
        })
    };
    let found: Vec<_> = configuration.namespaces.iter().filter(is_wanted).collect();
    if found.is_empty() {
        let known: Vec<String> = configuration.namespaces.iter().map(|one| format!("  {}", one.id)).collect();
        return Err(CommandFailure::Usage(format!(
            "the configuration has no namespace `{}`; it has:\n{}",
            line(wanted.unwrap_or_default()),
            known.join("\n")
        )));
    }
    Ok(found)
}

async fn homes(
    fleet: &Fleet,
    candidates: &[&NamespaceConfiguration],
    unreadable: &mut Vec<String>,
) -> Vec<Home> {
    let observer = Observer::new(fleet);
    let mut homes = Vec::new();
    for configuration in candidates {
        let read = async {
            let namespace = observer.registered(configuration).await?;
            let authorities = fleet.azure.registry().own_authorities(&namespace).await?;
            Ok::<_, azure::Error>(Home { namespace, authorities })
        };
        match read.await {
            Ok(home) => homes.push(home),
            Err(error) => unreadable.push(format!("  {}: {error}", configuration.id.name())),
        }
    }
    homes
}

fn named<'h>(homes: &'h [Home], name: &str) -> Vec<(&'h Home, &'h OwnAuthority)> {
    of_homes(homes, |_, own| {
        own.name.eq_ignore_ascii_case(name) || own.id.as_str().eq_ignore_ascii_case(name)
    })
}

async fn by_policy<'h>(
    fleet: &Fleet,
    homes: &'h [Home],
    name: &str,
    unreadable: &mut Vec<String>,
) -> Vec<(&'h Home, &'h OwnAuthority)> {
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

fn of_homes(homes: &[Home], is_meant: impl Fn(&Home, &OwnAuthority) -> bool) -> Vec<(&Home, &OwnAuthority)> {
    let all = homes.iter().flat_map(|home| home.authorities.iter().map(move |own| (home, own)));
    all.filter(|(home, own)| is_meant(home, own)).collect()
}

fn pending(home: &Home, authority: &OwnAuthority) -> Result<Pending, CommandFailure> {
    let name = line(&authority.name);
    let state = format!(
        "its status is `{}` and its provisioning state `{}`",
        line(&authority.status),
        line(&authority.provisioning_state.to_string())
    );
    let Some(pem) = authority.signing_request.as_deref().filter(|_| authority.is_pending()) else {
        return Err(CommandFailure::Failed(format!(
            "no signing request of {name} waits for a signature: {state}"
        )));
    };
    let request = SigningRequest::parse(pem.as_bytes()).map_err(|error| {
        CommandFailure::Failed(format!(
            "the signing request that the service shows for {name} cannot be used: {error}; {state}"
        ))
    })?;
    Ok(Pending {
        namespace: home.namespace.id.clone(),
        authority: authority.clone(),
        pem: format!("{}\n", pem.trim()),
        request,
    })
}

fn absent(name: &str, homes: &[Home]) -> String {
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
