//! The report, made of all sections, one after the other: a fleet of any size is held as one namespace at a time.

use certificate_management::facts::NamespaceFacts;
use certificate_management::report::snapshot::Snapshot;
use certificate_management::report::{DeadLetters, Fold, NamespaceInput, Report};
use futures::StreamExt;
use futures::stream::FuturesOrdered;

use super::looking::surprises;
use super::remembered::{self, LastAssignments, Remembered};
use crate::application::Application;
use crate::failure;
use crate::sections;
use crate::telemetry::metrics;
use crate::telemetry::standing::Standing;
use crate::waiting;

/// How many sections are read ahead.
const READ_AHEAD: usize = 8;

/// Makes the report of all sections, as they are now, and what is kept of it to compare later ones with.
pub async fn fold(application: &Application) -> (Report, Snapshot) {
    let (fleet, store) = (&application.fleet, &application.store);
    let now = fleet.now();
    let Remembered { requests, mut fleet_records } = Remembered::read(store).await;
    remembered::runs(store, &mut fleet_records).await;
    remembered::waiting(store, now, &mut fleet_records).await;
    if let Some(waiting) = &mut fleet_records.waiting {
        waiting.dead_letters = dead_letters(application).await;
    }
    let mut last_assignments = LastAssignments::new(store);
    let mut standing = metrics::is_measured().then(Standing::default);
    let fold = Fold::new(&fleet.configuration, fleet.kill_switch, Some(requests), now);
    let mut fold = fold.holding(fleet_records.holds.clone()).under(application.standing.clone());
    let mut left = fleet.configuration.namespaces.iter();
    let mut reads = FuturesOrdered::new();
    loop {
        while reads.len() < READ_AHEAD
            && let Some(configuration) = left.next()
        {
            reads.push_back(async move { (configuration, sections::read(store, &configuration.id).await) });
        }
        let Some((configuration, read)) = reads.next().await else { break };
        let input = match read {
            Ok(section) => section.into_input(configuration),
            Err(error) => NamespaceInput::unread(configuration, &failure::of_records(&error)),
        };
        if let (Some(standing), Ok(observation)) = (&mut standing, &input.observation) {
            standing.add_namespace(observation, now);
        }
        let facts = NamespaceFacts::of(&input);
        let last = last_assignments.of(&facts.astray()).await;
        fold.add(facts, last);
    }
    last_assignments.tell(&mut fleet_records);
    let (report, snapshot) = fold.finish_with_snapshot(Some(&fleet_records), &surprises(fleet));
    if let Some(mut standing) = standing {
        standing.add_findings(&report.summary.findings);
        metrics::stand(standing);
    }
    (report, snapshot)
}

/// How many there are, where they can be counted.
async fn dead_letters(application: &Application) -> Option<DeadLetters> {
    let counted = waiting::dead_letters(&application.queues.dead_letters).await;
    counted.inspect_err(|error| tracing::info!("dead letters were not counted: {error}")).ok()
}
