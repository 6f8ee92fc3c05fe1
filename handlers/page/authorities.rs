//! The certificate authorities of a namespace: what each signs, who signs it, and what it waits for.

use certificate_management::authority::{AuthorityType, Issuer};
use certificate_management::report::{AuthorityReport, AuthorityWait};

use super::words;

/// One authority.
pub struct Authority {
    pub name: String,
    pub subject: Option<String>,
    /// What it signs and who signs it.
    pub kind: &'static str,
    /// What is so, in words.
    pub state: String,
    pub class: &'static str,
    /// What a person does, where one must.
    pub command: Option<String>,
    pub not_after: Option<String>,
    pub left: Option<String>,
    pub policies: String,
}

impl Authority {
    pub fn of(authority: &AuthorityReport) -> Self {
        let waits_for_person =
            matches!(authority.waits_for, Some(AuthorityWait::Signature | AuthorityWait::Renewal));
        let has_ended = authority.days_left.is_some_and(|days| days < 0);
        let (state, class) = match authority.waits_for {
            Some(AuthorityWait::Signature) => ("its request waits for your signature".to_owned(), "fair"),
            Some(AuthorityWait::Renewal) => {
                ("signs; the request of its renewal waits for your signature".to_owned(), "fair")
            }
            Some(AuthorityWait::Service) => (words::name(&authority.provisioning_state.to_string()), "fair"),
            None if has_ended => ("has ended".to_owned(), "bad"),
            None => ("signs".to_owned(), "good"),
        };
        Self {
            name: words::name(&authority.name),
            subject: authority.subject.as_deref().map(words::name),
            kind: match (authority.kind, authority.issuer) {
                (AuthorityType::Root, _) => "root, held by Azure",
                (AuthorityType::Issuing, Issuer::Microsoft) => "issuing, signed by the root",
                (AuthorityType::Issuing, Issuer::External) => "issuing, signed by a root of yours",
            },
            state,
            class,
            command: waits_for_person
                .then(|| format!("policysync policies csr {}", words::name(&authority.name))),
            not_after: authority.not_after.map(words::date),
            left: authority.days_left.map(words::days),
            policies: match authority.kind {
                AuthorityType::Root => "–".to_owned(),
                AuthorityType::Issuing => words::thousands(authority.policies as u64),
            },
        }
    }
}
