//! Checks a request member by member, so that the answer names every wrong member and not only the first.

use serde_json::{Map, Value};

use super::{
    FieldError, MAX_NAMES, MAX_UNKNOWN_BYTES, MAX_UNKNOWN_MEMBERS, REQUEST_SCHEMA, Requester, SyncRequest,
    is_request_id, is_reserved_id,
};
use crate::ArmId;

/// Members of a request, however it comes.
const MEMBERS: [&str; 8] = [
    "namespaceId",
    "hubs",
    "policies",
    "allowWholeNamespace",
    "breakFreeze",
    "requestedBy",
    "reason",
    "traceparent",
];
/// The member of a submission that asks for the plan alone.
pub(super) const DRY_RUN: &str = "dryRun";
/// Members that a message has beside those of a submission.
const OF_MESSAGES: [&str; 2] = ["schema", "requestId"];
/// How many unknown members of a submission are named, and how much of each name, in characters.
const NAMED: usize = 20;
const LONGEST_NAMED: usize = 80;

/// How a request came.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way<'a> {
    /// From a caller, who gives the id beside it, or none. An unknown member is an error, since the caller meant
    /// something by it.
    Submission { request_id: &'a str },
    /// Over the queue, perhaps from a newer version: unknown members are kept.
    Queue,
}

impl SyncRequest {
    pub(super) fn check(object: &Map<String, Value>, way: Way<'_>) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields { object, errors: Vec::new() };
        let request_id = match way {
            Way::Submission { request_id } => Some(request_id.to_owned()),
            Way::Queue => fields.text("requestId"),
        };
        match &request_id {
            Some(id) if matches!(way, Way::Submission { .. }) && is_reserved_id(id) => fields.error(
                "requestId",
                "ids of this form are made by Policysync itself (automatic-…, look-…, a ULID with a colon)",
            ),
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
        let break_freeze = fields.flag("breakFreeze");
        let requested_by = fields.text("requestedBy");
        let reason = fields.text("reason");
        if break_freeze && reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
            fields.error("reason", "breakFreeze needs one: it says what the emergency is");
        }
        let traceparent = fields.text("traceparent");
        if matches!(way, Way::Submission { .. }) {
            // The caller of this reads it. A wrong one is an error here, since a request in its place cannot be undone.
            fields.flag(DRY_RUN);
        }
        let other = fields.others(way);
        match (namespace_id, request_id) {
            (Some(namespace_id), Some(request_id)) if fields.errors.is_empty() => Ok(Self {
                schema: REQUEST_SCHEMA.to_owned(),
                request_id,
                namespace_id,
                hubs,
                policies,
                allow_whole_namespace,
                break_freeze,
                requested_by,
                requester: Requester::Claimed,
                reason,
                traceparent,
                other,
            }),
            _ => Err(fields.errors),
        }
    }
}

/// Reads members one by one and collects every error.
struct Fields<'a> {
    object: &'a Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields<'_> {
    /// Takes the unknown members. In a submission they are errors; those of a message are kept within the bounds.
    fn others(&mut self, way: Way<'_>) -> Map<String, Value> {
        let is_other = |(name, _): &(&String, &Value)| {
            let is_of_its_way = match way {
                Way::Queue => OF_MESSAGES.contains(&name.as_str()),
                Way::Submission { .. } => *name == DRY_RUN,
            };
            !MEMBERS.contains(&name.as_str()) && !is_of_its_way
        };
        let others = || self.object.iter().filter(is_other);
        let count = others().count();
        if matches!(way, Way::Submission { .. }) {
            let names: Vec<String> =
                others().take(NAMED).map(|(name, _)| name.chars().take(LONGEST_NAMED).collect()).collect();
            for name in names {
                let problem = match name.as_str() {
                    "requestId" => {
                        "a submission has no such member: the header Idempotency-Key gives the id".to_owned()
                    }
                    "schema" => {
                        "a submission has no such member: only messages of the queue have it".to_owned()
                    }
                    _ => {
                        format!("there is no such member; the members are {}, {DRY_RUN}", MEMBERS.join(", "))
                    }
                };
                self.error(&name, &problem);
            }
            if count > NAMED {
                self.error(
                    "body",
                    &format!("it has {count} members that are not known; the first {NAMED} are named"),
                );
            }
            return Map::new();
        }
        let bytes: usize = others().map(|(name, value)| name.len() + value.to_string().len()).sum();
        if count > MAX_UNKNOWN_MEMBERS || bytes > MAX_UNKNOWN_BYTES {
            self.error(
                "body",
                &format!(
                    "it has {count} members that are not known, of {bytes} bytes; {MAX_UNKNOWN_MEMBERS} of \
                     {MAX_UNKNOWN_BYTES} bytes are kept at the most"
                ),
            );
            return Map::new();
        }
        others().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

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
