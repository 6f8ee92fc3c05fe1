//! What is to be done about a declared resource, in words for people.

use std::fmt;

use time::format_description::well_known::Rfc3339;

use super::step::{Action, Hindrance, Signer, Waiting, Write};
use crate::plural;

impl fmt::Display for Action {
    /// As a sentence without its full stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep => f.write_str("as declared"),
            Self::Write(write) => write.fmt(f),
            Self::Wait { on } => on.fmt(f),
            Self::Refuse { because } => because.fmt(f),
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signed = |own_root: bool| if own_root { "a root of yours" } else { "Microsoft's root" };
        match self {
            Self::Credential { location } => write!(f, "create in {location}"),
            Self::Authority { location, signer: Signer::Itself } => {
                write!(f, "create in {location}: the root of the namespace")
            }
            Self::Authority { location, signer: Signer::Root { root } } => {
                write!(f, "create in {location}, signed by the root `{}`", root)
            }
            Self::Authority { location, signer: Signer::External } => {
                write!(
                    f,
                    "create in {location}, signed by a root of yours: a signing request waits afterwards"
                )
            }
            Self::CredentialPolicy { leaf_validity_days, own_root } => write!(
                f,
                "create with leaf certificates of {}, signed by {}",
                plural::count(*leaf_validity_days, "day"),
                signed(*own_root)
            ),
            Self::CertificatePolicy { leaf_validity_days } => {
                write!(f, "create with leaf certificates of {}", plural::count(*leaf_validity_days, "day"))
            }
            Self::LeafValidity { from, to } => {
                let to = plural::count(*to, "day");
                write!(f, "leaf certificates that are issued from then on: {to} instead of {from}")
            }
        }
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service { state } => write!(f, "the service is at work on it (state {state})"),
            Self::Resource { name } => write!(f, "`{name}` has to be ready first"),
            Self::Link => {
                f.write_str("no hub is linked to the namespace, and an authority is pushed to linked hubs")
            }
            Self::LinkBeingMade => f.write_str("the service is linking a hub or a DPS to the namespace"),
            Self::LastWrite => f.write_str("it was written a moment ago, which does not show yet"),
            Self::Signature { of } => write!(f, "the signing request of `{of}` waits for a signature"),
        }
    }
}

impl Waiting {
    /// What a person does next; `None` where the service or Policysync goes on by itself.
    #[must_use]
    pub fn next_step(&self) -> Option<String> {
        match self {
            Self::Service { .. } | Self::Resource { .. } | Self::LinkBeingMade | Self::LastWrite => None,
            Self::Link => Some(
                "Link a hub to the namespace; `policysync check` says which roles that takes.".to_owned(),
            ),
            Self::Signature { of } => {
                Some(format!("`policysync policies csr {of}` prints the request, and how to sign it."))
            }
        }
    }
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs { key, declared, found } => {
                write!(f, "{key} is {found}, the file says {declared}, and it cannot be changed")
            }
            Self::Failed { state } => {
                write!(
                    f,
                    "its state is {state}, and it may have a key already, which making it again could replace"
                )
            }
            Self::NoRoot => {
                f.write_str("the namespace has no root that could sign it, and the file declares none")
            }
            Self::OtherRoot { name } => {
                write!(f, "the namespace has the root `{name}`, and can have one only")
            }
            Self::NoAuthority { name } => {
                write!(f, "the authority `{name}` is not there, and the file does not declare it")
            }
            Self::PolicyOfRoot { name } => write!(f, "`{name}` is a root, and a root has no policies"),
            Self::NotKept { at } => write!(
                f,
                "the service took this write at {} and did not keep it",
                at.format(&Rfc3339).unwrap_or_default()
            ),
            Self::Service { error } => write!(f, "the service refused to write it: {error}"),
            Self::Needs { name } => write!(f, "it needs `{name}`, about which nothing is done"),
        }
    }
}

impl Hindrance {
    /// What a person puts right; [`crate::next_step::of_hindrance`] adds who then writes it again.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Differs { key, .. } => format!(
                "Correct `{key}` in policysync.toml, or declare it under another name. Policysync never replaces an authority or a policy."
            ),
            Self::Failed { .. } => {
                "Look at the resource's activity log in Azure, and write it again there when it has no certificate.".to_owned()
            }
            Self::NoRoot => "Declare an authority with type = \"root\".".to_owned(),
            Self::OtherRoot { name } => format!("Declare the root under its name, `{name}`."),
            Self::NoAuthority { name } => {
                format!("Declare `{name}` as [[namespace.authority]], or correct `authority` of the policy.")
            }
            Self::PolicyOfRoot { .. } => "Name an issuing authority as `authority` of the policy.".to_owned(),
            Self::NotKept { .. } => {
                "Look at the resource's activity log in Azure, and correct the value in policysync.toml."
                    .to_owned()
            }
            Self::Service { .. } => {
                "Correct the value that the service names in policysync.toml, or grant the role that it asks for."
                    .to_owned()
            }
            Self::Needs { .. } => "Do what is said of that one first.".to_owned(),
        }
    }
}
