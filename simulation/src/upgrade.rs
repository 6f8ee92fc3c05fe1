//! What the last release has left: requests that it had taken, and syncs in each of its phases, as its records told them
//! (`a_record_of_the_last_release_goes_on_to_its_end_in_every_phase` reads the same members).

use ambient::Randomness;
use certificate_management::ArmId;
use certificate_management::request::{RequestRecord, SyncRequest};
use certificate_management::sync::Phase;
use policysync::synchronization::records::sync_key;
use serde_json::{Value, json};
use state::{Store, key};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::engine::BEGIN;
use crate::records::Records;
use crate::seed::Seed;
use crate::site::ADDRESS;
use crate::world::{Unplayable, World};

/// Puts its records there, in some plays; answers the ids of the requests that are open. Their messages are gone with the old processes.
///
/// # Errors
/// When a record cannot be written, which is a mistake of the simulation.
pub async fn leave(seed: Seed, world: &World, records: &Records) -> Result<Vec<String>, Unplayable> {
    let mut draws = seed.stream("upgrade");
    let mut open = Vec::new();
    if !draws.percent(25) {
        return Ok(open);
    }
    let store = Store::over(records.inside(), "the records of the last release", Randomness::of_seed(1));
    let unplayable = |error: &dyn std::fmt::Display| Unplayable(error.to_string());
    for namespace in world.namespaces.iter().filter(|namespace| namespace.generation.has_credentials()) {
        let Some(phase) = draws.pick(&Phase::ALL).copied() else { continue };
        let at = BEGIN - Duration::seconds(i64::try_from(draws.between(1, 2_400)).unwrap_or_default());
        let is_looking = draws.percent(30);
        let id = format!("earlier-{}", namespace.name);
        let namespace_id = ArmId::parse(&namespace.id).map_err(|error| unplayable(&error))?;
        let sync = sync(&namespace_id, &id, (phase, is_looking), at);
        store.put(&sync_key(&namespace_id), &sync).await.map_err(|error| unplayable(&error))?;
        if phase != Phase::Ended {
            let body = json!({"namespaceId": namespace.id}).to_string();
            let request = SyncRequest::from_submission(&body, &id);
            let request = request.map_err(|_| Unplayable("no request of the last release".to_owned()))?;
            let record = RequestRecord::queued(request, at);
            let place = format!("requests/{}", key::segment(&id));
            store.put(&place, &record).await.map_err(|error| unplayable(&error))?;
            open.push(id);
        }
    }
    records.date_all().await;
    Ok(open)
}

fn sync(namespace: &ArmId, request: &str, (phase, is_looking): (Phase, bool), at: OffsetDateTime) -> Value {
    let time = |after: i64| (at + Duration::seconds(after)).format(&Rfc3339).unwrap_or_default();
    let is_claimed = phase != Phase::Gathering;
    let posts = u32::from(matches!(phase, Phase::Claimed | Phase::Started | Phase::Ended));
    let operation = match phase {
        Phase::Started => json!({
            "url": format!("{ADDRESS}{namespace}/operationStatuses/of-the-last-release?api-version=2026-03-01-preview"),
            "finished": false, "retryAfterSeconds": 10, "startedAt": time(2),
        }),
        _ => Value::Null,
    };
    // Of its own: the queue drops a follow-up whose id it has seen lately.
    let id = format!("sync-of-the-last-release-in-{}", namespace.name());
    json!({
        "syncId": id, "namespaceId": namespace.to_string(), "phase": phase.to_string(),
        "since": time(0), "deadline": time(1_800), "nextLookAt": time(5), "attempt": 3,
        "lookingUntil": is_looking.then(|| time(20)), "claimedAt": is_claimed.then(|| time(1)), "posts": posts,
        "operation": operation, "requests": if phase == Phase::Ended { vec![] } else { vec![request] }, "waiting": [],
        "traceparent": null,
    })
}
