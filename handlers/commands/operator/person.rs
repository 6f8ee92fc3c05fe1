//! Makes what a command needs that writes to a DPS as the person who runs it: the configuration, the clients, and the
//! records where there is a place for them. Such a command needs no queue.

use ambient::Ambient;
use certificate_management::plan::permit;
use functions_host::TraceContext;
use state::Store;
use ulid::Ulid;

use crate::application;
use crate::assignment::journal::Journal;
use crate::assignment::writer::Writer;
use crate::fleet::{Fleet, Outside};
use crate::settings::{self, FleetSettings, StateSettings};
use crate::telemetry;

/// A person at a command line.
pub struct Person {
    /// The configuration, the clients and the clock.
    pub fleet: Fleet,
    /// The records; in the memory of this process where there is no other place for them.
    pub store: Store,
    /// Whether records outlive this process.
    pub keeps_records: bool,
    /// The id of this run.
    pub run: Ulid,
}

impl Person {
    /// Whether this person may write at all.
    ///
    /// # Errors When the kill switch is set: says so, and what to do.
    pub fn may_write(&self) -> Result<(), String> {
        match self.fleet.kill_switch {
            true => Err(format!(
                "{}. Unset it to write; the plan alone is made all the same.",
                permit::KILL_SWITCH
            )),
            false => Ok(()),
        }
    }

    /// Writes in the name of this person.
    pub fn writer(&self, command: &str, even_in_audit: bool) -> Writer<'_> {
        Writer {
            fleet: &self.fleet,
            journal: self.journal(command),
            by: permit::Writer::Person { even_in_audit },
        }
    }

    /// The command and its person, as records name them. The environment names the person, for readers only; their login
    /// decides what they may do.
    pub fn woken_by(&self, command: &str) -> String {
        let name = ["USER", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
        let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| "a person".to_owned());
        format!("{command} by {name}")
    }

    /// The journal of this run.
    fn journal(&self, command: &str) -> Journal<'_> {
        Journal {
            store: &self.store,
            run: self.run.to_string(),
            woken_by: self.woken_by(command),
            trace_id: telemetry::trace_id(&TraceContext::default(), self.run),
        }
    }

    /// What a person should know about the records of this run.
    pub fn about_records(&self) -> String {
        match self.keeps_records {
            true => {
                format!("Run {}: `policysync assign --revert {}` plans the way back.", self.run, self.run)
            }
            false => format!("Run {}: no record is kept. {STATE}", self.run),
        }
    }
}

/// Names the settings that records need.
pub const STATE: &str = "Records need AzureWebJobsStorage or AzureWebJobsStorage__blobServiceUri.";

/// Reads the environment and the configuration. No I/O beyond that.
///
/// # Errors
/// A text for a person: which variable, file or key is wrong.
pub fn start() -> Result<Person, String> {
    let variables = settings::environment();
    let settings = FleetSettings::from_variables(&variables).map_err(|error| error.to_string())?;
    let kept = StateSettings::if_kept(&variables).map_err(|error| error.to_string())?;
    let fleet =
        Fleet::open(&settings, Outside::of(Ambient::of_system())).map_err(|error| error.to_string())?;
    let keeps_records = kept.is_some();
    let kept = kept.unwrap_or(StateSettings::Memory);
    let store = application::records(&kept, &fleet.azure, &fleet.ambient.randomness)
        .map_err(|error| format!("AzureWebJobsStorage: {error}"))?;
    let run = fleet.ambient.ulid();
    Ok(Person { fleet, store, keeps_records, run })
}
