//! Why a service did not do what the app asked, in the words that a decision needs.

use serde::{Deserialize, Serialize};
use time::Duration;

use crate::reason::Reason;
use crate::reason::failure::{About, CallFailure};

/// Why the service, or the app itself, did not do something.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Failure {
    /// What kind it is.
    pub kind: FailureKind,
    /// The service's own code, e.g. `ScopeLocked`.
    pub code: Option<String>,
    /// What was attempted and what the service said, for a person.
    pub message: String,
    /// How long the service asks to wait. The machine clamps every pause.
    pub retry_after: Option<Duration>,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The service did not do it. A token that is not valid (401) can have expired in this very moment.
    Call(CallFailure),
    /// The configuration does not name the namespace.
    NotConfigured,
    /// The configuration or the kill switch forbids writing.
    Audit,
    /// The namespace is frozen.
    Frozen,
}

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consequence {
    /// Another try may help at any time.
    Passes,
    /// Another try may help as long as the need's deadline has not passed.
    PassesUntilDeadline,
    /// Another try would be answered in the same way.
    Final,
}

/// Codes of ARM for a lock that a person has put on a resource (`azure-wire-facts.md` §1.6): only a person takes it
/// away, so waiting does not help.
const LOCKED: [&str; 2] = ["ScopeLocked", "ReadOnlyDisabledSubscription"];

impl Failure {
    /// Whether a person has locked the namespace.
    fn is_locked(&self) -> bool {
        self.code.as_deref().is_some_and(|code| LOCKED.iter().any(|known| code.eq_ignore_ascii_case(known)))
    }

    pub(super) fn consequence(&self) -> Consequence {
        match self.kind {
            _ if self.is_locked() => Consequence::Final,
            FailureKind::Call(CallFailure::Unavailable) => Consequence::Passes,
            FailureKind::Call(CallFailure::Unauthorized | CallFailure::Conflict) => {
                Consequence::PassesUntilDeadline
            }
            _ => Consequence::Final,
        }
    }

    /// The reason that a person is told.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self.kind {
            _ if self.is_locked() => Reason::NamespaceLocked,
            FailureKind::Call(call) => call.reason(About::Namespace),
            FailureKind::NotConfigured => Reason::NamespaceNotConfigured,
            FailureKind::Audit => Reason::AuditMode,
            FailureKind::Frozen => Reason::Frozen,
        }
    }

    /// Whether the request was refused by the app's own rules and not by the service.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self.kind, FailureKind::NotConfigured | FailureKind::Audit | FailureKind::Frozen)
    }
}

/// Why the last POST of a sync was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Setback {
    /// The reason code.
    pub reason: Reason,
    /// The particulars, as a sentence.
    pub detail: String,
}

impl From<&Failure> for Setback {
    fn from(failure: &Failure) -> Self {
        Self { reason: failure.reason(), detail: failure.message.clone() }
    }
}
