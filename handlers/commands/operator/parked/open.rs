//! The shelf that the environment names.

use ambient::Ambient;

use super::message::Place;
use super::shelf::Shelf;
use crate::application::{self, StartError};
use crate::fleet;
use crate::settings::{self, FleetSettings, QueueSettings, StateSettings};

/// Opens the queues and the records that the environment names; it does not need the configuration. Without
/// `AzureWebJobsStorage`, or with the records in the memory of the app, it leaves the records out.
///
/// # Errors
/// A text for a person: which setting is wrong.
pub fn from_environment() -> Result<Shelf, String> {
    let variables = settings::environment();
    let of_fleet = FleetSettings::from_variables(&variables).map_err(|error| error.to_string())?;
    let queues = QueueSettings::from_variables(&variables).map_err(|error| error.to_string())?;
    let kept = StateSettings::if_kept(&variables).map_err(|error| error.to_string())?;
    open(&of_fleet, &queues, kept.as_ref()).map_err(|error| error.to_string())
}

fn open(
    of_fleet: &FleetSettings,
    queues: &QueueSettings,
    kept: Option<&StateSettings>,
) -> Result<Shelf, StartError> {
    let ambient = Ambient::of_system();
    let azure = fleet::clients(of_fleet, &ambient)?;
    let records = kept.map(|kept| application::records(kept, &azure, &ambient.randomness)).transpose()?;
    let bus = &queues.service_bus;
    Ok(Shelf {
        receivers: vec![
            (Place::Parked, azure.queue_receiver(bus, &queues.parked)?),
            (Place::DeadLetter, azure.dead_letter_receiver(bus, &queues.requests)?),
            (Place::ParkedDeadLetter, azure.dead_letter_receiver(bus, &queues.parked)?),
        ],
        parked: azure.queue(bus, &queues.parked)?,
        requests: azure.queue(bus, &queues.requests)?,
        records,
        ambient,
    })
}
