//! The records of sections: what was seen of each namespace. Each run that looks at one writes what it saw, and the report is made
//! of all of them.

use certificate_management::ArmId;
use certificate_management::model::ReadFailure;
use certificate_management::plan::Observation;
use certificate_management::report::ProvisioningServiceInput;
use certificate_management::section::{Part, Section};
use state::{Change, ErrorKind, Modified, Store, WriteError, key};
use tokio::time::{Duration, timeout};

use crate::failure;
use crate::walk::{Visit, VisitedService};

/// Where they are.
pub const SECTIONS: &str = "sections";
/// How long a run that has looked for another purpose than the report takes over it.
const ASIDE_WITHIN: Duration = Duration::from_secs(3);

fn place(namespace_id: &ArmId) -> String {
    format!("{SECTIONS}/{}", key::segment(&namespace_id.key()))
}

/// Takes what was seen into the section of the namespace: of each part the later look stays, whichever is written last. The answer
/// is the section as it is then.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn record(store: &Store, seen: &Section) -> Result<Section, WriteError> {
    let place = place(&seen.namespace_id);
    let decide = |known: Option<Section>| {
        let known = known.filter(Section::is_understood);
        let mut section = known.unwrap_or_else(|| Section::new(&seen.namespace_id));
        section.take(seen.clone());
        Change::Write(section)
    };
    match store.modify(&place, decide).await {
        // What cannot be understood is none. What it knew is seen again, part by part.
        Err(WriteError::Failed(error)) if is_none(&error) => {
            tracing::warn!("the section of {} is begun anew: {error}", seen.namespace_id.name());
            store.put(&place, seen).await?;
            Ok(seen.clone())
        }
        Ok(Modified::Written(stored)) => Ok(stored.value),
        // The decision above is always to write.
        Ok(Modified::Kept) => Ok(seen.clone()),
        Err(error) => Err(error),
    }
}

/// The same for a run that has looked at the namespace for another purpose, and for which the section is no reason to fail.
/// A section that has seen nothing is not written.
pub async fn record_aside(store: &Store, seen: Section) {
    if seen == Section::new(&seen.namespace_id) {
        return;
    }
    let why = match timeout(ASIDE_WITHIN, record(store, &seen)).await {
        Ok(Ok(_)) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} seconds", ASIDE_WITHIN.as_secs()),
    };
    tracing::warn!(
        "what was seen of {} is not recorded, and the report looks again: {why}",
        seen.namespace_id.name()
    );
}

/// What a look at the namespace itself has brought.
#[must_use]
pub fn of_observation(observation: Observation) -> Section {
    let (namespace_id, at) = (observation.namespace.id.clone(), observation.seen_at);
    Section { namespace: Part::of(Ok(observation), at), ..Section::new(&namespace_id) }
}

/// What a visit has seen of the DPS of its namespace. Its scope has to be everything.
///
/// # Errors
/// Why they could not be listed.
pub fn services_of(visit: &Visit<'_>) -> Result<Vec<ProvisioningServiceInput>, ReadFailure> {
    let services = visit.services.as_ref().map_err(failure::of)?;
    let service = |visited: &VisitedService| ProvisioningServiceInput {
        endpoint: visited.service.endpoint.clone(),
        hubs: visited.service.hubs.clone(),
        // The scope is everything, so what could not be read is the list.
        enrollment_groups: match visited.unread.first() {
            Some(unread) => Err(failure::of_enrollment_groups(&unread.error)),
            None => Ok(visited.groups.iter().map(|group| group.view.clone()).collect()),
        },
    };
    Ok(services.iter().map(service).collect())
}

/// The section of a namespace. One that is not there, or cannot be understood, has seen nothing.
///
/// # Errors
/// When the store cannot be read.
pub async fn read(store: &Store, namespace_id: &ArmId) -> Result<Section, state::Error> {
    let known = match store.get::<Section>(&place(namespace_id)).await {
        Ok(stored) => stored.map(|stored| stored.value),
        Err(error) if is_none(&error) => {
            tracing::warn!("the section of {} counts as none: {error}", namespace_id.name());
            None
        }
        Err(error) => return Err(error),
    };
    Ok(known.filter(Section::is_understood).unwrap_or_else(|| Section::new(namespace_id)))
}

/// Whether what is stored is no section.
fn is_none(error: &state::Error) -> bool {
    matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::TooLarge)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::OffsetDateTime;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-29 14:05 UTC);

    fn id() -> ArmId {
        let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
        ArmId::parse(id).unwrap()
    }

    fn services(at: OffsetDateTime) -> Section {
        Section { services: Part::of(Ok(Vec::new()), at), ..Section::new(&id()) }
    }

    #[tokio::test]
    async fn who_has_seen_one_part_leaves_the_other_as_it_is() {
        let store = Store::memory();
        record(&store, &services(NOW)).await.unwrap();
        let failed = Part::of(Err(ReadFailure::other("503")), NOW);
        record_aside(&store, Section { namespace: failed, ..Section::new(&id()) }).await;
        record(&store, &services(NOW - time::Duration::HOUR)).await.unwrap();
        let section = read(&store, &id()).await.unwrap();
        assert_eq!(section.services.seen_at(), Some(NOW), "an older look comes too late");
        assert_eq!((section.namespace.looked_at(), section.namespace.seen_at()), (Some(NOW), None));
    }

    #[tokio::test]
    async fn what_is_no_section_counts_as_none_and_is_written_over() {
        for broken in [json!("swordfish"), json!({"schema": "section/v2", "namespaceId": id()})] {
            let store = Store::memory();
            store.put(&place(&id()), &broken).await.unwrap();
            assert_eq!(read(&store, &id()).await.unwrap(), Section::new(&id()), "{broken}");
            record(&store, &services(NOW)).await.unwrap();
            assert_eq!(read(&store, &id()).await.unwrap(), services(NOW));
        }
    }
}
