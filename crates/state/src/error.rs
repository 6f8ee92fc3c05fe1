//! The errors of the store, in kinds that tell a caller what to do next.
//!
//! The library underneath reports most failures as text. This crate does not pass that text on: the service echoes
//! parts of a request in it, and a request is signed with secrets. It keeps the HTTP status, the service's own error
//! code and the operating system's reason for a failed connection.

use object_store::client::{HttpError, HttpErrorKind};

/// What kind of failure this is; decides what a caller does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No answer in time, no connection, a throttle or a failure of the service. Whether a write was done is
    /// unknown. Trying again later is right.
    Unavailable,
    /// The identity or key is not accepted, or lacks a role. A person has to act.
    Forbidden,
    /// What is stored is not a record of ours, or not of the type that was asked for.
    Corrupt,
    /// The record is over [`crate::record::SIZE_LIMIT`].
    TooLarge,
    /// The caller's key, value or settings cannot be used.
    Invalid,
    /// The service answered something that no rule here covers.
    Unexpected,
}

impl ErrorKind {
    /// Whether the same call may succeed later without any change.
    pub fn is_transient(self) -> bool {
        self == Self::Unavailable
    }
}

/// A call to the store that failed. Holds no secret.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{doing}: {detail}")]
pub struct Error {
    kind: ErrorKind,
    doing: String,
    detail: String,
}

impl Error {
    /// An error of a caller's own [`crate::TokenProvider`]. `detail` is shown to people: keep secrets out of it.
    pub fn token(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self::new(kind, "getting a token for the storage account", detail)
    }

    pub(crate) fn new(kind: ErrorKind, doing: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { kind, doing: doing.into(), detail: detail.into() }
    }

    pub(crate) fn settings(detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, "reading the settings of the storage account", detail)
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Sorts a failure of the library underneath. `doing` says what was tried, for people.
    pub(crate) fn from_backend(doing: &str, error: &object_store::Error) -> Self {
        let chain =
            || std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |e| e.source());
        if let Some(ours) = chain().find_map(|e| e.downcast_ref::<Self>()) {
            return Self::new(ours.kind, doing, ours.to_string());
        }
        if let Some(transport) = chain().find_map(|e| e.downcast_ref::<HttpError>()) {
            let what = match transport.kind() {
                HttpErrorKind::Connect => "no connection",
                HttpErrorKind::Timeout => "no answer in time",
                _ => "the connection broke",
            };
            let root = chain().last().map(ToString::to_string).unwrap_or_default();
            return Self::new(ErrorKind::Unavailable, doing, format!("{what} ({})", shortened(&root)));
        }
        let answer = Answer::of(error);
        let kind = match (error, answer.status) {
            (
                object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. },
                _,
            )
            | (_, Some(401 | 403)) => ErrorKind::Forbidden,
            (_, Some(408 | 429 | 500..=599)) => ErrorKind::Unavailable,
            (_, Some(413)) => ErrorKind::TooLarge,
            _ if answer.code.as_deref().is_some_and(|code| PASSING.contains(&code)) => ErrorKind::Unavailable,
            _ => ErrorKind::Unexpected,
        };
        Self::new(kind, doing, answer.to_string())
    }
}

/// Why a guarded write did not happen.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WriteError {
    /// Another writer was faster: the record exists already, has a newer version, or is gone. Read again and decide
    /// again.
    #[error("the record was changed by another writer in the meantime")]
    Conflict,
    /// The write failed for another reason.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Refusals with status 409 or 412 that end by themselves: a container that is being deleted, a lease of another
/// client.
const PASSING: [&str; 4] =
    ["AccountBeingCreated", "ContainerBeingDeleted", "LeaseIdMissing", "OperationTimedOut"];

/// The part of the service's answer that can be shown.
pub(crate) struct Answer {
    /// HTTP status, where there was an answer.
    pub(crate) status: Option<u16>,
    /// The service's error code, such as `BlobAlreadyExists`.
    pub(crate) code: Option<String>,
}

impl Answer {
    pub(crate) fn of(error: &object_store::Error) -> Self {
        let text = error.to_string();
        let after = |mark: &str| text.find(mark).map(|at| &text[at + mark.len()..]);
        let status = ["status code: ", "(code: "].iter().find_map(|mark| {
            after(mark).and_then(|rest| rest.get(..3)).and_then(|digits| digits.parse().ok())
        });
        let code = after("<Code>").and_then(|rest| rest.split_once("</Code>")).map(|(code, _)| code);
        let plain = |code: &&str| code.len() <= 80 && code.chars().all(|c| c.is_ascii_alphanumeric());
        Self { status, code: code.filter(plain).map(str::to_owned) }
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.status, &self.code) {
            (Some(status), Some(code)) => write!(f, "the service answered {status} {code}"),
            (Some(status), None) => write!(f, "the service answered {status}"),
            (None, Some(code)) => write!(f, "the service answered {code}"),
            (None, None) => f.write_str("the service's answer could not be understood"),
        }
    }
}

fn shortened(text: &str) -> String {
    const MOST: usize = 200;
    if text.chars().count() <= MOST {
        text.to_owned()
    } else {
        text.chars().take(MOST).chain(['…']).collect()
    }
}
