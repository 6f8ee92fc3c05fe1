//! Event Grid as the host's endpoint has it: each event is delivered by itself, and comes again later when it was not taken.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use crate::envelope;
use crate::fault::Fault;
use crate::host::{Host, LOOK};
use crate::instance::Ending;

/// The function that takes events.
const FUNCTION: &str = "handle-resource-event";

impl Host {
    /// Delivers events for as long as the play goes on.
    pub(crate) async fn deliver_events(self: Arc<Self>) {
        let source = self.around.network.azure.event_grid();
        loop {
            sleep(LOOK).await;
            while let Some(delivery) = source.next(Duration::ZERO).await {
                let fault = self.strike("event-grid");
                let (host, source) = (Arc::clone(&self), Arc::clone(&source));
                // Beside each other: an event that is late keeps no other back, so they come in any order.
                tokio::spawn(async move {
                    if fault == Some(Fault::Late) {
                        let pause = host.lock_draws().milliseconds(1_000, 1_200_000);
                        sleep(pause).await;
                    }
                    let times = match fault {
                        Some(Fault::Lost) => 0,
                        Some(Fault::Twice) => 2,
                        _ => 1,
                    };
                    let mut is_taken = true;
                    for _ in 0..times {
                        is_taken = host.deliver(&delivery.body).await;
                    }
                    source.settle(delivery.id, is_taken).await;
                });
            }
        }
    }

    /// Hands an event over; answers whether it was taken.
    async fn deliver(&self, body: &Value) -> bool {
        let events = body.as_array().map_or(std::slice::from_ref(body), Vec::as_slice);
        let mut is_taken = true;
        for event in events {
            let Some(instance) = self.any() else { return false };
            let ending = self.invoke(&instance, FUNCTION, &envelope::event(event)).await;
            is_taken &= matches!(ending, Ending::Succeeded(_));
        }
        is_taken
    }
}
