//! The one place that writes the policy of an enrollment group, for the functions and for the commands of a person. It
//! asks for the mode itself, writes under the guard, reads back, and records the attempt, the success and the refusal.
//! One table says what follows from an error: [`Hindrance::consequence`].

use azure::{AssignError, CreateError, Group, RawGroup};
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::plan::hindrance::{Consequence, Hindrance, Next};
use certificate_management::plan::saved::PlannedAssignment;
use certificate_management::plan::{permit, unwritable};
use certificate_management::reason::Reason;
use certificate_management::reason::failure::CallFailure;

use super::journal::Journal;
use crate::failure;
use crate::fleet::Fleet;
use crate::observation::LinkedService;

/// Writes in the name of one run.
pub struct Writer<'a> {
    /// The app.
    pub fleet: &'a Fleet,
    /// The journal that records the writes.
    pub journal: Journal<'a>,
    /// Who writes.
    pub by: permit::Writer,
}

/// The group that the writer writes.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// A group as it was read, which gets another policy.
    Existing(&'a Group),
    /// A new group, which is created with its policy.
    New(&'a RawGroup),
}

/// The outcome of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was written and read back.
    Written {
        /// Why its record could not be completed, if so.
        unrecorded: Option<String>,
    },
    /// It was not written, or the writer could not learn whether it was.
    NotWritten(NotWritten),
}

/// Why an entry was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotWritten {
    /// The reason code.
    pub reason: Reason,
    /// What the caller does next.
    pub next: Next,
    /// With the particulars.
    pub detail: String,
    /// Why the refusal could not be recorded, if so.
    pub unrecorded: Option<String>,
}

/// The hindrance of a write, with the particulars.
struct Stopped {
    hindrance: Hindrance,
    detail: String,
}

impl Writer<'_> {
    /// Performs one entry on a group of `service`.
    pub async fn perform(
        &self,
        configuration: &NamespaceConfiguration,
        service: &LinkedService,
        target: Target<'_>,
        entry: &PlannedAssignment,
    ) -> Outcome {
        match self.write(configuration, service, target, entry).await {
            Ok(unrecorded) => Outcome::Written { unrecorded },
            Err(Stopped { hindrance, detail }) => {
                let Consequence { reason, next } = hindrance.consequence();
                let unrecorded = match next.is_recorded() {
                    true => self.refuse(entry, reason, &detail).await,
                    false => None,
                };
                Outcome::NotWritten(NotWritten { reason, next, detail, unrecorded })
            }
        }
    }

    /// Records that an entry is not written; answers why it could not be recorded, if so.
    pub async fn refuse(&self, entry: &PlannedAssignment, reason: Reason, detail: &str) -> Option<String> {
        let recorded = self.journal.refused(entry, reason, detail, self.fleet.now()).await;
        recorded.err().map(|error| format!("the refusal could not be recorded: {error}"))
    }

    /// Writes, with a record before and after it; answers why the second record could not be completed, if so.
    async fn write(
        &self,
        configuration: &NamespaceConfiguration,
        service: &LinkedService,
        target: Target<'_>,
        entry: &PlannedAssignment,
    ) -> Result<Option<String>, Stopped> {
        permit::permitted(configuration, self.fleet.kill_switch, self.by)
            .map_err(|why| self.in_audit(entry, why))?;
        let groups = self.fleet.azure.enrollment_groups(service.generation);
        if let Target::Existing(group) = target {
            if let Some((_, detail)) = unwritable(&group.view) {
                return Err(Stopped { hindrance: Hindrance::AttestationUnknown, detail });
            }
            // This comes before the record: otherwise every reconcile would record a group whose keys stay unreadable
            // as planned.
            groups.check_keys(&service.endpoint, group).await?;
        }
        let record = self.journal.planned(entry, self.fleet.now()).await.map_err(|error| Stopped {
            hindrance: Hindrance::Unrecorded,
            detail: format!("the write could not be recorded, so it was not made: {error}"),
        })?;
        let etag = match target {
            Target::Existing(group) => {
                groups.set_policy(&service.endpoint, group, entry.after.as_deref()).await?.etag
            }
            Target::New(raw) => groups.create(&service.endpoint, &with_policy(raw, entry)?).await?.view.etag,
        };
        let completed = self.journal.written(record, etag).await;
        Ok(completed
            .err()
            .map(|error| format!("it was written, but its record could not be completed: {error}")))
    }

    fn in_audit(&self, entry: &PlannedAssignment, why: String) -> Stopped {
        let detail = match (self.by, &entry.after) {
            // A person has the plan before them and decides about the rest.
            (permit::Writer::Person { .. }, _) => why,
            (permit::Writer::Function, Some(policy)) => {
                format!("would assign `{policy}`: {}; {why}", entry.detail)
            }
            (permit::Writer::Function, None) => {
                format!("would take its policy away: {}; {why}", entry.detail)
            }
        };
        Stopped { hindrance: Hindrance::Audit, detail }
    }
}

/// A new group with what its entry says.
fn with_policy(raw: &RawGroup, entry: &PlannedAssignment) -> Result<RawGroup, Stopped> {
    let Some(policy) = &entry.after else { return Ok(raw.without_policy()) };
    raw.with_policy(policy).ok_or_else(|| Stopped {
        hindrance: Hindrance::Call(CallFailure::Rejected),
        detail: format!("`{policy}` is no whole reference to a policy"),
    })
}

impl From<AssignError> for Stopped {
    fn from(error: AssignError) -> Self {
        let hindrance = match &error {
            AssignError::Moved(_) => Hindrance::Moved,
            AssignError::WouldChangeMore { .. } => Hindrance::WouldChangeMore,
            AssignError::KeysUnreadable { .. } => Hindrance::KeysUnreadable,
            AssignError::NotVerified { .. } => Hindrance::NotVerified,
            AssignError::Service(error) => Hindrance::Call(failure::call(error)),
        };
        Self { hindrance, detail: error.to_string() }
    }
}

impl From<CreateError> for Stopped {
    fn from(error: CreateError) -> Self {
        let hindrance = match &error {
            CreateError::Exists(_) => Hindrance::Exists,
            CreateError::NotVerified { .. } => Hindrance::NotVerified,
            CreateError::Service(error) => Hindrance::Call(failure::call(error)),
        };
        Self { hindrance, detail: error.to_string() }
    }
}
