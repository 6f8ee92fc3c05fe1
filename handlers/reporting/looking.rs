//! Looking at the namespaces for the report, which keeps what it saw as sections.

use certificate_management::ArmId;
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::issuers::SeenIssuers;
use certificate_management::plan::Observation;
use certificate_management::report::{Counted, Looks, NamespaceInput};
use certificate_management::section::{Part, Section};
use certificate_management::trust_over_time::TrustOverTime;

use tokio::time::timeout;

use super::counting::{self, Recent};
use super::linked;
use crate::application::Application;
use crate::fleet::Fleet;
use crate::observation::Observer;
use crate::synchronization::automatic::{self, Asked};
use crate::walk::turns::Roster;
use crate::walk::{self, Scope, Visit};
use crate::{failure, sections};

/// All DPS with all their groups.
pub(super) const EVERYTHING: Scope = Scope::Every(None);

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
    let looks = linked::Looks::of(order.len());
    let walked = walk::walk(fleet, &observer, &order, &EVERYTHING, fleet.pace, Some(&roster), |visit| {
        let (observer, recent, looks) = (&observer, &recent, &looks);
        async move { one(application, observer, recent, looks, visit).await }
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
    looks: &linked::Looks,
    visit: Visit<'_>,
) -> Looked {
    let fleet = &application.fleet;
    let configuration = visit.configuration;
    let name = configuration.id.name();
    let services = visit.services.iter().flatten().filter_map(|visited| visited.service.id.clone()).collect();
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
    let section = match sections::record(&application.store, &section).await {
        Ok(section) => Some(section),
        Err(error) => {
            done.failures.push(format!("the section of {name}: {error}"));
            None
        }
    };
    done.seen = usize::from(section.is_some());
    if let Ok(observation) = &input.observation {
        done.submitted =
            usize::from(asked(application, configuration, observation, &mut done.failures).await);
    }
    counting::count(application, recent, &input, &mut done.failures).await;
    // Last, since it is what a run can do without.
    if let Some(section) = section.filter(|_| input.observation.is_ok()) {
        linked::look(application, looks, &section, services, &mut done.failures).await;
    }
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

/// What the service has sent to this process that this version does not know.
pub fn surprises(fleet: &Fleet) -> Vec<String> {
    fleet.azure.surprises().iter().map(ToString::to_string).collect()
}

/// What a visit of now has seen of a namespace.
pub(super) async fn input<'a>(
    fleet: &Fleet,
    observer: &Observer<'_>,
    visit: Visit<'a>,
) -> NamespaceInput<'a> {
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
        links: None,
        issuers: SeenIssuers::default(),
        trust: TrustOverTime::default(),
        looks: Looks { namespace_at: Some(namespace_at), services_at: Some(services_at), read_at: None },
    }
}

/// What is linked there and that the file does not name; `None` where that could not be learnt in time, which is logged.
pub(super) async fn unnamed(
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
