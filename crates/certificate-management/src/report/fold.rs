//! Makes the report, of one namespace after the other: none of them has to be held while the next one is looked at.
//!
//! A namespace that cannot be read becomes a finding, never a missing report.

use time::OffsetDateTime;

use super::build::namespace;
use super::ends;
use super::known_groups;
use super::snapshot::{Snapshot, Standing};
use super::{
    CaEnd, DETAILED, Finding, FleetRecords, HeldGroup, LastAssignment, NamespaceLine, NamespaceReport, Page,
    REPORT_SCHEMA, Records, Report, ReportInput, RequestActivity, Summary, SuppressedFinding, Unread, Unseen,
};
use crate::causes;
use crate::checks;
use crate::configuration::{Configuration, Freeze, Suppression};
use crate::facts::{Facts, NamespaceFacts};
use crate::hold::GroupHolds;
use crate::in_force::VersionInForce;
use crate::next_step::Caller;
use crate::request::RequestRecord;

/// Makes the report of everything at once.
#[must_use]
pub fn build(input: &ReportInput<'_>) -> Report {
    build_with_snapshot(input).0
}

/// The same, with what is kept of it to compare a later one with.
#[must_use]
pub fn build_with_snapshot(input: &ReportInput<'_>) -> (Report, Snapshot) {
    let records = input.records.as_ref().map(|records| &records.fleet);
    fold(input).finish_with_snapshot(records, &input.surprises)
}

/// Everything at once.
fn fold<'a>(input: &ReportInput<'a>) -> Fold<'a> {
    let records = input.records.as_ref();
    let requests = records.map(|records| records.requests.clone());
    let holds = records.map(|records| records.fleet.holds.clone()).unwrap_or_default();
    let fold = Fold::new(input.configuration, input.kill_switch, requests, input.now).with_all_details();
    let mut fold = fold.holding(holds).under(input.standing.clone());
    for namespace in &input.namespaces {
        let last = records.map(|records| records.last_assignments.clone()).unwrap_or_default();
        fold.add(NamespaceFacts::of(namespace), last);
    }
    fold
}

/// A report that is being made.
pub struct Fold<'a> {
    configuration: &'a Configuration,
    kill_switch: bool,
    caller: Caller,
    /// What an earlier report has found.
    earlier: Vec<Finding>,
    now: OffsetDateTime,
    /// What records tell of the namespace in hand; `None`: they are not looked at.
    records: Option<Records>,
    holds: Vec<GroupHolds>,
    standing: Option<VersionInForce>,
    told: Vec<Finding>,
    quiet: Vec<SuppressedFinding>,
    unread: Vec<Unread>,
    unseen: Vec<Unseen>,
    summary: Summary,
    lines: Vec<NamespaceLine>,
    ends: Vec<CaEnd>,
    /// Whether all there is to know of each namespace is kept.
    is_detailed: bool,
    /// Whether it is about the fleet as a whole.
    is_whole: bool,
    namespaces: Vec<NamespaceReport>,
    standings: Vec<Standing>,
    /// How many groups the standings have by name.
    known_groups: usize,
}

impl<'a> Fold<'a> {
    /// A report without namespaces. The sync requests that changed last, the newest first; `None` where records are not looked
    /// at.
    #[must_use]
    pub fn new(
        configuration: &'a Configuration,
        kill_switch: bool,
        requests: Option<Vec<RequestRecord>>,
        now: OffsetDateTime,
    ) -> Self {
        let records = requests.map(|requests| Records { requests, ..Records::default() });
        Self {
            configuration,
            kill_switch,
            caller: Caller::App,
            earlier: Vec::new(),
            now,
            records,
            holds: Vec::new(),
            standing: None,
            told: Vec::new(),
            quiet: Vec::new(),
            unread: Vec::new(),
            unseen: Vec::new(),
            summary: Summary::default(),
            lines: Vec::new(),
            ends: Vec::new(),
            is_whole: true,
            is_detailed: configuration.namespaces.len() <= DETAILED,
            namespaces: Vec::new(),
            standings: Vec::new(),
            known_groups: 0,
        }
    }

    /// The same with all there is to know of each namespace, however large the fleet is.
    #[must_use]
    pub fn with_all_details(self) -> Self {
        Self { is_detailed: true, ..self }
    }

    /// The same of what this caller has seen.
    #[must_use]
    pub fn seen_by(self, caller: Caller) -> Self {
        Self { caller, ..self }
    }

    /// The same with what an earlier report has found of the app itself: whether its runs come, and what its identity may see.
    #[must_use]
    pub fn with_findings_of_the_app(self, earlier: Vec<Finding>) -> Self {
        Self { earlier, ..self }
    }

    /// The same with these holds of groups, of the whole fleet.
    #[must_use]
    pub fn holding(self, holds: Vec<GroupHolds>) -> Self {
        Self { holds, ..self }
    }

    /// The same under this version of the configuration; `None`: it is a file.
    #[must_use]
    pub fn under(self, standing: Option<VersionInForce>) -> Self {
        Self { standing, ..self }
    }

    /// The same of a part of the fleet: nothing is said of the suppressions, which are about the whole.
    #[must_use]
    pub fn of_one_namespace(self) -> Self {
        Self { is_whole: false, ..self }
    }

    /// The next namespace, in the order of the configuration, with the last assignments of its groups.
    pub fn add(&mut self, mut facts: NamespaceFacts<'_>, last_assignments: Vec<LastAssignment>) {
        facts.restrain(&self.holds, self.now);
        if let Some(records) = &mut self.records {
            records.last_assignments = last_assignments;
        }
        let namespace = namespace(&facts, self.kill_switch, self.now);
        let frozen = facts.configuration.frozen(None, self.now).map(Freeze::why);
        let facts = Facts {
            namespaces: vec![facts],
            records: self.records.as_ref(),
            fleet: None,
            kill_switch: self.kill_switch,
            caller: self.caller,
            thresholds: &self.configuration.checks,
            suppressions: &[],
            surprises: &[],
            standing: None,
            now: self.now,
        };
        let (told, quiet) = split(checks::run(&facts), &self.configuration.suppressions, self.now);
        self.unread.extend(unread(&facts));
        self.unseen.extend(facts.unseen());
        self.lines.push(NamespaceLine { frozen, ..NamespaceLine::of(&namespace, &told) });
        self.summary.add(&namespace);
        ends::add(&mut self.ends, &namespace, &told);
        let room = known_groups::KEPT - self.known_groups;
        let groups = facts.namespaces.first().and_then(|facts| known_groups::of(facts, room));
        self.known_groups += groups.as_ref().map_or(0, Vec::len);
        self.standings.push(Standing::of(&namespace, groups));
        if self.is_detailed {
            self.namespaces.push(namespace);
        }
        self.told.extend(told);
        self.quiet.extend(quiet);
    }

    /// The report, and what is kept of it to compare a later one with.
    #[must_use]
    pub fn finish_with_snapshot(
        mut self,
        records: Option<&FleetRecords>,
        surprises: &[String],
    ) -> (Report, Snapshot) {
        let standings = std::mem::take(&mut self.standings);
        let report = self.finish(records, surprises);
        let snapshot = Snapshot::of(report.generated_at, &report.findings, standings);
        (report, snapshot)
    }

    /// The report, with what is said of the fleet as a whole.
    #[must_use]
    pub fn finish(mut self, records: Option<&FleetRecords>, surprises: &[String]) -> Report {
        let standing = self.standing.take();
        let facts = Facts {
            namespaces: Vec::new(),
            records: None,
            fleet: records,
            kill_switch: self.kill_switch,
            caller: self.caller,
            thresholds: &self.configuration.checks,
            suppressions: if self.is_whole { &self.configuration.suppressions } else { &[] },
            surprises,
            standing: standing.as_ref(),
            now: self.now,
        };
        let (told, quiet) = split(checks::run(&facts), &self.configuration.suppressions, self.now);
        self.told.extend(told);
        self.quiet.extend(quiet);
        self.take_earlier();
        checks::put_in_order(&mut self.told, |finding| finding);
        self.told = causes::in_order(&self.told);
        checks::put_in_order(&mut self.quiet, |quiet| &quiet.finding);
        self.unread.extend(unread(&facts));
        self.unseen.extend(facts.unseen());
        let requests = self.records.map(|records| RequestActivity::of(&records.requests));
        let causes = causes::group(&self.told).len();
        self.summary.count(&self.told, self.quiet.len(), requests.as_ref());
        self.summary.findings.causes = causes;
        (self.summary.unread, self.summary.unseen) = (self.unread.len(), self.unseen.len());
        Report {
            schema: REPORT_SCHEMA.to_owned(),
            generated_at: self.now,
            oldest_data_at: self.lines.iter().filter_map(|line| line.seen_at).min().unwrap_or(self.now),
            kill_switch: self.kill_switch,
            summary: self.summary,
            page: Page::ONLY,
            causes: causes::shared(&self.told),
            findings: self.told,
            suppressed: self.quiet,
            checks_not_made: records.map(FleetRecords::checks_not_made).unwrap_or_default(),
            unread: self.unread,
            unseen: self.unseen,
            lines: self.lines,
            ends: self.ends,
            namespaces: self.namespaces,
            requests,
            held: records.map(|records| HeldGroup::all(&records.holds)),
            runs: records.map(|records| records.runs.clone()),
            waiting: records.and_then(|records| records.waiting.clone()),
        }
    }
}

impl Fold<'_> {
    /// What the app has found of itself stands in place of the same finding of now: it acts by what it sees.
    fn take_earlier(&mut self) {
        let mut earlier = std::mem::take(&mut self.earlier);
        earlier.retain(|finding| {
            let id = finding.subject.namespace_id.as_ref();
            finding.is_about_the_app() && id.is_none_or(|id| self.configuration.namespace(id).is_some())
        });
        let (told, quiet) = split(earlier, &self.configuration.suppressions, self.now);
        for finding in told {
            match self.told.iter_mut().find(|known| known.id == finding.id) {
                Some(known) => *known = finding,
                None => {
                    let id = finding.subject.namespace_id.as_ref();
                    if let Some(line) = self.lines.iter_mut().find(|line| Some(&line.id) == id) {
                        line.count(finding.severity);
                    }
                    self.told.push(finding);
                }
            }
        }
        self.quiet.extend(quiet);
    }
}

fn unread(facts: &Facts<'_>) -> Vec<Unread> {
    let unread = facts.unread().into_iter();
    unread.map(|(subject, failure)| Unread { subject, failure: failure.clone() }).collect()
}

/// Tells what is kept quiet from what is not.
fn split(
    findings: Vec<Finding>,
    suppressions: &[Suppression],
    now: OffsetDateTime,
) -> (Vec<Finding>, Vec<SuppressedFinding>) {
    let (mut told, mut quiet) = (Vec::new(), Vec::new());
    for finding in findings {
        match suppressions.iter().find(|suppression| suppression.covers(&finding, now)) {
            Some(suppression) => quiet.push(SuppressedFinding {
                finding,
                reason: suppression.reason.clone(),
                until: suppression.until,
            }),
            None => told.push(finding),
        }
    }
    (told, quiet)
}

#[cfg(test)]
mod tests;
