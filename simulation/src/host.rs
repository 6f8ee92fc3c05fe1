//! What the Functions host does: keeps the instances running, hands them messages under locks, diagnostic records, firings of timers and
//! HTTP requests, and settles messages by how an invocation ended (`functions-host-protocol.md`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;
use trigger_sources::LockedMessage;

use crate::engine::BEGIN;
use crate::envelope;
use crate::fault::Fault;
use crate::instance::{Ending, Instance};
use crate::oracles::Event;
use crate::sabotage::Sabotage;
use crate::seed::Draws;
use crate::site::Site;
use crate::slot::Slot;
use crate::surroundings::Surroundings;
use crate::variation::{Part, Variation};
use crate::world::Unplayable;

/// The queue of sync requests.
pub const QUEUE: &str = "sync-requests";
/// The event hub of the diagnostic records.
const EVENT_HUB: &str = "dps-operations";
/// Messages of one batch, as `host.json` has it.
const BATCH: usize = 16;
/// How soon a listener looks again: the real one is told at once. While nothing comes it looks less and less often, since an empty look costs
/// as much as a call, and a play is hours of them.
pub(crate) const LOOK: Duration = Duration::from_secs(2);
/// The longest pause between two looks.
const SELDOM: Duration = Duration::from_secs(12);
/// How often the platform thinks about the number of instances.
const SCALE: Duration = Duration::from_secs(3 * 60);
/// The timers as they are deployed: name, period and how long after the full hour it fires first.
const TIMERS: [(&str, u64, u64); 2] =
    [("reconcile-assignments", 15 * 60, 0), ("report-policy-status", 60 * 60, 5 * 60)];

/// The host of all instances.
pub struct Host {
    pub(crate) around: Surroundings,
    calm: Duration,
    /// Whether lives end by themselves.
    has_deaths: bool,
    slots: Vec<Slot>,
    invocations: AtomicU64,
    draws: Mutex<Draws>,
}

impl Host {
    /// Starts every instance, and everything that wakes them. From `calm` on none dies.
    ///
    /// # Errors
    /// When the drawn configuration cannot be used.
    pub fn open(
        around: Surroundings,
        calm: Duration,
        variation: &Variation,
    ) -> Result<Arc<Self>, Unplayable> {
        let mut draws = around.seed.stream("host");
        // Two minutes at the most between any two clocks.
        let skew = |seconds| time::Duration::seconds(i64::try_from(seconds).unwrap_or_default() - 60);
        let slots = (0..around.world.instances).map(|_| Slot::new(skew(draws.between(0, 120))));
        let slots: Vec<Slot> = slots.collect();
        let (invocations, draws) = (AtomicU64::new(0), Mutex::new(draws));
        let has_deaths = variation.has(Part::Deaths);
        let host = Arc::new(Self { around, calm, has_deaths, slots, invocations, draws });
        for number in 0..host.slots.len() {
            host.begin(number, 0)?;
            tokio::spawn(Arc::clone(&host).keep(number));
            tokio::spawn(Arc::clone(&host).listen(number));
            tokio::spawn(Arc::clone(&host).scale(number));
        }
        for timer in TIMERS {
            tokio::spawn(Arc::clone(&host).fire(timer));
        }
        tokio::spawn(Arc::clone(&host).read_events());
        if host.around.world.has_event_grid {
            tokio::spawn(Arc::clone(&host).deliver_events());
        }
        Ok(host)
    }

    /// An HTTP request to `POST /api/sync-requests`; answers the status, or `None` when there was no answer.
    pub async fn submit(&self, key: &str, body: &Value) -> Option<String> {
        let instance = self.any()?;
        let ending = self.invoke(&instance, "sync-requests", &envelope::submission(key, body)).await;
        let Ending::Succeeded(answer) = ending else { return None };
        match &answer["Outputs"]["res"]["statusCode"] {
            Value::String(status) => Some(status.clone()),
            other => Some(other.to_string()),
        }
    }

    /// Replaces every process, one after the other, as a change of the file or of an app setting does.
    pub fn deploy(&self) {
        for slot in &self.slots {
            let Some(instance) = slot.current() else { continue };
            let pause = self.lock_draws().milliseconds(0, 20_000);
            tokio::spawn(async move {
                sleep(pause).await;
                instance.life.end();
            });
        }
    }

    /// Kills an instance that lives.
    pub fn kill_any(&self) {
        if let Some(instance) = self.any() {
            self.around.network.trace.line(format_args!("instance {} is killed", instance.number));
            instance.life.end();
        }
    }

    /// Begins the life of this number in a slot.
    fn begin(&self, number: usize, life: u64) -> Result<Arc<Instance>, Unplayable> {
        let slot = &self.slots[number];
        let is_calm = self.around.time.since() >= self.calm;
        let polls = {
            let mut draws = self.lock_draws();
            // The logarithm is uniform: as many lives end within the first ten steps as within the thousands.
            let most = 1_u64 << draws.between(1, 13);
            let polls = draws.between(1, most);
            (draws.percent(60) && !is_calm && self.has_deaths).then_some(polls)
        };
        let instance = Arc::new(Instance::start(&self.around, (number, life), slot.skew, polls)?);
        slot.put(Some(Arc::clone(&instance)));
        self.around.network.trace.line(format_args!("instance {number} starts, life {life}"));
        Ok(instance)
    }

    /// Starts an instance again after each end.
    async fn keep(self: Arc<Self>, number: usize) {
        for life in 1.. {
            let Some(instance) = self.slots[number].current() else { return };
            let until_calm = self.calm.saturating_sub(self.around.time.since());
            tokio::select! {
                biased;
                () = instance.life.over() => {}
                () = sleep(until_calm) => {
                    instance.life.spare();
                    instance.life.over().await;
                }
            }
            self.around.network.trace.line(format_args!("instance {number} has died"));
            self.slots[number].put(None);
            let pause = self.lock_draws().milliseconds(200, 30_000);
            let away = self.slots[number].away_until().saturating_sub(self.around.time.since());
            sleep(pause.max(away)).await;
            while !self.around.configured.can_start() {
                sleep(Duration::from_secs(10)).await;
            }
            if let Err(unplayable) = self.begin(number, life) {
                self.around.network.trace.line(unplayable);
                return;
            }
        }
    }

    /// Takes an instance away for a while, as a platform does that has less to do, or wants the machine.
    async fn scale(self: Arc<Self>, number: usize) {
        while self.around.time.since() < self.calm {
            sleep(SCALE).await;
            if self.strike("instances") == Some(Fault::Away) {
                let away = self.lock_draws().milliseconds(60_000, 25 * 60_000);
                let until = self.around.time.since() + away;
                self.slots[number].take_away(until.min(self.calm));
            }
        }
    }

    /// Receives batches of the queue for one instance, one at a time.
    async fn listen(self: Arc<Self>, number: usize) {
        let queues = self.around.network.azure.queues();
        let mut pause = LOOK;
        loop {
            let Some(instance) = self.slots[number].current() else {
                sleep(LOOK).await;
                continue;
            };
            let batch = queues.receive(QUEUE, BATCH, Duration::ZERO).await;
            if batch.is_empty() {
                sleep(pause).await;
                pause = SELDOM.min(pause + LOOK / 2);
                continue;
            }
            pause = LOOK;
            self.hand_over(&instance, batch).await;
        }
    }

    async fn hand_over(&self, instance: &Instance, mut batch: Vec<LockedMessage>) {
        let queues = self.around.network.azure.queues();
        let fault = self.strike_if("messages", |fault| fault != Fault::Reordered || batch.len() > 1);
        if fault == Some(Fault::Reordered) {
            self.lock_draws().shuffle(&mut batch);
            // The others come again, behind what was behind them.
            let kept = self.lock_draws().between(1, batch.len() as u64);
            for message in batch.split_off(usize::try_from(kept).unwrap_or(1)) {
                queues.abandon(QUEUE, &message.lock_token).await;
            }
        }
        let trace = &self.around.network.trace;
        let ids: Vec<String> =
            batch.iter().map(|it| format!("{} ({})", it.message_id, it.delivery_count)).collect();
        trace.line(format_args!("instance {}: messages {}", instance.number, ids.join(", ")));
        if fault == Some(Fault::Late) {
            // Their locks run out meanwhile.
            let pause = self.lock_draws().milliseconds(50_000, 90_000);
            sleep(pause).await;
        }
        let envelope = envelope::messages(&batch);
        let ending = match fault {
            Some(Fault::Twice) => {
                let invoke = || self.invoke(instance, "sync-policies", &envelope);
                futures::future::join(invoke(), invoke()).await.1
            }
            _ => self.invoke(instance, "sync-policies", &envelope).await,
        };
        if fault == Some(Fault::Lost) {
            return;
        }
        for message in &batch {
            let is_settled = match ending {
                Ending::Succeeded(_) => queues.complete(QUEUE, &message.lock_token).await,
                Ending::Failed(_) => queues.abandon(QUEUE, &message.lock_token).await,
                // Nothing is said of them: their locks run out.
                Ending::Died => true,
            };
            if !is_settled {
                trace.line(format_args!("message {} has lost its lock", message.message_id));
            }
        }
    }

    /// Fires a timer: on one instance, wherever there is one.
    async fn fire(self: Arc<Self>, (function, period, first): (&'static str, u64, u64)) {
        let mut due = Duration::from_secs(first);
        loop {
            sleep(due.saturating_sub(self.around.time.since())).await;
            let fault = self.strike(function);
            if fault == Some(Fault::Late) {
                let pause = self.lock_draws().milliseconds(1_000, 300_000);
                sleep(pause).await;
            }
            let last = BEGIN + due - Duration::from_secs(period);
            let another = self.lock_draws().milliseconds(1_000, 600_000);
            let firings = match fault {
                Some(Fault::Lost) => vec![],
                Some(Fault::Twice) => vec![Duration::ZERO; 2],
                Some(Fault::OtherHost) => vec![Duration::ZERO, another],
                _ => vec![Duration::ZERO],
            };
            for after in firings {
                let (host, period) = (Arc::clone(&self), i64::try_from(period).unwrap_or_default());
                // Beside each other: a singleton lock that was lost keeps none from beginning.
                tokio::spawn(async move {
                    sleep(after).await;
                    let Some(instance) = host.any() else { return };
                    let envelope = envelope::timer(last, time::Duration::seconds(period));
                    let ending = host.invoke(&instance, function, &envelope).await;
                    host.never_rest(&instance, function, &ending).await;
                });
            }
            due += Duration::from_secs(period);
        }
    }

    /// Reads diagnostic records. The position moves on when the function failed, and stays when the instance died.
    async fn read_events(self: Arc<Self>) {
        let source = self.around.network.azure.event_hubs();
        let (mut position, mut pause) = (-1, LOOK);
        loop {
            sleep(pause).await;
            let batch = source.receive(EVENT_HUB, position, BATCH, Duration::ZERO).await;
            let (Some(last), Some(instance)) = (batch.last(), self.any()) else {
                pause = SELDOM.min(pause + LOOK / 2);
                continue;
            };
            pause = LOOK;
            let fault = self.strike("events");
            if fault == Some(Fault::Late) {
                let pause = self.lock_draws().milliseconds(10_000, 600_000);
                sleep(pause).await;
            }
            let is_read = fault == Some(Fault::Lost)
                || self.invoke(&instance, "assign-policy", &envelope::events(&batch)).await != Ending::Died;
            if is_read && fault != Some(Fault::Twice) {
                position = last.sequence_number;
            }
        }
    }

    pub(crate) async fn invoke(&self, instance: &Instance, function: &str, envelope: &Value) -> Ending {
        let number = self.invocations.fetch_add(1, Ordering::Relaxed);
        let trace = &self.around.network.trace;
        trace.line(format_args!("instance {}: invocation {number} of {function}", instance.number));
        let ending = instance.invoke(function, &format!("invocation-{number}"), envelope).await;
        match &ending {
            Ending::Succeeded(_) => trace.line(format_args!("invocation {number} has succeeded")),
            Ending::Failed(reason) => {
                trace.line(format_args!("invocation {number} has failed: {reason}"));
                self.around.network.judge.see(&Event::Failed { function, reason });
            }
            Ending::Died => trace.line(format_args!("invocation {number} has died")),
        }
        ending
    }

    /// A broken app sends one more request each time that it has reported.
    async fn never_rest(&self, instance: &Instance, function: &str, ending: &Ending) {
        let is_broken = self.around.network.sabotage == Some(Sabotage::NeverRests);
        let Some(namespace) = self.around.world.namespaces.first() else { return };
        if is_broken && function == "report-policy-status" && matches!(ending, Ending::Succeeded(_)) {
            let id = format!("restless-{}", self.around.time.since().as_secs());
            let body = serde_json::json!({"namespaceId": namespace.id});
            let _ = self.invoke(instance, "sync-requests", &envelope::submission(&id, &body)).await;
        }
    }

    /// An instance that lives.
    pub(crate) fn any(&self) -> Option<Arc<Instance>> {
        let living: Vec<Arc<Instance>> = self.slots.iter().filter_map(Slot::current).collect();
        self.lock_draws().pick(&living).cloned()
    }

    pub(crate) fn strike(&self, what: &str) -> Option<Fault> {
        self.strike_if(what, |_| true)
    }

    fn strike_if(&self, what: &str, fits: impl Fn(Fault) -> bool) -> Option<Fault> {
        let fault = self.around.network.faults.strike(&Site::of_host(what), fits);
        if let Some(fault) = fault {
            self.around.network.trace.line(format_args!("the host has {} {what}", fault.name()));
        }
        fault
    }

    pub(crate) fn lock_draws(&self) -> MutexGuard<'_, Draws> {
        self.draws.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
