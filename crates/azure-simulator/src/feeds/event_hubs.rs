//! Event hubs of one partition each.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use serde_json::Map;
use time::OffsetDateTime;

use super::Feeds;
use trigger_sources::{EventHubSource, HubEvent, Pending};

/// Most events that an event hub keeps. Beyond that it drops the oldest, as after a retention period.
const MOST_EVENTS: usize = 10_000;

/// All event hubs, by lower-case name.
#[derive(Default)]
pub(super) struct EventHubs(HashMap<String, Partition>);

#[derive(Default)]
struct Partition {
    events: VecDeque<HubEvent>,
    next_sequence_number: i64,
    next_offset: i64,
}

impl Feeds {
    /// Adds an event that arrives at `at`. Events arrive in the order of this call, so one that is not due holds back
    /// those behind it.
    pub(crate) fn append(&self, event_hub: &str, body: String, at: OffsetDateTime) {
        let mut hubs = self.event_hubs();
        let partition = hubs.0.entry(event_hub.to_ascii_lowercase()).or_default();
        let length = i64::try_from(body.len()).unwrap_or(i64::MAX);
        partition.events.push_back(HubEvent {
            body,
            enqueued_time: at,
            sequence_number: partition.next_sequence_number,
            offset: partition.next_offset,
            properties: Map::new(),
        });
        partition.next_sequence_number += 1;
        partition.next_offset = partition.next_offset.saturating_add(length);
        if partition.events.len() > MOST_EVENTS {
            partition.events.pop_front();
        }
        drop(hubs);
        self.changed.notify_waiters();
    }

    fn arrived(&self, event_hub: &str, after: i64, most: usize) -> Vec<HubEvent> {
        let now = self.clock.now();
        let hubs = self.event_hubs();
        let Some(partition) = hubs.0.get(&event_hub.to_ascii_lowercase()) else { return Vec::new() };
        // Their numbers only grow; a reader asks every few seconds, and most of the log is behind it.
        let first = partition.events.partition_point(|event| event.sequence_number <= after);
        let rest = partition.events.range(first..);
        rest.take_while(|event| event.enqueued_time <= now).take(most).cloned().collect()
    }
}

impl EventHubSource for Feeds {
    fn receive<'a>(
        &'a self,
        event_hub: &'a str,
        after: i64,
        most: usize,
        wait: Duration,
    ) -> Pending<'a, Vec<HubEvent>> {
        Box::pin(async move {
            let look =
                |feeds: &Self| Some(feeds.arrived(event_hub, after, most)).filter(|found| !found.is_empty());
            self.wait_for(wait, look).await.unwrap_or_default()
        })
    }
}
