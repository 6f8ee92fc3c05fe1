//! Fires functions by schedules, queues, event hubs and Event Grid.

mod event_grid;
mod event_hub;
mod gathering;
mod service_bus;
mod sessions;
mod timer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::app::{Cardinality, Function, Trigger};
use super::engine::Engine;
use super::options::Sources;

/// How long one look at a source waits for something to come.
const WAIT: Duration = Duration::from_secs(5);
/// The least time between two looks that found nothing, against sources that do not wait.
const LEAST: Duration = Duration::from_millis(50);

/// Starts a listener for every function that has a source.
pub fn start(engine: &Arc<Engine>, sources: &Sources, tasks: &mut JoinSet<()>) {
    let mut grid: Vec<Arc<Function>> = Vec::new();
    for function in &engine.functions {
        let (engine_, function_) = (engine.clone(), function.clone());
        match (&function.trigger, &sources.queues, &sources.event_hubs) {
            (Trigger::Timer(trigger), ..) => {
                let ahead = engine.clock().ahead();
                tasks.spawn(timer::run(engine_, function_, trigger.clone(), ahead));
            }
            (Trigger::ServiceBus(trigger), Some(source), _)
                if function.cardinality() == Cardinality::Many =>
            {
                tasks.spawn(service_bus::batches(engine_, function_, trigger.clone(), source.clone()));
            }
            (Trigger::ServiceBus(trigger), Some(source), _) if trigger.sessions => {
                tasks.spawn(sessions::run(engine_, function_, trigger.clone(), source.clone()));
            }
            (Trigger::ServiceBus(trigger), Some(source), _) => {
                tasks.spawn(service_bus::singles(engine_, function_, trigger.clone(), source.clone()));
            }
            (Trigger::EventHub(trigger), _, Some(source)) => {
                tasks.spawn(event_hub::run(engine_, function_, trigger.clone(), source.clone()));
            }
            (Trigger::EventGrid, ..) if sources.event_grid.is_some() => grid.push(function_),
            // HTTP functions are called; the others are fired by hand.
            _ => {}
        }
    }
    if let (Some(source), false) = (&sources.event_grid, grid.is_empty()) {
        tasks.spawn(event_grid::run(engine.clone(), grid, source.clone()));
    }
}

/// Waits a little when a source came back with nothing sooner than it should.
async fn pause(since: Instant) {
    tokio::time::sleep(LEAST.saturating_sub(since.elapsed())).await;
}
