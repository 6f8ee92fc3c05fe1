//! What is remembered of a message that waits for a person, beside the message itself: each look at a parked message counts as a
//! delivery, and a queue gives up on what was delivered too often. So the report reads these notes and not the queue.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::Envelope;
use crate::digest;

/// Where the notes are among the records: keys begin with this, whole segments.
pub const NOTES: &str = "parked-notes";
/// How long the parked queue keeps a message (`infra/modules/queue.bicep`).
pub const LIVES: Duration = Duration::days(30);

/// That a message waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// The id that the message had when it was received.
    pub message_id: Option<String>,
    /// The reason code.
    pub reason: Option<String>,
    /// What was wrong.
    pub detail: Option<String>,
    /// When it was parked.
    #[serde(with = "time::serde::rfc3339")]
    pub parked_at: OffsetDateTime,
    /// Whether the records keep the message, since the parked queue did not take it.
    pub is_kept: bool,
}

impl Note {
    /// Of an envelope, as it was parked at a time.
    #[must_use]
    pub fn of(envelope: &Envelope, parked_at: OffsetDateTime, is_kept: bool) -> Self {
        Self {
            message_id: envelope.message_id.clone(),
            reason: envelope.reason.clone(),
            detail: envelope.detail.clone(),
            parked_at,
            is_kept,
        }
    }

    /// Whether the message can still be there: the queue drops it after [`LIVES`], the records keep it.
    #[must_use]
    pub fn is_true_at(&self, now: OffsetDateTime) -> bool {
        self.is_kept || now - self.parked_at < LIVES
    }
}

/// The key of the note of a message, by the id that it was received with and the body of its envelope. The same message has the
/// same key whenever it is parked again.
#[must_use]
pub fn key(message_id: Option<&str>, body: &str) -> String {
    let id = message_id.unwrap_or_default();
    // The length keeps `a` + `bc` and `ab` + `c` apart.
    format!("{NOTES}/{}", digest::of::<16>(format!("{}:{id}{body}", id.len())))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::reason::Reason;

    const NOW: OffsetDateTime = datetime!(2026-11-30 10:00 UTC);

    #[test]
    fn a_message_has_one_note_however_often_it_is_parked_and_however_it_is_read() {
        let parked = |at| Envelope::new(Some("a"), "{", Reason::MessageNotJson, "no object", at);
        let (first, again) = (parked(NOW), parked(NOW + Duration::hours(1)));
        let of = |envelope: &Envelope| key(envelope.message_id.as_deref(), &envelope.body);
        assert_eq!(of(&first), of(&again));
        assert_eq!(of(&first), of(&Envelope::read(&first.to_json()).unwrap()));
        assert_ne!(key(Some("a"), "bc"), key(Some("ab"), "c"));
        assert_ne!(key(Some("a"), "{"), key(None, "{"));
    }

    #[test]
    fn what_the_queue_has_dropped_is_not_told_and_what_the_records_keep_is() {
        let envelope = Envelope::new(None, "{", Reason::MessageNotJson, "", NOW);
        let note = |is_kept| Note::of(&envelope, NOW, is_kept);
        assert!(note(false).is_true_at(NOW + LIVES - Duration::SECOND));
        assert!(!note(false).is_true_at(NOW + LIVES));
        assert!(note(true).is_true_at(NOW + LIVES * 9));
    }
}
