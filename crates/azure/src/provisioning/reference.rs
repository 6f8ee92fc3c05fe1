//! The members of an enrollment group that name its policy: one in generation A, three in generation B
//! (`azure-wire-facts.md` §3). Only this file turns them into the text of the domain ([`Reference`]), and that text
//! into them; it writes all three or none.

use certificate_management::reference::Reference;
use serde_json::Value;

use crate::members::owned;

/// The member of generation A.
pub(super) const CREDENTIAL_POLICY: &str = "credentialPolicyName";
/// The members of generation B, in the order in which they are written.
pub(super) const CERTIFICATE_POLICY: [&str; 3] =
    ["namespaceName", "certificateAuthorityName", "certificatePolicyName"];

/// Whether a member names a policy, in whatever spelling.
pub(super) fn is_reference(name: &str) -> bool {
    is_credential(name) || is_certificate(name)
}

/// Whether it is the member of generation A.
pub(super) fn is_credential(name: &str) -> bool {
    name.eq_ignore_ascii_case(CREDENTIAL_POLICY)
}

/// Whether it is one of generation B.
pub(super) fn is_certificate(name: &str) -> bool {
    CERTIFICATE_POLICY.iter().any(|member| name.eq_ignore_ascii_case(member))
}

/// The policy that a group names, as the domain writes it. An incomplete or doubled reference is shown as it is, in
/// words that name no policy.
pub(super) fn read(group: &Value) -> Option<String> {
    let credential = owned(group, &[CREDENTIAL_POLICY]);
    let parts: Vec<(&str, String)> =
        CERTIFICATE_POLICY.iter().filter_map(|member| Some((*member, owned(group, &[member])?))).collect();
    let certificate = match parts.as_slice() {
        [] => None,
        [(_, namespace), (_, authority), (_, policy)]
            if !parts.iter().any(|(_, name)| name.contains(['/', ' '])) =>
        {
            Some(format!("{namespace}/{authority}/{policy}"))
        }
        some => {
            let named = some.iter().map(|(member, name)| format!("{member} = {name}"));
            Some(format!("an incomplete reference ({})", named.collect::<Vec<_>>().join(", ")))
        }
    };
    let credential = credential.map(|name| match Reference::parse(&name) {
        Reference::Credential(_) => name,
        _ => format!("{CREDENTIAL_POLICY} = {name}"),
    });
    match (credential, certificate) {
        (Some(credential), Some(certificate)) => Some(format!("{credential} and {certificate}")),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_member_or_three_are_a_reference_and_everything_else_is_shown_and_names_nothing() {
        let three =
            json!({"namespaceName": "n", "certificateAuthorityName": "a", "certificatePolicyName": "p"});
        assert_eq!(read(&three).as_deref(), Some("n/a/p"));
        assert_eq!(read(&json!({"credentialPolicyName": "p"})).as_deref(), Some("p"));
        let nothing = json!({"credentialPolicyName": "", "namespaceName": null, "certificatePolicyName": 7});
        assert_eq!(read(&nothing), None);
        let both = json!({"CredentialPolicyName": "old", "namespaceName": "n", "certificateAuthorityName": "a",
                          "CertificatePolicyName": "p"});
        for (group, expected) in [
            (both, "old and n/a/p"),
            (
                json!({"namespaceName": "n", "certificatePolicyName": "p"}),
                "an incomplete reference (namespaceName = n, certificatePolicyName = p)",
            ),
            (
                json!({"namespaceName": "n/m", "certificateAuthorityName": "a", "certificatePolicyName": "p"}),
                "an incomplete reference (namespaceName = n/m, certificateAuthorityName = a, certificatePolicyName = p)",
            ),
            (json!({"credentialPolicyName": "n/a/p"}), "credentialPolicyName = n/a/p"),
        ] {
            assert_eq!(read(&group).as_deref(), Some(expected));
            assert_eq!(Reference::parse(expected), Reference::Unclear);
        }
    }
}
