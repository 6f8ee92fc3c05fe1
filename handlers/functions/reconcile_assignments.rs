//! `reconcile-assignments`: the timer walks over every group of every DPS, and so catches what events missed.

use std::time::Duration;

use certificate_management::walk_run::WalkRun;
use functions_host::{Definition, Failure, Invocation, Reply, TimerTrigger, Trigger};
use tokio::time::Instant;

use super::assign_policy;
use crate::application::Application;
use crate::assignment::{self, LAST_RECONCILE, RunSummary, Waker};

/// What the code expects of `function.json`.
pub const DEFINITION: Definition =
    Definition { name: "reconcile-assignments", trigger: Trigger::Timer { binding: "timer" }, outputs: &[] };

/// The time from one run to the next as it is deployed, where the host does not tell it.
const PERIOD: Duration = Duration::from_secs(15 * 60);

/// Reconciles everything.
///
/// # Errors When a group could not be read or written; the next firing tries again.
pub async fn run(application: &Application, invocation: Invocation) -> Result<Reply, Failure> {
    let timer = invocation.timer("timer")?;
    tracing::info!(is_past_due = timer.is_past_due, "reconciling every enrollment group");
    let since = Instant::now();
    let done = assignment::reconcile_all(application, Waker::of(DEFINITION.name, &invocation)).await;
    let walk = walk_run(application, &done, since.elapsed(), period(&timer));
    if walk.is_whole() {
        tracing::info!("{walk}");
    } else {
        tracing::warn!("{walk}; the next run goes on");
    }
    // The report says it to people.
    if let Err(error) = application.store.put(LAST_RECONCILE, &walk).await {
        tracing::warn!("how far this run came is not recorded: {error}");
    }
    assign_policy::reply(&done)
}

fn walk_run(application: &Application, done: &RunSummary, took: Duration, period: Duration) -> WalkRun {
    let namespaces_in_all = application.fleet.configuration.namespaces.len();
    WalkRun {
        at: application.fleet.now(),
        namespaces: namespaces_in_all.saturating_sub(done.not_visited),
        namespaces_in_all,
        provisioning_services: done.services,
        // A list that was read can be longer than what was known before.
        provisioning_services_in_all: done.services_in_all.max(done.services),
        seconds: took.as_secs(),
        period_seconds: period.as_secs(),
    }
}

/// The time from one run to the next: between the last run and this one, as the schedule has them.
fn period(timer: &TimerTrigger) -> Duration {
    let between = timer.schedule_status.as_ref().and_then(|status| {
        let between = status.next? - status.last.filter(|last| last.year() > 1)?;
        between.try_into().ok()
    });
    between.filter(|between: &Duration| !between.is_zero()).unwrap_or(PERIOD)
}
