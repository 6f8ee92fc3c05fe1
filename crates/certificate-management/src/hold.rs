//! Holds: enrollment groups that are not written for now, whatever the rules say. A revert puts one on each group that it takes
//! back, since the rules would undo it; a person puts one on a group to keep it as it is. It lasts until a person releases it.
//!
//! A hold is written before the write that it protects, and read after the group was read. So of a hold and a write that
//! meet, either the write sees the hold, or its `If-Match` does not hold any more.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ArmId;
use crate::attribution::Attribution;

/// The schema of the record.
pub const HOLD_RECORD: &str = "hold/v1";
/// How many holds of a group that have ended are kept.
const EARLIER: usize = 20;

/// The record of the holds of one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupHolds {
    /// [`HOLD_RECORD`].
    pub record: String,
    /// ARM id of the namespace.
    pub namespace_id: ArmId,
    /// The name of the DPS.
    pub provisioning_service: String,
    /// Id of the group.
    pub enrollment_group: String,
    /// The last hold, in force unless it was released.
    pub last: Hold,
    /// Those before it, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Hold>,
}

/// One hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// The run that put it.
    pub run: String,
    /// The command and its person.
    pub woken_by: String,
    /// The run whose assignments were taken back; `None`: a person keeps the group as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverts: Option<String>,
    /// Who put it, and why.
    #[serde(default)]
    pub attribution: Attribution,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Release>,
}

/// The end of a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// The run that ended it.
    pub run: String,
    /// The command and its person.
    pub woken_by: String,
    /// Who ended it, and why.
    #[serde(default)]
    pub attribution: Attribution,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

impl GroupHolds {
    /// The hold that is in force.
    #[must_use]
    pub fn in_force(&self) -> Option<&Hold> {
        Some(&self.last).filter(|hold| hold.released.is_none())
    }

    /// Puts a hold on the group of `self`, which has this record now; `None`: it is held already, and that hold stays.
    #[must_use]
    pub fn put(self, existing: Option<Self>) -> Option<Self> {
        let Some(existing) = existing else { return Some(self) };
        if existing.in_force().is_some() {
            return None;
        }
        let mut earlier = vec![existing.last];
        earlier.extend(existing.earlier);
        earlier.truncate(EARLIER);
        Some(Self { earlier, ..self })
    }

    /// Ends the hold that is in force; `None`: there is none.
    #[must_use]
    pub fn release(mut self, release: Release) -> Option<Self> {
        self.in_force()?;
        self.last.released = Some(release);
        Some(self)
    }

    /// Whether it is of this group. Azure compares both names in any case.
    #[must_use]
    pub fn is_of(&self, provisioning_service: &str, enrollment_group: &str) -> bool {
        self.provisioning_service.eq_ignore_ascii_case(provisioning_service)
            && self.enrollment_group.eq_ignore_ascii_case(enrollment_group)
    }
}

impl Hold {
    /// Since when it is in force, by whom and why, as a sentence that stays the same as long as it lasts.
    #[must_use]
    pub fn why(&self) -> String {
        let by = self.attribution.caller.as_ref().map_or_else(|| self.woken_by.clone(), ToString::to_string);
        let mut why = match &self.reverts {
            Some(run) => format!("{by} took run {run} back on {}", self.at.date()),
            None => format!("{by} has held it since {}", self.at.date()),
        };
        if let Some(reason) = &self.attribution.reason {
            why.push_str(&format!(": {reason}"));
        }
        why
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn holds(run: &str) -> GroupHolds {
        let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
        GroupHolds {
            record: HOLD_RECORD.to_owned(),
            namespace_id: ArmId::parse(id).unwrap(),
            provisioning_service: "contoso-dps".to_owned(),
            enrollment_group: "line-1".to_owned(),
            last: Hold {
                run: run.to_owned(),
                woken_by: "assign by ann".to_owned(),
                reverts: Some("r0".to_owned()),
                attribution: Attribution::default(),
                at: datetime!(2026-11-23 05:00 UTC),
                released: None,
            },
            earlier: Vec::new(),
        }
    }

    fn release() -> Release {
        let at = datetime!(2026-11-24 05:00 UTC);
        let woken_by = "holds release by bob".to_owned();
        Release { run: "r9".to_owned(), woken_by, attribution: Attribution::default(), at }
    }

    #[test]
    fn a_hold_in_force_stays_the_one_it_is_and_one_that_ended_is_remembered() {
        let first = holds("r1").put(None).unwrap();
        assert_eq!(first.in_force().unwrap().run, "r1");
        assert_eq!(
            holds("r2").put(Some(first.clone())),
            None,
            "who holds it does not change under the holder"
        );
        let ended = first.release(release()).unwrap();
        assert_eq!(ended.in_force(), None);
        assert_eq!(ended.clone().release(release()), None, "a release is recorded once");
        let mut again = holds("r2").put(Some(ended)).unwrap();
        assert_eq!(again.in_force().unwrap().run, "r2");
        assert_eq!(again.earlier[0].released.as_ref().unwrap().run, "r9");
        for run in 0..3 * EARLIER {
            again = holds(&run.to_string()).put(again.release(release())).unwrap();
        }
        assert_eq!(again.earlier.len(), EARLIER, "it does not grow for ever");
    }

    #[test]
    fn its_reason_is_told() {
        let mut hold = holds("r1").last;
        assert_eq!(hold.why(), "assign by ann took run r0 back on 2026-11-23");
        hold.reverts = None;
        hold.attribution.reason = Some("audit of line 1".to_owned());
        assert_eq!(hold.why(), "assign by ann has held it since 2026-11-23: audit of line 1");
    }
}
