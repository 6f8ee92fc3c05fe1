//! Messages that wait for a person: what is parked since when, how many dead letters there are, and what to do.

use certificate_management::report::{ParkedMessage, Report};

use super::words::{self, Moment};

/// The messages that wait.
pub struct Parked {
    /// How many are parked, with their noun.
    pub count: String,
    pub messages: Vec<Message>,
    /// How many more there are.
    pub left_out: Option<String>,
    /// What is known of dead letters, as a sentence.
    pub dead_letters: Option<String>,
    /// Whether it is not known whether there are dead letters.
    pub are_dead_letters_unknown: bool,
}

/// A parked message.
pub struct Message {
    pub id: Option<String>,
    pub reason: Option<String>,
    pub detail: Option<String>,
    pub since: Moment,
}

impl Parked {
    /// Nothing where certainly none waits, or it was not looked whether one does.
    pub fn of(report: &Report) -> Option<Self> {
        let waiting = report.waiting.as_ref().filter(|waiting| !waiting.is_certainly_nothing())?;
        let left_out = waiting.parked.saturating_sub(waiting.listed.len());
        let dead_letters = waiting.dead_letters.filter(|letters| letters.count > 0).map(|letters| {
            let at_least = if letters.is_cut { "At least " } else { "" };
            let have = if letters.count == 1 { "was" } else { "were" };
            format!(
                "{at_least}{} {have} delivered in vain too often, or waited for a week.",
                words::count(letters.count, "message")
            )
        });
        Some(Self {
            count: words::count(waiting.parked, "message"),
            messages: waiting.listed.iter().map(Message::of).collect(),
            left_out: match (left_out, waiting.is_cut) {
                (0, false) => None,
                (0, true) => Some("perhaps others".to_owned()),
                (some, false) => Some(format!("{} more", words::thousands(some as u64))),
                (some, true) => Some(format!("{} or more others", words::thousands(some as u64))),
            },
            dead_letters,
            are_dead_letters_unknown: waiting.dead_letters.is_none(),
        })
    }
}

impl Message {
    fn of(message: &ParkedMessage) -> Self {
        Self {
            id: message.id.as_deref().map(words::name),
            reason: message.reason.as_deref().map(words::name),
            detail: message.detail.as_deref().map(words::text),
            since: words::moment(message.since),
        }
    }
}
