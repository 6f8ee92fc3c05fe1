//! The state machine of a sync, on records as the store may hold them. The first part of an input is an event with its number and
//! the mode, such as `follow-up 2 enforce`; then come the sync record, a list of records of requests, and an observation.

use certificate_management::configuration::Mode;
use certificate_management::plan::Observation;
use certificate_management::request::RequestRecord;
use certificate_management::sync::{
    Context, Effect, Event, MOST_REQUESTS, OperationState, PostEnd, SyncOperation, SyncRecord, step,
};
use serde::de::DeserializeOwned;
use time::Duration;

use crate::cloud::NOW;
use crate::input::{parts, text};
use crate::targets::kept;

/// Most steps of one run.
const STEPS: usize = 16;

/// Whatever the records say: a step can be taken, and the same one again; what it writes can be stored and read again as the
/// same; the follow-up that it sends is the one that its record waits for; and in audit mode it sends no POST.
///
/// # Panics
/// When that does not hold.
pub fn run(input: &[u8]) {
    check(input, false);
}

/// Stores another number of the follow-up.
pub fn broken(input: &[u8]) {
    check(input, true);
}

fn check(input: &[u8], is_broken: bool) {
    let parts = parts(input);
    let head = text(parts[0]);
    let mut words = head.split_whitespace();
    let (word, number) =
        (words.next().unwrap_or_default(), words.next().and_then(|number| number.parse().ok()));
    let mode = if words.next() == Some("enforce") { Mode::Enforce } else { Mode::Audit };
    let context = Context {
        now: NOW,
        mode,
        freeze: None,
        is_configured: true,
        patience: Duration::minutes(30),
        most_requests: MOST_REQUESTS,
        next_sync_id: "01M85A71M08CPV9XGR0PSFA70G".to_owned(),
        early: Duration::ZERO,
    };
    let mut record: Option<SyncRecord> = read(&parts, 1);
    let requests: Vec<RequestRecord> = read(&parts, 2).unwrap_or_default();
    let seen: Option<Observation> = read(&parts, 3);
    let sync_id = record.as_ref().map(|record| record.sync_id.clone()).unwrap_or_default();
    let first = match word {
        "follow-up" => Event::FollowUp { sync_id: &sync_id, attempt: number.unwrap_or_default() },
        "timer" => Event::TimerPassed,
        _ => Event::Requested,
    };
    let mut events = vec![first];
    for _ in 0..STEPS {
        let Some(event) = events.pop() else { break };
        let taken = step(record.as_ref(), &requests, &event, &context);
        assert_eq!(
            taken,
            step(record.as_ref(), &requests, &event, &context),
            "a step is another one the second time"
        );
        if let Some(written) = &taken.record {
            let mut stored = written.clone();
            if is_broken {
                stored.attempt ^= 1;
            }
            assert_eq!(kept(&stored), *written, "the record of a sync is another one when it is stored");
        }
        record = taken.record.or(record);
        for effect in taken.effects {
            events.extend(answer(effect, record.as_ref(), seen.as_ref(), mode));
        }
    }
}

/// What the driver answers after an effect, if anything.
fn answer<'o>(
    effect: Effect,
    record: Option<&SyncRecord>,
    seen: Option<&'o Observation>,
    mode: Mode,
) -> Option<Event<'o>> {
    match effect {
        Effect::AskOperation(look, _) => {
            Some(Event::OperationTold { look, state: OperationState::Running(None) })
        }
        Effect::Observe(look, operation) => {
            Some(Event::Observed { look, seen: Ok(seen?), operation, missing: Vec::new() })
        }
        Effect::Post(claim) => {
            assert_eq!(mode, Mode::Enforce, "a POST in audit mode");
            let operation = SyncOperation {
                url: None,
                finished: false,
                retry_after_seconds: None,
                started_at: Some(NOW),
            };
            Some(Event::PostEnded { claim, end: PostEnd::Accepted(operation) })
        }
        Effect::SendFollowUp(follow_up) => {
            let waits_for = record.map(|record| (record.sync_id.as_str(), record.attempt));
            assert_eq!(
                waits_for,
                Some((follow_up.sync_id.as_str(), follow_up.attempt)),
                "no record waits for it"
            );
            None
        }
        Effect::Conclude(outcomes) => {
            let finished =
                outcomes.conclusions.iter().map(|conclusion| conclusion.request.request_id.clone());
            Some(Event::Concluded { look: outcomes.look?, finished: finished.collect() })
        }
        Effect::PutBack(_) | Effect::Measure { .. } => None,
    }
}

fn read<T: DeserializeOwned>(parts: &[&[u8]], part: usize) -> Option<T> {
    serde_json::from_str(&text(parts.get(part)?)).ok()
}
