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
