//! The report of what is seen now, for a command: it reads Azure itself, adds what records tell where they can be read, and leaves no
//! trace.
//!
//! A person sees with a login of their own. So what the app has found about itself, such as what its identity may not read, comes from
//! its newest report: this look cannot refute it.

use certificate_management::configuration::NamespaceConfiguration;
use certificate_management::declared::{Memory, Seen};
use certificate_management::facts::NamespaceFacts;
use certificate_management::model::{ReadFailure, ReadFailureKind};
use certificate_management::next_step::Caller;
use certificate_management::report::{CheckNotMade, Finding, Fold, NamespaceInput, RecordKind, Report};
use state::Store;
use tokio::time::timeout;

use super::looking::{EVERYTHING, input, surprises, unnamed};
use super::pages;
use super::remembered::{self, LastAssignments, Remembered};
use crate::fleet::Fleet;
use crate::observation::Observer;
use crate::walk::{self, Pace};
use crate::{authorities, failure, sections};

/// Makes it. `records`: those of the app, or why they are not read.
pub async fn report(fleet: &Fleet, caller: Caller, records: Result<&Store, &str>) -> Report {
    let seen = look(fleet).await;
    match records {
        Ok(store) => with_records(fleet, caller, store, seen).await,
        Err(why) => {
            let mut fold = Fold::new(&fleet.configuration, fleet.kill_switch, None, fleet.now())
                .with_all_details()
                .seen_by(caller);
            for input in &seen {
                fold.add(NamespaceFacts::of(input), Vec::new());
            }
            fold.finish(None, &surprises(fleet)).without_records(why)
        }
    }
}

async fn with_records(fleet: &Fleet, caller: Caller, store: &Store, seen: Vec<NamespaceInput<'_>>) -> Report {
    let Remembered { requests, mut fleet_records } = Remembered::read(store).await;
    let newest = Newest::read(store).await;
    remembered::waiting(store, fleet.now(), &mut fleet_records).await;
    let mut last_assignments = LastAssignments::new(store);
    let kill_switch = fleet.kill_switch || newest.kill_switch;
    let mut fold = Fold::new(&fleet.configuration, kill_switch, Some(requests), fleet.now())
        .with_all_details()
        .seen_by(caller)
        .with_findings_of_the_app(newest.findings)
        .holding(fleet_records.holds.clone());
    let mut sections_unread = None;
    for mut input in seen {
        match sections::read(store, &input.configuration.id).await {
            Ok(section) => section.remind(&mut input),
            Err(error) => sections_unread = Some(format!("sections could not be read: {error}")),
        }
        let facts = NamespaceFacts::of(&input);
        let last = last_assignments.of(&facts.astray()).await;
        fold.add(facts, last);
    }
    last_assignments.tell(&mut fleet_records);
    let mut not_made = fleet_records.checks_not_made();
    not_made.extend(sections_unread.iter().flat_map(|why| CheckNotMade::without(RecordKind::Sections, why)));
    if !newest.is_there && !not_made.iter().any(|one| one.check.rests_on() == Some(RecordKind::Reports)) {
        let why = "report-policy-status has not made a report yet";
        not_made.extend(CheckNotMade::without(RecordKind::Reports, why));
    }
    fleet_records.forget_what_the_caller_may_not_read();
    fold.finish(Some(&fleet_records), &surprises(fleet)).with_checks_not_made(not_made)
}

/// The newest report of the app, as far as it tells of the app itself.
#[derive(Default)]
struct Newest {
    is_there: bool,
    kill_switch: bool,
    findings: Vec<Finding>,
}

impl Newest {
    /// Reads it. Why it cannot be read is told by [`Remembered`], which reads the same record.
    async fn read(store: &Store) -> Self {
        let Ok(Some(overview)) = pages::read(store, 1).await else { return Self::default() };
        let (of, kill_switch) = (overview.page.of, overview.kill_switch);
        let mut findings = overview.findings;
        for number in 2..=of {
            let page = pages::read(store, number).await;
            findings.extend(page.ok().flatten().into_iter().flat_map(|page| page.findings));
        }
        Self { is_there: true, kill_switch, findings }
    }
}

/// Looks at every namespace: a command has the time for all.
async fn look(fleet: &Fleet) -> Vec<NamespaceInput<'_>> {
    let order: Vec<_> = fleet.configuration.namespaces.iter().collect();
    let observer = Observer::new(fleet);
    let pace = Pace::of_a_command();
    let walked = walk::walk(fleet, &observer, &order, &EVERYTHING, pace, None, |visit| {
        let observer = &observer;
        async move {
            let configuration = visit.configuration;
            let mut input = input(fleet, observer, visit).await;
            input.declared = declared(fleet, configuration).await;
            input.counted.unnamed = unnamed(fleet, observer, configuration).await.unwrap_or_default();
            input
        }
    });
    let walked = walked.await.into_iter();
    walked.map(|(configuration, input)| input.unwrap_or_else(|| not_visited(configuration))).collect()
}

/// What there is of what the file declares, where functions keep it; the last writes are in the records.
async fn declared(
    fleet: &Fleet,
    configuration: &NamespaceConfiguration,
) -> Option<Result<Seen, ReadFailure>> {
    if !configuration.is_managed() {
        return None;
    }
    let at = fleet.now();
    let read = timeout(fleet.pace.visit, authorities::inventory(fleet, configuration)).await;
    let read = read.unwrap_or_else(|_| {
        Err(azure::Error::timed_out(format!("reading what {} declares", configuration.id.name())))
    });
    let seen = read.map(|inventory| Seen { at, inventory, memory: Memory::default() });
    Some(seen.map_err(|error| failure::of(&error)))
}

fn not_visited(configuration: &NamespaceConfiguration) -> NamespaceInput<'_> {
    let why = ReadFailure {
        kind: ReadFailureKind::NotVisited,
        message: "the time was over before the turn of the namespace".to_owned(),
        permission: None,
    };
    NamespaceInput::unread(configuration, &why)
}
