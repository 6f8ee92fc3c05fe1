//! Looking at the namespaces: for the report, which keeps what it saw as sections, and for the command `status`, which keeps
//! nothing.

use certificate_management::ArmId;
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::declared::{Memory, Seen};
use certificate_management::issuers::SeenIssuers;
use certificate_management::model::{ReadFailure, ReadFailureKind};
use certificate_management::plan::Observation;
use certificate_management::report::{Counted, Looks, NamespaceInput, ReportInput};
use certificate_management::section::{Part, Section};
use tokio::time::timeout;

use super::counting::{self, Recent};
use crate::application::Application;
use crate::fleet::Fleet;
use crate::observation::Observer;
use crate::synchronization::automatic::{self, Asked};
use crate::walk::turns::Roster;
use crate::walk::{self, Pace, Scope, Visit};
use crate::{authorities, failure, sections};

const EVERYTHING: Scope = Scope::Every(None);

/// What came of looking.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Looked {
    /// Namespaces whose section was written.
    pub seen: usize,
    /// Namespaces whose turn did not come in time; the next run begins with them.
    pub not_visited: usize,
    /// Requests that were submitted because a hub does not trust a policy.
    pub submitted: usize,
    /// What went wrong, and may go right later.
    pub failures: Vec<String>,
}

/// Looks at as many namespaces as the time allows, those first that waited longest, and writes the section of each as soon as
/// it is seen. So a run that is killed has done what it did.
pub async fn look(application: &Application) -> Looked {
    let fleet = &application.fleet;
    let namespaces = &fleet.configuration.namespaces;
    let roster =
        Roster::open(&application.store, &fleet.ambient.clock, "report-policy-status", namespaces).await;
    let order = roster.order(namespaces);
    let observer = Observer::remembering(fleet);
    let recent = Recent::read(application).await;
    let walked = walk::walk(fleet, &observer, &order, &EVERYTHING, fleet.pace, Some(&roster), |visit| {
        let (observer, recent) = (&observer, &recent);
        async move { one(application, observer, recent, visit).await }
    });
    let mut done = Looked::default();
    for (_, looked) in walked.await {
        match looked {
            Some(looked) => {
                done.seen += looked.seen;
                done.submitted += looked.submitted;
                done.failures.extend(looked.failures);
            }
            None => done.not_visited += 1,
        }
    }
    done.failures.extend(recent.failure());
    done
}

/// One namespace: what is seen of it is kept, and then what follows from it is done.
async fn one(
    application: &Application,
    observer: &Observer<'_>,
    recent: &Recent,
    visit: Visit<'_>,
) -> Looked {
    let fleet = &application.fleet;
    let configuration = visit.configuration;
    let name = configuration.id.name();
    let input = input(fleet, observer, visit).await;
    let mut done = Looked::default();
    let mut section = section_of(&input);
    // Who is not read in time may hang again.
    if input.observation.is_ok()
        && input.provisioning_services.is_ok()
        && let Some(unnamed) = unnamed(fleet, observer, configuration).await
    {
        section.unnamed = Part::of(Ok(unnamed), fleet.now());
    }
    match sections::record(&application.store, &section).await {
        Ok(()) => done.seen = 1,
        Err(error) => done.failures.push(format!("the section of {name}: {error}")),
    }
    if let Ok(observation) = &input.observation {
        done.submitted =
            usize::from(asked(application, configuration, observation, &mut done.failures).await);
    }
    counting::count(application, recent, &input, &mut done.failures).await;
    done
}

/// Whether a sync was asked for.
async fn asked(
    application: &Application,
    configuration: &NamespaceConfiguration,
    observation: &Observation,
    failures: &mut Vec<String>,
) -> bool {
    let because = "the status report found a hub that does not trust a policy";
    match automatic::submit_if_needed(application, configuration, observation, because).await {
        Ok(asked) => matches!(asked, Asked::Submitted(_)),
        Err(error) => {
            failures.push(format!("{}: {error}", configuration.id.name()));
            false
        }
    }
}

fn section_of(input: &NamespaceInput<'_>) -> Section {
    let mut section = Section::new(&input.configuration.id);
    if let Some(at) = input.looks.namespace_at {
        section.namespace = Part::of(input.observation.clone(), at);
    }
    if let Some(at) = input.looks.services_at {
        section.services = Part::of(input.provisioning_services.clone(), at);
    }
    section
}

/// Observes every namespace for a command, which has the time for all, and leaves no trace of itself.
pub async fn observe_all(fleet: &Fleet) -> ReportInput<'_> {
    let order: Vec<_> = fleet.configuration.namespaces.iter().collect();
    let observer = Observer::new(fleet);
    let pace = Pace::of_a_command();
    let walked = walk::walk(fleet, &observer, &order, &EVERYTHING, pace, None, |visit| {
        let observer = &observer;
        async move {
            let configuration = visit.configuration;
            let mut input = input(fleet, observer, visit).await;
            input.declared = declared(fleet, configuration).await;
            input.counted.unnamed = unnamed(fleet, observer, configuration).await.unwrap_or_default();
            input
        }
    });
    let walked = walked.await.into_iter();
    let namespaces = walked.map(|(configuration, input)| input.unwrap_or_else(|| not_visited(configuration)));
    ReportInput {
        configuration: &fleet.configuration,
        kill_switch: fleet.kill_switch,
        namespaces: namespaces.collect(),
        records: None,
        // After the reads, which may have met some.
        surprises: surprises(fleet),
        now: fleet.now(),
    }
}

/// What the service has sent to this process that this version does not know.
pub fn surprises(fleet: &Fleet) -> Vec<String> {
    fleet.azure.surprises().iter().map(ToString::to_string).collect()
}

async fn input<'a>(fleet: &Fleet, observer: &Observer<'_>, visit: Visit<'a>) -> NamespaceInput<'a> {
    // The DPS were read before the visit was handed over.
    let services_at = fleet.now();
    let provisioning_services = sections::services_of(&visit);
    let observation = visit.observe(observer).await.map_err(|error| failure::of(&error));
    let namespace_at = observation.as_ref().map_or_else(|_| fleet.now(), |seen| seen.seen_at);
    NamespaceInput {
        configuration: visit.configuration,
        observation,
        provisioning_services,
        counted: Counted::default(),
        declared: None,
        issuers: SeenIssuers::default(),
        looks: Looks { namespace_at: Some(namespace_at), services_at: Some(services_at), read_at: None },
    }
}

/// What there is of what the file declares, where functions keep it. Without records nothing is known of the last writes.
async fn declared(
    fleet: &Fleet,
    configuration: &NamespaceConfiguration,
) -> Option<Result<Seen, ReadFailure>> {
    if !configuration.is_managed() {
        return None;
    }
    let at = fleet.now();
    let read = timeout(fleet.pace.visit, authorities::inventory(fleet, configuration)).await;
    let read = read.unwrap_or_else(|_| {
        Err(azure::Error::timed_out(format!("reading what {} declares", configuration.id.name())))
    });
    let seen = read.map(|inventory| Seen { at, inventory, memory: Memory::default() });
    Some(seen.map_err(|error| failure::of(&error)))
}

/// What is linked there and that the file does not name; `None` where that could not be learnt in time, which is logged.
async fn unnamed(
    fleet: &Fleet,
    observer: &Observer<'_>,
    configuration: &NamespaceConfiguration,
) -> Option<Vec<ArmId>> {
    let name = configuration.id.name();
    match timeout(fleet.pace.visit, observer.unnamed(configuration)).await {
        Ok(Ok(unnamed)) => Some(unnamed),
        Ok(Err(error)) => {
            tracing::warn!("what is linked to {name} and not in the configuration cannot be read: {error}");
            None
        }
        Err(_) => {
            tracing::warn!("what is linked to {name} and not in the configuration could not be read in time");
            None
        }
    }
}

fn not_visited(configuration: &NamespaceConfiguration) -> NamespaceInput<'_> {
    let why = ReadFailure {
        kind: ReadFailureKind::NotVisited,
        message: "the time was over before the turn of the namespace".to_owned(),
        permission: None,
    };
    NamespaceInput::unread(configuration, &why)
}
