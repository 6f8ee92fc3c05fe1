//! The link between a namespace and a hub or provisioning service, and the three sides' words for its state
//! (`azure-wire-facts.md` §2.3).

use serde_json::{Value, json};

use crate::fleet::LinkingState;

/// What a failed link says when nobody gave a code: the namespace's identity may not do it.
pub(crate) const NOT_AUTHORIZED: &str = "AdrMiNotAuthorized";

/// A link, kept by the hub or service.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub namespace_id: String,
    /// Its name among the endpoints of the namespace.
    pub endpoint: String,
    /// `inboundCallerIdentity` of the endpoint.
    pub identity: Value,
    pub state: LinkingState,
    /// Error code of a failed one.
    pub error: Option<String>,
}

impl Link {
    /// A link that works.
    pub(crate) fn new(namespace_id: &str, endpoint: &str) -> Self {
        Self {
            namespace_id: namespace_id.to_owned(),
            endpoint: endpoint.to_owned(),
            identity: json!({"type": "SystemAssigned"}),
            state: LinkingState::Succeeded,
            error: None,
        }
    }

    /// The same in another state. A failed one without a code gets one.
    pub(crate) fn in_state(mut self, state: LinkingState, error: Option<&str>) -> Self {
        let failed = state == LinkingState::Failed;
        self.state = state;
        self.error = error.or(failed.then_some(NOT_AUTHORIZED)).map(str::to_owned);
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

    /// `linkingState` of the namespace's endpoint.
    pub(crate) fn state_of_endpoint(&self) -> &'static str {
        match self.state {
            LinkingState::Succeeded => "Succeeded",
            LinkingState::InProgress => "InProgress",
            LinkingState::Failed | LinkingState::Orphaned => "Failed",
        }
    }

    /// `linkingProperties.state` of the hub.
    pub(crate) fn state_of_hub(&self) -> &'static str {
        match self.state {
            LinkingState::Succeeded => "Success",
            LinkingState::InProgress => "InProgress",
            LinkingState::Failed => "Failed",
            LinkingState::Orphaned => "Orphaned",
        }
    }

    /// `linkingState` of the provisioning service, which has no word for a failure.
    pub(crate) fn state_of_service(&self) -> &'static str {
        match self.state {
            LinkingState::Succeeded => "Succeeded",
            LinkingState::InProgress => "InProgress",
            LinkingState::Failed => "NotLinked",
            LinkingState::Orphaned => "Orphaned",
        }
    }

    /// What went wrong, for a person.
    pub(crate) fn message(&self) -> String {
        format!("The namespace '{}' could not be linked.", self.namespace_id)
    }
}
