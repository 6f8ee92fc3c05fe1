//! When hubs last lost trust by what the service or a person did, and how long the app cannot know of it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Event;
use crate::answers::STALEST;

/// From the look at the hubs to the write: the two parts of a visit may take 40 seconds each, and the write has a deadline of 30.
/// What is lost within this time no caller can have seen.
const LOOKED: Duration = Duration::from_secs(40 + 40 + 30);

/// The losses of a play.
#[derive(Default)]
pub(super) struct Losses {
    /// By the ARM id of the namespace in lower case.
    lost: BTreeMap<String, Duration>,
    /// When a service last answered what was true no more: no caller can know.
    answered_old: Option<Duration>,
}

impl Losses {
    /// Learns from an event.
    pub(super) fn see(&mut self, event: &Event<'_>, at: Duration) {
        match event {
            Event::TrustLost { namespace, .. } => drop(self.lost.insert(namespace.to_ascii_lowercase(), at)),
            Event::AnsweredOld { .. } => self.answered_old = Some(at),
            _ => {}
        }
    }

    /// Whether hubs of a namespace may have lost trust so shortly before `at` that one who writes then cannot have seen it.
    pub(super) fn may_be_unseen(&self, namespace: &str, at: Duration) -> bool {
        let is_deceived = self.answered_old.is_some_and(|old| at < old + LOOKED);
        let visible = LOOKED + if is_deceived { STALEST } else { Duration::ZERO };
        self.last(namespace).is_some_and(|lost| at < lost + visible)
    }

    /// Whether hubs of a namespace have lost trust since a write at `since`, or so shortly before it that the writer could not know.
    pub(super) fn come_after(&self, namespace: &str, since: Duration) -> bool {
        self.last(namespace).is_some_and(|lost| lost + LOOKED + STALEST >= since)
    }

    fn last(&self, namespace: &str) -> Option<Duration> {
        self.lost.get(&namespace.to_ascii_lowercase()).copied()
    }
}
