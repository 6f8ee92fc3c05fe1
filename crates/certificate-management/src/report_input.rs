//! What a report is made from: what was read in Azure and in the records, or why it could not be.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ArmId;
use crate::configuration::{Configuration, NamespaceConfiguration};
use crate::declared;
use crate::finding::Subject;
use crate::hold::GroupHolds;
use crate::in_force::VersionInForce;
use crate::issuers::SeenIssuers;
use crate::model::{EnrollmentGroup, ReadFailure};
use crate::plan::Observation;
use crate::readiness::Sides;
use crate::request::RequestRecord;
use crate::trust_over_time::TrustOverTime;
use crate::waiting::WaitingMessages;
use crate::walk_run::WalkRun;
use crate::writes::RunEntry;

/// Everything that a report is made from.
#[derive(Debug)]
pub struct ReportInput<'a> {
    /// What the operator wants.
    pub configuration: &'a Configuration,
    /// Whether `POLICYSYNC_MODE=audit` keeps every function from writing.
    pub kill_switch: bool,
    /// The namespaces, in the order of the configuration.
    pub namespaces: Vec<NamespaceInput<'a>>,
    /// What records tell; `None`: they were not looked at.
    pub records: Option<Records>,
    /// What the service sent that this version does not know, each as a sentence.
    pub surprises: Vec<String>,
    /// Which version of the configuration is in force; `None`: it is a file.
    pub standing: Option<VersionInForce>,
    /// The time.
    pub now: OffsetDateTime,
}

/// What a run counts at a namespace after it has seen it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Counted {
    /// Devices that registered before their group had its policy, of the groups that were looked at.
    pub early_devices: Vec<EarlyDevices>,
    /// What is linked and that the file does not name: DPS that are linked to the namespace, and other namespaces that hubs or
    /// DPS in its scopes are linked to. A section keeps it as a part of its own.
    #[serde(skip)]
    pub unnamed: Vec<ArmId>,
}

/// Devices that registered with an enrollment group before it had its policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EarlyDevices {
    /// Endpoint of the DPS.
    pub provisioning_service: String,
    /// The group's id.
    pub enrollment_group: String,
    /// When the group was given its policy; `None`: it had none yet.
    #[serde(with = "time::serde::rfc3339::option")]
    pub assigned_at: Option<OffsetDateTime>,
    /// How many there are; `None`: they were not counted.
    pub devices: Option<usize>,
    /// Whether there may be more, which were not counted.
    pub is_cut: bool,
}

impl EarlyDevices {
    /// Whether they are those of the group that a subject is. Names are compared in any case.
    #[must_use]
    pub fn is_of(&self, group: &Subject) -> bool {
        let is_same = |a: &str, b: Option<&str>| b.is_some_and(|b| a.eq_ignore_ascii_case(b));
        is_same(&self.provisioning_service, group.provisioning_service.as_deref())
            && is_same(&self.enrollment_group, group.enrollment_group.as_deref())
    }
}

/// What was learnt of one namespace, or why nothing was.
#[derive(Debug)]
pub struct NamespaceInput<'a> {
    /// Its configuration.
    pub configuration: &'a NamespaceConfiguration,
    /// Its observation.
    pub observation: Result<Observation, ReadFailure>,
    /// Its DPS: the endpoint, the host names of its hubs, and its groups; or why they could not be listed.
    pub provisioning_services: Result<Vec<ProvisioningServiceInput>, ReadFailure>,
    /// What was counted there last.
    pub counted: Counted,
    /// The authorities and policies that the file declares; `None` where functions do not keep them, or no run has looked yet.
    pub declared: Option<Result<declared::Seen, ReadFailure>>,
    /// Both sides of its links, and when they were read; `None`: no run has read them yet.
    pub links: Option<(OffsetDateTime, Sides)>,
    /// The issuing CAs that its policies were seen to have, as far as looks are remembered.
    pub issuers: SeenIssuers,
    /// Since when its hubs trust its policies, as far as looks are remembered.
    pub trust: TrustOverTime,
    /// When it was looked at.
    pub looks: Looks,
}

impl<'a> NamespaceInput<'a> {
    /// A namespace of which nothing is known: nothing is claimed about it, and no alert about it clears.
    #[must_use]
    pub fn unread(configuration: &'a NamespaceConfiguration, why: &ReadFailure) -> Self {
        Self {
            configuration,
            observation: Err(why.clone()),
            provisioning_services: Err(why.clone()),
            counted: Counted::default(),
            declared: None,
            links: None,
            issuers: SeenIssuers::default(),
            trust: TrustOverTime::default(),
            looks: Looks::default(),
        }
    }
}

/// When a namespace was looked at, whether or not it could be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looks {
    /// The last look at the namespace itself; `None`: there was none yet.
    pub namespace_at: Option<OffsetDateTime>,
    /// The last look at its DPS and their groups.
    pub services_at: Option<OffsetDateTime>,
    /// When the namespace itself could be read last.
    pub read_at: Option<OffsetDateTime>,
}

impl Looks {
    /// A look at everything at one time.
    #[must_use]
    pub fn at(now: OffsetDateTime) -> Self {
        Self { namespace_at: Some(now), services_at: Some(now), read_at: None }
    }

    /// When the part was looked at that waits longest; `None`: a part was not looked at yet.
    #[must_use]
    pub fn oldest(&self) -> Option<OffsetDateTime> {
        self.namespace_at.min(self.services_at)
    }
}

/// What was learnt of one DPS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProvisioningServiceInput {
    /// Its endpoint.
    pub endpoint: String,
    /// Host names of its hubs.
    pub hubs: Vec<String>,
    /// Its groups, or why they could not be read.
    pub enrollment_groups: Result<Vec<EnrollmentGroup>, ReadFailure>,
}

/// What records tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// The sync requests that changed last, the newest first.
    pub requests: Vec<RequestRecord>,
    /// What we wrote last to groups that now stand elsewhere than the rules say.
    pub last_assignments: Vec<LastAssignment>,
    /// What they tell of the fleet as a whole.
    pub fleet: FleetRecords,
}

/// What records tell of no single namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FleetRecords {
    /// When the report before this one was made.
    pub previous_report_at: Option<OffsetDateTime>,
    /// How far the last run of `reconcile-assignments` came.
    pub last_reconcile: Option<WalkRun>,
    /// The holds of groups, also those that have ended.
    pub holds: Vec<GroupHolds>,
    /// The runs that wrote last, the newest first.
    pub runs: Vec<RunEntry>,
    /// Messages that wait for a person; `None`: it was not looked whether there are any.
    pub waiting: Option<WaitingMessages>,
    /// Kinds of records that could not be read, e.g. `requests`, and why.
    pub unread: Vec<(String, ReadFailure)>,
    /// Kinds of records of which only the first were looked at, since there are more than one report reads.
    pub cut: Vec<String>,
}

/// The last write of ours to an enrollment group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAssignment {
    /// Endpoint of its DPS.
    pub provisioning_service: String,
    /// The group's id.
    pub enrollment_group: String,
    /// The policy that we wrote; `None`: we took its policy away.
    pub policy: Option<String>,
    /// The function, or the command and its person, that wrote it.
    pub by: String,
    /// The run that wrote it.
    pub run: String,
    /// When.
    pub at: OffsetDateTime,
}
