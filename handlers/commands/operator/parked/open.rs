//! The shelf that the environment names.

use std::collections::BTreeMap;
use std::sync::Arc;

use azure::cloud::Cloud;
use azure::{Azure, credential};

use super::message::Place;
use super::shelf::Shelf;
use crate::application::{self, StartError};
use crate::settings::{Settings, StateSettings};

/// The queues and the records that the environment names. The configuration is not needed. Without `AzureWebJobsStorage`, or
/// with the records in the memory of the app, the records are left out.
///
/// # Errors
/// A text for a person: which setting is wrong.
pub fn from_environment() -> Result<Shelf, String> {
    let mut variables: BTreeMap<String, String> = std::env::vars().collect();
    if !variables.keys().any(|name| name.starts_with("AzureWebJobsStorage")) {
        variables.insert("POLICYSYNC_STATE".to_owned(), "memory".to_owned());
    }
    let settings = Settings::from_variables(&variables).map_err(|error| error.to_string())?;
    open(&settings).map_err(|error| error.to_string())
}

fn open(settings: &Settings) -> Result<Shelf, StartError> {
    let cloud = Cloud::new(settings.arm_endpoint.as_deref())?;
    let tokens = credential::from_environment(&|name| std::env::var(name).ok())?;
    let azure = Azure::new(cloud, Arc::clone(&tokens))?;
    let records = match &settings.state {
        StateSettings::Memory => None,
        state => Some(application::records(state, tokens)?),
    };
    let bus = &settings.service_bus;
    Ok(Shelf {
        receivers: vec![
            (Place::Parked, azure.queue_receiver(bus, &settings.parked_queue)?),
            (Place::DeadLetter, azure.dead_letter_receiver(bus, &settings.queue)?),
            (Place::ParkedDeadLetter, azure.dead_letter_receiver(bus, &settings.parked_queue)?),
        ],
        parked: azure.queue(bus, &settings.parked_queue)?,
        requests: azure.queue(bus, &settings.queue)?,
        records,
    })
}
