//! `handle-resource-event`: an enrollment group was created, or an ARM resource that we look after was written or
//! acted on; look there.

use certificate_management::ArmId;
use certificate_management::configuration::NamespaceConfiguration;
use functions_host::{Definition, Failure, Invocation, Reply, Trigger};

use super::assign_policy;
use crate::application::Application;
use crate::assignment::{self, Scope};
use crate::events::resources::{self, Wake};
use crate::observation::Observer;
use crate::synchronization::automatic::{self, Automatic};

/// What the code expects of `function.json`.
pub const DEFINITION: Definition = Definition {
    name: "handle-resource-event",
    trigger: Trigger::EventGrid { binding: "event" },
    outputs: &[],
};

/// Looks where the event says. The event itself is not believed: our own sync, coming back as an event, finds every
/// hub trusting and does nothing.
///
/// # Errors
/// When the look could not be done and may be done later: Event Grid sends the event again.
pub async fn run(application: &Application, invocation: Invocation) -> Result<Reply, Failure> {
    let mut groups = Vec::new();
    let mut namespaces: Vec<&NamespaceConfiguration> = Vec::new();
    let observer = Observer::new(application);
    for event in invocation.event_grid("event")? {
        match resources::wake(&event.event_type, event.subject.as_deref(), &event.data) {
            Wake::Group(hint) => groups.push(hint),
            Wake::Namespace(id) => namespaces.extend(application.configuration.namespace(&id)),
            Wake::Hub(id) => namespaces.extend(namespace_of(application, &observer, &id).await?),
            Wake::Nothing(why) => {
                tracing::info!(
                    event.id = event.id,
                    event.r#type = event.event_type,
                    "left an event alone: {why}"
                );
            }
        }
    }
    namespaces.dedup_by(|a, b| a.id == b.id);
    for configuration in namespaces {
        look(application, &observer, configuration).await?;
    }
    if groups.is_empty() {
        return Ok(Reply::success());
    }
    assign_policy::reply(&assignment::reconcile(application, &Scope::Groups(groups), DEFINITION.name).await)
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
    if !application.configuration.namespaces.iter().any(looked_after) {
        return Ok(None);
    }
    let hubs = observer.hubs_of(hub.subscription()).await;
    let hubs = hubs.map_err(|error| Failure::new("the hubs could not be listed").because(&error))?;
    let linked = hubs.iter().find(|known| known.id == *hub).and_then(|known| known.namespace_id.as_ref());
    Ok(linked.and_then(|namespace| application.configuration.namespace(namespace)))
}

async fn look(
    application: &Application,
    observer: &Observer<'_>,
    configuration: &NamespaceConfiguration,
) -> Result<(), Failure> {
    let name = configuration.id.name();
    let observation = match observer.namespace(configuration).await {
        Ok(observation) => observation,
        Err(error) if error.is_retryable() => {
            return Err(Failure::new("the namespace could not be read").because(&error));
        }
        Err(error) => {
            tracing::warn!(
                namespace = name,
                "the namespace could not be read, and another try would not help: {error}"
            );
            return Ok(());
        }
    };
    let because = "a resource event led to a hub that does not trust a policy";
    match automatic::submit_if_needed(application, configuration, &observation, because).await {
        Ok(Automatic::NotNeeded) => tracing::info!(namespace = name, "every hub trusts every policy"),
        Ok(Automatic::UnderWay) => tracing::info!(namespace = name, "a sync was asked for already"),
        Ok(Automatic::Ask) => {
            tracing::warn!(
                namespace = name,
                "a hub does not trust a policy; the configuration wants to be asked for a sync"
            );
        }
        Ok(Automatic::Submitted(id)) => {
            tracing::info!(namespace = name, request.id = id, "submitted a sync request")
        }
        Err(error) => return Err(Failure::new("the sync request could not be submitted").because(&error)),
    }
    Ok(())
}
