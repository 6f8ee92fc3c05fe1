//! The error shape of Azure Resource Manager (`azure-wire-facts.md` §1.6).

use std::borrow::Cow;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

use super::pki::PkiError;
use super::world::ActionError;

/// The refusal of ARM or a resource provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ArmError {
    /// HTTP status.
    pub status: StatusCode,
    /// ARM error code, e.g. `ResourceNotFound`.
    pub code: Cow<'static, str>,
    /// For a person.
    pub message: String,
}

impl ArmError {
    /// An error of any kind.
    #[must_use]
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    /// 400.
    #[must_use]
    pub fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 404 `ResourceNotFound` for a resource id.
    #[must_use]
    pub fn not_found(id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFound", format!("The resource '{id}' was not found."))
    }

    /// 409.
    #[must_use]
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// 405 for a verb that a resource type does not have.
    #[must_use]
    pub fn method_not_allowed(method: &http::Method, path: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            format!("The simulated resource provider does not answer {method} on '{path}'."),
        )
    }
}

impl From<PkiError> for ArmError {
    fn from(error: PkiError) -> Self {
        match error {
            PkiError::Make(_) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", error.to_string())
            }
            // Of the codes for a chain, these two are published; the third one is made up (`ca-lifecycle-facts.md` §1.7).
            PkiError::ExpiringSoon => Self::bad_request("CertificateExpiringSoon", error.to_string()),
            PkiError::NoClientAuth => Self::bad_request("InvalidPropertyValue", error.to_string()),
            PkiError::Request(_) | PkiError::Chain(_) => {
                Self::bad_request("InvalidCertificateChain", error.to_string())
            }
        }
    }
}

impl From<ActionError> for ArmError {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::NotFound(id) => Self::not_found(&id),
            ActionError::Conflict(problem) => Self::conflict("Conflict", problem),
            ActionError::SecondPolicy(_) => {
                Self::conflict("CertificatePolicyLimitExceeded", error.to_string())
            }
            ActionError::Wanted { code, message } => Self::new(StatusCode::BAD_REQUEST, code, message),
            ActionError::Pki(error) => error.into(),
        }
    }
}

impl IntoResponse for ArmError {
    fn into_response(self) -> Response {
        let body = json!({"error": {"code": self.code, "message": self.message}});
        (self.status, [("x-ms-error-code", self.code.into_owned())], Json(body)).into_response()
    }
}
