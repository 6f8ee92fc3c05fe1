//! A body that was submitted over HTTP: a request, and whether it is a dry run.

use serde_json::Value;

use super::check::{DRY_RUN, Way};
use super::{FieldError, MAX_SUBMISSION, SyncRequest};

/// A request as a caller submits it: the message without `schema` and `requestId`, and `dryRun`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The request.
    pub request: SyncRequest,
    /// Whether the caller wants the plan, and nothing done.
    pub is_dry_run: bool,
}

impl Submission {
    /// Checks the text of a body. `request_id` is the id that the request gets.
    ///
    /// # Errors
    /// Every field that is missing, wrong or unknown, and an id that is not for callers.
    pub fn read(text: &str, request_id: &str) -> Result<Self, Vec<FieldError>> {
        let body = |problem: String| vec![FieldError { field: "body".to_owned(), problem }];
        if text.len() > MAX_SUBMISSION {
            return Err(body(format!(
                "it has {} bytes; a request has {MAX_SUBMISSION} at the most",
                text.len()
            )));
        }
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(object)) => {
                let request = SyncRequest::check(&object, Way::Submission { request_id })?;
                let is_dry_run = object.get(DRY_RUN).and_then(Value::as_bool).unwrap_or_default();
                Ok(Self { request, is_dry_run })
            }
            Ok(_) => Err(body("it must be a JSON object".to_owned())),
            Err(error) => Err(body(format!("it is not JSON: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str =
        "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

    #[test]
    fn a_dry_run_is_told_from_a_request_and_nothing_else_is_taken_for_one() {
        let read = |more: &str| Submission::read(&format!(r#"{{"namespaceId":"{ID}"{more}}}"#), "r");
        for more in ["", r#","dryRun":false"#, r#","dryRun":null"#] {
            assert!(!read(more).unwrap().is_dry_run, "{more}");
        }
        assert!(read(r#","dryRun":true"#).unwrap().is_dry_run);
        for (more, field) in [
            (r#","dryRun":"yes""#, "dryRun"),
            (r#","dryRun":1"#, "dryRun"),
            (r#","dryrun":true"#, "dryrun"),
            (r#","DryRun":true"#, "DryRun"),
        ] {
            assert_eq!(read(more).unwrap_err()[0].field, field);
        }
    }

    #[test]
    fn a_message_of_the_queue_is_no_dry_run() {
        let text =
            format!(r#"{{"schema":"sync-request/v1","requestId":"r","namespaceId":"{ID}","dryRun":true}}"#);
        let Ok(super::super::Message::Request(request)) = super::super::Message::parse(&text) else {
            panic!("no request")
        };
        assert_eq!(request.other["dryRun"], true, "it is kept as a member that is not known");
    }
}
