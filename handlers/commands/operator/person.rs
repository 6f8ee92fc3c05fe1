//! What a command needs that writes to a DPS as the person who runs it: the configuration, the clients, the records
//! where there is a place for them. It needs no queue.

use std::collections::BTreeMap;

use certificate_management::plan::permit;
use functions_host::TraceContext;
use ulid::Ulid;

use crate::application::Application;
use crate::assignment::journal::Journal;
use crate::assignment::writer::Writer;
use crate::settings::{Settings, StateSettings};
use crate::telemetry;

/// Nothing listens there, and nothing is sent there either.
const NO_QUEUE: &str = "Endpoint=sb://127.0.0.1:9;UseDevelopmentEmulator=true";

/// A person at a command line.
pub struct Person {
    /// The app.
    pub application: Application,
    /// Whether records outlive this process.
    pub keeps_records: bool,
    /// The id of this run.
    pub run: Ulid,
}

impl Person {
    /// Whether this person may write at all.
    ///
    /// # Errors
    /// What keeps them from it, and what to do, when the kill switch is set.
    pub fn may_write(&self) -> Result<(), String> {
        match self.application.kill_switch {
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
            application: &self.application,
            journal: self.journal(command),
            by: permit::Writer::Person { even_in_audit },
        }
    }

    /// Where this run is recorded. Who it is says the environment; what they may do their login does.
    fn journal(&self, command: &str) -> Journal<'_> {
        let name = ["USER", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
        let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| "a person".to_owned());
        Journal {
            store: &self.application.store,
            run: self.run.to_string(),
            woken_by: format!("{command} by {name}"),
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

/// What to set for records.
pub const STATE: &str = "Records need AzureWebJobsStorage or AzureWebJobsStorage__blobServiceUri.";

/// Reads the environment and the configuration. No I/O beyond that.
///
/// # Errors
/// A text for a person: which variable, file or key is wrong.
pub fn start() -> Result<Person, String> {
    let settings = settings_of(std::env::vars().collect())?;
    let application = Application::start(&settings).map_err(|error| error.to_string())?;
    let keeps_records = !matches!(settings.state, StateSettings::Memory);
    Ok(Person { application, keeps_records, run: Ulid::generate() })
}

fn settings_of(mut variables: BTreeMap<String, String>) -> Result<Settings, String> {
    variables.retain(|name, _| !name.starts_with("ServiceBusConnection"));
    variables.insert("ServiceBusConnection".to_owned(), NO_QUEUE.to_owned());
    let is_state = |(name, value): (&String, &String)| {
        (name == "POLICYSYNC_STATE" || name.starts_with("AzureWebJobsStorage")) && !value.is_empty()
    };
    if !variables.iter().any(is_state) {
        variables.insert("POLICYSYNC_STATE".to_owned(), "memory".to_owned());
    }
    Settings::from_variables(&variables).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        settings_of(variables.iter().map(own).collect())
    }

    #[test]
    fn a_person_needs_no_queue_and_records_only_where_they_are_set() {
        assert!(matches!(read(&[("ServiceBusConnection", "x")]).unwrap().state, StateSettings::Memory));
        let storage = ("AzureWebJobsStorage", "UseDevelopmentStorage=true");
        assert!(matches!(read(&[storage]).unwrap().state, StateSettings::ConnectionString(_)));
        assert!(read(&[("POLICYSYNC_MOED", "audit")]).is_err());
    }
}
