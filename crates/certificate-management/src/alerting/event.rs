//! A finding as a CloudEvent 1.0: what subscribers of the topic get.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::Alert;
use crate::ArmId;
use crate::checks::CheckId;
use crate::finding::Finding;
use crate::reason::Reason;

/// The type of every event.
pub const EVENT_TYPE: &str = "Policysync.Finding";

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingState {
    /// It is new.
    Raised,
    /// It is on a higher step than the one that was announced before.
    Escalated,
    /// It is not found any more.
    Cleared,
}

impl std::fmt::Display for FindingState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Raised => "raised",
            Self::Escalated => "escalated",
            Self::Cleared => "cleared",
        })
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingEvent {
    /// Always `1.0`.
    pub specversion: String,
    /// The finding's id, when it was raised, and the step, or `cleared`: the same in a repeat, and in nothing else.
    pub id: String,
    /// Always [`EVENT_TYPE`].
    #[serde(rename = "type")]
    pub kind: String,
    /// The ARM id of the namespace, or `policysync` where it is about none.
    pub source: String,
    /// The check and what it is about, e.g. `ca-expiring/contoso / short-lived`: event filters match on its beginning.
    pub subject: String,
    /// When the report found it, or found that it has cleared.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// The finding.
    pub data: Data,
}

/// The data of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Data {
    /// What became of it.
    pub state: FindingState,
    /// The step that it is on; when it has cleared, the highest that was announced.
    pub step: String,
    /// When it was raised.
    #[serde(with = "time::serde::rfc3339")]
    pub raised_at: OffsetDateTime,
    /// The finding; when it has cleared, as it was announced last.
    pub finding: Finding,
    /// The finding that stands for its cause; `None` where it does so itself, and when it has cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows_from: Option<Brief>,
    /// Where it stands for its cause: what follows from it, the first [`BRIEFS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub followed_by: Vec<Brief>,
    /// How many findings follow from it in all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub followed_by_count: usize,
}

/// How many findings an event names of those that follow from its own.
pub const BRIEFS: usize = 20;

/// Another finding of the same cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    /// Its id.
    pub id: String,
    /// The check that found it.
    pub check: CheckId,
    /// The reason code.
    pub reason: Reason,
    /// What it is about, as text.
    pub subject: String,
}

impl From<&Finding> for Brief {
    fn from(finding: &Finding) -> Self {
        Self {
            id: finding.id.clone(),
            check: finding.check,
            reason: finding.reason,
            subject: finding.subject.text.clone(),
        }
    }
}

/// serde passes a reference.
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl FindingEvent {
    pub(super) fn new(state: FindingState, alert: &Alert, finding: &Finding, now: OffsetDateTime) -> Self {
        let milliseconds = alert.raised_at.unix_timestamp_nanos() / 1_000_000;
        let last = if state == FindingState::Cleared { "cleared" } else { alert.step.name.as_str() };
        let source = finding.subject.namespace_id.as_ref().map_or("policysync", ArmId::as_str);
        Self {
            specversion: "1.0".to_owned(),
            id: format!("{}-{milliseconds}-{last}", finding.id),
            kind: EVENT_TYPE.to_owned(),
            source: source.to_owned(),
            subject: format!("{}/{}", finding.check, finding.subject),
            time: now,
            datacontenttype: "application/json".to_owned(),
            data: Data {
                state,
                step: alert.step.name.clone(),
                raised_at: alert.raised_at,
                finding: finding.clone(),
                follows_from: None,
                followed_by: Vec::new(),
                followed_by_count: 0,
            },
        }
    }

    /// With what the findings of its cause have to do with it; the first of them stands for the cause.
    pub(super) fn within(mut self, cause: &[&Finding]) -> Self {
        let Some((head, follows)) = cause.split_first() else { return self };
        if head.id == self.data.finding.id {
            self.data.followed_by = follows.iter().take(BRIEFS).map(|&finding| finding.into()).collect();
            self.data.followed_by_count = follows.len();
        } else {
            self.data.follows_from = Some((*head).into());
        }
        self
    }
}
