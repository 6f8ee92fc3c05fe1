//! A batch of messages. Each namespace is worked on for itself, within a time of its own; what did not get done comes again
//! later; what cannot be understood is parked, after its neighbours.

use std::collections::BTreeMap;
use std::time::Duration;

use certificate_management::ArmId;
use certificate_management::reason::Reason;
use certificate_management::request::{
    Message, NamespaceLook, RequestRecord, SyncRequest, SyncVerification, Unreadable,
};
use certificate_management::sync::{Admission, Event};
use futures::future::join_all;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::drive::{DriveError, Driver};
use super::observe::AT_ONCE;
use super::{automatic, holding, parking, records};
use crate::application::Application;
use crate::observation::Observer;
use crate::telemetry;

/// How long the observations of a batch may take. Hubs that have not answered by then are unreadable.
const OBSERVED_WITHIN: Duration = Duration::from_secs(34);
/// How long the work on the namespaces of a batch may take. The locks of a batch are not renewed, so the rest of the minute is
/// for putting back what did not get done.
const DONE_WITHIN: Duration = Duration::from_secs(42);
/// How long putting back and parking may take, from the beginning of the batch.
const SETTLED_WITHIN: Duration = Duration::from_secs(52);

/// A message as the trigger gave it.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its id, if the trigger knows it.
    pub message_id: Option<String>,
    /// Its body, whatever it is.
    pub text: String,
}

/// What could neither be done nor put back nor parked, and makes the whole batch come again: nothing was lost, since every
/// step may run twice.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The queue did not take back what could not be done.
    #[error("{because}; and the queue did not take the message back: {queue}")]
    NotHeld {
        /// Why it could not be done.
        because: String,
        /// What the queue said.
        queue: azure::Error,
    },
    /// Neither the parked queue nor the records took a message.
    #[error("a message could not be parked: {0}")]
    NotParked(#[from] parking::ParkError),
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

/// What became of the work for one namespace.
struct Worked {
    /// Why not all of it was done.
    error: Option<DriveError>,
    messages: Vec<Received>,
    parked: Vec<(Received, Unreadable)>,
}

/// Handles a batch.
///
/// # Errors
/// When something could neither be done nor put back nor parked; then the batch must come again.
pub async fn handle(application: &Application, messages: Vec<Received>) -> Result<Done, BatchError> {
    let since = Instant::now();
    let mut done = Done::default();
    let (by_namespace, mut to_park) = sorted(messages, &mut done);
    let observer = Observer::new(application).until(since + OBSERVED_WITHIN);
    let works = by_namespace.iter().map(|(id, work)| within(application, &observer, id, work, since));
    // All namespaces of a batch at once: the ARM budget decides how fast they go.
    let worked = join_all(works).await;
    let until = since + SETTLED_WITHIN;
    let mut failure = None;
    for Worked { error, messages, parked } in worked {
        to_park.extend(parked);
        let Some(error) = error else { continue };
        tracing::warn!("{} messages are held: {error}", messages.len());
        for message in messages {
            if holding::held(&message).1 >= holding::MOST_HOLDS {
                let detail = format!("it could not be handled for hours: {error}");
                to_park.push((message, Unreadable { reason: Reason::RecordsUnreadable, detail }));
            } else if let Err(queue) = holding::hold(application, &message, until).await {
                // The neighbours are put back all the same.
                failure = Some(BatchError::NotHeld { because: error.to_string(), queue });
            } else {
                done.held += 1;
            }
        }
    }
    for (message, unreadable) in &to_park {
        match parking::park(application, message, unreadable).await {
            Ok(()) => done.parked += 1,
            Err(error) => failure = Some(error.into()),
        }
    }
    failure.map_or(Ok(done), Err)
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
) -> Worked {
    let mut parked = Vec::new();
    let working = one_namespace(application, observer, namespace_id, work, since, &mut parked);
    let error = match timeout_at(since + DONE_WITHIN, working).await {
        Ok(worked) => worked.err(),
        Err(_) => Some(DriveError::Late),
    };
    let is_parked = |message: &Received| parked.iter().any(|(parked, _)| parked.text == message.text);
    let messages = work.messages.iter().filter(|message| !is_parked(message)).cloned().collect();
    Worked { error, messages, parked }
}

async fn one_namespace(
    application: &Application,
    observer: &Observer<'_>,
    namespace_id: &ArmId,
    work: &Work,
    since: Instant,
    parked: &mut Vec<(Received, Unreadable)>,
) -> Result<(), DriveError> {
    let mut driver = Driver::new(application, observer, namespace_id, since + OBSERVED_WITHIN);
    // Requests first: they join before a look of the same batch plans what has gathered.
    if !work.requests.is_empty() {
        let traceparent = work.requests.iter().find_map(|(request, _)| request.traceparent.clone());
        let span = telemetry::sync_step("join", traceparent.as_deref(), namespace_id);
        let step = join(application, &mut driver, &work.requests, parked).instrument(span);
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
        let step = automatic::look(application, observer, look).instrument(span);
        in_trace(look.traceparent.clone(), step).await?;
    }
    Ok(())
}

/// Records requests and joins them to the sync of their namespace. A request whose id belongs to another is parked.
async fn join(
    application: &Application,
    driver: &mut Driver<'_>,
    requests: &[(SyncRequest, Received)],
    parked: &mut Vec<(Received, Unreadable)>,
) -> Result<(), DriveError> {
    let (store, now) = (&application.store, application.now());
    let admissions: Vec<_> = requests
        .iter()
        .map(|(request, message)| async move {
            Ok::<_, DriveError>((request, message, records::admit(store, request, now).await?))
        })
        .collect();
    // One after the other where two messages of a batch have the same id: `buffered` keeps their order.
    let admitted: Vec<_> = stream::iter(admissions).buffered(AT_ONCE).try_collect().await?;
    let mut known = Vec::new();
    for (request, message, admission) in admitted {
        match admission {
            Admission::New(record) | Admission::Known(record) => known.push(record),
            Admission::Different => {
                let id = &request.request_id;
                let detail = format!("requestId: `{id}` belongs to a request that asks for something else");
                parked.push((message.clone(), Unreadable { reason: Reason::RequestIdTaken, detail }));
            }
            Admission::Reserved => {
                let id = &request.request_id;
                let detail = format!("requestId: `{id}` has a form that only Policysync gives");
                parked.push((message.clone(), Unreadable { reason: Reason::MessageInvalid, detail }));
            }
        }
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
