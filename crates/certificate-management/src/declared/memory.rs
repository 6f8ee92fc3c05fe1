//! What was written last to each declared resource, and for how long that keeps the app from writing the same again.
//!
//! A look decides what is to be done, and a service can take a write and keep another value, or refuse it each time. Without a
//! memory every run would send that write again, for ever. A person's command does not heed it: it always tries.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::step::{Action, Hindrance, Resource, Step, Waiting, Write};

/// How long a look may be older than a write, or the write still be under way: two clocks are two minutes apart at the most, a
/// write takes 30 seconds, and so may a read lag behind.
pub const SETTLES_WITHIN: Duration = Duration::minutes(4);
/// How long a write that the service has refused is not sent again.
pub const REFUSAL_HOLDS: Duration = Duration::hours(1);
/// How long a write that the service has taken, and that does not show, is not sent again.
pub const ACCEPTED_HOLDS: Duration = Duration::days(1);

/// How far a write is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// A run was about to send it, or never learnt its outcome.
    Planned,
    /// The service has taken it; whether it was done shows at the resource.
    Accepted,
    /// The service refused it, and will refuse it again as long as nothing else changes.
    Refused,
    /// The service could not take it just then: it was busy, or something else was under way.
    PutOff,
}

/// The last write to a declared resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastWrite {
    /// What was written to.
    pub target: Resource,
    /// What was written.
    pub write: Write,
    /// When a run was about to send it, by the clock of that run.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// How far it is.
    pub stage: Stage,
    /// What the service said against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The last write to each declared resource of a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    writes: Vec<LastWrite>,
}

impl Memory {
    /// Takes a write in, in place of the one to the same resource before it. Writes that decide nothing any more are
    /// forgotten, so the memory is no larger than what one day writes.
    pub fn remember(&mut self, write: LastWrite) {
        let is_current = |known: &LastWrite| (write.at - known.at).abs() < ACCEPTED_HOLDS;
        self.writes.retain(|known| !known.target.is(&write.target) && is_current(known));
        self.writes.push(write);
    }

    /// Says how far a write is that was remembered before. A later one to the same resource stays as it is.
    pub fn complete(&mut self, write: &LastWrite, stage: Stage, error: Option<String>) {
        let is_it = |known: &&mut LastWrite| {
            known.target.is(&write.target) && known.at == write.at && known.write == write.write
        };
        if let Some(known) = self.writes.iter_mut().find(is_it) {
            (known.stage, known.error) = (stage, error);
        }
    }

    /// The steps of a look that was begun at `seen_at`, without the writes that the last ones keep from being sent again. No
    /// step becomes a write.
    #[must_use]
    pub fn heed(&self, steps: Vec<Step>, seen_at: OffsetDateTime) -> Vec<Step> {
        let heeded = |step: Step| match self.held(&step, seen_at) {
            Some(action) => Step { action, ..step },
            None => step,
        };
        steps.into_iter().map(heeded).collect()
    }

    /// What stands in place of the write of a step; `None`: it is sent.
    fn held(&self, step: &Step, seen_at: OffsetDateTime) -> Option<Action> {
        let write = step.write()?;
        let last = self.writes.iter().find(|known| known.target.is(&step.resource))?;
        if !is_same(write, &last.write) {
            return None;
        }
        // Negative where it was sent after the look, or by a clock that is ahead.
        let age = seen_at - last.at;
        let holds = |period: Duration| age.abs() < period;
        let refused = || {
            let error = last.error.clone().unwrap_or_default();
            Some(Action::Refuse { because: Hindrance::Service { error } })
        };
        let under_way = || Some(Action::Wait { on: Waiting::LastWrite });
        match last.stage {
            Stage::Planned if holds(SETTLES_WITHIN) => under_way(),
            Stage::Accepted if age < SETTLES_WITHIN && holds(ACCEPTED_HOLDS) => under_way(),
            Stage::Accepted if holds(ACCEPTED_HOLDS) => {
                Some(Action::Refuse { because: Hindrance::NotKept { at: last.at } })
            }
            Stage::Refused if holds(REFUSAL_HOLDS) => refused(),
            Stage::PutOff if holds(SETTLES_WITHIN) => refused(),
            Stage::Planned | Stage::Accepted | Stage::Refused | Stage::PutOff => None,
        }
    }
}

/// Whether two writes to one resource are for the same. From where a value is changed does not matter: a service that answers a
/// change with a third value would be asked for ever otherwise.
fn is_same(a: &Write, b: &Write) -> bool {
    match (a, b) {
        (Write::LeafValidity { to: a, .. }, Write::LeafValidity { to: b, .. }) => a == b,
        _ => a == b,
    }
}
