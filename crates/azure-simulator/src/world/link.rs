//! The link between a namespace and a hub or provisioning service (`azure-wire-facts.md` §2.3).

use super::resource::Verbatim;
use crate::fleet::LinkingState;

/// A link, kept by the hub or service.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub namespace_id: String,
    /// Its name among the endpoints of the namespace.
    pub endpoint: String,
    /// The identity by which the namespace is called, as the link was written; absent: its own.
    pub identity: Option<Verbatim>,
    pub state: LinkingState,
    /// Why it failed, as the fleet says it; absent: the namespace's identity may not do it.
    pub error: Option<String>,
}

impl Link {
    /// A link that works.
    pub(crate) fn new(namespace_id: &str, endpoint: &str) -> Self {
        Self {
            namespace_id: namespace_id.to_owned(),
            endpoint: endpoint.to_owned(),
            identity: None,
            state: LinkingState::Succeeded,
            error: None,
        }
    }

    /// The same in another state.
    pub(crate) fn in_state(mut self, state: LinkingState, error: Option<&str>) -> Self {
        self.state = state;
        self.error = error.map(str::to_owned);
        self
    }

    /// Whether it belongs to this namespace, in whatever state.
    pub(crate) fn is_to(&self, namespace_id: &str) -> bool {
        self.namespace_id.eq_ignore_ascii_case(namespace_id)
    }

    /// Whether the namespace lists it among its endpoints.
    pub(crate) fn is_listed(&self) -> bool {
        self.state != LinkingState::Orphaned
    }

    /// Whether something can pass.
    pub(crate) fn works(&self) -> bool {
        self.state == LinkingState::Succeeded
    }
}
