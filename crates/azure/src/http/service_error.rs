//! Reads the error bodies of ARM, DPS, Entra and Service Bus.

use std::time::Duration;

use serde_json::Value;

use super::Answer;
use crate::error::{Error, ErrorKind, Sent};
use crate::members::{member, text};

/// What an error body says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    code: Option<String>,
    message: String,
    tracking_id: Option<String>,
}

/// The error that an unsuccessful answer stands for.
pub(super) fn of(answer: &Answer) -> Error {
    let status = answer.status.as_u16();
    let said = read(&answer.body);
    let tracking_id = said.tracking_id.or_else(|| answer.header("x-ms-request-id").map(str::to_owned));
    let code = said.code.or_else(|| answer.header("x-ms-error-code").map(str::to_owned));
    let message = match status {
        300..400 => "it answered with a redirect, which is not followed".to_owned(),
        _ => said.message,
    };
    Error::new(kind(status, answer.retry_after), Sent::Yes, answer.attempted(), message)
        .with_status(status)
        .with_code(code)
        .with_tracking_id(tracking_id)
}

fn kind(status: u16, retry_after: Option<Duration>) -> ErrorKind {
    match status {
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        409 => ErrorKind::Conflict,
        412 => ErrorKind::PreconditionFailed,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::Throttled { retry_after },
        503 if retry_after.is_some() => ErrorKind::Throttled { retry_after },
        500.. => ErrorKind::Unavailable,
        400.. => ErrorKind::Invalid,
        _ => ErrorKind::Unreadable,
    }
}

/// ARM: `error.code` and `error.message` (`azure-wire-facts.md` §1.6), sometimes without the envelope and in Pascal
/// case. DPS: `errorCode`, `message`, `trackingId` (`azure-wire-facts.md` §3). Entra: `error` as text and
/// `error_description`. Service Bus: XML.
fn read(body: &[u8]) -> Said {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return read_text(&String::from_utf8_lossy(body));
    };
    let error = member(&value, "error").filter(|error| error.is_object()).unwrap_or(&value);
    let code =
        match member(error, "code").or_else(|| member(error, "errorCode")).or_else(|| member(error, "error"))
        {
            Some(Value::String(code)) if !code.is_empty() => Some(code.clone()),
            Some(Value::Number(code)) => Some(code.to_string()),
            _ => None,
        };
    let mut message = text(error, &["message"])
        .or_else(|| text(error, &["error_description"]))
        .unwrap_or_default()
        .to_owned();
    if let Some(Value::Array(details)) = member(error, "details") {
        for detail in details.iter().filter_map(|detail| text(detail, &["message"])).take(3) {
            message = format!("{message} {detail}");
        }
    }
    Said { code, message, tracking_id: text(error, &["trackingId"]).map(str::to_owned) }
}

/// Service Bus says `<Error><Code>401</Code><Detail>...</Detail></Error>`. A page for a browser gives no message.
fn read_text(body: &str) -> Said {
    let between = |tag: &str| {
        let start = body.find(&format!("<{tag}>"))? + tag.len() + 2;
        let end = body[start..].find(&format!("</{tag}>"))? + start;
        Some(body[start..end].to_owned())
    };
    match between("Detail") {
        Some(message) => Said { code: between("Code"), message, tracking_id: None },
        None if body.trim_start().starts_with('<') => Said::default(),
        None => Said { message: body.to_owned(), ..Said::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: &str, message: &str, tracking_id: Option<&str>) -> Said {
        let owned = str::to_owned;
        Said { code: Some(owned(code)), message: owned(message), tracking_id: tracking_id.map(owned) }
    }

    #[test]
    fn each_services_error_body_is_read() {
        for (body, expected) in [
            (
                r#"{"error":{"code":"AuthorizationFailed","message":"No.","details":[{"code":"x","message":"Ask."}]}}"#,
                said("AuthorizationFailed", "No. Ask.", None),
            ),
            (r#"{"Code":"ResourceNotFound","Message":"Gone."}"#, said("ResourceNotFound", "Gone.", None)),
            (
                r#"{"errorCode":404201,"trackingId":"t-1","message":"Enrollment not found.","info":{}}"#,
                said("404201", "Enrollment not found.", Some("t-1")),
            ),
            (
                r#"{"error":"invalid_client","error_description":"Unknown application."}"#,
                said("invalid_client", "Unknown application.", None),
            ),
            (
                "<Error><Code>401</Code><Detail>claim is empty</Detail></Error>",
                said("401", "claim is empty", None),
            ),
        ] {
            assert_eq!(read(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn other_bodies_give_their_text_and_pages_give_nothing() {
        assert_eq!(read(b"try later").message, "try later");
        for body in ["", "<html><body>Bad gateway</body></html>", "[]", "null", "\"x\"", r#"{"error":null}"#]
        {
            assert_eq!(read(body.as_bytes()), Said::default(), "{body}");
        }
    }

    #[test]
    fn statuses_become_kinds() {
        let soon = Some(Duration::from_secs(1));
        for (status, retry_after, expected) in [
            (302, None, ErrorKind::Unreadable),
            (400, None, ErrorKind::Invalid),
            (401, None, ErrorKind::Unauthorized),
            (403, None, ErrorKind::Forbidden),
            (404, None, ErrorKind::NotFound),
            (408, None, ErrorKind::Timeout),
            (409, None, ErrorKind::Conflict),
            (410, None, ErrorKind::NotFound),
            (412, None, ErrorKind::PreconditionFailed),
            (429, None, ErrorKind::Throttled { retry_after: None }),
            (500, None, ErrorKind::Unavailable),
            (503, None, ErrorKind::Unavailable),
            (503, soon, ErrorKind::Throttled { retry_after: soon }),
        ] {
            assert_eq!(kind(status, retry_after), expected, "{status}");
        }
    }
}
