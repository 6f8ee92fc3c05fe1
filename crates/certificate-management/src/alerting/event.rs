//! A finding as a CloudEvent 1.0: what subscribers of the topic get.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::Alert;
use crate::ArmId;
use crate::finding::Finding;

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
            },
        }
    }
}
