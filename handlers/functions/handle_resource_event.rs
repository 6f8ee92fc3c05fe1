//! `handle-resource-event`: an event says that an enrollment group was created, or that an ARM resource of a namespace
//! was written or acted on; look there.

use certificate_management::ArmId;
use certificate_management::configuration::NamespaceConfiguration;
use functions_host::{Definition, EventGridEvent, Failure, Invocation, Reply, Trigger};

use super::assign_policy;
use crate::application::Application;
use crate::assignment::{self, Waker};
use crate::changes::{self, Changed};
use crate::observation::Observer;
use crate::resource_events::{self, Wake};
use crate::synchronization::messages;

/// What the code expects of `function.json`.
pub const DEFINITION: Definition = Definition {
    name: "handle-resource-event",
    trigger: Trigger::EventGrid { binding: "event" },
    outputs: &[],
};

/// Schedules a look where the event says. The function believes nothing else of the event, and a swarm of events leads
/// to one look.
///
/// # Errors When the look could not be scheduled, or the group could not be reconciled: Event Grid sends the event
/// again, and the next reconcile begins there.
pub async fn run(application: &Application, invocation: Invocation) -> Result<Reply, Failure> {
    handle(application, invocation.event_grid("event")?, &invocation).await
}

/// Handles an event, whichever way it came.
pub(super) async fn handle(
    application: &Application,
    events: Vec<EventGridEvent>,
    invocation: &Invocation,
) -> Result<Reply, Failure> {
    let mut groups = Vec::new();
    // One event of a batch keeps no other from its work.
    let mut failure = None;
    let observer = Observer::new(&application.fleet);
    for event in events {
        let namespace = match resource_events::wake(&event.event_type, event.subject.as_deref(), &event.data)
        {
            Wake::Group(hint) => {
                groups.push(hint);
                continue;
            }
            Wake::Namespace(id) => application.fleet.configuration.namespace(&id),
            Wake::Hub(id) => match namespace_of(application, &observer, &id).await {
                Ok(namespace) => namespace,
                Err(error) => {
                    failure = Some(error);
                    continue;
                }
            },
            Wake::Nothing(why) => {
                tracing::info!(
                    event.id = event.id,
                    event.r#type = event.event_type,
                    "left an event alone: {why}"
                );
                continue;
            }
        };
        let Some(configuration) = namespace else {
            tracing::info!(event.id = event.id, "left an event alone: no configured namespace is concerned");
            continue;
        };
        let because =
            format!("a resource event ({}) led to a hub that does not trust a policy", event.event_type);
        let trace = event.traceparent.clone().or_else(|| invocation.trace.traceparent.clone());
        match messages::schedule_look(application, &configuration.id, &because, trace).await {
            Ok(()) => {
                tracing::info!(event.id = event.id, namespace = configuration.id.name(), "scheduled a look");
            }
            Err(error) => {
                failure = Some(Failure::new("the look could not be scheduled").because(&error));
                let changed = [Changed::Namespace(configuration.id.clone())];
                // No run of this event finishes it, since the next one begins anew.
                drop(changes::begin(&application.store, &changed, application.fleet.now()).await);
            }
        }
    }
    let reconciled = if groups.is_empty() {
        Ok(Reply::success())
    } else {
        let waker = Waker::of(DEFINITION.name, invocation);
        assign_policy::reply(&assignment::reconcile(application, groups, waker).await)
    };
    match failure {
        Some(failure) => reconciled.and(Err(failure)),
        None => reconciled,
    }
}

/// The configured namespace that a hub is linked to, if any.
async fn namespace_of<'a>(
    application: &'a Application,
    observer: &Observer<'_>,
    hub: &ArmId,
) -> Result<Option<&'a NamespaceConfiguration>, Failure> {
    let looked_after = |configuration: &NamespaceConfiguration| {
        configuration
            .subscriptions()
            .iter()
            .any(|subscription| subscription.eq_ignore_ascii_case(hub.subscription()))
    };
    if !application.fleet.configuration.namespaces.iter().any(looked_after) {
        return Ok(None);
    }
    let hubs = observer.hubs_of(hub.subscription()).await;
    let hubs = hubs.map_err(|error| Failure::new("the hubs could not be listed").because(&error))?;
    let linked = hubs.iter().find(|known| known.id == *hub).and_then(|known| known.namespace_id.as_ref());
    Ok(linked.and_then(|namespace| application.fleet.configuration.namespace(namespace)))
}
