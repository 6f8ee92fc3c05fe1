//! Receives the POSTs of Event Grid (`functions-host-protocol.md` §1.5).

use std::sync::Arc;
use std::time::Instant;

use tokio::task::JoinSet;

use super::{WAIT, pause};
use crate::app::Function;
use crate::engine::Engine;
use crate::events::LogLevel;
use crate::newtonsoft;
use trigger_sources::{Delivery, EventGridSource};

/// Most POSTs that are worked on at a time.
const MOST: usize = 16;

/// Takes deliveries. It does not accept a delivery of which any invocation failed, so the whole of it comes again.
pub async fn run(engine: Arc<Engine>, functions: Vec<Arc<Function>>, source: Arc<dyn EventGridSource>) {
    let functions: Arc<[Arc<Function>]> = functions.into();
    let mut running = JoinSet::new();
    loop {
        while running.try_join_next().is_some() {}
        if running.len() >= MOST {
            running.join_next().await;
            continue;
        }
        let since = Instant::now();
        match source.next(WAIT).await {
            None => pause(since).await,
            Some(delivery) => {
                running.spawn(deliver(engine.clone(), functions.clone(), source.clone(), delivery));
            }
        }
    }
}

async fn deliver(
    engine: Arc<Engine>,
    functions: Arc<[Arc<Function>]>,
    source: Arc<dyn EventGridSource>,
    delivery: Delivery,
) {
    let mut accepted = true;
    for function in functions.iter() {
        // Writes the event and reads it again, since the real host re-formats it.
        let body =
            newtonsoft::parse(&delivery.body.to_string(), engine.zone()).map_err(|error| error.to_string());
        let outcome = match body {
            Ok(body) => engine.deliver(function, body).await,
            Err(error) => Err(error),
        };
        accepted &= outcome.unwrap_or_else(|problem| {
            engine
                .events()
                .log(LogLevel::Error, format!("an Event Grid delivery to {}: {problem}", function.name));
            false
        });
    }
    source.settle(delivery.id, accepted).await;
}
