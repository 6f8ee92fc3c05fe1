//! The response of an HTTP function, as the `http` output binding wants it.

use http::{HeaderName, StatusCode};
use serde_json::{Map, Value, json};

use crate::output::looks_like_a_time;

/// An HTTP response. It travels as data inside a successful reply, so any status is possible here, redirects included.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpReply {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Option<String>,
}

impl HttpReply {
    /// A response without a body.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: None }
    }

    /// A JSON response.
    #[must_use]
    pub fn json(status: StatusCode, body: &Value) -> Self {
        Self::new(status)
            .header(http::header::CONTENT_TYPE, "application/json; charset=utf-8")
            .body(body.to_string())
    }

    /// A response of another type, which is named with its charset: `text/html; charset=utf-8`.
    #[must_use]
    pub fn text(status: StatusCode, content_type: &str, body: impl Into<String>) -> Self {
        Self::new(status).header(http::header::CONTENT_TYPE, content_type).body(body)
    }

    /// Sets a header, replacing an earlier value of the same name. Control characters become blanks, so that no value
    /// can end its line.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        let value: String = value.into().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value));
        self
    }

    /// Sets a header unless it is set already.
    #[must_use]
    pub(crate) fn default_header(self, name: &HeaderName, value: &str) -> Self {
        if self.headers.iter().any(|(known, _)| known == name) {
            self
        } else {
            self.header(name.clone(), value)
        }
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The object that the host turns into a response.
    ///
    /// A header or body that is a bare date-time would be printed in another format by the host; it gets a blank or a
    /// line end after it, which means nothing there and keeps it a text.
    pub(crate) fn value(&self) -> Value {
        let guard = |text: &str, end: &str| {
            if looks_like_a_time(text) { format!("{text}{end}") } else { text.to_owned() }
        };
        let headers: Map<String, Value> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), Value::String(guard(value, " "))))
            .collect();
        let mut value = json!({ "statusCode": self.status.as_u16(), "headers": headers });
        if let Some(body) = self.body.as_deref().filter(|body| !body.is_empty()) {
            value["body"] = Value::String(guard(body, "\n"));
        }
        value
    }
}

impl std::fmt::Debug for HttpReply {
    /// Without header values and body, which are the caller's data.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("HttpReply")
            .field("status", &self.status)
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("body_length", &self.body.as_ref().map(String::len))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header;

    #[test]
    fn a_response_is_an_object_that_the_host_understands() {
        let reply = HttpReply::new(StatusCode::FOUND)
            .header(header::LOCATION, "/first")
            .header(header::LOCATION, "/api/jobs/42\r\nSet-Cookie: a=b");
        let expected = json!({"statusCode": 302, "headers": {"location": "/api/jobs/42  Set-Cookie: a=b"}});
        assert_eq!(reply.value(), expected);
    }

    #[test]
    fn a_bare_date_time_stays_a_text() {
        let time = "2026-11-23T05:21:41Z";
        let value = HttpReply::text(StatusCode::OK, "text/plain", time).header(header::AGE, time).value();
        assert_eq!(value["body"], format!("{time}\n"));
        assert_eq!(value["headers"]["age"], format!("{time} "));
    }
}
