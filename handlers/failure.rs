//! Turns errors of the clients into the words of the domain: the one place that reads the kinds of those errors.

use azure::permissions::PERMISSIONS;
use azure::{Error, ErrorKind};
use certificate_management::model::{MissingPermission, ReadFailure, ReadFailureKind};
use certificate_management::reason::Reason;
use certificate_management::reason::failure::{About, CallFailure};

/// The code of a DPS that does not know its namespace (`azure-wire-facts.md` §2.3, §3).
const NO_NAMESPACE: &str = "400004";

/// The kind of a call's failure.
#[must_use]
pub fn call(error: &Error) -> CallFailure {
    match error.kind() {
        _ if error.rejects_api_version() => CallFailure::ApiVersionRejected,
        _ if error.service_code() == Some(NO_NAMESPACE) => CallFailure::LinkNotReady,
        ErrorKind::Throttled { .. } | ErrorKind::Unavailable | ErrorKind::Timeout => CallFailure::Unavailable,
        ErrorKind::Conflict => CallFailure::Conflict,
        ErrorKind::Unauthorized => CallFailure::Unauthorized,
        ErrorKind::Forbidden => CallFailure::Forbidden,
        ErrorKind::NotFound => CallFailure::NotFound,
        ErrorKind::PreconditionFailed => CallFailure::Moved,
        ErrorKind::Untrusted => CallFailure::OutsideCloud,
        ErrorKind::Invalid | ErrorKind::TooLarge | ErrorKind::Unreadable => CallFailure::Rejected,
    }
}

/// The reason code of a call that failed.
#[must_use]
pub fn reason(error: &Error, about: About) -> Reason {
    call(error).reason(about)
}

/// Turns an error into a failure to read.
#[must_use]
pub fn of(error: &Error) -> ReadFailure {
    let kind = match call(error) {
        CallFailure::ApiVersionRejected => ReadFailureKind::ApiVersionRejected,
        CallFailure::Forbidden => ReadFailureKind::Forbidden,
        CallFailure::Unauthorized => ReadFailureKind::Unauthorized,
        CallFailure::NotFound => ReadFailureKind::NotFound,
        CallFailure::Unavailable => ReadFailureKind::Unavailable,
        CallFailure::OutsideCloud => ReadFailureKind::OutsideCloud,
        CallFailure::Conflict | CallFailure::Moved | CallFailure::LinkNotReady | CallFailure::Rejected => {
            ReadFailureKind::Other
        }
    };
    let permission = (kind == ReadFailureKind::Forbidden).then(|| denied_action(error.message())).flatten();
    ReadFailure { kind, message: error.to_string(), permission: permission.map(missing) }
}

/// Turns an error of the data plane of a DPS into a failure to read. The service does not tell which action it denies,
/// but a list of groups needs one only.
#[must_use]
pub fn of_enrollment_groups(error: &Error) -> ReadFailure {
    let failure = of(error);
    if failure.kind != ReadFailureKind::Forbidden || failure.permission.is_some() {
        return failure;
    }
    let read = PERMISSIONS.iter().find(|permission| permission.calls.contains(&"provisioning/groups::list"));
    ReadFailure { permission: read.map(|permission| missing(permission.action)), ..failure }
}

/// Turns an error of the record store into a failure to read.
#[must_use]
pub fn of_records(error: &state::Error) -> ReadFailure {
    let kind = match error.kind() {
        state::ErrorKind::Forbidden => ReadFailureKind::Forbidden,
        state::ErrorKind::Unavailable => ReadFailureKind::Unavailable,
        _ => ReadFailureKind::Other,
    };
    ReadFailure { kind, message: error.to_string(), permission: None }
}

fn missing(action: &str) -> MissingPermission {
    let known = PERMISSIONS.iter().find(|permission| permission.action.eq_ignore_ascii_case(action));
    MissingPermission {
        feature: known.map_or("observe", |permission| permission.feature.name()).to_owned(),
        action: known.map_or(action, |permission| permission.action).to_owned(),
    }
}

/// The action that ARM names: `... does not have authorization to perform action 'A' over scope 'S' ...`.
fn denied_action(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("perform action '")?;
    rest.split_once('\'').map(|(action, _)| action).filter(|action| action.contains('/'))
}

/// The scope that ARM names beside it.
#[must_use]
pub fn denied_scope(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("over scope '")?;
    rest.split_once('\'').map(|(scope, _)| scope).filter(|scope| scope.starts_with("/subscriptions/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_action_is_the_one_that_arm_names_with_the_feature_that_needs_it() {
        let message = "The client 'x' does not have authorization to perform action \
                       'Microsoft.Devices/IotHubs/Certificates/Read' over scope '/subscriptions/S' or the scope is invalid.";
        let missing = missing(denied_action(message).unwrap());
        assert_eq!(missing.action, "Microsoft.Devices/IotHubs/certificates/read");
        assert_eq!(missing.feature, "observe");
        assert_eq!(denied_action("Forbidden"), None);
        assert_eq!((denied_scope(message), denied_scope("Forbidden")), (Some("/subscriptions/S"), None));
    }
}
