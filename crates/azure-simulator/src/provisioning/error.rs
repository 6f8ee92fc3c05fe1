//! The error shape of DPS, of the service API and the device API alike (`azure-wire-facts.md` §3).

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::dates;

/// The content type of all answers of DPS.
pub(crate) const CONTENT_TYPE: &str = "application/json; charset=utf-8";

/// An error with its code, which is the HTTP status times 1,000 plus a number of its own.
///
/// 400004, 403000 and 404201 are confirmed; the own numbers of the others are not published and are made up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct ServiceError {
    pub code: u32,
    pub message: String,
}

impl ServiceError {
    /// An error of any code.
    pub(crate) fn new(code: u32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// 404201.
    pub(crate) fn no_group(id: &str) -> Self {
        Self::new(404_201, format!("Enrollment group '{id}' not found."))
    }

    /// 401002.
    pub(crate) fn unauthorized(problem: &str) -> Self {
        Self::new(401_002, problem)
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        u16::try_from(self.code / 1_000)
            .ok()
            .and_then(|status| StatusCode::from_u16(status).ok())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The answer.
    pub(crate) fn respond(&self, now: OffsetDateTime) -> Response {
        let body = json!({
            "errorCode": self.code,
            "trackingId": uuid::Uuid::new_v4().to_string(),
            "message": self.message,
            "timestampUtc": dates::milliseconds(now),
        });
        let mut response = answer(self.status(), &body);
        response.headers_mut().insert("x-ms-error-code", http::HeaderValue::from(self.code));
        response
    }
}

/// An answer with a body.
pub(crate) fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], body.to_string()).into_response()
}
