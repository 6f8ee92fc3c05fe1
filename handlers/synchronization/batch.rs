//! A batch of messages. Each namespace is worked on for itself, within a time of its own; what did not get done comes again
//! later; what cannot be understood is parked, after its neighbours.

use std::collections::BTreeMap;

use certificate_management::ArmId;
use certificate_management::reason::Reason;
use certificate_management::request::{
    Message, NamespaceLook, RequestRecord, SyncRequest, SyncVerification, Unreadable,
};
use certificate_management::sync::{Admission, Event};
use futures::future::join_all;
use futures::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::drive::{DriveError, Driver};
use super::observe::AT_ONCE;
use super::received::Received;
use super::{automatic, holding, parking, records};
use crate::application::Application;
use crate::observation::Observer;
use crate::telemetry;

/// A message could neither be done, nor parked where that was due, nor put back. It makes the whole batch come again: nothing
/// was lost, since every step may run twice.
#[derive(Debug, thiserror::Error)]
#[error("{because}; and the queue did not take the message back: {queue}")]
pub struct BatchError {
    /// Why it could not be done.
    pub because: String,
    /// What the queue said.
    pub queue: azure::Error,
}

/// What was done, for the log line of the invocation.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Requests handled.
    pub requests: usize,
    /// Follow-ups handled.
    pub follow_ups: usize,
    /// Looks after a resource event.
    pub looks: usize,
    /// Messages that come again later.
    pub held: usize,
    /// Messages parked.
    pub parked: usize,
}

/// What a batch has for one namespace.
#[derive(Default)]
struct Work {
    messages: Vec<Received>,
    requests: Vec<(SyncRequest, Received)>,
    follow_ups: Vec<SyncVerification>,
    looks: Vec<NamespaceLook>,
}

/// Messages that were set aside while their neighbours were worked on.
#[derive(Default)]
struct Aside {
    /// A person has to look at these.
    to_park: Vec<(Received, Unreadable)>,
    /// These come again later.
    to_hold: Vec<(Received, String)>,
}

/// What became of a message that was set aside.
enum Settled {
    Held,
    Parked,
}

/// Handles a batch.
///
/// # Errors
/// When something could neither be done nor put back nor parked; then the batch must come again.
pub async fn handle(application: &Application, messages: Vec<Received>) -> Result<Done, BatchError> {
    let since = Instant::now();
    let mut done = Done::default();
    let (by_namespace, unreadable) = sorted(messages, &mut done);
    let observer = Observer::new(application).until(since + application.deadlines.observed);
    let works = by_namespace.iter().map(|(id, work)| within(application, &observer, id, work, since));
    // All namespaces of a batch at once: the ARM budget decides how fast they go.
    let mut aside = Aside { to_park: unreadable, to_hold: Vec::new() };
    for of_namespace in join_all(works).await {
        aside.to_park.extend(of_namespace.to_park);
        aside.to_hold.extend(of_namespace.to_hold);
    }
    let until = since + application.deadlines.settled;
    let parks = aside.to_park.into_iter().map(|(message, unreadable)| {
        let because = unreadable.to_string();
        (message, because, Some(unreadable))
    });
    let holds = aside.to_hold.into_iter().map(|(message, because)| (message, because, None));
    // At once, so that one that hangs does not use up the time of the others.
    let settles: Vec<_> = holds
        .chain(parks)
        .map(|(message, because, unreadable)| settle(application, message, because, unreadable, until))
        .collect();
    let settled: Vec<_> = stream::iter(settles).buffer_unordered(AT_ONCE).collect().await;
    let mut failure = None;
    for settled in settled {
        match settled {
            Ok(Settled::Held) => done.held += 1,
            Ok(Settled::Parked) => done.parked += 1,
            Err(error) => failure = Some(error),
        }
    }
    failure.map_or(Ok(done), Err)
}

/// Parks a message that is `unreadable`, or that was held for hours, and holds any other. What cannot be parked is held too:
/// an outage passes.
async fn settle(
    application: &Application,
    message: Received,
    because: String,
    unreadable: Option<Unreadable>,
    until: Instant,
) -> Result<Settled, BatchError> {
    let is_worn_out = holding::held(&message).1 >= holding::MOST_HOLDS;
    let reason = unreadable.or_else(|| {
        let detail = format!("it could not be handled for hours: {because}");
        is_worn_out.then_some(Unreadable { reason: Reason::RecordsUnreadable, detail })
    });
    let because = match reason {
        None => {
            tracing::warn!(message.id = message.message_id, "a message is held: {because}");
            because
        }
        Some(reason) => match parking::park(application, &message, &reason, until).await {
            Ok(()) => return Ok(Settled::Parked),
            Err(error) => format!("{because}; and it could not be parked: {error}"),
        },
    };
    match holding::hold(application, &message, until).await {
        Ok(()) => Ok(Settled::Held),
        Err(queue) => Err(BatchError { because, queue }),
    }
}

/// The messages by namespace, and those that cannot be understood.
fn sorted(messages: Vec<Received>, done: &mut Done) -> (BTreeMap<ArmId, Work>, Vec<(Received, Unreadable)>) {
    let mut by_namespace: BTreeMap<ArmId, Work> = BTreeMap::new();
    let mut unreadable = Vec::new();
    for message in messages {
        match Message::parse(&message.text) {
            Ok(Message::Request(request)) => {
                done.requests += 1;
                telemetry::link_to(request.traceparent.as_deref());
                let work = by_namespace.entry(request.namespace_id.clone()).or_default();
                work.requests.push((request, message.clone()));
                work.messages.push(message);
            }
            Ok(Message::Verification(follow_up)) => {
                done.follow_ups += 1;
                telemetry::link_to(follow_up.traceparent.as_deref());
                let work = by_namespace.entry(follow_up.namespace_id.clone()).or_default();
                if !work.follow_ups.contains(&follow_up) {
                    work.follow_ups.push(follow_up);
                }
                work.messages.push(message);
            }
            Ok(Message::Look(look)) => {
                done.looks += 1;
                telemetry::link_to(look.traceparent.as_deref());
                let work = by_namespace.entry(look.namespace_id.clone()).or_default();
                if work.looks.is_empty() {
                    work.looks.push(look);
                }
                work.messages.push(message);
            }
            Err(why) => unreadable.push((message, why)),
        }
    }
    (by_namespace, unreadable)
}

/// Works on one namespace until its time is over. What is cut off is put back, and may run again from any of its awaits.
async fn within(
    application: &Application,
    observer: &Observer<'_>,
    namespace_id: &ArmId,
    work: &Work,
    since: Instant,
) -> Aside {
    let mut aside = Aside::default();
    let working = one_namespace(application, observer, namespace_id, work, since, &mut aside);
    let error = match timeout_at(since + application.deadlines.done, working).await {
        Ok(worked) => worked.err(),
        Err(_) => Some(DriveError::Late),
    };
    if let Some(error) = error {
        // Which of them got done is not known, and each may be done again.
        let known = aside.to_park.iter().map(|(message, _)| message);
        let known: Vec<&Received> = known.chain(aside.to_hold.iter().map(|(message, _)| message)).collect();
        let rest = work.messages.iter().filter(|message| !known.contains(message)).cloned();
        let rest: Vec<_> = rest.map(|message| (message, error.to_string())).collect();
        aside.to_hold.extend(rest);
    }
    aside
}

async fn one_namespace(
    application: &Application,
    observer: &Observer<'_>,
    namespace_id: &ArmId,
    work: &Work,
    since: Instant,
    aside: &mut Aside,
) -> Result<(), DriveError> {
    let mut driver = Driver::new(application, observer, namespace_id, since);
    // Requests first: they join before a look of the same batch plans what has gathered.
    if !work.requests.is_empty() {
        let traceparent = work.requests.iter().find_map(|(request, _)| request.traceparent.clone());
        let span = telemetry::sync_step("join", traceparent.as_deref(), namespace_id);
        let step = join(application, &mut driver, &work.requests, aside).instrument(span);
        in_trace(traceparent, step).await?;
    }
    for follow_up in &work.follow_ups {
        let span = telemetry::sync_step("look", follow_up.traceparent.as_deref(), namespace_id);
        let event = Event::FollowUp { sync_id: &follow_up.sync_id, attempt: follow_up.attempt };
        let step = driver.handle(&event, &[]).instrument(span);
        in_trace(follow_up.traceparent.clone(), step).await?;
    }
    for look in &work.looks {
        let span = telemetry::sync_step("event", look.traceparent.as_deref(), namespace_id);
        let step = automatic::look(application, observer, look, since).instrument(span);
        in_trace(look.traceparent.clone(), step).await?;
    }
    Ok(())
}

/// Records requests and joins them to the sync of their namespace. One whose id belongs to another is parked, and one that
/// cannot be recorded is held; both keep nothing from their neighbours.
async fn join(
    application: &Application,
    driver: &mut Driver<'_>,
    requests: &[(SyncRequest, Received)],
    aside: &mut Aside,
) -> Result<(), DriveError> {
    let (store, now) = (&application.store, application.now());
    let admissions: Vec<_> = requests
        .iter()
        .map(
            |(request, message)| async move { (request, message, records::admit(store, request, now).await) },
        )
        .collect();
    let admitted: Vec<_> = stream::iter(admissions).buffered(AT_ONCE).collect().await;
    let mut known = Vec::new();
    for (request, message, admission) in admitted {
        match admission {
            Ok(Admission::New(record) | Admission::Known(record)) => known.push(record),
            Ok(Admission::Different) => {
                let id = &request.request_id;
                let detail = format!("requestId: `{id}` belongs to a request that asks for something else");
                let unreadable = Unreadable { reason: Reason::RequestIdTaken, detail };
                aside.to_park.push((message.clone(), unreadable));
            }
            Ok(Admission::Reserved) => {
                let id = &request.request_id;
                let detail = format!("requestId: `{id}` has a form that only Policysync gives");
                let unreadable = Unreadable { reason: Reason::MessageInvalid, detail };
                aside.to_park.push((message.clone(), unreadable));
            }
            Err(error) => aside.to_hold.push((message.clone(), format!("records: {error}"))),
        }
    }
    if known.is_empty() {
        return Ok(());
    }
    take_in(application, driver, &known).await
}

/// Joins requests that have a record, and takes their marks away.
///
/// # Errors
/// When records or queue fail.
pub async fn take_in(
    application: &Application,
    driver: &mut Driver<'_>,
    known: &[RequestRecord],
) -> Result<(), DriveError> {
    driver.handle(&Event::Requested, known).await?;
    let store = &application.store;
    let unmarks: Vec<_> = known
        .iter()
        .map(|record| record.request.request_id.as_str())
        .filter(|id| !driver.put_back.iter().any(|put_back| put_back == id))
        .map(|id| async move { (id, records::unmark(store, id).await) })
        .collect();
    let unmarked: Vec<_> = stream::iter(unmarks).buffer_unordered(AT_ONCE).collect().await;
    for (id, error) in unmarked.into_iter().filter_map(|(id, outcome)| Some((id, outcome.err()?))) {
        // A mark that stays makes the report take the request in once more, which changes nothing.
        tracing::warn!(request.id = id, "the mark of a request stays: {error}");
    }
    Ok(())
}

/// Runs a step so that its calls to Azure and its messages carry the trace that its message carried.
async fn in_trace<T>(traceparent: Option<String>, step: impl Future<Output = T>) -> T {
    match traceparent {
        Some(traceparent) => azure::trace::with_traceparent(traceparent, step).await,
        None => step.await,
    }
}
