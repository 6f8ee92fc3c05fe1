//! How it is known who asked.

use serde::{Deserialize, Serialize};

/// How it is known who asked for a sync.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Requester {
    /// The caller says so, and nothing was checked.
    #[default]
    Claimed,
    /// The platform's sign-in says so.
    SignedIn,
    /// Policysync asked by itself.
    Policysync,
}
