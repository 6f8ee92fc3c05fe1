//! Why something could not be read: one kind for each thing that a person can do about it.

use serde::{Deserialize, Serialize};

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadFailure {
    /// The kind, which decides what a person has to do.
    pub kind: ReadFailureKind,
    /// What was attempted and what the service said.
    pub message: String,
    /// The permission that is missing, where that can be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<MissingPermission>,
}

/// The kinds of read failures, each with what a person has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadFailureKind {
    /// The identity may not read it: grant a role.
    Forbidden,
    /// There is no valid token: log in, or give the app its identity.
    Unauthorized,
    /// It does not exist: correct the configuration.
    NotFound,
    /// The service does not answer the API version: it is of another generation than it was read with.
    ApiVersionRejected,
    /// Its address is outside the configured cloud: correct the address.
    OutsideCloud,
    /// The service throttled, failed or did not answer: wait.
    Unavailable,
    /// The time of the run was over before its turn came: the next run begins with it.
    NotVisited,
    /// Something else: read the message.
    Other,
}

/// A permission that the identity does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MissingPermission {
    /// What it is for, e.g. `observe`.
    pub feature: String,
    /// The action as role definitions name it, e.g. `Microsoft.Devices/IotHubs/certificates/read`.
    pub action: String,
}

impl ReadFailureKind {
    /// Every kind there is.
    pub const ALL: &[Self] = &[
        Self::Forbidden,
        Self::Unauthorized,
        Self::NotFound,
        Self::ApiVersionRejected,
        Self::OutsideCloud,
        Self::Unavailable,
        Self::NotVisited,
        Self::Other,
    ];

    /// Whether the caller may not read it, or has not said who they are.
    #[must_use]
    pub const fn is_denied(self) -> bool {
        matches!(self, Self::Forbidden | Self::Unauthorized)
    }
}

impl ReadFailure {
    /// A failure of which only the message is known.
    #[must_use]
    pub fn other(message: impl Into<String>) -> Self {
        Self { kind: ReadFailureKind::Other, message: message.into(), permission: None }
    }
}

impl std::fmt::Display for ReadFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
