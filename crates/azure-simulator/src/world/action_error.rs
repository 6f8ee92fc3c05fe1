//! Why the world does not do what it is told.

use crate::pki::PkiError;

/// Why the world does not do what it is told.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ActionError {
    /// There is no such resource.
    #[error("The resource '{0}' was not found.")]
    NotFound(String),
    /// The state of the resource forbids it; the text says how.
    #[error("{0}")]
    Conflict(String),
    /// An issuing CA has a policy already.
    #[error("The certificate authority '{0}' has a certificate policy already.")]
    SecondPolicy(String),
    /// A test wants the operation to fail like this.
    #[error("{message}")]
    Wanted {
        /// The service's code, e.g. `InternalServerError`.
        code: String,
        /// For a person.
        message: String,
    },
    /// A certificate was not made or not taken.
    #[error(transparent)]
    Pki(#[from] PkiError),
}

impl ActionError {
    pub(super) fn not_found(id: &str) -> Self {
        Self::NotFound(id.to_owned())
    }

    pub(super) fn conflict(problem: impl Into<String>) -> Self {
        Self::Conflict(problem.into())
    }
}
