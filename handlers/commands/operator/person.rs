//! Makes what a command needs that writes to a DPS as the person who runs it: the configuration, the clients, and the
//! records where there is a place for them. Such a command needs no queue.

use ambient::Ambient;
use azure::Service;
use certificate_management::attribution::Attribution;
use certificate_management::plan::permit;
use certificate_management::plan::saved::SavedPlan;
use functions_host::TraceContext;
use state::Store;
use ulid::Ulid;

use super::intent::Intent;
use crate::application;
use crate::assignment::journal::Journal;
use crate::assignment::writer::Writer;
use crate::authorities::Authorities;
use crate::fleet::{Fleet, Outside};
use crate::holds;
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

    /// Writes in the name of this person, by the plan of this hash.
    pub fn writer(
        &self,
        command: &str,
        even_in_audit: bool,
        intent: &Intent,
        plan: Option<String>,
    ) -> Writer<'_> {
        Writer {
            fleet: &self.fleet,
            journal: self.journal(command),
            by: permit::Writer::Person(intent.insistence(even_in_audit)),
            stated: Attribution { reason: intent.reason.clone(), plan, ..Attribution::default() },
            keeps_records: self.keeps_records,
            reverts: None,
        }
    }

    /// Makes and changes authorities and policies in the name of this person, by the plan of this hash.
    pub fn authorities(
        &self,
        command: &str,
        even_in_audit: bool,
        intent: &Intent,
        plan: Option<String>,
    ) -> Authorities<'_> {
        Authorities {
            fleet: &self.fleet,
            store: &self.store,
            run: self.run.to_string(),
            woken_by: self.woken_by(command),
            by: permit::Writer::Person(intent.insistence(even_in_audit)),
            stated: Attribution { reason: intent.reason.clone(), plan, ..Attribution::default() },
        }
    }

    /// Who this person is, by their login, with what they say.
    pub async fn attribution(&self, reason: Option<String>, plan: Option<String>) -> Attribution {
        let caller = self.fleet.caller(Service::ResourceManager).await;
        Attribution { caller, reason, plan, configuration: self.fleet.version().map(str::to_owned) }
    }

    /// Takes holds into account: what is held is left alone. `reverts`: the run that the plan takes back.
    pub async fn leave_held(&self, plan: &mut SavedPlan, reverts: Option<&str>) {
        if plan.assignments.is_empty() || !self.keeps_records {
            return;
        }
        match holds::all(&self.store).await {
            Ok(all) => {
                let hold =
                    |service: &str, group: &str| all.iter().find(|one| one.is_of(service, group))?.in_force();
                plan.leave_held(hold, reverts);
            }
            Err(error) => plan.unreadable.push(format!("which groups are held: {error}")),
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
                format!(
                    "Run {run}: `policysync assign --revert {run}` plans the way back, `policysync runs show {run}` what it did.",
                    run = self.run
                )
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
pub async fn start() -> Result<Person, String> {
    let variables = settings::environment();
    let settings = FleetSettings::from_variables(&variables).map_err(|error| error.to_string())?;
    let kept = StateSettings::if_kept(&variables).map_err(|error| error.to_string())?;
    let fleet =
        Fleet::read(&settings, Outside::of(Ambient::of_system())).await.map_err(|error| error.to_string())?;
    let keeps_records = kept.is_some();
    let kept = kept.unwrap_or(StateSettings::Memory);
    let store = application::records(&kept, &fleet.azure, &fleet.ambient.randomness)
        .map_err(|error| format!("AzureWebJobsStorage: {error}"))?;
    let run = fleet.ambient.ulid();
    Ok(Person { fleet, store, keeps_records, run })
}
