//! `report-policy-status`: observe all, write the report, ask for what is missing, resume what was lost.

use functions_host::{Definition, Failure, Invocation, Reply, Trigger};

use crate::application::Application;
use crate::reporting;

/// What the code expects of `function.json`.
pub const DEFINITION: Definition =
    Definition { name: "report-policy-status", trigger: Trigger::Timer { binding: "timer" }, outputs: &[] };

/// Makes the report.
///
/// # Errors
/// When it could not be recorded, or something beside it failed; the next firing tries again.
pub async fn run(application: &Application, invocation: Invocation) -> Result<Reply, Failure> {
    let timer = invocation.timer("timer")?;
    let done = reporting::run(application).await;
    let done = done.map_err(|error| Failure::new("the report could not be recorded").because(&error))?;
    let summary = format!(
        "report written: {} findings; {} sync requests submitted, {} lost follow-ups sent again",
        done.findings, done.submitted, done.resumed
    );
    tracing::info!(is_past_due = timer.is_past_due, "{summary}");
    if done.failures.is_empty() {
        return Ok(Reply::success().log(summary));
    }
    Err(Failure::new("the report was written, but not all beside it").detail(done.failures.join("; ")))
}
