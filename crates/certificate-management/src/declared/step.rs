//! One thing that the file declares, and what is to be done about it.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// One declared resource, and what is to be done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What it is, and where.
    #[serde(flatten)]
    pub resource: Resource,
    /// What is to be done.
    pub action: Action,
}

/// A declared resource of a namespace, by its names. The clients know its ARM id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "resource")]
pub enum Resource {
    /// The credential of a namespace of the first generation, under which its policies are.
    Credential,
    /// A certificate authority.
    Authority {
        /// Its name.
        name: String,
    },
    /// A policy.
    Policy {
        /// Its own name.
        name: String,
        /// The authority under which it is; `None`: it is one of the credential.
        authority: Option<String>,
    },
}

impl Resource {
    /// What it is, in one word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Authority { .. } => "authority",
            Self::Policy { .. } => "policy",
        }
    }

    /// Whether it is the same one. Azure compares names in any case.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.kind() == other.kind() && self.name().eq_ignore_ascii_case(&other.name())
    }

    /// Its name as people write it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Credential => "default".to_owned(),
            Self::Authority { name } | Self::Policy { name, authority: None } => name.clone(),
            Self::Policy { name, authority: Some(authority) } => format!("{authority}/{name}"),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.name())
    }
}

/// What is to be done about a declared resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Action {
    /// Nothing: it is as declared.
    Keep,
    /// It is written.
    Write(Write),
    /// Nothing now: something else comes first.
    Wait {
        /// What comes first.
        on: Waiting,
    },
    /// Policysync does nothing, and a person has to decide.
    Refuse {
        /// Why.
        because: Hindrance,
    },
}

/// A write of the device registry. No write revokes, rotates, deletes or activates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "write")]
pub enum Write {
    /// Makes the credential.
    Credential {
        /// The region of its namespace.
        location: String,
    },
    /// Makes a certificate authority.
    Authority {
        /// The region of its namespace.
        location: String,
        /// Who signs it.
        signer: Signer,
    },
    /// Makes a policy of the credential, and its issuing CA with it.
    CredentialPolicy {
        /// How long leaf certificates are valid, in days.
        leaf_validity_days: u32,
        /// Whether a root of the customer's signs the issuing CA.
        own_root: bool,
    },
    /// Makes a policy of a certificate authority.
    CertificatePolicy {
        /// How long leaf certificates are valid, in days.
        leaf_validity_days: u32,
    },
    /// Changes how long leaf certificates are valid that are issued from now on.
    LeafValidity {
        /// So long they are valid today, in days.
        from: u32,
        /// So long they shall be, in days.
        to: u32,
    },
}

/// Who signs a new authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "by")]
pub enum Signer {
    /// It signs itself: the root of the namespace.
    Itself,
    /// The root of the namespace.
    Root {
        /// Its name.
        root: String,
    },
    /// A root of the customer's.
    External,
}

/// What comes first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "for")]
pub enum Waiting {
    /// The service is at work on the resource.
    Service {
        /// Its state, as the service says.
        state: String,
    },
    /// Another resource has to be ready first.
    Resource {
        /// Its name.
        name: String,
    },
    /// A person has to link a hub to the namespace.
    Link,
    /// The service is making a link.
    LinkBeingMade,
    /// A write of it was sent a moment ago, which a look does not show yet.
    LastWrite,
    /// A person has to sign the request of an authority, and activate it.
    Signature {
        /// The name of what has the request: an authority, or a policy of the credential.
        of: String,
    },
}

/// Why Policysync does nothing about a declared resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "why")]
pub enum Hindrance {
    /// It is there and differs in what cannot be changed.
    Differs {
        /// The key of the file.
        key: String,
        /// What the file says.
        declared: String,
        /// What is there.
        found: String,
    },
    /// The service says that its last write failed, and it may have a certificate already: to make it again could give
    /// it another key.
    Failed {
        /// Its state, as the service says.
        state: String,
    },
    /// The namespace has no root that could sign it, and the file declares none.
    NoRoot,
    /// The namespace has another root, and can have one only.
    OtherRoot {
        /// Its name.
        name: String,
    },
    /// The certificate authority is not there, and the file does not declare it.
    NoAuthority {
        /// Its name.
        name: String,
    },
    /// A root has no policies.
    PolicyOfRoot {
        /// The root's name.
        name: String,
    },
    /// The service has taken the same write before, and did not keep it.
    NotKept {
        /// When the write was sent.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// The service has refused the same write.
    Service {
        /// What it said.
        error: String,
    },
    /// Something that it needs is refused.
    Needs {
        /// The name of what it needs.
        name: String,
    },
}

impl Step {
    /// The write that can be done now.
    #[must_use]
    pub fn write(&self) -> Option<&Write> {
        match &self.action {
            Action::Write(write) => Some(write),
            _ => None,
        }
    }
}

impl Action {
    /// One word for a table.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Write(Write::LeafValidity { .. }) => "change",
            Self::Write(_) => "create",
            Self::Wait { .. } => "wait",
            Self::Refuse { .. } => "refuse",
        }
    }
}
