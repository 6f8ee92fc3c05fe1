//! Sync requests and their follow-ups: the messages on the queue, and what became of them.

mod outcome;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::outcome::{HubOutcome, Outcome, RequestRecord};
use crate::ArmId;
use crate::reason::Reason;

/// Schema of a submitted request.
pub const REQUEST_SCHEMA: &str = "sync-request/v1";
/// Schema of the scheduled follow-up that looks for the evidence of a sync.
pub const VERIFICATION_SCHEMA: &str = "sync-verification/v1";
/// Schema of a scheduled look at a namespace, after an event about one of its resources.
pub const LOOK_SCHEMA: &str = "namespace-look/v1";
/// How the ids of requests begin that the app makes itself.
pub const AUTOMATIC_PREFIX: &str = "automatic-";
/// Longest id of a request, in characters: Service Bus allows 128 for a MessageId (`messaging-and-state.md` §2).
pub const MAX_REQUEST_ID: usize = 128;
/// Longest submission, in bytes: with what is added it fits into a message of 256 KB (`messaging-and-state.md` §2).
pub const MAX_SUBMISSION: usize = 200 * 1024;
/// Most hubs or policies one request can name.
pub const MAX_NAMES: usize = 1000;

/// One submitted wish to sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncRequest {
    /// Always [`REQUEST_SCHEMA`].
    pub schema: String,
    /// Its id, also the message's id, so that a caller's retry is one request.
    pub request_id: String,
    /// The namespace.
    pub namespace_id: ArmId,
    /// The hubs it is for, by name; all without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hubs: Option<Vec<String>>,
    /// The policies it is for, by name; all without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<String>>,
    /// Whether syncing more than it names is meant.
    #[serde(default)]
    pub allow_whole_namespace: bool,
    /// Who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// W3C trace context of the submitter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Members that this version does not know; kept.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The scheduled follow-up of one sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncVerification {
    /// Always [`VERIFICATION_SCHEMA`].
    pub schema: String,
    /// The sync.
    pub sync_id: String,
    /// Its namespace.
    pub namespace_id: ArmId,
    /// Number of this look, from 1.
    pub attempt: u32,
    /// W3C trace context of the request that started the sync.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// A scheduled look at a namespace. Many events within a short time lead to one, since they give it the same id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceLook {
    /// Always [`LOOK_SCHEMA`].
    pub schema: String,
    /// The namespace.
    pub namespace_id: ArmId,
    /// What led to it, as a sentence.
    pub because: String,
    /// How often it was tried and failed.
    #[serde(default)]
    pub attempt: u32,
    /// W3C trace context of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// A message on the queue that could be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(SyncRequest),
    /// A follow-up.
    Verification(SyncVerification),
    /// A look after an event.
    Look(NamespaceLook),
}

/// Why a message could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Unreadable {
    /// The code.
    pub reason: Reason,
    /// What is wrong, with the field named.
    pub detail: String,
}

/// A field of a submission that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct FieldError {
    /// The member, e.g. `hubs[2]`.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Message {
    /// Understands the text of a message.
    ///
    /// # Errors
    /// Says whether it is no JSON object, has an unknown schema, or a wrong field.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let unreadable = |reason, detail: String| Err(Unreadable { reason, detail });
        let object = match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(object)) => object,
            Ok(_) => {
                return unreadable(Reason::MessageNotJson, "the body is JSON, but not an object".to_owned());
            }
            Err(error) => return unreadable(Reason::MessageNotJson, error.to_string()),
        };
        match object.get("schema").and_then(Value::as_str) {
            Some(REQUEST_SCHEMA) => match SyncRequest::check(&object, None) {
                Ok(request) => Ok(Self::Request(request)),
                Err(errors) => unreadable(Reason::MessageInvalid, join(&errors)),
            },
            Some(VERIFICATION_SCHEMA) => match serde_json::from_value(Value::Object(object)) {
                Ok(verification) => Ok(Self::Verification(verification)),
                Err(error) => unreadable(Reason::MessageInvalid, error.to_string()),
            },
            Some(LOOK_SCHEMA) => match serde_json::from_value(Value::Object(object)) {
                Ok(look) => Ok(Self::Look(look)),
                Err(error) => unreadable(Reason::MessageInvalid, error.to_string()),
            },
            Some(other) => {
                let shown: String = other.chars().take(80).collect();
                let detail = format!(
                    "schema is `{shown}`; known are {REQUEST_SCHEMA}, {VERIFICATION_SCHEMA}, {LOOK_SCHEMA}"
                );
                unreadable(Reason::MessageUnknownSchema, detail)
            }
            None => unreadable(Reason::MessageUnknownSchema, "there is no member `schema`".to_owned()),
        }
    }
}

impl SyncRequest {
    /// Checks a body that was submitted over HTTP or by a command: the message without `schema` and `requestId`.
    ///
    /// # Errors
    /// Every field that is missing or wrong.
    pub fn from_submission(text: &str, request_id: &str) -> Result<Self, Vec<FieldError>> {
        let body = |problem: String| vec![FieldError { field: "body".to_owned(), problem }];
        if text.len() > MAX_SUBMISSION {
            return Err(body(format!(
                "it has {} bytes; a request has {MAX_SUBMISSION} at the most",
                text.len()
            )));
        }
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(object)) => Self::check(&object, Some(request_id)),
            Ok(_) => Err(body("it must be a JSON object".to_owned())),
            Err(error) => Err(body(format!("it is not JSON: {error}"))),
        }
    }

    /// Whether another request asks for the same, of the same namespace. Who asks, and in which trace, does not matter.
    #[must_use]
    pub fn is_same_wish(&self, other: &Self) -> bool {
        let wish = |request: &Self| Self { traceparent: None, requested_by: None, ..request.clone() };
        wish(self) == wish(other)
    }

    fn check(object: &Map<String, Value>, given_id: Option<&str>) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields { object, errors: Vec::new() };
        let request_id = match given_id {
            Some(id) => Some(id.to_owned()),
            None => fields.text("requestId"),
        };
        match &request_id {
            Some(id) if is_request_id(id) => {}
            Some(_) => fields.error("requestId", "it must be 1 to 128 letters, digits, `-`, `_`, `.` or `:`"),
            None => fields.error("requestId", "it is missing"),
        }
        let namespace_id = fields.text("namespaceId");
        let namespace_id = match namespace_id.as_deref().map(ArmId::parse) {
            Some(Ok(id)) if id.is_of_type("Microsoft.DeviceRegistry/namespaces") => Some(id),
            Some(Ok(_)) => {
                fields.error("namespaceId", "it is not the id of a Microsoft.DeviceRegistry namespace");
                None
            }
            Some(Err(error)) => {
                fields.error("namespaceId", &error.to_string());
                None
            }
            None => {
                fields.error("namespaceId", "it is missing");
                None
            }
        };
        let hubs = fields.names("hubs");
        let policies = fields.names("policies");
        let allow_whole_namespace = fields.flag("allowWholeNamespace");
        let requested_by = fields.text("requestedBy");
        let reason = fields.text("reason");
        let traceparent = fields.text("traceparent");
        const KNOWN: [&str; 9] = [
            "schema",
            "requestId",
            "namespaceId",
            "hubs",
            "policies",
            "allowWholeNamespace",
            "requestedBy",
            "reason",
            "traceparent",
        ];
        let other = object.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str()));
        let other = other.map(|(name, value)| (name.clone(), value.clone())).collect();
        match (namespace_id, request_id) {
            (Some(namespace_id), Some(request_id)) if fields.errors.is_empty() => Ok(Self {
                schema: REQUEST_SCHEMA.to_owned(),
                request_id,
                namespace_id,
                hubs,
                policies,
                allow_whole_namespace,
                requested_by,
                reason,
                traceparent,
                other,
            }),
            _ => Err(fields.errors),
        }
    }
}

/// Whether a text can be the id of a request.
#[must_use]
pub fn is_request_id(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    !text.is_empty() && text.len() <= MAX_REQUEST_ID && text.chars().all(fits)
}

fn join(errors: &[FieldError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Reads members one by one, so that every wrong one is named and not only the first.
struct Fields<'a> {
    object: &'a Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields<'_> {
    fn error(&mut self, field: &str, problem: &str) {
        self.errors.push(FieldError { field: field.to_owned(), problem: problem.to_owned() });
    }

    fn text(&mut self, field: &str) -> Option<String> {
        match self.object.get(field)? {
            Value::Null => None,
            Value::String(text) if text.len() <= 2048 => Some(text.clone()),
            Value::String(_) => {
                self.error(field, "it is longer than 2,048 bytes");
                None
            }
            _ => {
                self.error(field, "it must be a string");
                None
            }
        }
    }

    fn flag(&mut self, field: &str) -> bool {
        match self.object.get(field) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.error(field, "it must be true or false");
                false
            }
        }
    }

    fn names(&mut self, field: &str) -> Option<Vec<String>> {
        let values = match self.object.get(field)? {
            Value::Null => return None,
            Value::Array(values) => values,
            _ => {
                self.error(field, "it must be an array of names");
                return None;
            }
        };
        if values.is_empty() {
            self.error(field, "it is empty; leave it out to mean all");
        }
        if values.len() > MAX_NAMES {
            self.error(field, "it has more than 1,000 names");
            return None;
        }
        let mut names = Vec::new();
        for (index, value) in values.iter().enumerate() {
            match value.as_str() {
                Some(name) if !name.is_empty() && name.len() <= 2048 => names.push(name.to_owned()),
                _ => self.error(&format!("{field}[{index}]"), "it must be a name"),
            }
        }
        Some(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::OffsetDateTime;

    const ID: &str =
        "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

    #[test]
    fn a_request_keeps_what_it_does_not_know() {
        let text = format!(
            r#"{{"schema":"sync-request/v1","requestId":"r-1","namespaceId":"{ID}","hubs":["a"],"ticket":42}}"#
        );
        let Message::Request(request) = Message::parse(&text).unwrap() else { panic!("no request") };
        assert_eq!(request.other["ticket"], 42);
        let again = serde_json::to_string(&request).unwrap();
        assert_eq!(Message::parse(&again).unwrap(), Message::Request(request));
    }

    #[test]
    fn every_wrong_field_is_named() {
        let text = r#"{"namespaceId":"contoso","hubs":[],"policies":[1,"p"],"allowWholeNamespace":"yes"}"#;
        let errors = SyncRequest::from_submission(text, "r 1").unwrap_err();
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["requestId", "namespaceId", "hubs", "policies[0]", "allowWholeNamespace"]);
    }

    #[test]
    fn what_cannot_be_understood_says_why() {
        for (text, reason) in [
            ("", Reason::MessageNotJson),
            ("[]", Reason::MessageNotJson),
            ("{}", Reason::MessageUnknownSchema),
            (r#"{"schema":"sync-request/v2"}"#, Reason::MessageUnknownSchema),
            (r#"{"schema":"sync-request/v1"}"#, Reason::MessageInvalid),
            (r#"{"schema":"sync-verification/v1"}"#, Reason::MessageInvalid),
        ] {
            assert_eq!(Message::parse(text).unwrap_err().reason, reason, "{text}");
        }
    }

    #[test]
    fn the_outcome_of_a_request_is_the_worst_of_its_hubs() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let request = SyncRequest::from_submission(&format!(r#"{{"namespaceId":"{ID}"}}"#), "r-1").unwrap();
        let mut record = RequestRecord::queued(request, now);
        let hub = |outcome, reason| HubOutcome {
            hub: "h".into(),
            policy: "p".into(),
            outcome,
            reason,
            detail: None,
            evidence: None,
        };
        record.conclude_hubs(
            vec![
                hub(Outcome::Trusted, None),
                hub(Outcome::Unverified, Some(Reason::EvidenceMissing)),
                hub(Outcome::AlreadyTrusted, None),
            ],
            None,
            now,
        );
        assert_eq!((record.outcome, record.reason), (Outcome::Unverified, Some(Reason::EvidenceMissing)));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = Message::parse(&text);
            let _ = SyncRequest::from_submission(&text, &text);
        }
    }
}
