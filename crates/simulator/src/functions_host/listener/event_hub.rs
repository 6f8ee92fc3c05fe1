//! Receiving from event hubs (`functions-host-protocol.md` §1.6).

use std::sync::Arc;
use std::time::Instant;

use super::super::app::{Cardinality, EventHubTrigger, Function};
use super::super::connection::namespace;
use super::super::engine::Engine;
use super::super::invoker::Work;
use super::super::trigger::event_hub;
use super::{WAIT, pause};
use crate::sources::EventHubSource;

/// Receives from the beginning, one batch at a time. The checkpoint moves on whether the function succeeds or not: a
/// failure that no retry policy catches loses its events.
pub async fn run(
    engine: Arc<Engine>,
    function: Arc<Function>,
    trigger: EventHubTrigger,
    source: Arc<dyn EventHubSource>,
) {
    let most = engine.app.host.event_hubs.max_event_batch_size;
    let namespace = namespace(&engine.settings, &trigger.connection);
    let mut checkpoint = -1;
    loop {
        let since = Instant::now();
        let events = source.receive(&trigger.event_hub, checkpoint, most, WAIT).await;
        let Some(last) = events.last() else {
            pause(since).await;
            continue;
        };
        let reached = last.sequence_number;
        if function.cardinality() == Cardinality::Many {
            let payload = event_hub::batch(&function, &trigger, &namespace, &events, engine.zone());
            engine.invoker.run(&function, payload.into()).await;
        } else {
            let each = events.iter().map(|event| {
                let payload = event_hub::single(&function, &trigger, &namespace, event);
                engine.invoker.run(&function, Work::Envelope(payload))
            });
            futures::future::join_all(each).await;
        }
        checkpoint = reached;
    }
}
