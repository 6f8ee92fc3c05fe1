//! The envelope that holds a message that could not be handled: on the parked queue, or among the records when that
//! queue refuses it. The app makes it when it parks a message; the commands that show or resubmit a message read it.
//!
//! Every text in it that others wrote is bounded when the envelope is made, so that it always fits into a message, and
//! when it is read, since others can put anything on a queue.
//!
//! - [`note`]: what the report knows of such a message.

pub mod note;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::digest;
use crate::reason::Reason;

/// Schema of an envelope.
pub const SCHEMA: &str = "parked-message/v1";
/// Where envelopes are kept among the records when the parked queue does not take them: keys begin with this, whole
/// segments. The record is the text of the envelope as a JSON string, or the envelope as an object.
pub const KEPT: &str = "parked-envelopes";
/// Where the whole body of a message is kept among the records when its envelope can only quote it; as [`KEPT`].
pub const WHOLE_BODIES: &str = "parked";
/// Largest envelope as JSON, in bytes: a queue takes 256 KB with properties (`messaging-and-state.md` §2).
pub const LARGEST: usize = 240 * 1024;
/// Longest detail, in characters.
pub const LONGEST_DETAIL: usize = 500;
/// How much of a body is quoted when the whole of it does not fit, in characters.
pub const QUOTED: usize = 1000;
/// Longest id of a message, in characters: what Service Bus allows (`messaging-and-state.md` §2).
const LONGEST_ID: usize = 128;
/// How much of an id is kept in front of a digest or of another suffix, in characters.
const KEPT_OF_ID: usize = 96;
/// Longest other text: a reason code, a time, the key of a record (900 at the most), in characters.
const LONGEST_TEXT: usize = 1000;

/// A message that could not be handled, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    schema: String,
    /// The id that the message had when it was received; never empty.
    #[serde(default)]
    pub message_id: Option<String>,
    /// The reason code.
    #[serde(default)]
    pub reason: Option<String>,
    /// What was wrong, at most [`LONGEST_DETAIL`] characters.
    #[serde(default)]
    pub detail: Option<String>,
    /// When it was parked, RFC 3339.
    #[serde(default)]
    pub parked_at: Option<String>,
    /// The body as it was received; only its beginning where `whole_body` is set.
    pub body: String,
    /// The record that has the whole body, when it was too large for a message.
    #[serde(default)]
    pub whole_body: Option<String>,
}

impl Envelope {
    /// The envelope of a message as it was received. Ask [`Envelope::fits`] before it is sent.
    #[must_use]
    pub fn new(
        message_id: Option<&str>,
        body: &str,
        reason: Reason,
        detail: &str,
        parked_at: OffsetDateTime,
    ) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            message_id: message_id.map(str::to_owned),
            reason: Some(reason.code().to_owned()),
            detail: Some(detail.to_owned()),
            parked_at: parked_at.format(&Rfc3339).ok(),
            body: body.to_owned(),
            whole_body: None,
        }
        .bounded()
    }

    /// Reads the text of an envelope; `None` where it is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let envelope: Self = serde_json::from_str(text).ok()?;
        (envelope.schema == SCHEMA).then(|| envelope.bounded())
    }

    /// Reads an envelope that was kept in a record: its text, or an object.
    #[must_use]
    pub fn read_record(record: &Value) -> Option<Self> {
        match record {
            Value::String(text) => Self::read(text),
            object => Self::read(&object.to_string()),
        }
    }

    /// The envelope as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // serde refuses only a map whose keys are not texts, or a `Serialize` of our own that fails; the envelope has
        // neither.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether it fits into a message with its whole body. If not, store the body as a record (a JSON string) first and
    /// send what [`Envelope::quoting`] makes.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.to_json().len() <= LARGEST
    }

    /// The same with the beginning of its body only, and the key of the record that has the whole of it. It always fits.
    #[must_use]
    pub fn quoting(mut self, whole_body: &str) -> Self {
        self.body = beginning(&self.body, QUOTED);
        self.whole_body = Some(whole_body.to_owned());
        self.bounded()
    }

    /// The id under which it goes onto the parked queue. The same message gets the same id whenever it is parked, so
    /// that the queue drops the copy; another message with the same id gets another one, so that the queue does not
    /// drop it.
    #[must_use]
    pub fn queue_id(&self, whole_body: &str) -> String {
        let digest = digest::of::<12>(whole_body);
        let id = self.message_id.as_deref().unwrap_or("parked");
        format!("{}~{digest}", beginning(id, KEPT_OF_ID))
    }

    fn bounded(mut self) -> Self {
        let cut = |text: Option<String>, most: usize| text.map(|text| beginning(&text, most));
        self.message_id = cut(self.message_id, LONGEST_ID).filter(|id| !id.is_empty());
        self.reason = cut(self.reason, LONGEST_TEXT);
        self.detail = cut(self.detail, LONGEST_DETAIL);
        self.parked_at = cut(self.parked_at, LONGEST_TEXT);
        self.whole_body = cut(self.whole_body, LONGEST_TEXT);
        self
    }
}

fn beginning(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn envelope(id: Option<&str>, body: &str, detail: &str) -> Envelope {
        Envelope::new(id, body, Reason::MessageNotJson, detail, OffsetDateTime::UNIX_EPOCH)
    }

    #[test]
    fn its_json_is_a_contract() {
        let expected = r#"{"schema":"parked-message/v1","messageId":"a","reason":"message-not-json","detail":"no object","parkedAt":"1970-01-01T00:00:00Z","body":"{","wholeBody":null}"#;
        let made = envelope(Some("a"), "{", "no object");
        assert_eq!(made.to_json(), expected);
        assert_eq!(Envelope::read(expected), Some(made.clone()));
        assert_eq!(Envelope::read_record(&json!(expected)), Some(made.clone()));
        assert_eq!(Envelope::read_record(&serde_json::from_str(expected).unwrap()), Some(made));
        // The smallest envelope, as the first version wrote it.
        let least = Envelope::read(r#"{"schema":"parked-message/v1","body":"x"}"#).unwrap();
        assert_eq!((least.body.as_str(), least.message_id, least.whole_body), ("x", None, None));
        for none in [
            "",
            "not json",
            "[]",
            "null",
            r#"{"schema":"parked-message/v1"}"#,
            r#"{"schema":"parked-message/v2","body":"x"}"#,
            r#"{"schema":"parked-message/v1","body":7}"#,
        ] {
            assert_eq!(Envelope::read(none), None, "{none}");
        }
    }

    #[test]
    fn what_does_not_fit_is_quoted_and_says_where_the_whole_is() {
        // Written as JSON, a control character takes six bytes.
        for body in ["\u{0}".repeat(41 * 1024), "x".repeat(LARGEST), "😀".repeat(64 * 1024)] {
            let whole = envelope(Some(&"\u{1}".repeat(500)), &body, &"\u{2}".repeat(300 * 1024));
            assert!(!whole.fits());
            let quoted = whole.quoting("parked/01");
            assert!(quoted.fits());
            assert_eq!(quoted.body.chars().count(), QUOTED);
            assert!(body.starts_with(&quoted.body));
            assert_eq!(quoted.whole_body.as_deref(), Some("parked/01"));
        }
    }

    #[test]
    fn a_detail_that_quotes_the_message_does_not_make_it_too_large() {
        let body = "x".repeat(200 * 1024);
        let made = envelope(Some("a"), &body, &format!("the body {body} is not JSON"));
        assert_eq!(made.detail.as_ref().map(|detail| detail.chars().count()), Some(LONGEST_DETAIL));
        assert!(made.fits());
        let foreign = json!({"schema": SCHEMA, "detail": body, "messageId": body, "body": ""}).to_string();
        let read = Envelope::read(&foreign).unwrap();
        assert_eq!(read.detail.unwrap().len(), LONGEST_DETAIL);
        assert_eq!(read.message_id.unwrap().len(), LONGEST_ID);
    }

    #[test]
    fn its_id_on_the_queue_is_the_same_for_the_same_message_only() {
        let id = |id: Option<&str>, body: &str| envelope(id, body, "").queue_id(body);
        assert_eq!(id(Some("a"), "{"), id(Some("a"), "{"));
        assert_ne!(id(Some("a"), "{"), id(Some("a"), "["));
        assert_ne!(id(Some("a"), "{"), id(Some("b"), "{"));
        assert_eq!(id(Some(""), "{"), id(None, "{"));
        assert_eq!(envelope(Some(""), "{", "").message_id, None);
    }

    proptest! {
        #[test]
        fn a_quoting_envelope_always_fits(id in "(?s).{0,300}", body in "(?s).{0,2000}", detail in "(?s).{0,800}") {
            let made = envelope(Some(&id), &body, &detail);
            prop_assert_eq!(Envelope::read(&made.to_json()), Some(made.clone()));
            prop_assert!(made.queue_id(&body).chars().count() <= LONGEST_ID);
            prop_assert!(made.quoting(&"k".repeat(900)).fits());
        }
    }
}
