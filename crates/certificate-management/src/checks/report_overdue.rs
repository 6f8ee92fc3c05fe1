//! The report before this one is older than the schedule allows: no report looked in between.

use time::Duration;

use super::CheckId;
use crate::facts::Facts;
use crate::finding::{Finding, Subject};
use crate::reason::Reason;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(previous) = facts.fleet.and_then(|records| records.previous_report_at) else {
        return Vec::new();
    };
    let minutes = facts.thresholds.report_overdue.minutes;
    let age = facts.now - previous;
    if age <= Duration::minutes(i64::from(minutes)) {
        return Vec::new();
    }
    let message = format!(
        "the report before this one was {} minutes old, and {minutes} are expected at the most",
        age.whole_minutes()
    );
    let finding =
        Finding::new(CheckId::ReportOverdue, Reason::ReportOverdue, Subject::component("report"), message);
    vec![finding.on_occasion(&previous.unix_timestamp().to_string()).with_time("previousReportAt", previous)]
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, World};
    use super::*;
    use crate::report_input::{FleetRecords, Records};

    #[test]
    fn a_gap_is_told_and_the_first_report_has_none() {
        for (age, found) in [(None, 0), (Some(Duration::minutes(150)), 0), (Some(Duration::minutes(151)), 1)]
        {
            let mut world = World::healthy();
            let previous_report_at = age.map(|age| NOW - age);
            let fleet = FleetRecords { previous_report_at, ..FleetRecords::default() };
            world.records = Some(Records { fleet, ..Records::default() });
            assert_eq!(world.found(CheckId::ReportOverdue).len(), found, "{age:?}");
        }
    }
}
