//! Ids of requests, and which of them callers may not use.
//!
//! A request's id is the id of its message too, and a queue drops a message whose id it has seen. So an id that the app
//! makes by itself would, in the hands of a caller, make the queue or the records drop what the app sends later.

use ulid::Ulid;

/// Longest id of a request, in characters: Service Bus allows 128 for a MessageId (`messaging-and-state.md` §2).
pub const MAX_REQUEST_ID: usize = 128;
/// Prefix of the ids of requests that the app makes itself. The rest names the need, so that the same need is one
/// request.
pub const AUTOMATIC_PREFIX: &str = "automatic-";
/// Prefix of the ids of messages that ask for a look at a namespace.
pub const LOOK_PREFIX: &str = "look-";

/// Whether a text can be the id of a request.
#[must_use]
pub fn is_request_id(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    !text.is_empty() && text.len() <= MAX_REQUEST_ID && text.chars().all(fits)
}

/// Whether only the app itself makes ids of this form: for automatic requests, for looks, and for follow-ups, which
/// have a sync's id, a colon and a number. Letters compare in any case.
#[must_use]
pub fn is_reserved_id(id: &str) -> bool {
    let begins =
        |prefix: &str| id.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let is_follow_up = id.split_once(':').is_some_and(|(sync, _)| Ulid::from_string(sync).is_ok());
    begins(AUTOMATIC_PREFIX) || begins(LOOK_PREFIX) || is_follow_up
}
