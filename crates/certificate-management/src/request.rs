//! Sync requests and their follow-ups: the messages on the queue, and the records of the requests.

mod check;
mod id;
mod outcome;
mod requester;
mod submission;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::check::Way;
pub use self::id::{AUTOMATIC_PREFIX, LOOK_PREFIX, MAX_REQUEST_ID, is_request_id, is_reserved_id};
pub use self::outcome::{HubOutcome, Outcome, RequestRecord};
pub use self::requester::Requester;
pub use self::submission::Submission;
use crate::ArmId;
use crate::reason::Reason;

/// Schema of a submitted request.
pub const REQUEST_SCHEMA: &str = "sync-request/v1";
/// Schema of the scheduled follow-up that looks for the evidence of a sync.
pub const VERIFICATION_SCHEMA: &str = "sync-verification/v1";
/// Schema of a scheduled look at a namespace, after an event about one of its resources.
pub const LOOK_SCHEMA: &str = "namespace-look/v1";
/// Longest submission, in bytes: with the members that the app adds it fits into a message of 256 KB
/// (`messaging-and-state.md` §2).
pub const MAX_SUBMISSION: usize = 200 * 1024;
/// Most hubs or policies one request can name.
pub const MAX_NAMES: usize = 1000;
/// Most members of a message that this version does not know; they are kept, so they are bounded.
pub const MAX_UNKNOWN_MEMBERS: usize = 16;
/// Largest size of those members together, in bytes of JSON.
pub const MAX_UNKNOWN_BYTES: usize = 8 * 1024;

/// One submitted wish to sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SyncRequest {
    /// Always [`REQUEST_SCHEMA`].
    pub schema: String,
    /// Its id, also the message's id, so that a caller's retry is one request.
    pub request_id: String,
    /// ARM id of the namespace.
    pub namespace_id: ArmId,
    /// The names of the hubs it is for. `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hubs: Option<Vec<String>>,
    /// The names of the policies it is for. `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<String>>,
    /// Whether the caller accepts that more is synced than the request names.
    #[serde(default)]
    pub allow_whole_namespace: bool,
    /// Whether it is done although the namespace is frozen: an emergency, of which `reason` says more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub break_freeze: bool,
    /// Who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// How the app knows who asked. Only the record keeps it: a message could say anything.
    #[serde(skip)]
    pub requester: Requester,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// W3C trace context of the submitter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Members that this version does not know; kept, within [`MAX_UNKNOWN_MEMBERS`] and [`MAX_UNKNOWN_BYTES`]. Only
    /// messages of the queue have any.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The scheduled follow-up of one sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncVerification {
    /// Always [`VERIFICATION_SCHEMA`].
    pub schema: String,
    /// Id of the sync.
    pub sync_id: String,
    /// ARM id of its namespace.
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
    /// ARM id of the namespace.
    pub namespace_id: ArmId,
    /// The event that led to it, as a sentence.
    pub because: String,
    /// How often the app has tried it and failed.
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

/// Why a message could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Unreadable {
    /// The reason code.
    pub reason: Reason,
    /// What is wrong, with the field named.
    pub detail: String,
}

/// A field of a submission that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[error("{field}: {problem}")]
pub struct FieldError {
    /// The member, e.g. `hubs[2]`.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Message {
    /// Parses the text of a message.
    ///
    /// # Errors
    /// Says whether it is no JSON object, has an unknown schema, or a wrong field.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        if let Some(follow_up) = SyncVerification::straight(text) {
            return Ok(Self::Verification(follow_up));
        }
        match unquoted(text) {
            Some(message) => Self::by_tree(&message),
            None => Self::by_tree(text),
        }
    }

    /// Parses a text that may have any mistake, and finds it.
    fn by_tree(text: &str) -> Result<Self, Unreadable> {
        let unreadable = |reason, detail: String| Err(Unreadable { reason, detail });
        let object = match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(object)) => object,
            Ok(_) => {
                return unreadable(Reason::MessageNotJson, "the body is JSON, but not an object".to_owned());
            }
            Err(error) => return unreadable(Reason::MessageNotJson, error.to_string()),
        };
        match object.get("schema").and_then(Value::as_str) {
            Some(REQUEST_SCHEMA) => match SyncRequest::check(&object, Way::Queue) {
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

/// The message within a JSON text: an app whose output binding takes an object, and that gives it a text, sends the text with
/// quotes around it. `None` where the text is no such text, or does not hold an object.
fn unquoted(text: &str) -> Option<String> {
    if !text.trim_start().starts_with('"') {
        return None;
    }
    serde_json::from_str::<String>(text).ok().filter(|message| message.trim_start().starts_with('{'))
}

impl SyncVerification {
    /// Reads a text straight into its type, without a tree: a busy queue holds mostly follow-ups. `None` when the text is no
    /// follow-up, or not a clean one; what is wrong then is another question.
    fn straight(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|read: &Self| read.schema == VERIFICATION_SCHEMA)
    }
}

impl SyncRequest {
    /// Checks a body that a command submits: the message without `schema` and `requestId`.
    ///
    /// # Errors
    /// Every field that is missing, wrong or unknown, and an id that is not for callers.
    pub fn from_submission(text: &str, request_id: &str) -> Result<Self, Vec<FieldError>> {
        Submission::read(text, request_id).map(|submission| submission.request)
    }

    /// Whether another request asks for the same of the same namespace. The requester, how it is known, and the trace
    /// do not matter.
    #[must_use]
    pub fn is_same_wish(&self, other: &Self) -> bool {
        let wish = |request: &Self| Self {
            traceparent: None,
            requested_by: None,
            requester: Requester::default(),
            ..request.clone()
        };
        wish(self) == wish(other)
    }
}

fn join(errors: &[FieldError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
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
    fn a_message_that_was_quoted_once_more_is_understood() {
        let request = format!(r#"{{"schema":"sync-request/v1","requestId":"r-1","namespaceId":"{ID}"}}"#);
        let follow_up =
            format!(r#"{{"schema":"sync-verification/v1","syncId":"s","namespaceId":"{ID}","attempt":1}}"#);
        for message in [request, follow_up] {
            let quoted = serde_json::to_string(&message).unwrap();
            assert_eq!(Message::parse(&quoted), Message::parse(&message));
            assert_eq!(Message::parse(&format!(" \n{quoted} ")), Message::parse(&message));
            assert!(Message::parse(&message).is_ok());
            // Twice is no way that a binding writes.
            assert!(Message::parse(&serde_json::to_string(&quoted).unwrap()).is_err());
        }
        // What is wrong is said of the message, and not of its quotes.
        let wrong = Message::parse(r#""{\"schema\":\"sync-request/v9\"}""#).unwrap_err();
        assert_eq!(wrong.reason, Reason::MessageUnknownSchema);
        for text in [r#""not json""#, r#""[]""#, "\"", r#""{""#] {
            assert_eq!(Message::parse(text).unwrap_err().reason, Reason::MessageNotJson, "{text}");
        }
    }

    #[test]
    fn who_asks_and_the_trace_make_no_other_wish_and_everything_else_does() {
        let request = |more: &str| {
            let text =
                format!(r#"{{"schema":"sync-request/v1","requestId":"r-1","namespaceId":"{ID}"{more}}}"#);
            let Message::Request(request) = Message::parse(&text).unwrap() else { panic!("no request") };
            request
        };
        let wish = request("");
        let trace = r#","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01""#;
        for same in ["", trace, r#","requestedBy":"ana@contoso.com""#] {
            assert!(wish.is_same_wish(&request(same)), "{same}");
        }
        assert!(wish.is_same_wish(&SyncRequest { requester: Requester::SignedIn, ..wish.clone() }));
        for other in [
            r#","hubs":["a"]"#,
            r#","policies":["short"]"#,
            r#","allowWholeNamespace":true"#,
            r#","reason":"the CA was rotated""#,
            r#","ticket":42"#,
        ] {
            assert!(!wish.is_same_wish(&request(other)), "{other}");
        }
        assert!(!wish.is_same_wish(&SyncRequest { request_id: "r-2".to_owned(), ..wish.clone() }));
    }

    #[test]
    fn a_submission_has_no_other_members() {
        for (member, value) in [
            ("ticket", "42"),
            ("allowWholenamespace", "true"),
            ("requestId", "\"r-9\""),
            ("schema", "\"sync-request/v1\""),
            ("hub", "[\"a\"]"),
        ] {
            let text = format!(r#"{{"namespaceId":"{ID}","{member}":{value}}}"#);
            let errors = SyncRequest::from_submission(&text, "r-1").unwrap_err();
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert_eq!(errors[0].field, member);
        }
        let many: Vec<String> = (0..1000).map(|n| format!("\"{n}{}\":1", "x".repeat(150))).collect();
        let text = format!(r#"{{"namespaceId":"{ID}",{}}}"#, many.join(","));
        let errors = SyncRequest::from_submission(&text, "r-1").unwrap_err();
        assert!(json_length(&errors) < 8 * 1024, "{} bytes", json_length(&errors));
        assert!(errors.iter().any(|error| error.problem.contains("1000")), "it says how many there are");
    }

    fn json_length(errors: &[FieldError]) -> usize {
        serde_json::to_string(errors).unwrap().len()
    }

    #[test]
    fn what_a_message_has_beside_is_bounded() {
        let message = |more: &str| {
            Message::parse(&format!(
                r#"{{"schema":"sync-request/v1","requestId":"r-1","namespaceId":"{ID}"{more}}}"#
            ))
        };
        let members = |count: usize| (0..count).map(|n| format!(",\"m{n}\":1")).collect::<String>();
        assert!(message(&members(MAX_UNKNOWN_MEMBERS)).is_ok());
        let large = format!(",\"m\":\"{}\"", "x".repeat(MAX_UNKNOWN_BYTES));
        for more in [members(MAX_UNKNOWN_MEMBERS + 1), large] {
            let unreadable = message(&more).unwrap_err();
            assert_eq!(unreadable.reason, Reason::MessageInvalid);
            assert!(unreadable.detail.contains("members that are not known"), "{unreadable}");
        }
    }

    #[test]
    fn an_id_of_ours_is_not_for_callers() {
        let text = format!(r#"{{"namespaceId":"{ID}"}}"#);
        for id in ["automatic-0a1b", "AUTOMATIC-0a1b", "look-0a1b-177", "01M85A71M08CPV9XGR0PSFA70F:3"] {
            let errors = SyncRequest::from_submission(&text, id).unwrap_err();
            assert_eq!(errors[0].field, "requestId", "{id}");
        }
        for id in ["automatically", "release-42", "01M85A71M08CPV9XGR0PSFA70F", "pipeline:3", "looks"] {
            assert!(SyncRequest::from_submission(&text, id).is_ok(), "{id}");
        }
        // The app's own requests come over the queue too, so an id of that form is read there; the records say whether
        // a request is the app's own.
        let message =
            format!(r#"{{"schema":"sync-request/v1","requestId":"automatic-0a1b","namespaceId":"{ID}"}}"#);
        assert!(Message::parse(&message).is_ok());
    }

    #[test]
    fn a_message_cannot_say_that_its_sender_is_known() {
        let text = format!(
            r#"{{"schema":"sync-request/v1","requestId":"r-1","namespaceId":"{ID}","requestedBy":"root","requester":"signed-in"}}"#
        );
        let Message::Request(request) = Message::parse(&text).unwrap() else { panic!("no request") };
        assert_eq!(request.requester, Requester::Claimed);
        let record = RequestRecord::queued(request, OffsetDateTime::UNIX_EPOCH);
        assert_eq!(serde_json::to_value(&record).unwrap()["requester"], "claimed");
        let known = SyncRequest { requester: Requester::SignedIn, ..record.request.clone() };
        let record = RequestRecord::queued(known, OffsetDateTime::UNIX_EPOCH);
        let stored: RequestRecord = serde_json::from_value(serde_json::to_value(&record).unwrap()).unwrap();
        assert_eq!(stored.requester, Requester::SignedIn);
        // A record from before this member existed.
        let mut old = serde_json::to_value(&record).unwrap();
        old.as_object_mut().unwrap().remove("requester");
        assert_eq!(serde_json::from_value::<RequestRecord>(old).unwrap().requester, Requester::Claimed);
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
    fn a_follow_up_with_something_wrong_in_it_is_told_apart() {
        let parse = |members: &str| {
            let text = format!(r#"{{"schema":"sync-verification/v1","namespaceId":"{ID}",{members}}}"#);
            Message::parse(&text).map_err(|unreadable| unreadable.to_string())
        };
        let Ok(Message::Verification(twice)) = parse(r#""syncId":"s","attempt":1,"more":[{}],"attempt":2"#)
        else {
            panic!("of two members of one name the last counts, and one that is not known does not matter")
        };
        assert_eq!((twice.sync_id.as_str(), twice.attempt), ("s", 2));
        for (members, problem) in [
            (r#""attempt":1"#, "message-invalid: missing field `syncId`"),
            (r#""syncId":5,"attempt":1"#, "message-invalid: invalid type: integer `5`, expected a string"),
            (r#""syncId":"s","attempt":-1"#, "message-invalid: invalid value: integer `-1`, expected u32"),
            (
                r#""syncId":"s","attempt":1,"attempt":"x""#,
                "message-invalid: invalid type: string \"x\", expected u32",
            ),
            (r#""syncId":"s","attempt":1,"schema":"sync-verification/v2""#, "message-unknown-schema: "),
        ] {
            let said = parse(members).unwrap_err();
            assert!(said.starts_with(problem), "{members}: {said}");
        }
    }

    fn spelt(member: &'static str) -> impl Strategy<Value = String> {
        const VALUES: [&str; 9] = [
            "\"sync-verification/v1\"",
            "\"namespace-look/v1\"",
            "\"/subscriptions/S/resourceGroups/R/providers/P/t/\\u006e\"",
            "\"contoso\"",
            "7",
            "-7",
            "1.5",
            "null",
            "[\"a\",{}]",
        ];
        proptest::sample::select(&VALUES[..]).prop_map(move |value| format!("\"{member}\":{value}"))
    }

    proptest! {
        #[test]
        fn what_is_read_straight_is_what_the_tree_says(
            members in proptest::collection::vec(
                prop_oneof![
                    spelt("schema"), spelt("syncId"), spelt("namespaceId"), spelt("attempt"), spelt("traceparent"),
                    spelt("namespaceid"), spelt("other"),
                    Just("\"schema\":\"sync-verification/v1\"".to_owned()),
                    Just(format!("\"namespaceId\":\"{ID}\"")),
                    Just("\"syncId\":\"s\"".to_owned()),
                    Just("\"attempt\":3".to_owned()),
                ],
                0..8,
            ),
        ) {
            let text = format!("{{{}}}", members.join(","));
            if let Some(straight) = SyncVerification::straight(&text) {
                prop_assert_eq!(Message::by_tree(&text), Ok(Message::Verification(straight)));
            }
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
