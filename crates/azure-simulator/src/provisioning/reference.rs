//! How an enrollment group names its policy: by one member in generation A, by three in generation B, all or none
//! (`azure-wire-facts.md` §0, §3).

use serde_json::{Map, Value};

use super::api_version::ApiVersion;
use super::error::ServiceError;

/// Generation A.
pub(crate) const CREDENTIAL_POLICY: &str = "credentialPolicyName";
/// Generation B: the namespace, by its name.
pub(crate) const NAMESPACE: &str = "namespaceName";
/// Generation B: the issuing CA, never the root.
pub(crate) const CERTIFICATE_AUTHORITY: &str = "certificateAuthorityName";
/// Generation B: the policy of that CA.
pub(crate) const CERTIFICATE_POLICY: &str = "certificatePolicyName";

/// The members of generation B.
pub(crate) const CERTIFICATE_POLICY_MEMBERS: [&str; 3] =
    [NAMESPACE, CERTIFICATE_AUTHORITY, CERTIFICATE_POLICY];

/// The policy of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reference<'a> {
    /// A credential policy of the namespace that the service is linked to.
    Credential(&'a str),
    /// A certificate policy.
    Certificate { namespace: &'a str, authority: &'a str, policy: &'a str },
}

impl<'a> Reference<'a> {
    /// Reads it. One of generation B goes before one of generation A, which a group can only keep from before.
    pub(crate) fn read(document: &'a Map<String, Value>) -> Option<Self> {
        let [namespace, authority, policy] = CERTIFICATE_POLICY_MEMBERS.map(|member| text(document, member));
        match (namespace, authority, policy) {
            (Some(namespace), Some(authority), Some(policy)) => {
                Some(Self::Certificate { namespace, authority, policy })
            }
            _ => text(document, CREDENTIAL_POLICY).map(Self::Credential),
        }
    }
}

/// Whether what a client sends is whole. Members that its version does not know are not looked at.
///
/// # Errors
/// 400 for a member that is no text, or for a part of the three.
pub(crate) fn check(document: &Map<String, Value>, version: ApiVersion) -> Result<(), ServiceError> {
    let unknown = version.unknown_members();
    for member in [CREDENTIAL_POLICY].iter().chain(&CERTIFICATE_POLICY_MEMBERS) {
        let fits = matches!(document.get(*member), None | Some(Value::Null | Value::String(_)));
        if !fits && !unknown.contains(member) {
            return Err(ServiceError::new(400_000, format!("{member} is not a string.")));
        }
    }
    if unknown.contains(&NAMESPACE) {
        return Ok(());
    }
    let given = CERTIFICATE_POLICY_MEMBERS.iter().filter(|member| text(document, member).is_some()).count();
    match given {
        0 | 3 => Ok(()),
        _ => Err(ServiceError::new(
            400_000,
            format!("{} must be given together or not at all.", CERTIFICATE_POLICY_MEMBERS.join(", ")),
        )),
    }
}

/// An empty text is none.
fn text<'a>(document: &'a Map<String, Value>, member: &str) -> Option<&'a str> {
    document.get(member).and_then(Value::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
