//! What commands that only look need: the configuration and the clients, without a queue and without stored records.
//!
//! Looking at the world is done by the same code that functions use, which wants the whole app. So the parts that a
//! reader never touches are stand-ins: records in memory, and a queue on this machine's discard port.

use std::collections::BTreeMap;
use std::path::PathBuf;

use azure::cloud::Cloud;
use azure::{Azure, ServiceBusConnection, credential};
use certificate_management::configuration::Configuration;
use state::Store;

use crate::application::Application;
use crate::clock::Clock;
use crate::deadlines::Deadlines;
use crate::settings::{Settings, SettingsError};
use crate::walk::Pace;

/// Nothing listens there, and nothing is sent there either.
const NO_QUEUE: &str = "Endpoint=sb://127.0.0.1:9;UseDevelopmentEmulator=true";

/// What the environment says to a command that needs neither `ServiceBusConnection` nor `AzureWebJobsStorage`.
///
/// # Errors
/// Names the first variable that is wrong or unknown.
pub fn settings() -> Result<Settings, SettingsError> {
    settings_of(std::env::vars().collect())
}

fn settings_of(mut variables: BTreeMap<String, String>) -> Result<Settings, SettingsError> {
    let is_unused =
        |name: &str| name.starts_with("ServiceBusConnection") || name.starts_with("AzureWebJobsStorage");
    variables.retain(|name, _| !is_unused(name));
    variables.insert("ServiceBusConnection".to_owned(), NO_QUEUE.to_owned());
    variables.insert("POLICYSYNC_STATE".to_owned(), "memory".to_owned());
    Settings::from_variables(&variables)
}

/// The text of the configuration.
///
/// # Errors
/// A text for a person: which file, and why.
pub fn configuration_text(path: &PathBuf) -> Result<String, String> {
    std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read the configuration {}: {error}", path.display()))
}

/// The app, for reading. Making it does no I/O.
///
/// # Errors
/// When the identity or the address of Azure in the environment cannot be used.
pub fn application(settings: &Settings, configuration: Configuration) -> Result<Application, azure::Error> {
    let cloud = Cloud::new(settings.arm_endpoint.as_deref())?;
    let azure = Azure::new(cloud, credential::from_environment(&|name| std::env::var(name).ok())?)?;
    let nowhere = ServiceBusConnection::parse(NO_QUEUE)?;
    Ok(Application {
        configuration,
        kill_switch: settings.kill_switch,
        signs_in: settings.signs_in,
        queue: azure.queue(&nowhere, &settings.queue)?,
        parked: azure.queue(&nowhere, &settings.parked_queue)?,
        azure,
        store: Store::memory(),
        clock: Clock::default(),
        deadlines: Deadlines::default(),
        pace: Pace::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        settings_of(variables.iter().map(own).collect())
    }

    #[test]
    fn a_reader_needs_neither_queue_nor_storage() {
        assert!(read(&[]).is_ok());
        assert!(
            read(&[("ServiceBusConnection", "not one"), ("AzureWebJobsStorage__accountName", " ")]).is_ok()
        );
    }

    #[test]
    fn what_a_reader_does_use_is_still_checked() {
        assert_eq!(read(&[("POLICYSYNC_MOED", "audit")]).unwrap_err().variable, "POLICYSYNC_MOED");
        assert!(read(&[("POLICYSYNC_MODE", "audit")]).unwrap().kill_switch);
    }
}
