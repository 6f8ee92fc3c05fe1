//! Receiving from queues and settling messages (`functions-host-protocol.md` §2.6).

use std::sync::Arc;
use std::time::Instant;

use indexmap::IndexMap;
use tokio::task::JoinSet;

use super::gathering::{Gathering, Limits};
use super::{WAIT, pause};
use crate::app::{Function, ServiceBusTrigger};
use crate::engine::Engine;
use crate::trigger::service_bus;
use trigger_sources::{LockedMessage, QueueSource};

/// Receives batches and runs them one at a time, however many sessions there are. A session batch never mixes sessions.
pub async fn batches(
    engine: Arc<Engine>,
    function: Arc<Function>,
    trigger: ServiceBusTrigger,
    source: Arc<dyn QueueSource>,
) {
    let settings = &engine.app.host.service_bus;
    // The host gives a session without further messages back, so it hands over the messages that are there then.
    let idle = if trigger.sessions { settings.session_idle_timeout } else { settings.max_batch_wait_time };
    let limits = Limits {
        least: settings.min_message_batch_size,
        most: settings.max_message_batch_size,
        patience: settings.max_batch_wait_time.min(idle),
    };
    let mut gatherings: IndexMap<Option<String>, Gathering<LockedMessage>> = IndexMap::new();
    loop {
        let since = Instant::now();
        gatherings.retain(|_, gathering| gathering.left(since).is_some());
        let left = gatherings.values().filter_map(|gathering| gathering.left(since)).min();
        let wait = left.map_or(WAIT, |left| left.min(WAIT));
        let messages = source.receive(&trigger.entity, limits.most, wait).await;
        if messages.is_empty() {
            pause(since).await;
        }
        let now = Instant::now();
        for message in messages {
            let session = message.session_id.clone().filter(|_| trigger.sessions);
            gatherings.entry(session).or_insert_with(|| Gathering::new(limits)).add([message], now);
        }
        for gathering in gatherings.values_mut() {
            while let Some(batch) = gathering.take(Instant::now()) {
                let link = engine.link(&trigger.connection, trigger.sessions);
                let payload = service_bus::batch(&function, &batch, &link, engine.zone());
                let report = engine.invoker.run(&function, payload.into()).await;
                settle(&engine, &trigger, source.as_ref(), &batch, report.succeeded()).await;
            }
        }
    }
}

/// Receives single messages, up to `maxConcurrentCalls` at a time.
pub async fn singles(
    engine: Arc<Engine>,
    function: Arc<Function>,
    trigger: ServiceBusTrigger,
    source: Arc<dyn QueueSource>,
) {
    let most = engine.app.host.service_bus.max_concurrent_calls;
    let mut running = JoinSet::new();
    loop {
        while running.try_join_next().is_some() {}
        if running.len() >= most {
            running.join_next().await;
            continue;
        }
        let since = Instant::now();
        let messages = source.receive(&trigger.entity, most - running.len(), WAIT).await;
        if messages.is_empty() {
            pause(since).await;
        }
        for message in messages {
            let (engine, function) = (engine.clone(), function.clone());
            let (trigger, source) = (trigger.clone(), source.clone());
            running.spawn(async move {
                handle(&engine, &function, &trigger, source.as_ref(), message).await;
            });
        }
    }
}

/// Runs the function for one message and settles it.
pub(super) async fn handle(
    engine: &Engine,
    function: &Function,
    trigger: &ServiceBusTrigger,
    source: &dyn QueueSource,
    message: LockedMessage,
) {
    let link = engine.link(&trigger.connection, trigger.sessions);
    let payload = service_bus::single(function, &message, &link);
    let report = engine.invoker.run(function, payload.into()).await;
    settle(engine, trigger, source, &[message], report.succeeded()).await;
}

/// Completes all messages after success, abandons all after a failure: there is nothing in between.
async fn settle(
    engine: &Engine,
    trigger: &ServiceBusTrigger,
    source: &dyn QueueSource,
    messages: &[LockedMessage],
    succeeded: bool,
) {
    let completes = trigger.auto_complete.unwrap_or(engine.app.host.service_bus.auto_complete);
    if succeeded && !completes {
        return;
    }
    let each = messages.iter().map(|message| async move {
        let token = &message.lock_token;
        let kept = if succeeded {
            source.complete(&trigger.entity, token).await
        } else {
            source.abandon(&trigger.entity, token).await
        };
        (message, kept)
    });
    for (message, kept) in futures::future::join_all(each).await {
        if !kept {
            let done = if succeeded { "completed" } else { "abandoned" };
            let words = format!(
                "message {} of {} could not be {done}: its lock was lost while the function ran, so it will be delivered again",
                message.message_id, trigger.entity
            );
            engine.events().log(crate::events::LogLevel::Warning, words);
        }
    }
}
