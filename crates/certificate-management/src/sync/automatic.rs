//! Requests that the app makes itself: where a hub lacks a policy's current CA and the configuration says
//! `sync = "automatic"`.

use serde_json::Map;
use time::{Date, Duration, OffsetDateTime};

use super::{SyncRecord, pause};
use crate::configuration::{Mode, NamespaceConfiguration, Sync};
use crate::digest;
use crate::plan::{Observation, Pair};
use crate::reason::Reason;
use crate::request::{AUTOMATIC_PREFIX, Outcome, REQUEST_SCHEMA, RequestRecord, Requester, SyncRequest};

/// What the app does about a namespace that it has observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Automatic {
    /// No hub was seen to lack a policy's current CA. A hub that could not be read is no need.
    NotNeeded,
    /// A sync of the namespace is in flight. A look after its end decides again.
    UnderWay,
    /// The configuration says `sync = "ask"`, the namespace is frozen, or no function may write.
    Ask,
    /// The app makes this request.
    Request(Box<SyncRequest>),
}

/// Decides whether the app makes a request for a namespace by itself.
#[must_use]
pub fn automatic(
    configuration: &NamespaceConfiguration,
    kill_switch: bool,
    observation: &Observation,
    in_flight: Option<&SyncRecord>,
    because: &str,
    now: OffsetDateTime,
) -> Automatic {
    let pairs = observation.pairs();
    let need: Vec<&Pair<'_>> = pairs.iter().filter(|pair| pair.needs_sync()).collect();
    if need.is_empty() {
        return Automatic::NotNeeded;
    }
    let is_frozen = configuration.frozen(None, now).is_some();
    if configuration.effective_mode(kill_switch) == Mode::Audit
        || is_frozen
        || configuration.sync == Sync::Ask
    {
        return Automatic::Ask;
    }
    if in_flight.is_some_and(SyncRecord::is_open) {
        return Automatic::UnderWay;
    }
    Automatic::Request(Box::new(request(configuration, &need, because, now.date())))
}

/// What the app does about a request that it wants to make, given the record of its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repeat {
    /// It is new: record it, then send it.
    Submit,
    /// It was recorded and has no outcome. Its message may have been lost: send the request as it was recorded.
    SendAgain(Box<SyncRequest>),
    /// The app has asked for the same need today, and a sync was made for it.
    Answered,
    /// The app has asked for the same need today, and no sync was made for it: its look did not see the need, since the list lacked the hub or
    /// an answer was old, or the mode, a lock or a missing role did not let it then. The need is there again: try the next id.
    NothingSent,
    /// Another sender has put a message with this id on the queue: try the next id.
    Claimed,
}

/// Most ids that the app tries for one need, and so the most requests for it on one day.
const MOST_IDS: usize = 8;

/// The same request under each id that it may have: the first one, and further ones in case another sender has used
/// that, or nothing came of it.
pub fn candidates(request: &SyncRequest) -> impl Iterator<Item = SyncRequest> {
    (1..=MOST_IDS).map(|n| match n {
        1 => request.clone(),
        _ => SyncRequest { request_id: format!("{}-{n}", request.request_id), ..request.clone() },
    })
}

/// Decides from the record of its id what to do about a request.
#[must_use]
pub fn repeat(existing: Option<&RequestRecord>) -> Repeat {
    match existing {
        None => Repeat::Submit,
        // Only the record knows who asked: a message can say anything.
        Some(record) if record.requester != Requester::Policysync => Repeat::Claimed,
        Some(record) if !record.outcome.is_final() => Repeat::SendAgain(Box::new(record.request.clone())),
        Some(record) if was_nothing_sent(record) => Repeat::NothingSent,
        Some(_) => Repeat::Answered,
    }
}

/// Whether a request ended without a sync.
fn was_nothing_sent(record: &RequestRecord) -> bool {
    match record.outcome {
        Outcome::AlreadyTrusted | Outcome::Refused => true,
        Outcome::Failed => matches!(record.reason, Some(Reason::NotPermitted | Reason::NamespaceLocked)),
        _ => false,
    }
}

/// Longest reason of a request that the app makes, in characters.
const LONGEST_REASON: usize = 500;
/// How often the app tries a look after an event. After that the next report finds what there is.
const MOST_LOOKS: u32 = 8;

/// The pause before the app tries a look again that has failed `attempt` times. `None`: it does not try again.
#[must_use]
pub fn look_again_after(attempt: u32, may_pass: bool) -> Option<Duration> {
    (may_pass && attempt < MOST_LOOKS).then(|| pause::growing(attempt.saturating_add(3), ""))
}

/// The same need has the same id for a day: a wake-up that comes again asks for nothing new, and the app repeats a sync
/// that did not help tomorrow and not every quarter of an hour, since a sync cannot be undone.
fn request_id(configuration: &NamespaceConfiguration, need: &[&Pair<'_>], day: Date) -> String {
    let mut lines: Vec<String> = need
        .iter()
        .map(|pair| {
            let end = pair.policy.issuing_ca.not_after.map_or(0, OffsetDateTime::unix_timestamp);
            format!("{} {end} {}", pair.policy.id.key(), pair.hub.id.key())
        })
        .collect();
    lines.sort();
    let need = digest::of::<16>(format!("{}\n{day}\n{}", configuration.id.key(), lines.join("\n")));
    format!("{AUTOMATIC_PREFIX}{need}")
}

fn request(
    configuration: &NamespaceConfiguration,
    need: &[&Pair<'_>],
    because: &str,
    day: Date,
) -> SyncRequest {
    let unique = |mut names: Vec<String>| {
        names.sort();
        names.dedup();
        Some(names)
    };
    SyncRequest {
        schema: REQUEST_SCHEMA.to_owned(),
        request_id: request_id(configuration, need, day),
        namespace_id: configuration.id.clone(),
        hubs: unique(need.iter().map(|pair| pair.hub.name.clone()).collect()),
        policies: unique(need.iter().map(|pair| pair.policy.name.clone()).collect()),
        // The operator has allowed it: `sync = "automatic"` means the whole namespace.
        allow_whole_namespace: true,
        break_freeze: false,
        requested_by: Some("policysync".to_owned()),
        requester: Requester::Policysync,
        // The text of an event can have any length, and a request with a longer reason would be parked.
        reason: Some(because.chars().take(LONGEST_REASON).collect()),
        traceparent: None,
        other: Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Message;

    #[test]
    fn an_id_that_a_message_claims_switches_no_automatic_sync_off() {
        let message = r#"{"schema":"sync-request/v1","requestId":"automatic-0a1b","requestedBy":"policysync",
            "namespaceId":"/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso"}"#;
        let Ok(Message::Request(forged)) = Message::parse(message) else { panic!("no request") };
        let claimed = RequestRecord::queued(forged.clone(), OffsetDateTime::UNIX_EPOCH);
        assert_eq!(repeat(Some(&claimed)), Repeat::Claimed);
        let ours = SyncRequest { requester: Requester::Policysync, ..forged };
        let ids: Vec<String> = candidates(&ours).map(|candidate| candidate.request_id).collect();
        assert_eq!((ids[0].as_str(), ids[1].as_str()), ("automatic-0a1b", "automatic-0a1b-2"));
        let known = RequestRecord::queued(ours.clone(), OffsetDateTime::UNIX_EPOCH);
        assert_eq!(repeat(Some(&known)), Repeat::SendAgain(Box::new(ours)));
        assert_eq!(repeat(None), Repeat::Submit);
    }
}
