//! Makes the certificate authorities and policies that the file declares. What is to be done is decided by
//! [`declared::plan`]; this file looks, writes, and keeps a record of each write.
//!
//! Every run begins with a look, so a run goes on where another was killed, and nothing has to be remembered for that. What is
//! remembered ([`memory`]) keeps a function from sending the same write for ever.
//!
//! - [`pass`]: one look and the writes that can be done then, for functions and commands.
//! - [`keeping`]: what `reconcile-assignments` does about a namespace.

pub mod keeping;
mod memory;
pub mod pass;

use std::time::Duration;

use azure::{ErrorKind, LongRunningOperation, Service};
use certificate_management::ArmId;
use certificate_management::attribution::Attribution;
use certificate_management::configuration::{ApiGeneration, NamespaceConfiguration};
use certificate_management::declared::{self, Inventory, LastWrite, Resource, Stage, Step, Write};
use certificate_management::digest;
use certificate_management::generation::{Generation, NamespaceGeneration};
use certificate_management::plan::permit;
use serde::{Deserialize, Serialize};
use state::{Store, key};
use time::OffsetDateTime;

pub use self::memory::LAST_WRITES;
use crate::fleet::Fleet;

/// Prefix of the records of writes.
pub const WRITES: &str = "registry-writes";
/// Deadline of one write with all its attempts and waits.
const WRITE_WITHIN: Duration = Duration::from_secs(30);

/// Makes what the file declares, in the name of one run.
pub struct Authorities<'a> {
    /// The configuration and the clients.
    pub fleet: &'a Fleet,
    /// Where the records are kept.
    pub store: &'a Store,
    /// The id of the run.
    pub run: String,
    /// The function and its invocation, or the command and its person, that does it.
    pub woken_by: String,
    /// Who writes.
    pub by: permit::Writer,
    /// Why, and by which plan, as far as a person says so.
    pub stated: Attribution,
}

/// What a look at a namespace saw, and what is to be done.
pub struct Look {
    /// When it began.
    pub at: OffsetDateTime,
    /// What there is.
    pub inventory: Inventory,
    /// What is to be done about each thing that the file declares.
    pub steps: Vec<Step>,
}

/// The record of a write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WriteRecord {
    /// `registry-write/v1`.
    pub record: String,
    /// Id of the run.
    pub run: String,
    /// The function and its invocation, or the command and its person, that woke it.
    pub woken_by: String,
    /// Who wrote, why, and by which plan. Records of older versions do not have it.
    #[serde(default)]
    pub attribution: Attribution,
    /// ARM id of the namespace.
    pub namespace_id: ArmId,
    /// What was written to.
    pub target: Resource,
    /// What was written.
    pub write: Write,
    /// When the run was about to send it.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// How far it is.
    pub stage: Stage,
    /// What the service said against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Why a write was not done, or is not known to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotWritten {
    /// In words.
    pub why: String,
    /// Whether another run may succeed although no person changes anything.
    pub may_pass: bool,
}

impl Authorities<'_> {
    /// Looks at a namespace, and decides what is to be done about what the file declares there.
    ///
    /// # Errors
    /// When the namespace could not be read.
    pub async fn look(&self, configuration: &NamespaceConfiguration) -> Result<Look, azure::Error> {
        let at = self.fleet.now();
        let inventory = inventory(self.fleet, configuration).await?;
        let steps = declared::plan(configuration, &inventory);
        Ok(Look { at, inventory, steps })
    }

    /// Does one write, with a record before and after it.
    ///
    /// # Errors
    /// Audit mode, the kill switch, a freeze, a record that could not be kept, or the service's refusal. Where the answer was lost, the
    /// next look shows whether the write was done.
    pub async fn write(
        &self,
        configuration: &NamespaceConfiguration,
        resource: &Resource,
        write: &Write,
    ) -> Result<LongRunningOperation, NotWritten> {
        let guard = self.fleet.guard(configuration, self.by);
        guard.declared().map_err(|forbidden| NotWritten { why: forbidden.why, may_pass: false })?;
        let record = WriteRecord {
            record: "registry-write/v1".to_owned(),
            run: self.run.clone(),
            woken_by: self.woken_by.clone(),
            attribution: self.attribution(resource, write).await,
            namespace_id: configuration.id.clone(),
            target: resource.clone(),
            write: write.clone(),
            at: self.fleet.now(),
            stage: Stage::Planned,
            error: None,
        };
        let place = format!("{}/{resource}", configuration.id.key());
        let key = format!("{WRITES}/{}/{}", key::segment(&self.run), key::segment(&place));
        let last = LastWrite {
            target: resource.clone(),
            write: write.clone(),
            at: record.at,
            stage: Stage::Planned,
            error: None,
        };
        let unrecorded = |error: &dyn std::fmt::Display| NotWritten {
            why: format!("the write could not be recorded, so it was not made: {error}"),
            may_pass: true,
        };
        self.store.put(&key, &record).await.map_err(|error| unrecorded(&error))?;
        let remembered = memory::remember(self.store, &configuration.id, &last).await;
        remembered.map_err(|error| unrecorded(&error))?;
        let sent = self.fleet.azure.registry().write(&configuration.id, resource, write, WRITE_WITHIN).await;
        let stage = sent.as_ref().map_or_else(stage, |_| Stage::Accepted);
        let error = sent.as_ref().err().map(ToString::to_string);
        let remembered = memory::complete(self.store, &configuration.id, &last, stage, error.clone()).await;
        let recorded = self.store.put(&key, &WriteRecord { stage, error, ..record }).await;
        let incomplete =
            [remembered.err().map(|error| error.to_string()), recorded.err().map(|error| error.to_string())];
        for error in incomplete.into_iter().flatten() {
            tracing::warn!(resource = %resource, "the record of a write could not be completed: {error}");
        }
        let may_pass = stage != Stage::Refused;
        sent.map_err(|error| NotWritten { why: error.to_string(), may_pass })
    }
}

impl Authorities<'_> {
    /// Who does this write, why, and by which plan: a function plans each write by itself.
    async fn attribution(&self, resource: &Resource, write: &Write) -> Attribution {
        let plan = || digest::of::<16>(format!("{resource}\n{write}"));
        Attribution {
            caller: self.fleet.caller(Service::ResourceManager).await,
            reason: self.stated.reason.clone(),
            plan: self.stated.plan.clone().or_else(|| Some(plan())),
            configuration: self.fleet.version().map(str::to_owned),
        }
    }
}

/// How far a write is that failed.
pub fn stage(error: &azure::Error) -> Stage {
    match error.kind() {
        _ if error.may_have_taken_effect() => Stage::Planned,
        ErrorKind::Conflict | ErrorKind::Throttled { .. } | ErrorKind::Unavailable | ErrorKind::Timeout => {
            Stage::PutOff
        }
        _ => Stage::Refused,
    }
}

/// What a namespace has of what the file declares there.
///
/// # Errors
/// When the namespace could not be read.
pub async fn inventory(
    fleet: &Fleet,
    configuration: &NamespaceConfiguration,
) -> Result<Inventory, azure::Error> {
    fleet.azure.registry().inventory(&configuration.id, generations(configuration)).await
}

/// The generations that a look reads: those that the file declares something of, and those that it names.
fn generations(configuration: &NamespaceConfiguration) -> NamespaceGeneration {
    let has_authorities = configuration.declares(Generation::CertificateAuthorities);
    let has_credential = configuration.declares(Generation::Credentials);
    match (configuration.api_generation, has_credential, has_authorities) {
        (ApiGeneration::Credentials, ..) | (ApiGeneration::Auto, true, false) => {
            NamespaceGeneration::Credentials
        }
        (ApiGeneration::CertificateAuthorities, ..) | (ApiGeneration::Auto, false, true) => {
            NamespaceGeneration::CertificateAuthorities
        }
        (ApiGeneration::Auto, true, true) | (ApiGeneration::Auto, false, false) => {
            NamespaceGeneration::Migrating
        }
    }
}
