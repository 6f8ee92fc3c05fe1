//! The three sides' words for the state of a link (`azure-wire-facts.md` §2.3).

use crate::fleet::LinkingState;
use crate::world::link::Link;

/// The code of a failed link when the fleet gives none: the namespace's identity has no permission.
const NOT_AUTHORIZED: &str = "AdrMiNotAuthorized";

/// `linkingState` of the namespace's endpoint.
pub(crate) fn state_of_endpoint(link: &Link) -> &'static str {
    match link.state {
        LinkingState::Succeeded => "Succeeded",
        LinkingState::InProgress => "InProgress",
        LinkingState::Failed | LinkingState::Orphaned => "Failed",
    }
}

/// `linkingProperties.state` of the hub.
pub(crate) fn state_of_hub(link: &Link) -> &'static str {
    match link.state {
        LinkingState::Succeeded => "Success",
        LinkingState::InProgress => "InProgress",
        LinkingState::Failed => "Failed",
        LinkingState::Orphaned => "Orphaned",
    }
}

/// `linkingState` of the provisioning service, which has no word for a failure.
pub(crate) fn state_of_service(link: &Link) -> &'static str {
    match link.state {
        LinkingState::Succeeded => "Succeeded",
        LinkingState::InProgress => "InProgress",
        LinkingState::Failed => "NotLinked",
        LinkingState::Orphaned => "Orphaned",
    }
}

/// The code of what went wrong.
pub(crate) fn error_code(link: &Link) -> Option<&str> {
    let usual = (link.state == LinkingState::Failed).then_some(NOT_AUTHORIZED);
    link.error.as_deref().or(usual)
}

/// What went wrong, for a person.
pub(crate) fn message(link: &Link) -> String {
    format!("The namespace '{}' could not be linked.", link.namespace_id)
}
