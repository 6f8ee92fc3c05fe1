//! The properties that resources have in common.

use std::sync::Arc;

use indexmap::IndexMap;
use time::OffsetDateTime;

/// Tags of a resource, in the order in which they were written.
pub(crate) type Tags = IndexMap<String, String>;

/// When a resource was made and last written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub created: OffsetDateTime,
    pub modified: OffsetDateTime,
}

impl Times {
    pub(crate) fn new(at: OffsetDateTime) -> Self {
        Self { created: at, modified: at }
    }
}

/// How far a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProvisioningState {
    /// It is being made.
    Accepted,
    Succeeded,
    Failed,
    Canceled,
    Deleting,
}

impl ProvisioningState {
    /// The state that a fleet file names. The reader of the file has checked the word.
    pub(super) fn named(word: &str) -> Self {
        Self::of_word(word).unwrap_or(Self::Failed)
    }

    /// The state of Azure's word for it.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "Accepted" => Self::Accepted,
            "Canceled" => Self::Canceled,
            "Deleting" => Self::Deleting,
            "Failed" => Self::Failed,
            "Succeeded" => Self::Succeeded,
            _ => return None,
        })
    }
}

/// A text that a client wrote and the world only keeps: only the door that took it knows its meaning. No `Debug` of the
/// text: it may hold keys.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Verbatim(Arc<str>);

impl Verbatim {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Verbatim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
