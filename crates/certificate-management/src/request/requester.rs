//! How the app knows who asked.

use serde::{Deserialize, Serialize};

/// How the app knows who asked for a sync.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Requester {
    /// The caller says so, unchecked.
    #[default]
    Claimed,
    /// The platform's sign-in says so.
    SignedIn,
    /// Policysync asked by itself.
    Policysync,
}

impl Requester {
    /// How the app knows it, as it stands behind a name; `None`: Policysync asked by itself.
    #[must_use]
    pub const fn how(self) -> Option<&'static str> {
        match self {
            Self::Claimed => Some("by the caller's own word"),
            Self::SignedIn => Some("signed in"),
            Self::Policysync => None,
        }
    }
}
