//! What fires functions by itself: schedules, queues, event hubs, Event Grid.

mod event_grid;
mod event_hub;
mod service_bus;
mod timer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::app::{Cardinality, Function, Trigger};
use super::engine::Engine;
use super::events::LogLevel;
use super::options::Sources;

/// How long one look at a source waits for something to come.
const WAIT: Duration = Duration::from_secs(5);
/// The least time between two looks that found nothing, against sources that do not wait.
const LEAST: Duration = Duration::from_millis(50);

/// Starts a listener for every function that has a source; says which ones have none.
pub fn start(engine: &Arc<Engine>, sources: &Sources, tasks: &mut JoinSet<()>) {
    let mut grid: Vec<Arc<Function>> = Vec::new();
    for function in &engine.functions {
        let (engine_, function_) = (engine.clone(), function.clone());
        match (&function.trigger, &sources.queues, &sources.event_hubs) {
            (Trigger::Timer(trigger), ..) => {
                tasks.spawn(timer::run(engine_, function_, trigger.clone()));
            }
            (Trigger::ServiceBus(trigger), Some(source), _) if function.cardinality() == Cardinality::Many => {
                tasks.spawn(service_bus::batches(engine_, function_, trigger.clone(), source.clone()));
            }
            (Trigger::ServiceBus(trigger), Some(source), _) => {
                tasks.spawn(service_bus::singles(engine_, function_, trigger.clone(), source.clone()));
            }
            (Trigger::EventHub(trigger), _, Some(source)) => {
                tasks.spawn(event_hub::run(engine_, function_, trigger.clone(), source.clone()));
            }
            (Trigger::EventGrid, ..) if sources.event_grid.is_some() => grid.push(function_),
            (Trigger::Http(_), ..) => {}
            _ => engine.events().log(
                LogLevel::Information,
                format!(
                    "{} ({}) does not fire by itself here: POST {}/admin/functions/{} with {{\"input\":\"...\"}}",
                    function.name,
                    function.trigger_kind(),
                    engine.url,
                    function.name
                ),
            ),
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
