//! The answer: whom a step reaches, and what it does to them.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::count::Count;
use super::target::{Action, Kind};
use crate::ArmId;
use crate::generation::Generation;

/// Whether something stops at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Yes.
    Stops,
    /// It is not known: something could not be read, or no source says.
    MayStop,
    /// The service refuses the step, as its documentation says.
    Refused,
    /// No: everything was read, and nothing depends on it.
    NothingStops,
}

impl Verdict {
    /// Whether something stops, or may.
    #[must_use]
    pub const fn is_harmful(self) -> bool {
        matches!(self, Self::Stops | Self::MayStop)
    }
}

/// Where a statement comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// It was read just now.
    Observed,
    /// Microsoft's documentation, specification or code says so.
    Published,
    /// It follows from those, and none of them says it.
    Inferred,
    /// No source says, or it could not be read.
    Unknown,
}

impl std::fmt::Display for Basis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Observed => "observed",
            Self::Published => "published",
            Self::Inferred => "inferred",
            Self::Unknown => "unknown",
        })
    }
}

/// A sentence with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// What happens, or what to do.
    pub text: String,
    /// Why that is so.
    pub why: String,
    /// Where it comes from.
    pub basis: Basis,
    /// Until when, where there is an end.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none", default)]
    pub until: Option<OffsetDateTime>,
}

impl Statement {
    pub(super) fn new(basis: Basis, text: impl Into<String>, why: impl Into<String>) -> Self {
        Self { text: text.into(), why: why.into(), basis, until: None }
    }

    pub(super) fn until(self, until: Option<OffsetDateTime>) -> Self {
        Self { until, ..self }
    }
}

/// An enrollment group that uses the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AffectedGroup {
    /// Its DPS.
    pub provisioning_service: String,
    /// Its id.
    pub enrollment_group: String,
    /// The policy that it names.
    pub policy: Option<String>,
    /// Whether devices can register through it.
    pub enabled: bool,
    /// Devices that registered through it.
    pub devices: Count,
    /// False: what it names can be read in several ways.
    pub is_certain: bool,
}

/// Whether a hub has a certificate of the CA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "holds", rename_all = "kebab-case")]
pub enum Holds {
    /// It has.
    Yes {
        /// The names of the certificates on the hub.
        certificates: Vec<String>,
    },
    /// It has none.
    No,
    /// Its certificates could not be read.
    Unknown {
        /// Why not.
        why: String,
    },
}

/// A linked hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AffectedHub {
    /// Its name.
    pub hub: String,
    /// Its ARM id.
    pub id: ArmId,
    /// Whether it has the CA.
    #[serde(flatten)]
    pub holds: Holds,
}

/// How long device certificates of a policy last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Leaves {
    /// The policy.
    pub policy: String,
    /// The validity of a certificate that is issued now, in days; `None`: the service does not say.
    pub validity_days: Option<u32>,
    /// When a certificate that is issued now ends.
    #[serde(with = "time::serde::rfc3339::option")]
    pub issued_today_end: Option<OffsetDateTime>,
    /// After this no certificate of the policy is valid any more, also none from before its validity was shortened.
    #[serde(with = "time::serde::rfc3339::option")]
    pub none_after: Option<OffsetDateTime>,
}

/// A command that a person runs. It is a text: no code of this program can run it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandText {
    /// What it does.
    pub does: String,
    /// The command, for `sh`. It may have several lines.
    pub text: String,
    /// Where it comes from.
    pub basis: Basis,
}

/// What a step would break.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Radius {
    /// The step.
    pub action: Action,
    /// The kind of what it is taken on.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its ARM id, where it is known.
    pub id: Option<ArmId>,
    /// Its namespace.
    pub namespace_id: ArmId,
    /// The generation of the service that it belongs to.
    pub generation: Generation,
    /// Whether something stops at once.
    pub verdict: Verdict,
    /// The same as a sentence.
    pub summary: String,
    /// The enrollment groups that use it.
    pub groups: Vec<AffectedGroup>,
    /// The individual enrollments that use it.
    pub individual_enrollments: Count,
    /// Devices that registered through the groups.
    pub devices: Count,
    /// The linked hubs.
    pub hubs: Vec<AffectedHub>,
    /// How long device certificates last.
    pub leaves: Vec<Leaves>,
    /// What stops, or may stop, when the step is taken.
    pub at_once: Vec<Statement>,
    /// What stops later, and until when.
    pub later: Vec<Statement>,
    /// What cannot be undone.
    pub irreversible: Vec<Statement>,
    /// What could not be read.
    pub unknown: Vec<Statement>,
    /// The safe order of steps.
    pub safe_order: Vec<Statement>,
    /// The commands of the step itself.
    pub commands: Vec<CommandText>,
    /// When it was read.
    #[serde(with = "time::serde::rfc3339")]
    pub seen_at: OffsetDateTime,
}
