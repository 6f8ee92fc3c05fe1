//! Receiving from queues and settling messages (`functions-host-protocol.md` §2.6).

use std::sync::Arc;
use std::time::Instant;

use tokio::task::JoinSet;

use super::super::app::{Function, ServiceBusTrigger};
use super::super::engine::Engine;
use super::super::trigger::service_bus;
use super::{WAIT, pause};
use crate::sources::{LockedMessage, QueueSource};

/// Receives batches, one at a time. A session batch never mixes sessions.
pub async fn batches(
    engine: Arc<Engine>,
    function: Arc<Function>,
    trigger: ServiceBusTrigger,
    source: Arc<dyn QueueSource>,
) {
    let most = engine.app.host.service_bus.max_message_batch_size;
    loop {
        let since = Instant::now();
        let messages = source.receive(&trigger.entity, most, WAIT).await;
        if messages.is_empty() {
            pause(since).await;
        }
        for batch in by_session(messages, trigger.sessions) {
            let link = engine.link(&trigger.connection, trigger.sessions);
            let payload = service_bus::batch(&function, &batch, &link, engine.zone());
            let report = engine.invoker.run(&function, payload.into()).await;
            settle(&engine, &trigger, source.as_ref(), &batch, report.succeeded()).await;
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
                let link = engine.link(&trigger.connection, trigger.sessions);
                let payload = service_bus::single(&function, &message, &link);
                let report = engine.invoker.run(&function, payload.into()).await;
                settle(&engine, &trigger, source.as_ref(), &[message], report.succeeded()).await;
            });
        }
    }
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
            engine.events().log(super::super::events::LogLevel::Warning, words);
        }
    }
}

fn by_session(messages: Vec<LockedMessage>, sessions: bool) -> Vec<Vec<LockedMessage>> {
    let mut batches: Vec<Vec<LockedMessage>> = Vec::new();
    for message in messages {
        let same = |batch: &Vec<LockedMessage>| {
            !sessions || batch.iter().all(|it| it.session_id == message.session_id)
        };
        match batches.iter_mut().find(|batch| same(batch)) {
            Some(batch) => batch.push(message),
            None => batches.push(vec![message]),
        }
    }
    batches
}
