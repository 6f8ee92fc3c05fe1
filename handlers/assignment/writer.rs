//! The one place that writes the policy of an enrollment group, for the functions and for the commands of a person. It
//! asks the guard itself (mode, freezes and holds), writes under the guard, reads back, and records the attempt, the success and the refusal.
//! One table says what follows from an error: [`Hindrance::consequence`].

use azure::{AssignError, CreateError, Group, RawGroup, Service};
use certificate_management::attribution::Attribution;
use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::plan::hindrance::{Consequence, Hindrance, Next};
use certificate_management::plan::permit::{self, Forbidden, Held};
use certificate_management::plan::saved::PlannedAssignment;
use certificate_management::plan::unwritable;
use certificate_management::reason::Reason;
use certificate_management::reason::failure::CallFailure;

use super::journal::{Journal, WriteRecord};
use crate::failure;
use crate::fleet::Fleet;
use crate::holds::Known;
use crate::observation::LinkedService;

/// Writes in the name of one run.
pub struct Writer<'a> {
    /// The app.
    pub fleet: &'a Fleet,
    /// The journal that records the writes.
    pub journal: Journal<'a>,
    /// Who writes.
    pub by: permit::Writer,
    /// Why, and by which plan, as far as a person says so.
    pub stated: Attribution,
    /// Whether the records are kept, so that holds can be read.
    pub keeps_records: bool,
    /// The run that is taken back: a hold of this revert does not stop it.
    pub reverts: Option<String>,
}

/// The group that the writer writes.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// A group as it was read, which gets another policy.
    Existing(&'a Group),
    /// A new group, which is created with its policy.
    New(&'a Group),
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
        self.permit(configuration, target, entry).await?;
        let groups = self.fleet.azure.enrollment_groups(service.generation);
        if let Target::Existing(group) = target {
            if let Some((_, detail)) = unwritable(&group.view) {
                return Err(Stopped { hindrance: Hindrance::AttestationUnknown, detail });
            }
            // This comes before the record: otherwise every reconcile would record a group whose keys stay unreadable
            // as planned.
            groups.check_keys(&service.endpoint, group).await?;
        }
        let made = match target {
            Target::Existing(_) => None,
            Target::New(group) => Some(with_policy(&group.raw, entry)?),
        };
        let record =
            self.journal.planned(entry, self.attribution(entry).await, self.fleet.now()).await.map_err(
                |error| Stopped {
                    hindrance: Hindrance::Unrecorded,
                    detail: format!("the write could not be recorded, so it was not made: {error}"),
                },
            )?;
        let sent = match (target, made) {
            (_, Some(made)) => {
                let created = groups.create(&service.endpoint, &made).await;
                created.map(|group| group.view.etag).map_err(|error| (error.wrote_nothing(), error.into()))
            }
            (Target::Existing(group) | Target::New(group), None) => {
                let written = groups.set_policy(&service.endpoint, group, entry.after.as_deref()).await;
                written.map(|assigned| assigned.etag).map_err(|error| (error.wrote_nothing(), error.into()))
            }
        };
        let etag = match sent {
            Ok(etag) => etag,
            Err((wrote_nothing, stopped)) => {
                if wrote_nothing {
                    self.withdraw(&record).await;
                }
                return Err(stopped);
            }
        };
        let completed = self.journal.written(record, etag).await;
        Ok(completed
            .err()
            .map(|error| format!("it was written, but its record could not be completed: {error}")))
    }

    /// Takes the record of a write away that was not made. Otherwise every run would leave one, for as long as the service refuses.
    async fn withdraw(&self, record: &WriteRecord) {
        if let Err(error) = self.journal.withdrawn(record).await {
            tracing::warn!(
                group = record.enrollment_group,
                "the record of a write that was refused stays: {error}"
            );
        }
    }

    /// Asks the guard. The hold is read after the group was: a hold that is written later belongs to a write whose version of the group
    /// is another one, and one of the two does not match.
    async fn permit(
        &self,
        configuration: &NamespaceConfiguration,
        target: Target<'_>,
        entry: &PlannedAssignment,
    ) -> Result<(), Stopped> {
        let (Target::Existing(group) | Target::New(group)) = target;
        let tags = &group.view.tags;
        let ask = |held| {
            let group = permit::Group { tags, held, reverts: self.reverts.as_deref() };
            self.fleet.guard(configuration, self.by).group(group)
        };
        // What forbids the write in any case needs no record.
        ask(Held::No).map_err(|forbidden| self.forbidden(entry, forbidden))?;
        let store = self.keeps_records.then_some(self.journal.store);
        let known = Known::read(store, &entry.provisioning_service, &entry.enrollment_group).await;
        ask(known.held()).map_err(|forbidden| self.forbidden(entry, forbidden))
    }

    /// Who writes this entry, why, and by which plan: a function plans each entry by itself.
    async fn attribution(&self, entry: &PlannedAssignment) -> Attribution {
        Attribution {
            caller: self.fleet.caller(Service::DeviceProvisioning).await,
            reason: self.stated.reason.clone(),
            plan: self.stated.plan.clone().or_else(|| Some(entry.hash())),
            configuration: self.fleet.version().map(str::to_owned),
        }
    }

    fn forbidden(&self, entry: &PlannedAssignment, forbidden: Forbidden) -> Stopped {
        let Forbidden { hindrance, why } = forbidden;
        let detail = match (self.by, &entry.after) {
            // A person has the plan before them and decides about the rest.
            (permit::Writer::Person(_), _) => why,
            (permit::Writer::Function, Some(policy)) => {
                format!("would assign `{policy}`: {}; {why}", entry.detail)
            }
            (permit::Writer::Function, None) => {
                format!("would take its policy away: {}; {why}", entry.detail)
            }
        };
        Stopped { hindrance, detail }
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
        Self { hindrance: hindrance(&error), detail: error.to_string() }
    }
}

fn hindrance(error: &AssignError) -> Hindrance {
    match error {
        AssignError::Moved(_) => Hindrance::Moved,
        AssignError::WouldChangeMore { .. } => Hindrance::WouldChangeMore,
        AssignError::KeysUnreadable { .. } => Hindrance::KeysUnreadable,
        AssignError::NotVerified { .. } => Hindrance::NotVerified,
        AssignError::Halfway { error, .. } => hindrance(error),
        AssignError::Service(error) => Hindrance::Call(failure::call(error)),
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
