//! Event Grid with one subscription: one event per POST, delivered at least once.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::Feeds;
use trigger_sources::{Delivery, EventGridSource, Pending};

/// Most deliveries that wait. Beyond that the oldest are dropped.
const MOST_DELIVERIES: usize = 10_000;

/// Simulated seconds after which a POST that was not accepted comes again; after the last of them Event Grid gives it
/// up. Event Grid documents these times.
const BACKOFF_SECONDS: [i64; 10] = [10, 30, 60, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200];

/// A POST whose receiver reports no outcome comes again after this real time.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// The deliveries of the subscription.
#[derive(Default)]
pub(super) struct Subscription {
    waiting: Vec<Waiting>,
    next_id: u64,
}

struct Waiting {
    delivery: Delivery,
    due: OffsetDateTime,
    failures: usize,
    /// Since when a receiver is delivering it.
    taken: Option<Instant>,
}

impl Feeds {
    /// Publishes to the custom topic. A `CloudEvent` is posted as one object, an event in Event Grid schema as an array
    /// of one; an array is taken apart, one POST for each event.
    pub fn publish(&self, events: Value) {
        let events = match events {
            Value::Array(events) => events,
            event => vec![event],
        };
        let now = self.clock.now();
        for event in events {
            let body = if event.get("specversion").is_some() { event } else { json!([event]) };
            self.enqueue(body, now);
        }
    }

    pub(super) fn enqueue(&self, body: Value, due: OffsetDateTime) {
        let mut grid = self.grid();
        grid.next_id += 1;
        let delivery = Delivery { id: grid.next_id, body };
        grid.waiting.push(Waiting { delivery, due, failures: 0, taken: None });
        if grid.waiting.len() > MOST_DELIVERIES {
            grid.waiting.remove(0);
        }
        drop(grid);
        self.changed.notify_waiters();
    }

    fn take(&self) -> Option<Delivery> {
        let now = self.clock.now();
        let mut grid = self.grid();
        let free = |waiting: &Waiting| waiting.taken.is_none_or(|since| since.elapsed() >= ANSWER_WITHIN);
        let next = grid
            .waiting
            .iter_mut()
            .filter(|waiting| waiting.due <= now && free(waiting))
            .min_by_key(|waiting| (waiting.due, waiting.delivery.id))?;
        next.taken = Some(Instant::now());
        Some(next.delivery.clone())
    }

    fn told(&self, delivery: u64, accepted: bool) {
        let now = self.clock.now();
        let mut grid = self.grid();
        let Some(index) = grid.waiting.iter().position(|waiting| waiting.delivery.id == delivery) else {
            return;
        };
        let waiting = &mut grid.waiting[index];
        match BACKOFF_SECONDS.get(waiting.failures) {
            Some(seconds) if !accepted => {
                waiting.failures += 1;
                waiting.taken = None;
                waiting.due = now + time::Duration::seconds(*seconds);
            }
            more => {
                if more.is_none() && !accepted {
                    tracing::warn!(delivery, "Event Grid gives a delivery up");
                }
                grid.waiting.remove(index);
            }
        }
    }
}

impl EventGridSource for Feeds {
    fn next(&self, wait: Duration) -> Pending<'_, Option<Delivery>> {
        Box::pin(self.wait_for(wait, Self::take))
    }

    fn settle(&self, delivery: u64, accepted: bool) -> Pending<'_, ()> {
        Box::pin(async move { self.told(delivery, accepted) })
    }
}
