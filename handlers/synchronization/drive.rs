//! Does what the machine says: loads the record, steps, writes by compare-and-swap, then does the effects in their
//! order. The effects of an effect's event come before the next effect.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use certificate_management::ArmId;
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::plan::Observation;
use certificate_management::request::RequestRecord;
use certificate_management::sync::{
    Context, Effect, Event, Look, OperationState, Outcomes, Phase, SyncRecord, step, without_marks,
};
use futures::{StreamExt, TryStreamExt, stream};
use state::{Stored, WriteError};
use tokio::time::Instant;

use super::observe::{self, AT_ONCE};
use super::{messages, records, sender};
use crate::application::Application;
use crate::in_hand::Held;
use crate::observation::Observer;
use crate::sections;
use crate::telemetry::metrics;

/// How often the driver takes a step anew because another run has written the record.
const TRIES: u32 = 10;
/// Pause after the first of them, at the most; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// Most effects of one event. A look has six at the most; more than this would be an endless loop.
const MOST_EFFECTS: usize = 64;

/// Why the driver could not do a step. The step can be done again; nothing was lost.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The records could not be written.
    #[error("records: {0}")]
    Write(#[from] WriteError),
    /// The records could not be read.
    #[error("records: {0}")]
    Read(#[from] state::Error),
    /// The queue did not take a message.
    #[error("queue: {0}")]
    Queue(#[from] azure::Error),
    /// The step did not end within its time.
    #[error("it did not end within its time")]
    Late,
    /// The effects of an event do not come to an end.
    #[error("more than {MOST_EFFECTS} effects of one event")]
    Endless,
}

/// Drives the sync of one namespace.
pub struct Driver<'a> {
    application: &'a Application,
    observer: &'a Observer<'a>,
    namespace_id: &'a ArmId,
    /// Where the record is.
    key: String,
    configuration: Option<&'a NamespaceConfiguration>,
    /// When the work of this invocation began.
    since: Instant,
    /// The record as this driver last read or wrote it; `None` before the first read.
    record: Option<Option<Stored<SyncRecord>>>,
    /// The record as [`Self::is_open`] has read it, for the event that comes next.
    ahead: Option<Option<Stored<SyncRecord>>>,
    /// When this driver last wrote it.
    written: Instant,
    /// The requests of a look, as they were read.
    requests: BTreeMap<String, Stored<RequestRecord>>,
    /// The right to hold those records in memory.
    held: Option<Held>,
    /// Requests that have joined, and need the mark no more that lets the report find them.
    pub without_mark: Vec<String>,
    /// What the look has seen, until it is kept for the report.
    seen: Option<Observation>,
}

impl<'a> Driver<'a> {
    /// A driver that has read nothing yet, for an invocation whose work began at `since`.
    #[must_use]
    pub fn new(
        application: &'a Application,
        observer: &'a Observer<'a>,
        namespace_id: &'a ArmId,
        since: Instant,
    ) -> Self {
        Self {
            application,
            observer,
            namespace_id,
            key: records::sync_key(namespace_id),
            configuration: application.fleet.configuration.namespace(namespace_id),
            since,
            record: None,
            ahead: None,
            written: Instant::now(),
            requests: BTreeMap::new(),
            held: None,
            without_mark: Vec::new(),
            seen: None,
        }
    }

    /// The record as this driver last read or wrote it.
    #[must_use]
    pub fn record(&self) -> Option<&SyncRecord> {
        self.record.as_ref()?.as_ref().map(|stored| &stored.value)
    }

    /// Whether the sync has not ended, as its record says now. The event that comes next is judged by what was read here.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn is_open(&mut self) -> Result<bool, DriveError> {
        let stored: Option<Stored<SyncRecord>> = self.application.store.get(&self.key).await?;
        let is_open = stored.as_ref().is_some_and(|stored| stored.value.is_open());
        self.ahead = Some(stored);
        Ok(is_open)
    }

    /// Takes in an event and does everything that follows from it.
    ///
    /// # Errors
    /// When records or queue fail; then the event must come again.
    pub async fn handle(&mut self, event: &Event<'_>, requests: &[RequestRecord]) -> Result<(), DriveError> {
        // Other runs may have written since the last event.
        self.record = self.ahead.take();
        let handled = self.handle_all(event, requests).await;
        self.requests.clear();
        self.held = None;
        self.keep_seen().await;
        handled
    }

    /// Keeps what the last look of a sync has seen. The looks before it see what is about to change.
    async fn keep_seen(&mut self) {
        let Some(seen) = self.seen.take() else { return };
        if self.record().is_some_and(|record| record.phase == Phase::Ended) {
            sections::record_aside(&self.application.store, sections::of_observation(seen)).await;
        }
    }

    async fn handle_all(&mut self, event: &Event<'_>, requests: &[RequestRecord]) -> Result<(), DriveError> {
        let mut effects: VecDeque<Effect> = self.settle(event, requests).await?.into();
        let mut done = 0;
        while let Some(effect) = effects.pop_front() {
            done += 1;
            if done > MOST_EFFECTS {
                return Err(DriveError::Endless);
            }
            // The effects of this effect's event come before the next effect.
            for following in self.perform(effect).await?.into_iter().rev() {
                effects.push_front(following);
            }
        }
        Ok(())
    }

    /// Steps on the newest record, and writes what the step makes of it.
    async fn settle(
        &mut self,
        event: &Event<'_>,
        requests: &[RequestRecord],
    ) -> Result<Vec<Effect>, DriveError> {
        for attempt in 0..TRIES {
            let stored = match self.record.take() {
                Some(known) => known,
                None => self.application.store.get(&self.key).await?,
            };
            let before = stored.as_ref().map(|stored| &stored.value);
            let decided = step(before, requests, event, &self.context());
            if matches!(event, Event::Requested) {
                let unmarked = without_marks(before, requests, &decided.effects);
                self.without_mark = unmarked.into_iter().map(str::to_owned).collect();
            }
            let Some(record) = decided.record else {
                self.record = Some(stored);
                return Ok(decided.effects);
            };
            let phase = record.phase;
            match records::write_sync(&self.application.store, stored.as_ref(), record).await {
                Ok(written) => {
                    let sync_id = &written.value.sync_id;
                    tracing::debug!(sync.id = sync_id, phase = %phase, attempt = written.value.attempt, "recorded");
                    self.record = Some(Some(written));
                    self.written = Instant::now();
                    return Ok(decided.effects);
                }
                Err(WriteError::Conflict) => {
                    let share = self.application.fleet.ambient.randomness.share();
                    tokio::time::sleep(pause(attempt, share)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(WriteError::Conflict.into())
    }

    fn context(&self) -> Context {
        let application = self.application;
        let next = application.fleet.ambient.ulid().to_string();
        Context::of(self.configuration, application.fleet.kill_switch, application.fleet.now(), next)
    }

    /// Does one effect; answers the effects of the event that it leads to.
    async fn perform(&mut self, effect: Effect) -> Result<Vec<Effect>, DriveError> {
        match effect {
            Effect::AskOperation(look, operation) => {
                let state = observe::operation(self.application, &operation).await;
                self.settle(&Event::OperationTold { look, state }, &[]).await
            }
            Effect::Observe(look, operation) => self.observe(look, operation).await,
            Effect::Post(claim) => {
                let (written, since) = (self.written, self.since);
                let end = sender::send(self.application, self.configuration, &claim, written, since).await;
                self.settle(&Event::PostEnded { claim, end }, &[]).await
            }
            Effect::SendFollowUp(follow_up) => {
                messages::send_follow_up(self.application, &follow_up).await?;
                Ok(Vec::new())
            }
            Effect::Conclude(outcomes) => self.conclude(outcomes).await,
            Effect::PutBack(requests) => {
                let application = self.application;
                let sends: Vec<_> = requests
                    .iter()
                    .map(|request| async move { messages::put_back(application, request).await })
                    .collect();
                let () = stream::iter(sends).buffer_unordered(AT_ONCE).try_collect().await?;
                Ok(Vec::new())
            }
            Effect::Measure { took, worst } => {
                metrics::sync_ended(self.namespace_id, worst, took.try_into().unwrap_or_default());
                Ok(Vec::new())
            }
        }
    }

    async fn observe(&mut self, look: Look, operation: OperationState) -> Result<Vec<Effect>, DriveError> {
        let seen = observe::namespace(
            self.observer,
            self.configuration,
            self.since + self.application.fleet.deadlines.observed,
        )
        .await;
        if let Err(failure) = &seen {
            tracing::warn!(
                sync.id = look.sync_id,
                "the namespace could not be observed: {}",
                failure.message
            );
        }
        let Some(Some(stored)) = &self.record else { return Ok(Vec::new()) };
        self.requests.clear();
        self.held = None;
        self.held = Some(self.application.in_hand.take(stored.value.known().count()).await);
        let (known, missing) = observe::requests(&self.application.store, &stored.value).await?;
        // The map is taken apart and put together again, since a copy of 1,500 records with their hubs is 30 MiB.
        let (requests, versions): (Vec<RequestRecord>, Vec<_>) =
            known.into_iter().map(|stored| (stored.value, stored.version)).unzip();
        let observed = Event::Observed { look, seen: seen.as_ref(), operation, missing };
        let effects = self.settle(&observed, &requests).await?;
        self.seen = seen.ok();
        let stored = requests.into_iter().zip(versions);
        let stored = stored.map(|(value, version)| Stored { value, version });
        self.requests = stored.map(|stored| (stored.value.request.request_id.clone(), stored)).collect();
        Ok(effects)
    }

    async fn conclude(&mut self, outcomes: Outcomes) -> Result<Vec<Effect>, DriveError> {
        let Outcomes { conclusions, already_final: mut finished, look } = outcomes;
        let (store, now) = (&self.application.store, self.application.fleet.now());
        let writes: Vec<_> = conclusions
            .into_iter()
            .map(|conclusion| {
                let known = self.requests.remove(&conclusion.request.request_id);
                async move {
                    let record = records::conclude(store, &conclusion, known, now).await?;
                    Ok::<_, WriteError>((conclusion, record))
                }
            })
            .collect();
        let written: Vec<_> = stream::iter(writes).buffer_unordered(AT_ONCE).try_collect().await?;
        for (conclusion, record) in written {
            let id = conclusion.request.request_id;
            let reason = conclusion.reason.map(|reason| reason.code());
            let detail = conclusion.detail.as_deref().unwrap_or_default();
            tracing::info!(request.id = id, reason, "{}: {detail}", conclusion.outcome);
            // A request without a record leaves the sync once two looks have found none.
            if record.is_some_and(|record| record.outcome.is_final()) {
                finished.push(id);
            }
        }
        match look {
            Some(look) => self.settle(&Event::Concluded { look, finished }, &[]).await,
            None => Ok(Vec::new()),
        }
    }
}

/// A random pause, so that runs which met once do not meet again in step. `share` is in 0..=1.
fn pause(attempt: u32, share: f64) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempt.min(6)).mul_f64(share)
}
