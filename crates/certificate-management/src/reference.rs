//! The policy that an enrollment group names, as one text.
//!
//! A group of the first generation names a policy, `short-lived`; one of the second a namespace, a certificate
//! authority and a policy (`azure-wire-facts.md` §3), `contoso/lines-ica/short-lived`. No name of either holds a slash
//! or a space. A reference in part, or of both generations at once, is shown with words around it and names no policy.

/// What a text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'t> {
    /// A policy of the first generation, by its name.
    Credential(&'t str),
    /// A certificate policy of the second, by all three names.
    Certificate {
        /// Name of the namespace.
        namespace: &'t str,
        /// Name of the issuing certificate authority.
        authority: &'t str,
        /// Name of the certificate policy.
        policy: &'t str,
    },
    /// Neither: a reference in part, or of both at once.
    Unclear,
}

impl<'t> Reference<'t> {
    /// Reads the text of [`EnrollmentGroup::policy`](crate::model::EnrollmentGroup::policy).
    #[must_use]
    pub fn parse(text: &'t str) -> Self {
        let names: Vec<&str> = text.split('/').collect();
        let is_name = |name: &&str| !name.is_empty() && !name.contains(char::is_whitespace);
        match names.as_slice() {
            _ if !names.iter().all(is_name) => Self::Unclear,
            [policy] => Self::Credential(policy),
            [namespace, authority, policy] => Self::Certificate { namespace, authority, policy },
            _ => Self::Unclear,
        }
    }

    /// Whether it names something of another namespace than this one, by name.
    #[must_use]
    pub fn is_foreign_to(&self, namespace_name: &str) -> bool {
        matches!(self, Self::Certificate { namespace, .. } if !namespace.eq_ignore_ascii_case(namespace_name))
    }
}

/// A group's reference as people of a namespace write it: without the namespace where it is theirs.
#[must_use]
pub fn shown<'t>(text: &'t str, namespace_name: &str) -> &'t str {
    match (Reference::parse(text), text.split_once('/')) {
        (Reference::Certificate { namespace, .. }, Some((_, rest)))
            if namespace.eq_ignore_ascii_case(namespace_name) =>
        {
            rest
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_one_name_or_three() {
        assert_eq!(Reference::parse("short-lived"), Reference::Credential("short-lived"));
        let three = Reference::Certificate { namespace: "contoso", authority: "lines", policy: "short" };
        assert_eq!(Reference::parse("contoso/lines/short"), three);
        for text in ["", "lines/short", "a/b/c/d", "contoso//short", "/lines/short", "short and a/b/c", "a b"]
        {
            assert_eq!(Reference::parse(text), Reference::Unclear, "{text}");
        }
    }

    #[test]
    fn a_reference_to_another_namespace_is_foreign_and_shown_whole() {
        let text = "contoso/lines/short";
        assert!(!Reference::parse(text).is_foreign_to("CONTOSO"));
        assert!(Reference::parse(text).is_foreign_to("fabrikam"));
        assert_eq!(shown(text, "Contoso"), "lines/short");
        assert_eq!(shown(text, "fabrikam"), text);
        assert_eq!(shown("short", "contoso"), "short");
    }
}
