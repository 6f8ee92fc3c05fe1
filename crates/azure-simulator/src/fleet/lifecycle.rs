//! What the service does with certificate authorities where the sources contradict each other or say nothing. Tests
//! try each side; `PUT /simulator/lifecycle` changes it while the simulation runs.

use serde::{Deserialize, Serialize};

use crate::pki::ChainRules;

/// The choices. Each default is what was seen of the live service, or else what a client can rely on least.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lifecycle {
    /// Where generation B tells a client to ask for an operation (`ca-lifecycle-facts.md` §1.4).
    pub operation_status: OperationStatus,
    /// How an operation that a client follows by `Location` shows its success (`ca-lifecycle-facts.md` §1.4).
    pub operation_end: OperationEnd,
    /// How it shows its failure (`ca-lifecycle-facts.md` §1.4).
    pub operation_failure: OperationFailure,
    /// When a chain, or a second policy of a CA, is refused (`ca-lifecycle-facts.md` §1.7, §1.11).
    pub refusals: Moment,
    /// When a `PATCH` of generation B has its effect: both 200 and 202 are documented (`ca-lifecycle-facts.md` §1.1).
    pub updates: Moment,
    /// Whether the certificate of an external CA needs `clientAuth` (`ca-lifecycle-facts.md` §1.6, §6).
    pub client_auth: ClientAuth,
    /// The path length that it needs; absent: any that the chain allows (`ca-lifecycle-facts.md` §1.6, §6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_length: Option<u32>,
    /// The subjects of CAs of generation B (`ca-lifecycle-facts.md` §1.3).
    pub subjects: Subjects,
    /// Whether an external CA that waits for its first certificate shows a thumbprint, as the official example does
    /// (`ca-lifecycle-facts.md` §1.3).
    pub pending_thumbprint: bool,
    /// How many days before the end of its certificate the service renews a CA by itself, though not before half of its
    /// life is over. Absent: it never does. The service's own window is not published (`ca-lifecycle-facts.md` §1.8).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewal_window_days: Option<u32>,
    /// Whether the hubs lose the certificate of a CA of generation B that is deleted. No source says
    /// (`ca-lifecycle-facts.md` §1.10).
    pub delete_removes_from_hubs: bool,
}

/// The resource type of a status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationStatus {
    /// `asyncOperationStatuses`, as the live service.
    #[default]
    AsyncOperationStatuses,
    /// `operationStatuses`, as the examples of the specification.
    OperationStatuses,
}

/// The last answer to a client that polls a `Location`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationEnd {
    /// 200 with a status.
    #[default]
    Status,
    /// 200 without a body.
    Empty,
    /// 204.
    NoContent,
}

/// The same of an operation that has failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationFailure {
    /// 200 with the status `Failed` and the error.
    #[default]
    Status,
    /// 202 with the same body.
    Accepted,
    /// 200 with the error `AsyncOperationFailed` around the real one. That the real one is in its `details` is inferred.
    Wrapped,
    /// The error, with its own HTTP status.
    ErrorStatus,
}

/// When the service does something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// In the answer to the request.
    #[default]
    AtOnce,
    /// In the operation that the request starts.
    InOperation,
}

/// Whether the extended key usage `clientAuth` is needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuth {
    /// It is, as the official script says and an error of the live service.
    #[default]
    Required,
    /// A certificate without extended key usages does too, as the table of requirements says.
    Optional,
}

/// The common name of a CA.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subjects {
    /// Another one for each certificate, as in the example of generation A.
    #[default]
    MadeUp,
    /// The name of the resource, the same for each certificate, as in the examples of generation B.
    Name,
}

impl Lifecycle {
    /// Checks the numbers.
    ///
    /// # Errors
    /// Names the member that is wrong, and says how.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        if self.renewal_window_days.is_some_and(|days| !(1..=3_650).contains(&days)) {
            return Err(("renewal_window_days", "is not between 1 and 3650".to_owned()));
        }
        if self.path_length.is_some_and(|length| length > 255) {
            return Err(("path_length", "is not between 0 and 255".to_owned()));
        }
        Ok(())
    }

    /// The rules for the chain of an external CA, in either generation.
    pub(crate) fn chain_rules(&self) -> ChainRules {
        ChainRules {
            requires_client_auth: self.client_auth == ClientAuth::Required,
            path_length: self.path_length,
        }
    }

    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
