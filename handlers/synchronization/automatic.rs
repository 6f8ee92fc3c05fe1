//! Requests that nobody made: where a hub does not trust a policy, and the configuration says `sync = "automatic"`.

use certificate_management::configuration::{Mode, NamespaceConfiguration, Sync};
use certificate_management::plan::{Observation, Pair};
use certificate_management::request::{
    AUTOMATIC_PREFIX, NamespaceLook, REQUEST_SCHEMA, Requester, SyncRequest,
};
use serde_json::Map;
use sha2::{Digest, Sha256};
use state::Store;
use time::{Date, OffsetDateTime};

use super::batch::BatchError;
use super::records::{self, Phase};
use super::submission::{self, SubmitError};
use crate::application::Application;
use crate::observation::Observer;

/// What came of looking at a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Automatic {
    /// Every hub trusts every policy.
    NotNeeded,
    /// A sync of the namespace is in flight, or this very need was asked for today.
    UnderWay,
    /// The configuration wants to be asked, or no function may write.
    Ask,
    /// A request was submitted.
    Submitted(String),
}

/// Submits a request for the pairs that are not trusted, if there are any and the configuration lets it.
///
/// # Errors
/// When records or queue fail.
pub async fn submit_if_needed(
    application: &Application,
    configuration: &NamespaceConfiguration,
    observation: &Observation,
    because: &str,
) -> Result<Automatic, SubmitError> {
    let pairs = observation.pairs();
    let untrusting: Vec<&Pair<'_>> =
        pairs.iter().filter(|pair| !pair.assessment.trust.admits_current()).collect();
    if untrusting.is_empty() {
        return Ok(Automatic::NotNeeded);
    }
    if application.mode(configuration) == Mode::Audit || configuration.sync == Sync::Ask {
        return Ok(Automatic::Ask);
    }
    let in_flight = records::sync(&application.store, &configuration.id).await?;
    if in_flight.is_some_and(|record| record.phase != Phase::Ended) {
        return Ok(Automatic::UnderWay);
    }
    let need = request_id(configuration, &untrusting, application.now().date());
    let Some(request_id) = unclaimed(&application.store, need).await? else { return Ok(Automatic::UnderWay) };
    let request = request(configuration, &untrusting, &request_id, because);
    submission::submit(application, &request).await?;
    tracing::info!(
        request.id = request_id,
        namespace = configuration.id.name(),
        "submitted a request: {because}"
    );
    Ok(Automatic::Submitted(request_id))
}

/// Most ids that are tried for one need.
const MOST_IDS: usize = 8;

/// The id for a need, unless it was asked for already. A message that another sender has put on the queue may have claimed
/// it; its record says that the request is not ours, and the next id is taken.
async fn unclaimed(store: &Store, need: String) -> Result<Option<String>, SubmitError> {
    for n in 1..=MOST_IDS {
        let id = if n == 1 { need.clone() } else { format!("{need}-{n}") };
        match records::request(store, &id).await? {
            None => return Ok(Some(id)),
            Some(record) if record.requester == Requester::Policysync => return Ok(None),
            Some(_) => {
                tracing::error!(request.id = id, "an id of an automatic request was claimed on the queue")
            }
        }
    }
    Ok(None)
}

/// Looks at a namespace after an event, and asks for a sync where a hub does not trust a policy. Our own sync, coming
/// back as events, finds every hub trusting.
///
/// # Errors
/// When records or queue fail.
pub async fn look(
    application: &Application,
    observer: &Observer<'_>,
    look: &NamespaceLook,
) -> Result<(), BatchError> {
    let name = look.namespace_id.name();
    let Some(configuration) = application.configuration.namespace(&look.namespace_id) else {
        tracing::info!(namespace = name, "the namespace is not configured");
        return Ok(());
    };
    let observation = match observer.namespace(configuration).await {
        Ok(observation) => observation,
        Err(error) if error.is_retryable() => {
            tracing::warn!(namespace = name, "the namespace could not be read yet: {error}");
            submission::schedule_look(
                application,
                &look.namespace_id,
                &look.because,
                look.traceparent.clone(),
            )
            .await?;
            return Ok(());
        }
        Err(error) => {
            tracing::warn!(
                namespace = name,
                "the namespace could not be read, and another try would not help: {error}"
            );
            return Ok(());
        }
    };
    match submit_if_needed(application, configuration, &observation, &look.because).await {
        Ok(Automatic::NotNeeded) => tracing::info!(namespace = name, "every hub trusts every policy"),
        Ok(Automatic::UnderWay) => tracing::info!(namespace = name, "a sync was asked for already"),
        Ok(Automatic::Ask) => tracing::warn!(
            namespace = name,
            "a hub does not trust a policy and nothing is synced without being asked: policysync submit --namespace {}",
            configuration.id
        ),
        Ok(Automatic::Submitted(id)) => {
            tracing::info!(namespace = name, request.id = id, "submitted a sync request");
        }
        Err(SubmitError::Queue(error)) => return Err(error.into()),
        Err(SubmitError::State(error)) => return Err(error.into()),
        Err(different @ (SubmitError::DifferentRequest(_) | SubmitError::NotConfigured(_))) => {
            tracing::warn!(namespace = name, "{different}")
        }
    }
    Ok(())
}

/// The same need has the same id for a day: a wake-up that comes again asks for nothing new, and a sync that did not
/// help is tried again tomorrow and not every quarter of an hour, since it cannot be undone.
fn request_id(configuration: &NamespaceConfiguration, untrusting: &[&Pair<'_>], day: Date) -> String {
    let mut need: Vec<String> = untrusting
        .iter()
        .map(|pair| {
            let end = pair.policy.issuing_ca.not_after.map_or(0, OffsetDateTime::unix_timestamp);
            format!("{} {end} {}", pair.policy.id.key(), pair.hub.id.key())
        })
        .collect();
    need.sort();
    let digest = Sha256::digest(format!("{}\n{day}\n{}", configuration.id.key(), need.join("\n")));
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{AUTOMATIC_PREFIX}{hex}")
}

fn request(
    configuration: &NamespaceConfiguration,
    untrusting: &[&Pair<'_>],
    request_id: &str,
    because: &str,
) -> SyncRequest {
    let unique = |mut names: Vec<String>| {
        names.sort();
        names.dedup();
        Some(names)
    };
    SyncRequest {
        schema: REQUEST_SCHEMA.to_owned(),
        request_id: request_id.to_owned(),
        namespace_id: configuration.id.clone(),
        hubs: unique(untrusting.iter().map(|pair| pair.hub.name.clone()).collect()),
        policies: unique(untrusting.iter().map(|pair| pair.policy.name.clone()).collect()),
        // The configuration says `sync = "automatic"`: syncing the whole namespace is meant.
        allow_whole_namespace: true,
        requested_by: Some("policysync".to_owned()),
        requester: Requester::Policysync,
        reason: Some(because.to_owned()),
        traceparent: None,
        other: Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use certificate_management::request::Message;

    use super::*;

    #[tokio::test]
    async fn an_id_that_a_message_claims_switches_no_automatic_sync_off() {
        let store = Store::memory();
        let need = || "automatic-0a1b".to_owned();
        assert_eq!(unclaimed(&store, need()).await.unwrap(), Some(need()));
        let message = r#"{"schema":"sync-request/v1","requestId":"automatic-0a1b","requestedBy":"policysync",
            "namespaceId":"/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso"}"#;
        let Ok(Message::Request(forged)) = Message::parse(message) else { panic!("no request") };
        records::admit(&store, &forged, OffsetDateTime::UNIX_EPOCH).await.unwrap();
        let next = unclaimed(&store, need()).await.unwrap().unwrap();
        assert_ne!(next, need());
        let ours = SyncRequest { request_id: next, requester: Requester::Policysync, ..forged };
        records::admit(&store, &ours, OffsetDateTime::UNIX_EPOCH).await.unwrap();
        assert_eq!(unclaimed(&store, need()).await.unwrap(), None);
    }
}
