//! What a person has to say so that a row of a plan is performed. It stands beside what the row does, since it tells of the plan alone:
//! once the row is written, nothing of it is so any more.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::ArmId;
use crate::configuration::{Freeze, Mode, NamespaceConfiguration};

/// An option without which a row is not performed, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Condition {
    /// The option.
    pub option: Insisted,
    /// Why, as a phrase.
    pub because: String,
}

/// An option by which a person insists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Insisted {
    /// `--even-in-audit`.
    EvenInAudit,
    /// `--break-freeze`, with a `--reason`.
    BreakFreeze,
}

impl Condition {
    /// Of a write in a namespace: that the configuration has it in audit mode, and that a window of `freeze` is open for it now or, by
    /// its `tags`, for the group that is written.
    pub(super) fn all(
        configuration: &NamespaceConfiguration,
        tags: Option<&Map<String, Value>>,
        now: OffsetDateTime,
    ) -> Vec<Self> {
        let in_audit =
            || Self { option: Insisted::EvenInAudit, because: "its namespace is in audit mode".to_owned() };
        let frozen = |freeze: &Freeze| Self { option: Insisted::BreakFreeze, because: freeze.why() };
        let of_mode = (configuration.mode == Mode::Audit).then(in_audit);
        of_mode.into_iter().chain(configuration.frozen(tags, now).map(frozen)).collect()
    }
}

/// The particulars of a row with its conditions, for a person who is to approve it.
#[must_use]
pub fn told(detail: &str, conditions: &[Condition]) -> String {
    conditions.iter().fold(detail.to_owned(), |told, condition| {
        let option = match condition.option {
            Insisted::EvenInAudit => "`--even-in-audit`",
            Insisted::BreakFreeze => "`--break-freeze` and a `--reason`",
        };
        format!("{told}; {}: it is performed with {option} only", condition.because)
    })
}

/// What the writes of a plan ask of the person who has them performed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demands {
    /// How many writes there are.
    pub writes: usize,
    /// Those of them in namespaces that the configuration has in audit mode.
    pub in_audit: usize,
    /// The names of these namespaces, each once.
    pub audit_namespaces: Vec<String>,
    /// Those of them that are frozen now.
    pub frozen: usize,
}

impl Demands {
    /// Of so many writes in one namespace, all of them alike.
    #[must_use]
    pub fn of_namespace(namespace: &ArmId, writes: usize, mode: Mode, is_frozen: bool) -> Self {
        let (in_audit, frozen) =
            (if mode == Mode::Audit { writes } else { 0 }, if is_frozen { writes } else { 0 });
        let audit_namespaces = (in_audit > 0).then(|| namespace.name().to_owned()).into_iter().collect();
        Self { writes, in_audit, audit_namespaces, frozen }
    }

    /// Of one write under these conditions.
    pub(super) fn of_write(namespace: &ArmId, conditions: &[Condition]) -> Self {
        let has = |option: Insisted| conditions.iter().any(|condition| condition.option == option);
        let mode = if has(Insisted::EvenInAudit) { Mode::Audit } else { Mode::Enforce };
        Self::of_namespace(namespace, 1, mode, has(Insisted::BreakFreeze))
    }

    /// The same of both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.writes += other.writes;
        self.in_audit += other.in_audit;
        self.frozen += other.frozen;
        for name in other.audit_namespaces {
            if !self.audit_namespaces.contains(&name) {
                self.audit_namespaces.push(name);
            }
        }
        self
    }
}
