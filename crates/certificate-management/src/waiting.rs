//! Messages that wait for a person, in the report: those that no function could understand, and those that the queue of sync
//! requests gave up on.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::parked::note::Note;

/// How many parked messages are listed.
pub const LISTED: usize = 20;

/// Messages that wait for a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingMessages {
    /// How many messages the app has parked that are not known to be sent again or discarded.
    pub parked: usize,
    /// Whether there may be more of them, which were not counted.
    pub is_cut: bool,
    /// The first [`LISTED`] of them, those that wait longest first.
    pub listed: Vec<ParkedMessage>,
    /// Messages that the queue of sync requests gave up on; `None`: they could not be counted.
    pub dead_letters: Option<DeadLetters>,
}

/// A message that no function could understand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParkedMessage {
    /// The id that it had when it was received; `None`: it had none, and `policysync parked list` names it by its place.
    pub id: Option<String>,
    /// The reason code.
    pub reason: Option<String>,
    /// What was wrong.
    pub detail: Option<String>,
    /// Since when it waits.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

/// Messages that a queue gave up on: they were delivered too often, or waited too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetters {
    /// How many there are.
    pub count: usize,
    /// Whether there may be more, which were not counted.
    pub is_cut: bool,
}

impl WaitingMessages {
    /// Those that notes tell of at `now`, in whatever order they were read. `is_cut`: whether more notes were not read.
    #[must_use]
    pub fn of(mut notes: Vec<Note>, is_cut: bool, now: OffsetDateTime) -> Self {
        notes.retain(|note| note.is_true_at(now));
        notes.sort_by(|a, b| (a.parked_at, &a.message_id).cmp(&(b.parked_at, &b.message_id)));
        Self {
            parked: notes.len(),
            is_cut,
            listed: notes.into_iter().take(LISTED).map(ParkedMessage::of).collect(),
            dead_letters: None,
        }
    }

    /// Whether no message waits. What could not be counted may be some.
    #[must_use]
    pub fn is_certainly_nothing(&self) -> bool {
        self.parked == 0 && !self.is_cut && self.dead_letters.is_some_and(|letters| letters.count == 0)
    }
}

impl ParkedMessage {
    fn of(note: Note) -> Self {
        Self { id: note.message_id, reason: note.reason, detail: note.detail, since: note.parked_at }
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use time::macros::datetime;

    use super::*;

    /// One message of each kind.
    pub(crate) fn something() -> WaitingMessages {
        WaitingMessages {
            parked: 1,
            is_cut: false,
            listed: vec![ParkedMessage {
                id: Some("order-7".into()),
                reason: Some("message-not-json".into()),
                detail: Some("no object".into()),
                since: datetime!(2026-11-22 05:00 UTC),
            }],
            dead_letters: Some(DeadLetters { count: 2, is_cut: false }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::Duration;
    use time::macros::datetime;

    use super::*;
    use crate::parked::note::LIVES;

    const NOW: OffsetDateTime = datetime!(2026-11-30 10:00 UTC);

    fn note(hours_ago: i64) -> Note {
        Note {
            message_id: Some(format!("m-{hours_ago}")),
            reason: None,
            detail: None,
            parked_at: NOW - Duration::hours(hours_ago),
            is_kept: false,
        }
    }

    proptest! {
        #[test]
        fn the_longest_waiting_are_listed_first_and_all_are_counted_in_whatever_order_they_were_read(
            ages in proptest::collection::btree_set(0_i64..900, 0..60).prop_map(Vec::from_iter).prop_shuffle()
        ) {
            let told = WaitingMessages::of(ages.iter().copied().map(note).collect(), false, NOW);
            let mut alive: Vec<i64> = ages.into_iter().filter(|age| *age < LIVES.whole_hours()).collect();
            alive.sort_unstable_by_key(|age| std::cmp::Reverse(*age));
            prop_assert_eq!(told.parked, alive.len());
            let listed: Vec<_> = told.listed.iter().map(|message| (NOW - message.since).whole_hours()).collect();
            prop_assert_eq!(listed, &alive[..alive.len().min(LISTED)]);
        }
    }

    #[test]
    fn dead_letters_that_could_not_be_counted_are_not_none() {
        let nothing = WaitingMessages::default();
        assert!(!nothing.is_certainly_nothing());
        let counted = |count| WaitingMessages {
            dead_letters: Some(DeadLetters { count, is_cut: false }),
            ..WaitingMessages::default()
        };
        assert!(counted(0).is_certainly_nothing());
        assert!(!counted(1).is_certainly_nothing());
        assert!(!WaitingMessages { is_cut: true, ..counted(0) }.is_certainly_nothing());
    }
}
