//! Makes what commands need that only read: the fleet, without a queue and without records.

use ambient::Ambient;
use certificate_management::configuration::{Configuration, NamespaceConfiguration};
use certificate_management::next_step::Caller;

use crate::commands::terminal::line;
use crate::fleet::{self, Fleet, Outside};
use crate::settings::{self, ConfigurationSource, FleetSettings, SettingsError};

/// The settings of a command that only reads.
///
/// # Errors
/// Names the first variable that is wrong or unknown.
pub fn settings() -> Result<FleetSettings, SettingsError> {
    FleetSettings::from_variables(&settings::environment())
}

/// Whose identity a command has: the one that its environment names, or else the login of the person.
pub fn caller() -> Caller {
    let names = ["IDENTITY_ENDPOINT", "AZURE_FEDERATED_TOKEN_FILE"];
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if names.iter().any(is_set) { Caller::Pipeline } else { Caller::Person }
}

/// The text of the configuration as it is now.
///
/// # Errors
/// A text for a person: which file or blob, and why.
pub async fn configuration_text(settings: &FleetSettings) -> Result<String, String> {
    let source = &settings.configuration;
    let cannot = |problem: String| format!("cannot read the configuration {source}: {problem}");
    let azure = match source {
        // A file needs no identity.
        ConfigurationSource::File(path) => {
            return std::fs::read_to_string(path).map_err(|error| cannot(error.to_string()));
        }
        ConfigurationSource::Blob(_) => fleet::clients(settings, &Ambient::of_system()),
    };
    let azure = azure.map_err(|error| cannot(error.to_string()))?;
    fleet::text(source, &azure).await.map_err(cannot)
}

/// The configuration as it is now.
///
/// # Errors
/// A text for a person: which file or blob, which key, and why.
pub async fn configuration(settings: &FleetSettings) -> Result<Configuration, String> {
    let text = configuration_text(settings).await?;
    Configuration::parse(&text)
        .map_err(|error| format!("the configuration {} cannot be used:\n{error}", settings.configuration))
}

/// The namespaces that a person can mean: the one of this name or ARM id, or all without one.
///
/// # Errors
/// A text for a person: which there are, where the configuration has none of that name.
pub fn namespaces<'c>(
    configuration: &'c Configuration,
    wanted: Option<&str>,
) -> Result<Vec<&'c NamespaceConfiguration>, String> {
    let is_wanted = |namespace: &&NamespaceConfiguration| {
        wanted.is_none_or(|wanted| {
            wanted.eq_ignore_ascii_case(namespace.id.as_str())
                || wanted.eq_ignore_ascii_case(namespace.id.name())
        })
    };
    let found: Vec<_> = configuration.namespaces.iter().filter(is_wanted).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let known: Vec<String> =
        configuration.namespaces.iter().map(|one| format!("  {}", one.as_typed())).collect();
    let (wanted, known) = (line(wanted.unwrap_or_default()), known.join("\n"));
    Err(format!("policysync.toml has no namespace `{wanted}`; it has:\n{known}"))
}

/// The ARM id of a namespace that a person names by its id, or by the name that it has in the configuration. An id needs no
/// configuration.
///
/// # Errors
/// A text for a person: the name is that of no namespace or of several, or there is no configuration to look it up in.
pub async fn namespace_id(wanted: &str) -> Result<String, String> {
    if wanted.contains('/') {
        return Ok(wanted.to_owned());
    }
    let how = "Name the namespace by its ARM id, or set POLICYSYNC_CONFIG to the path of a policysync.toml.";
    let settings = settings().map_err(|error| error.to_string())?;
    let configuration = configuration(&settings).await.map_err(|problem| format!("{problem}\n{how}"))?;
    let found = namespaces(&configuration, Some(wanted))?;
    match found.as_slice() {
        [one] => Ok(one.id.to_string()),
        several => {
            let ids: Vec<String> = several.iter().map(|one| format!("  {}", one.id)).collect();
            Err(format!(
                "several namespaces have the name `{}`; give the id:\n{}",
                line(wanted),
                ids.join("\n")
            ))
        }
    }
}

/// The fleet. Making it does no I/O.
///
/// # Errors
/// When the identity or the address of Azure in the environment cannot be used.
pub fn fleet(settings: &FleetSettings, configuration: Configuration) -> Result<Fleet, azure::Error> {
    Fleet::of(settings, configuration, Outside::of(Ambient::of_system()))
}
