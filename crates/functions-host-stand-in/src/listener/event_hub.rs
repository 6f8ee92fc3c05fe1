//! Receiving from event hubs (`functions-host-protocol.md` §1.6).

use std::sync::Arc;
use std::time::Instant;

use super::gathering::{Gathering, Limits};
use super::{WAIT, pause};
use crate::app::{Cardinality, EventHubTrigger, Function};
use crate::connection::namespace;
use crate::engine::Engine;
use crate::invoker::Work;
use crate::trigger::event_hub;
use trigger_sources::EventHubSource;

/// Receives from the beginning, one batch at a time. The position moves on whether the function succeeds or not: a
/// failure that no retry policy catches loses its events.
pub async fn run(
    engine: Arc<Engine>,
    function: Arc<Function>,
    trigger: EventHubTrigger,
    source: Arc<dyn EventHubSource>,
) {
    let settings = &engine.app.host.event_hubs;
    let many = function.cardinality() == Cardinality::Many;
    let limits = Limits {
        // Single events wait for no others.
        least: if many { settings.min_event_batch_size } else { 1 },
        most: settings.max_event_batch_size,
        patience: settings.max_wait_time,
    };
    let mut gathering = Gathering::new(limits);
    let namespace = namespace(&engine.settings, &trigger.connection);
    let mut received = -1;
    loop {
        let since = Instant::now();
        let wait = gathering.left(since).map_or(WAIT, |left| left.min(WAIT));
        let events = source.receive(&trigger.event_hub, received, limits.most, wait).await;
        match events.last() {
            Some(last) => received = last.sequence_number,
            None => pause(since).await,
        }
        gathering.add(events, Instant::now());
        while let Some(events) = gathering.take(Instant::now()) {
            if many {
                let payload = event_hub::batch(&function, &trigger, &namespace, &events, engine.zone());
                engine.invoker.run(&function, payload.into()).await;
            } else {
                let each = events.iter().map(|event| {
                    let payload = event_hub::single(&function, &trigger, &namespace, event);
                    engine.invoker.run(&function, Work::Envelope(payload))
                });
                futures::future::join_all(each).await;
            }
        }
    }
}
