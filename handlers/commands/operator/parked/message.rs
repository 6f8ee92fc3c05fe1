//! Describes a message that waits for a person, and gives it an id.
//!
//! Others wrote everything in it, and a person's terminal must not obey it. So the texts are shown without control
//! characters, and a message has its own id here only where a person can type that.

use certificate_management::parked::Envelope;
use certificate_management::plural;
use serde::Serialize;
use ulid::Ulid;

use crate::visible::is_deceptive;

/// How much of a body is shown, in characters.
const EXCERPT: usize = 80;
/// How much of an id is kept in front of a suffix; both have to fit into the 128 characters of a MessageId.
const KEPT_OF_ID: usize = 96;

/// Where a message waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// On the parked queue: no function could parse it.
    Parked,
    /// Among the dead letters of the queue of sync requests: it was delivered in vain too often, or no function took it
    /// in time.
    DeadLetter,
    /// Among the dead letters of the parked queue: it was looked at too often.
    ParkedDeadLetter,
    /// In a record, since the parked queue did not take it.
    Kept,
}

/// A message that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// The id that the message had when it was received, where that can be typed and no other message here has it; else
    /// its place and its number there.
    pub id: String,
    /// Where it is.
    pub place: Place,
    /// Its number in its queue.
    pub sequence_number: Option<i64>,
    /// How often it was delivered, looks by `parked` included.
    pub delivery_count: Option<u32>,
    /// The record that it is kept in.
    pub record: Option<String>,
    /// The id that the message had when it was received.
    pub message_id: Option<String>,
    /// The reason code.
    pub reason: Option<String>,
    /// What is wrong with it.
    pub detail: Option<String>,
    /// Why the queue gave up on it, in the words of Service Bus, such as `MaxDeliveryCountExceeded`.
    pub dead_letter_reason: Option<String>,
    /// The reason for that as a sentence.
    pub dead_letter_description: Option<String>,
    /// Since when it is parked, RFC 3339.
    pub parked_at: Option<String>,
    /// When its queue got it, RFC 3339.
    pub enqueued_at: Option<String>,
    /// The beginning of the body that was received.
    pub body: String,
    /// Where the whole body is among the records, when it was too large to be parked.
    pub whole_body: Option<String>,
}

impl Waiting {
    /// A message of which only the place and the body are known.
    #[must_use]
    pub fn at(place: Place, body: &str) -> Self {
        Self {
            id: String::new(),
            place,
            sequence_number: None,
            delivery_count: None,
            record: None,
            message_id: None,
            reason: None,
            detail: None,
            dead_letter_reason: None,
            dead_letter_description: None,
            parked_at: None,
            enqueued_at: None,
            body: plain(body, EXCERPT),
            whole_body: None,
        }
    }

    /// Describes a message on the parked queue, and returns its body as it was received. A message that is no envelope
    /// is shown, and can be sent, as it is.
    #[must_use]
    pub fn parked(place: Place, text: &str, envelope: Option<Envelope>) -> (Self, String) {
        let Some(envelope) = envelope else {
            let detail = "it was not parked by Policysync: it is no envelope of schema parked-message/v1";
            let own = Self { detail: Some(detail.to_owned()), ..Self::at(place, text) };
            return (own, text.to_owned());
        };
        let own = Self {
            message_id: envelope.message_id,
            reason: envelope.reason,
            detail: envelope.detail,
            parked_at: envelope.parked_at,
            whole_body: envelope.whole_body,
            ..Self::at(place, &envelope.body)
        };
        (own, envelope.body)
    }

    /// Where it is, in words for a row of a table.
    #[must_use]
    pub fn place_in_words(&self) -> String {
        let deliveries = plural::count(self.delivery_count.unwrap_or_default(), "delivery");
        match self.place {
            Place::Parked => "parked".to_owned(),
            Place::DeadLetter => format!("dead letter, {deliveries}"),
            Place::ParkedDeadLetter => format!("dead letter of the parked queue, {deliveries}"),
            Place::Kept => "kept in the records".to_owned(),
        }
    }

    /// Its place and its number there: no two messages have the same.
    fn by_place(&self) -> String {
        let number = self.sequence_number.unwrap_or_default();
        match (self.place, &self.record) {
            (_, Some(record)) => record.clone(),
            (Place::DeadLetter, None) => format!("dead-letter/{number}"),
            (Place::ParkedDeadLetter, None) => format!("parked-dead-letter/{number}"),
            (Place::Parked | Place::Kept, None) => format!("parked/{number}"),
        }
    }
}

/// A text as a terminal can show it: on one line, without characters that control it or turn its direction, and of so many
/// characters at the most.
#[must_use]
pub fn plain(text: &str, most: usize) -> String {
    let mut shown: String = text.chars().take(most).map(|c| if is_deceptive(c) { ' ' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether a person can type this id and a shell takes it as one word.
fn can_be_typed(id: &str) -> bool {
    !id.is_empty() && !id.starts_with('-') && id.chars().all(typed)
}

fn typed(c: char) -> bool {
    c.is_ascii_graphic() || c.is_alphanumeric()
}

/// Gives each message its id: the one that it was received with where that can be typed and names no other message too.
pub fn name(messages: &mut [Waiting]) {
    let places: Vec<String> = messages.iter().map(Waiting::by_place).collect();
    let given: Vec<Option<String>> = messages.iter().map(|message| message.message_id.clone()).collect();
    for (message, place) in messages.iter_mut().zip(&places) {
        let same = given.iter().filter(|id| **id == message.message_id).count();
        let own = message.message_id.as_ref().filter(|id| same == 1 && can_be_typed(id));
        message.id = own.filter(|id| !places.contains(id)).unwrap_or(place).clone();
    }
}

/// The index of the id that the person means. `all_seen`: whether these are all ids there are; if not, only a whole id
/// is enough.
///
/// # Errors
/// Says what to do when it is none of them, or several.
pub fn find(ids: &[&str], wanted: &str, all_seen: bool) -> Result<usize, String> {
    if let Some(at) = ids.iter().position(|id| *id == wanted) {
        return Ok(at);
    }
    let wanted = plain(wanted, EXCERPT);
    let begins: Vec<usize> = (0..ids.len()).filter(|at| ids[*at].starts_with(&wanted)).collect();
    let unseen = if all_seen { "" } else { " Not every message could be looked at, so there may be others." };
    match begins[..] {
        _ if wanted.trim().is_empty() => Err("an empty id names no message".to_owned()),
        [at] if all_seen => Ok(at),
        [] => Err(format!(
            "no message that waits has the id `{wanted}`; `policysync parked list` shows those that there are.{unseen}"
        )),
        _ => {
            let meant: Vec<&str> = begins.iter().map(|at| ids[*at]).collect();
            Err(format!(
                "`{wanted}` is the beginning of an id; give the whole one that is meant:\n  {}{unseen}",
                meant.join("\n  ")
            ))
        }
    }
}

/// Makes an id that no message had before, by a suffix that none had, since a queue drops a message whose id it has seen. It
/// begins with the part of `id` that can be typed, and does not grow when a message is sent again and again.
#[must_use]
pub fn fresh_id(id: &str, suffix: Ulid) -> String {
    let is_suffix = |suffix: &str| Ulid::from_string(suffix).is_ok();
    let plain = id.rsplit_once('~').filter(|(_, suffix)| is_suffix(suffix)).map_or(id, |(plain, _)| plain);
    let kept: String = plain.chars().filter(|c| typed(*c)).take(KEPT_OF_ID).collect();
    let kept = kept.trim_start_matches('-');
    format!("{}~{}", if kept.is_empty() { "resubmitted" } else { kept }, suffix)
}

/// The promises about descriptions and ids of messages.
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn waiting(place: Place, id: &str, number: i64) -> Waiting {
        let message_id = (!id.is_empty()).then(|| id.to_owned());
        Waiting { message_id, sequence_number: Some(number), ..Waiting::at(place, "{") }
    }

    fn names(mut messages: Vec<Waiting>) -> Vec<String> {
        name(&mut messages);
        messages.into_iter().map(|message| message.id).collect()
    }

    #[test]
    fn a_message_is_called_by_its_own_id_unless_another_has_the_same_or_it_cannot_be_typed() {
        let parked = |id: &str, number: i64| waiting(Place::Parked, id, number);
        let ids = names(vec![
            parked("a", 1),
            parked("b", 2),
            waiting(Place::DeadLetter, "b", 2),
            parked("", 4),
            parked("-rf", 5),
            parked("two words", 6),
            parked("\u{1b}[2J", 7),
            parked("größe", 8),
        ]);
        let expected =
            ["a", "parked/2", "dead-letter/2", "parked/4", "parked/5", "parked/6", "parked/7", "größe"];
        assert_eq!(ids, expected);
    }

    #[test]
    fn no_id_can_pass_for_the_place_of_another_message() {
        let ids = names(vec![
            waiting(Place::Parked, "dead-letter/2", 1),
            waiting(Place::DeadLetter, "", 2),
            waiting(Place::ParkedDeadLetter, "2", 2),
            Waiting { record: Some("parked-envelopes/01".to_owned()), ..waiting(Place::Kept, "", 0) },
            waiting(Place::Parked, "parked-envelopes/01", 3),
        ]);
        assert_eq!(ids, ["parked/1", "dead-letter/2", "2", "parked-envelopes/01", "parked/3"]);
    }

    #[test]
    fn a_foreign_message_is_shown_and_kept_as_it_is() {
        for text in ["not json", "{\"schema\":\"parked-message/v2\",\"body\":\"x\"}", ""] {
            let (message, body) = Waiting::parked(Place::Parked, text, Envelope::read(text));
            assert_eq!((body.as_str(), message.reason), (text, None));
            assert!(message.detail.unwrap().contains("not parked by Policysync"));
        }
    }

    #[test]
    fn a_unique_beginning_is_enough_when_all_were_seen_and_a_whole_id_always_wins() {
        let ids = ["r-1", "r-12", "x-1"];
        assert_eq!(find(&ids, "r-1", false), Ok(0));
        assert_eq!(find(&ids, "r-12", true), Ok(1));
        assert_eq!(find(&ids, "x", true), Ok(2));
        assert!(find(&ids, "x", false).unwrap_err().contains("x-1"));
        assert!(find(&ids, "r", true).unwrap_err().contains("r-12"));
        assert!(find(&ids, "y", true).unwrap_err().contains("parked list"));
        assert!(find(&ids, "y", false).unwrap_err().contains("there may be others"));
        for empty in ["", " "] {
            assert!(find(&ids[..1], empty, true).is_err(), "{empty:?}");
        }
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_shown() {
        let text = "\u{1b}[31mred\u{9b}2J\r\n\t\u{202e}gpj.exe\u{2066}\u{200f}\u{7f}\u{0}";
        assert_eq!(plain(text, 80), " [31mred 2J    gpj.exe    ");
        assert_eq!(plain("abc", 2), "ab…");
        assert_eq!(plain("ab", 2), "ab");
    }

    proptest! {
        #[test]
        fn a_fresh_id_fits_differs_and_does_not_grow(id in "(?s).{0,200}") {
            let first = fresh_id(&id, Ulid::from_parts(1, 2));
            let second = fresh_id(&first, Ulid::from_parts(1, 3));
            prop_assert!(first != second && first != id);
            prop_assert!(first.chars().count() <= 128);
            prop_assert_eq!(first.chars().count(), second.chars().count());
            prop_assert!(can_be_typed(&first));
        }

        #[test]
        fn every_message_can_be_named_and_is_found_by_its_name(
            given in proptest::collection::vec(("[a-c/1-3-]{0,3}|(?s).{0,9}|parked/[1-9]", 0_usize..3), 0..9),
        ) {
            let places = [Place::Parked, Place::DeadLetter, Place::ParkedDeadLetter];
            let numbered = given.iter().zip(1..);
            let ids = names(numbered.map(|((id, place), n)| waiting(places[*place], id, n)).collect());
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            for (at, id) in ids.iter().enumerate() {
                prop_assert!(can_be_typed(id));
                prop_assert_eq!(find(&ids, id, false), Ok(at));
            }
        }

        #[test]
        fn no_text_panics_or_is_deceptive(text in "(?s).*") {
            let (message, body) = Waiting::parked(Place::Kept, &text, Envelope::read(&text));
            prop_assert!(message.body.chars().count() <= EXCERPT + 1);
            prop_assert!(!message.body.chars().any(is_deceptive));
            prop_assert_eq!(body, text);
        }
    }
}
