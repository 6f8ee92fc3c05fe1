//! A batch of messages: understood one by one, grouped by namespace, one sync for all requests of a namespace.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use azure::service_bus::OutgoingMessage;
use certificate_management::ArmId;
use certificate_management::request::{Message, NamespaceLook, SyncRequest, SyncVerification, Unreadable};
use futures::future::join_all;
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use tracing::Instrument;
use ulid::Ulid;

use super::{automatic, join, look};
use crate::application::Application;
use crate::observation::Observer;
use crate::telemetry;

/// Looks that have not begun by then are put off: the locks of a batch are not renewed, and an invocation that takes
/// too long gives back its whole batch.
const LAST_BEGIN: Duration = Duration::from_secs(25);

/// Largest envelope of a parked message, in bytes: the queue takes 256 KB with properties.
const LARGEST_PARKED: usize = 240 * 1024;
/// How much of a larger body its envelope shows, in characters.
const SHOWN_OF_BODY: usize = 1000;

/// A message as the trigger gave it.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its id, if the trigger knows it.
    pub message_id: Option<String>,
    /// Its body, whatever it is.
    pub text: String,
}

/// What could not be done, and makes the whole batch come again: nothing was lost, since every step may run twice.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The records could not be read or written.
    #[error("records: {0}")]
    State(#[from] state::WriteError),
    /// The records could not be written.
    #[error("records: {0}")]
    Store(#[from] state::Error),
    /// The queue did not take a follow-up or a parked message.
    #[error("queue: {0}")]
    Queue(#[from] azure::Error),
}

/// What was done, for the log line of the invocation.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Requests handled.
    pub requests: usize,
    /// Follow-ups handled.
    pub verifications: usize,
    /// Looks after a resource event.
    pub looks: usize,
    /// Messages parked.
    pub parked: usize,
}

#[derive(Default)]
struct Work {
    requests: Vec<SyncRequest>,
    verifications: Vec<SyncVerification>,
    looks: Vec<NamespaceLook>,
}

/// Handles a batch. A message that cannot be understood is parked with its reason; its neighbours are unharmed.
///
/// # Errors
/// When records or queue fail; then the batch must come again.
pub async fn handle(application: &Application, messages: Vec<Received>) -> Result<Done, BatchError> {
    let mut done = Done::default();
    let mut by_namespace: BTreeMap<ArmId, Work> = BTreeMap::new();
    for message in messages {
        match Message::parse(&message.text) {
            Ok(Message::Request(request)) => {
                done.requests += 1;
                telemetry::link_to(request.traceparent.as_deref());
                by_namespace.entry(request.namespace_id.clone()).or_default().requests.push(request);
            }
            Ok(Message::Verification(verification)) => {
                done.verifications += 1;
                telemetry::link_to(verification.traceparent.as_deref());
                let work = by_namespace.entry(verification.namespace_id.clone()).or_default();
                work.verifications.push(verification);
            }
            Ok(Message::Look(look)) => {
                done.looks += 1;
                telemetry::link_to(look.traceparent.as_deref());
                let work = by_namespace.entry(look.namespace_id.clone()).or_default();
                if work.looks.is_empty() {
                    work.looks.push(look);
                }
            }
            Err(unreadable) => {
                done.parked += 1;
                park(application, &message, &unreadable).await?;
            }
        }
    }
    let observer = Observer::new(application);
    let since = Instant::now();
    let steps: Vec<_> = by_namespace
        .into_iter()
        .map(|(id, work)| one_namespace(application, &observer, id, work, since + LAST_BEGIN))
        .collect();
    // All namespaces of a batch at once: the ARM budget decides how fast they go.
    let outcomes = join_all(steps).await;
    // Every namespace was worked on before the first failure is told.
    outcomes.into_iter().collect::<Result<Vec<()>, BatchError>>()?;
    Ok(done)
}

async fn one_namespace(
    application: &Application,
    observer: &Observer<'_>,
    namespace_id: ArmId,
    work: Work,
    last_begin: Instant,
) -> Result<(), BatchError> {
    // Requests first: they join before a look of the same batch plans what has gathered.
    if !work.requests.is_empty() {
        let traceparent = work.requests.iter().find_map(|request| request.traceparent.clone());
        let span = telemetry::sync_step("join", traceparent.as_deref(), &namespace_id);
        let step = join::join(application, &namespace_id, work.requests).instrument(span);
        in_trace(traceparent, step).await?;
    }
    for verification in &work.verifications {
        if Instant::now() > last_begin {
            look::put_off(application, verification).await?;
        } else {
            let span = telemetry::sync_step("look", verification.traceparent.as_deref(), &namespace_id);
            let step = look::look(application, observer, verification).instrument(span);
            in_trace(verification.traceparent.clone(), step).await?;
        }
    }
    for look in &work.looks {
        let span = telemetry::sync_step("event", look.traceparent.as_deref(), &namespace_id);
        let step = automatic::look(application, observer, look).instrument(span);
        in_trace(look.traceparent.clone(), step).await?;
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

/// Keeps a message that could not be understood, with the reason, on the parked queue.
async fn park(
    application: &Application,
    message: &Received,
    unreadable: &Unreadable,
) -> Result<(), BatchError> {
    tracing::warn!(
        message.id = message.message_id.as_deref().unwrap_or("unknown"),
        reason = unreadable.reason.code(),
        "parked a message: {}",
        unreadable.detail
    );
    let now = application.now();
    let envelope = |body: &str, kept_at: Option<&str>| {
        json!({
            "schema": "parked-message/v1",
            "messageId": message.message_id,
            "reason": unreadable.reason,
            "detail": unreadable.detail,
            "parkedAt": now.format(&Rfc3339).unwrap_or_default(),
            "body": body,
            "wholeBody": kept_at,
        })
        .to_string()
    };
    let mut parked = envelope(&message.text, None);
    if parked.len() > LARGEST_PARKED {
        // Written as JSON it does not fit into a message, so the whole of it goes to the records.
        let key = format!("parked/{}", Ulid::generate());
        application.store.put(&key, &message.text).await?;
        parked = envelope(&message.text.chars().take(SHOWN_OF_BODY).collect::<String>(), Some(&key));
    }
    let outgoing = OutgoingMessage {
        body: parked,
        message_id: message.message_id.as_ref().map(|id| id.chars().take(128).collect()),
        subject: Some(unreadable.reason.code().to_owned()),
        content_type: Some("application/json".to_owned()),
        ..OutgoingMessage::default()
    };
    application.parked.send(&outgoing).await?;
    Ok(())
}
