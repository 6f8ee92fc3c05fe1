//! `submit --dry-run`: prints what would become of a request. It writes nothing and submits nothing.

use std::process::ExitCode;

use certificate_management::request::SyncRequest;
use serde_json::json;

use super::UNKNOWN;
use crate::commands::operator::{fail, reader};
use crate::commands::table::{self, Output};
use crate::dry_run::{self, Foreseen, PairVerdict, Verdict};
use crate::fleet::Fleet;

/// Prints the plan: exit code 0 when it would be done, 1 when it would be refused, 3 when Azure could not be read.
pub async fn run(request: &SyncRequest, has_own_id: bool, output: Output) -> ExitCode {
    let fleet = match fleet().await {
        Ok(fleet) => fleet,
        Err(message) => return fail(&message),
    };
    let (verdict, rows) = match dry_run::planned(&fleet, request).await {
        Ok(planned) => planned,
        Err(error) => {
            complain!("the namespace could not be read, so there is no plan: {error}");
            return ExitCode::from(UNKNOWN);
        }
    };
    match output {
        Output::Json => {
            let id = has_own_id.then_some(request.request_id.as_str());
            let mut document = json!(dry_run::document(request, id, &verdict, &rows));
            document["schema"] = "policysync-dry-run/v1".into();
            say!("{}", table::json(&document));
        }
        Output::Table => print(request, &verdict, &rows),
    }
    if verdict.plan == Foreseen::Refuse { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

async fn fleet() -> Result<Fleet, String> {
    let settings = reader::settings().map_err(|error| error.to_string())?;
    let configuration = reader::configuration(&settings).await?;
    reader::fleet(&settings, configuration).map_err(|error| error.to_string())
}

fn print(request: &SyncRequest, verdict: &Verdict, rows: &[PairVerdict]) {
    say!("Plan for {}; nothing is written.", request.namespace_id);
    if !rows.is_empty() {
        let cells = |row: &PairVerdict| {
            let reason = row.reason.map_or_else(String::new, |reason| format!(": {reason}"));
            vec![
                row.hub.clone(),
                row.policy.clone(),
                row.trust.to_string(),
                format!("{}{reason}", row.would.text()),
                row.why.clone(),
            ]
        };
        let header = ["hub", "policy", "trust now", "what would happen", "why"];
        say!("{}", table::table(&header, rows.iter().map(cells).collect()));
    }
    match (verdict.plan, verdict.reason) {
        (_, Some(reason)) => {
            say!(
                "The request would be refused, {reason}: {}.",
                verdict.detail.as_deref().unwrap_or(reason.meaning())
            );
            say!("{}", verdict.next_step.as_deref().unwrap_or_default());
        }
        (Foreseen::Verify, None) => say!(
            "No sync would help: the service pushes certificate authorities by itself, or a hub could not be read. Each hub's \
             evidence would be looked for. Nothing would be written."
        ),
        (Foreseen::Undecided, None) => say!(
            "The request would wait: {}.",
            verdict.detail.as_deref().unwrap_or("a hub could not be read")
        ),
        (Foreseen::Sync, None) => say!("One sync of the namespace would run. It cannot be undone."),
        (_, None) => say!("Every hub in question trusts already; no sync would run."),
    }
}
