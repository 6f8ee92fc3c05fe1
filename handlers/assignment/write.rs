//! One guarded write with its records, for the functions and for the commands of a person.

use azure::{AssignError, ErrorKind, Group};
use certificate_management::plan::saved::PlannedAssignment;
use certificate_management::reason::Reason;

use super::journal::Journal;
use crate::application::Application;

/// Why a group was not given its policy.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The guard or the service refused.
    #[error("{0}")]
    Guard(#[from] AssignError),
    /// Nothing was written, because it could not be recorded.
    #[error("the assignment could not be recorded, so it was not made: {0}")]
    Unrecorded(state::Error),
    /// It was written, but the record says `planned` still.
    #[error("the assignment was made, but its record could not be completed: {0}")]
    Incomplete(state::WriteError),
}

impl WriteError {
    /// The reason code.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Guard(AssignError::Moved(_)) => Reason::GroupMoved,
            Self::Guard(AssignError::WouldChangeMore { .. }) => Reason::WriteWouldChangeMore,
            Self::Guard(AssignError::KeysUnreadable { .. }) => Reason::SymmetricKeysUnreadable,
            Self::Guard(AssignError::NotVerified { .. }) => Reason::ServiceRejected,
            Self::Guard(AssignError::Service(error)) => reason_of(error),
            Self::Unrecorded(_) | Self::Incomplete(_) => Reason::ServiceUnavailable,
        }
    }
}

/// The reason code of a call that failed.
#[must_use]
pub fn reason_of(error: &azure::Error) -> Reason {
    match error.kind() {
        // What a new link looks like until it has reached the DPS (`azure-wire-facts.md` §2.3, §3).
        _ if error.service_code() == Some("400004") => Reason::LinkNotReady,
        ErrorKind::Forbidden | ErrorKind::Unauthorized => Reason::NotPermitted,
        ErrorKind::NotFound => Reason::GroupGone,
        ErrorKind::PreconditionFailed => Reason::GroupMoved,
        _ if error.is_retryable() => Reason::ServiceUnavailable,
        _ => Reason::ServiceRejected,
    }
}

/// Writes what an entry says to `group`, with a record before and after it.
///
/// # Errors
/// See [`WriteError`]. Without a record nothing is written.
pub async fn write(
    application: &Application,
    journal: &Journal<'_>,
    endpoint: &str,
    group: &Group,
    entry: &PlannedAssignment,
) -> Result<(), WriteError> {
    let groups = application.azure.enrollment_groups();
    // Before the record: a group whose keys stay unreadable would be recorded as planned by every reconcile.
    groups.check_keys(endpoint, group).await?;
    let now = application.now();
    let record = journal.planned(entry, now).await.map_err(WriteError::Unrecorded)?;
    let assigned = groups.set_policy(endpoint, group, entry.after.as_deref()).await?;
    journal.written(record, assigned.etag).await.map_err(WriteError::Incomplete)
}
