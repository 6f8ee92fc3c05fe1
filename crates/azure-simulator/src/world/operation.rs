//! Long-running operations: their effects, their times, and how a client learns of their end.

use time::{Duration, OffsetDateTime};

use super::change::{Deed, ResourceKind};
use super::resource::Tags;
use super::{ActionError, World};

/// The world forgets finished operations when there are more than this; then their status is 404, as Azure's are after
/// a while (`azure-wire-facts.md` §10a).
const MOST_OPERATIONS: usize = 1_000;

/// A long-running operation.
#[derive(Debug)]
pub(crate) struct Operation {
    pub id: String,
    pub subscription: String,
    pub location: String,
    pub resource_id: String,
    pub namespace_id: String,
    pub started: OffsetDateTime,
    pub finishes: OffsetDateTime,
    pub polling: Polling,
    pub outcome: Outcome,
    /// Its status is 404, although it is here.
    pub is_forgotten: bool,
    pub effect: Option<Effect>,
}

/// How the client was told to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Polling {
    /// It asks until the operation is done, and gets no status before.
    UntilDone,
    /// It asks for the status of the operation.
    ForStatus,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Running,
    Succeeded,
    Failed(ActionError),
    Canceled,
}

/// How the next operation on a resource is to end, without its effect.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    /// ARM id, in any case.
    pub resource_id: String,
    /// The failure; canceled when absent.
    pub failure: Option<ActionError>,
}

/// The effect at its end. Policies are named by their lower-case name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// A namespace was made, or a part of it written: makes the links that are in progress.
    WriteNamespace,
    DeleteNamespace,
    CreateCredential,
    DeleteCredential,
    Synchronize,
    CreatePolicy(String),
    DeletePolicy(String),
    RevokeIssuer(String),
    Activate {
        policy: String,
        chain: String,
    },
    CertificateAuthority {
        name: String,
        change: AuthorityChange,
    },
}

/// What happens to a certificate authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AuthorityChange {
    Create,
    Delete,
    RevokeAndRotate,
    /// With the PEM chain that its signer gave.
    Activate(String),
    Retag(Tags),
    CreatePolicy(String),
    ChangePolicy {
        policy: String,
        validity_days: Option<u32>,
    },
    DeletePolicy(String),
}

/// An operation that a handler starts.
#[derive(Debug)]
pub(crate) struct NewOperation<'a> {
    pub subscription: &'a str,
    pub resource_id: String,
    pub namespace_id: String,
    pub polling: Polling,
    pub effect: Effect,
}

impl Effect {
    /// Whether it makes or deletes its resource, which shows a failure as its state. After any other failure the resource
    /// is as it was (`ca-lifecycle-facts.md` §1.6).
    pub(super) fn makes_or_deletes(&self) -> bool {
        match self {
            Self::Synchronize | Self::RevokeIssuer(_) | Self::Activate { .. } => false,
            Self::CertificateAuthority { change, .. } => matches!(
                change,
                AuthorityChange::Create
                    | AuthorityChange::Delete
                    | AuthorityChange::CreatePolicy(_)
                    | AuthorityChange::DeletePolicy(_)
            ),
            _ => true,
        }
    }

    /// The change that is reported at its end.
    pub(super) fn told(&self) -> (ResourceKind, Deed) {
        match self {
            Self::WriteNamespace => (ResourceKind::Namespace, Deed::Write),
            Self::DeleteNamespace => (ResourceKind::Namespace, Deed::Delete),
            Self::CreateCredential => (ResourceKind::Credential, Deed::Write),
            Self::DeleteCredential => (ResourceKind::Credential, Deed::Delete),
            Self::Synchronize => (ResourceKind::Credential, Deed::Synchronize),
            Self::CreatePolicy(_) => (ResourceKind::CredentialPolicy, Deed::Write),
            Self::DeletePolicy(_) => (ResourceKind::CredentialPolicy, Deed::Delete),
            Self::RevokeIssuer(_) => (ResourceKind::CredentialPolicy, Deed::RevokeIssuer),
            Self::Activate { .. } => (ResourceKind::CredentialPolicy, Deed::ActivateBringYourOwnRoot),
            Self::CertificateAuthority { change, .. } => match change {
                AuthorityChange::Create | AuthorityChange::Retag(_) => {
                    (ResourceKind::CertificateAuthority, Deed::Write)
                }
                AuthorityChange::Delete => (ResourceKind::CertificateAuthority, Deed::Delete),
                AuthorityChange::RevokeAndRotate => {
                    (ResourceKind::CertificateAuthority, Deed::RevokeAndRotate)
                }
                AuthorityChange::Activate(_) => (ResourceKind::CertificateAuthority, Deed::Activate),
                AuthorityChange::CreatePolicy(_) | AuthorityChange::ChangePolicy { .. } => {
                    (ResourceKind::CertificatePolicy, Deed::Write)
                }
                AuthorityChange::DeletePolicy(_) => (ResourceKind::CertificatePolicy, Deed::Delete),
            },
        }
    }
}

impl World {
    /// Starts an operation.
    pub(crate) fn start(&mut self, new: NewOperation<'_>, now: OffsetDateTime) -> &Operation {
        let seconds = match new.effect {
            Effect::Synchronize => self.fleet.synchronize_seconds,
            _ => self.fleet.operation_seconds,
        };
        let finished = |operation: &Operation| operation.outcome != Outcome::Running;
        if self.operations.len() >= MOST_OPERATIONS
            && let Some(oldest) = self.operations.iter().position(finished)
        {
            self.operations.remove(oldest);
        }
        let operation = Operation {
            id: self.names.guid(),
            subscription: new.subscription.to_owned(),
            location: self.fleet.location.to_ascii_lowercase().replace(' ', ""),
            resource_id: new.resource_id,
            namespace_id: new.namespace_id,
            started: now,
            finishes: now + Duration::seconds(i64::from(seconds)),
            polling: new.polling,
            outcome: Outcome::Running,
            is_forgotten: false,
            effect: Some(new.effect),
        };
        self.operations.push_mut(operation)
    }

    /// Whether an operation runs on this resource, which the next one has to wait for.
    pub(crate) fn is_busy(&self, resource_id: &str) -> bool {
        self.operations.iter().any(|operation| {
            operation.outcome == Outcome::Running && operation.resource_id.eq_ignore_ascii_case(resource_id)
        })
    }

    /// Whether an operation that `matches` runs on a namespace.
    pub(crate) fn is_running(&self, namespace_id: &str, matches: impl Fn(&Effect) -> bool) -> bool {
        self.operations.iter().any(|operation| {
            operation.outcome == Outcome::Running
                && operation.namespace_id.eq_ignore_ascii_case(namespace_id)
                && operation.effect.as_ref().is_some_and(&matches)
        })
    }
}
