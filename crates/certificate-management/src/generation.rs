//! The two generations of the service (`azure-wire-facts.md` §0), as far as decisions need to know of them.
//!
//! In the first a namespace has a credential with policies, a hub says which namespace it belongs to, and a client asks
//! for a sync. In the second a namespace has certificate authorities with certificate policies and says itself what it
//! is linked to, and the service pushes each authority's certificate to the linked hubs without being asked. A
//! namespace that is being migrated has both.

use serde::{Deserialize, Serialize};

use crate::ArmId;

/// A generation of the service. A policy belongs to exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Generation {
    /// `credentials/default`, policies, and `synchronize`.
    Credentials,
    /// `certificateAuthorities` that the service pushes to linked hubs.
    CertificateAuthorities,
}

impl std::fmt::Display for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Credentials => "credentials",
            Self::CertificateAuthorities => "certificate-authorities",
        })
    }
}

/// Which generation a namespace is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NamespaceGeneration {
    /// It has a credential only.
    #[default]
    Credentials,
    /// It has certificate authorities only.
    CertificateAuthorities,
    /// It has both: its owner is moving it from the first to the second.
    Migrating,
}

impl NamespaceGeneration {
    /// Whether the namespace has anything of a generation.
    #[must_use]
    pub const fn has(self, generation: Generation) -> bool {
        match generation {
            Generation::Credentials => !matches!(self, Self::CertificateAuthorities),
            Generation::CertificateAuthorities => !matches!(self, Self::Credentials),
        }
    }
}

impl std::fmt::Display for NamespaceGeneration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Credentials => "credentials",
            Self::CertificateAuthorities => "certificate-authorities",
            Self::Migrating => "migrating",
        })
    }
}

/// A resource that a namespace of the second generation says it is linked to (`azure-wire-facts.md` §2.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// The hub or the DPS.
    pub resource: ArmId,
    /// How far the link is; `None` where the service does not say.
    pub state: Option<LinkState>,
    /// What is wrong with it, as the service says.
    pub error: Option<LinkError>,
    /// Host names under which the namespace reaches the resource.
    pub host_names: Vec<String>,
}

/// How far a link is. Extensible, so an unknown value is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum LinkState {
    /// It stands.
    Succeeded,
    /// It is being made.
    InProgress,
    /// It could not be made.
    Failed,
    /// A value that this version does not know.
    Other(String),
}

impl From<String> for LinkState {
    fn from(text: String) -> Self {
        match text.to_ascii_lowercase().as_str() {
            // The hub's own side says `Success`.
            "succeeded" | "success" => Self::Succeeded,
            "inprogress" => Self::InProgress,
            "failed" => Self::Failed,
            _ => Self::Other(text),
        }
    }
}

impl From<LinkState> for String {
    fn from(state: LinkState) -> Self {
        state.to_string()
    }
}

impl std::fmt::Display for LinkState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Succeeded => "Succeeded",
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Other(text) => text,
        })
    }
}

/// What is wrong with a link, as the service says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkError {
    /// Its code, e.g. `AdrMiNotAuthorized`.
    pub code: String,
    /// Its message.
    pub message: Option<String>,
}

impl LinkError {
    /// Whether it is the sign of a role that is missing, or has not arrived yet.
    #[must_use]
    pub fn is_about_roles(&self) -> bool {
        ["AdrMiNotAuthorized", "AuthorizationFailed"].iter().any(|code| self.code.eq_ignore_ascii_case(code))
    }

    /// What a person can do about it. Each code of `azure-wire-facts.md` §1.6 is the sign of a role or an identity that
    /// is missing or has not arrived yet.
    #[must_use]
    pub fn next_step(&self) -> &'static str {
        match self.code.to_ascii_lowercase().as_str() {
            "adrminotauthorized" | "authorizationfailed" => {
                "grant the namespace's identity Contributor and IoT Hub Data Contributor on the hub, wait a few minutes, \
                 and link the hub again"
            }
            "namespacemitokenacquisitionfailed" => {
                "give the namespace a system-assigned identity, and link the hub again"
            }
            "outboundidentityunavailable" => {
                "give the hub the identity that the link names, and link it again"
            }
            "linkableresourcenotready" => "wait until the hub is Active, and link it again",
            _ => "read the service's message, and link the hub again",
        }
    }
}

impl std::fmt::Display for LinkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.message {
            Some(message) => write!(f, "{}: {message}", self.code),
            None => f.write_str(&self.code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_link_state_is_kept_and_both_spellings_of_success_are_one() {
        let state: LinkState = serde_json::from_str("\"Orphaned\"").unwrap();
        assert_eq!(state, LinkState::Other("Orphaned".to_owned()));
        assert_eq!(serde_json::to_string(&state).unwrap(), "\"Orphaned\"");
        assert_eq!(LinkState::from("Success".to_owned()), LinkState::Succeeded);
        assert_eq!(LinkState::from("inprogress".to_owned()), LinkState::InProgress);
    }

    #[test]
    fn a_namespace_that_is_migrated_has_both() {
        use Generation::{CertificateAuthorities, Credentials};
        assert!(NamespaceGeneration::Migrating.has(Credentials));
        assert!(NamespaceGeneration::Migrating.has(CertificateAuthorities));
        assert!(!NamespaceGeneration::Credentials.has(CertificateAuthorities));
        assert!(!NamespaceGeneration::CertificateAuthorities.has(Credentials));
    }
}
