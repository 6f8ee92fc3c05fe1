//! Looking at every namespace, for the report and for the command `status`.

use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::model::{ReadFailure, ReadFailureKind};
use certificate_management::report::{NamespaceInput, ProvisioningServiceInput, ReportInput};

use crate::application::Application;
use crate::failure;
use crate::fleet::Fleet;
use crate::observation::Observer;
use crate::walk::turns::Roster;
use crate::walk::{self, Pace, Scope, Visit, VisitedService};

const EVERYTHING: Scope = Scope::Every(None);

/// Observes every namespace, those first that waited longest; writes nothing but which had their turn.
pub async fn observe(application: &Application) -> ReportInput<'_> {
    let namespaces = &application.fleet.configuration.namespaces;
    let roster = Roster::open(
        &application.store,
        &application.fleet.ambient.clock,
        "report-policy-status",
        namespaces,
    )
    .await;
    let order = roster.order(namespaces);
    let observer = Observer::new(&application.fleet);
    let fleet = &application.fleet;
    let walked = walk::walk(fleet, &observer, &order, &EVERYTHING, fleet.pace, Some(&roster), |visit| {
        let observer = &observer;
        async move { input(observer, visit).await }
    });
    put_together(fleet, walked.await)
}

/// The same for a command, which has the time for all, and leaves no trace of itself.
pub async fn observe_all(fleet: &Fleet) -> ReportInput<'_> {
    let order: Vec<_> = fleet.configuration.namespaces.iter().collect();
    let observer = Observer::new(fleet);
    let pace = Pace::of_a_command();
    let walked = walk::walk(fleet, &observer, &order, &EVERYTHING, pace, None, |visit| {
        let observer = &observer;
        async move { input(observer, visit).await }
    });
    put_together(fleet, walked.await)
}

/// In the order of the configuration. A namespace whose turn did not come in time is said not to have been looked at.
fn put_together<'a>(
    fleet: &'a Fleet,
    walked: Vec<(&'a NamespaceConfiguration, Option<NamespaceInput<'a>>)>,
) -> ReportInput<'a> {
    let mut namespaces: Vec<NamespaceInput<'_>> = walked
        .into_iter()
        .map(|(configuration, input)| input.unwrap_or_else(|| not_visited(configuration)))
        .collect();
    let place = |input: &NamespaceInput<'_>| {
        fleet.configuration.namespaces.iter().position(|known| known.id == input.configuration.id)
    };
    namespaces.sort_by_cached_key(place);
    ReportInput {
        configuration: &fleet.configuration,
        kill_switch: fleet.kill_switch,
        namespaces,
        records: None,
        // After the reads, which may have met some.
        surprises: fleet.azure.surprises().iter().map(ToString::to_string).collect(),
        early_devices: Vec::new(),
        now: fleet.now(),
    }
}

async fn input<'a>(observer: &Observer<'_>, visit: Visit<'a>) -> NamespaceInput<'a> {
    let configuration = visit.configuration;
    let observation = visit.observe(observer).await.map_err(|error| failure::of(&error));
    let provisioning_services =
        visit.services.map(|services| services.into_iter().map(service_input).collect());
    let provisioning_services = provisioning_services.map_err(|error| failure::of(&error));
    NamespaceInput { configuration, observation, provisioning_services }
}

fn service_input(visited: VisitedService) -> ProvisioningServiceInput {
    let VisitedService { service, groups, unread } = visited;
    // The scope is everything, so what could not be read is the list.
    let unread = unread.first().map(|unread| failure::of_enrollment_groups(&unread.error));
    ProvisioningServiceInput {
        endpoint: service.endpoint,
        hubs: service.hubs,
        enrollment_groups: unread
            .map_or_else(|| Ok(groups.into_iter().map(|group| group.view).collect()), Err),
    }
}

fn not_visited(configuration: &NamespaceConfiguration) -> NamespaceInput<'_> {
    let why = ReadFailure {
        kind: ReadFailureKind::NotVisited,
        message:
            "the time of this run was over before the turn of the namespace; the next run begins with it"
                .to_owned(),
        permission: None,
    };
    NamespaceInput { configuration, provisioning_services: Err(why.clone()), observation: Err(why) }
}
