//! How the link between a namespace and a hub or a provisioning service stands, in Azure's own words.

use serde::{Deserialize, Serialize};

/// The states of a link (`azure-wire-facts.md` §2.3). The three sides of it name them differently: see
/// [`crate::world::link`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkingState {
    /// It works.
    #[default]
    Succeeded,
    /// It is being made, and stays so until the namespace is written again.
    InProgress,
    /// It could not be made.
    Failed,
    /// The hub or service still names the namespace, which no longer lists it.
    Orphaned,
}

impl LinkingState {
    pub(super) fn is_succeeded(&self) -> bool {
        *self == Self::Succeeded
    }
}
