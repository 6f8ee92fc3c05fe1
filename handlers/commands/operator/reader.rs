//! Makes what commands need that only read: the fleet, without a queue and without records.

use std::path::PathBuf;

use ambient::Ambient;
use certificate_management::configuration::Configuration;

use crate::fleet::{Fleet, Outside};
use crate::settings::{self, FleetSettings, SettingsError};

/// The settings of a command that only reads.
///
/// # Errors
/// Names the first variable that is wrong or unknown.
pub fn settings() -> Result<FleetSettings, SettingsError> {
    FleetSettings::from_variables(&settings::environment())
}

/// The text of the configuration.
///
/// # Errors
/// A text for a person: which file, and why.
pub fn configuration_text(path: &PathBuf) -> Result<String, String> {
    std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read the configuration {}: {error}", path.display()))
}

/// The fleet. Making it does no I/O.
///
/// # Errors
/// When the identity or the address of Azure in the environment cannot be used.
pub fn fleet(settings: &FleetSettings, configuration: Configuration) -> Result<Fleet, azure::Error> {
    Fleet::of(settings, configuration, Outside::of(Ambient::of_system()))
}
