//! `reconcile-assignments`: the timer walks over every group of every DPS, and so catches what events missed.

use functions_host::{Definition, Failure, Invocation, Reply, Trigger};
use tokio::time::Instant;

use super::assign_policy;
use crate::application::Application;
use crate::assignment::{self, Waker};

/// What the code expects of `function.json`.
pub const DEFINITION: Definition =
    Definition { name: "reconcile-assignments", trigger: Trigger::Timer { binding: "timer" }, outputs: &[] };

/// Reconciles everything.
///
/// # Errors When a group could not be read or written; the next firing tries again.
pub async fn run(application: &Application, invocation: Invocation) -> Result<Reply, Failure> {
    let timer = invocation.timer("timer")?;
    tracing::info!(is_past_due = timer.is_past_due, "reconciling every enrollment group");
    let since = Instant::now();
    let done = assignment::reconcile_all(application, Waker::of(DEFINITION.name, &invocation)).await;
    let all = application.fleet.configuration.namespaces.len();
    tracing::info!(
        "{} of {all} namespaces in {} seconds",
        all.saturating_sub(done.not_visited),
        since.elapsed().as_secs()
    );
    assign_policy::reply(&done)
}
