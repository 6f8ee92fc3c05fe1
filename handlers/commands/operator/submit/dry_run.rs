//! `submit --dry-run`: prints what would become of a request. It writes nothing and submits nothing.

use std::process::ExitCode;

use certificate_management::request::SyncRequest;
use serde_json::json;

use super::UNKNOWN;
use crate::commands::operator::{fail, reader};
use crate::commands::screen::Screen;
use crate::commands::table::{self, Output, Table};
use crate::commands::terminal::line;
use crate::commands::tone::Tone;
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
        Output::Table => screen(request, &verdict, &rows).print(),
    }
    if verdict.plan == Foreseen::Refuse { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

async fn fleet() -> Result<Fleet, String> {
    let settings = reader::settings().map_err(|error| error.to_string())?;
    let configuration = reader::configuration(&settings).await?;
    reader::fleet(&settings, configuration).map_err(|error| error.to_string())
}

/// For a person: what would become of the request, and why.
fn screen(request: &SyncRequest, verdict: &Verdict, rows: &[PairVerdict]) -> Screen {
    let cells = |row: &PairVerdict| {
        let reason = row.reason.map_or_else(String::new, |reason| format!(": {reason}"));
        vec![
            line(&row.hub),
            row.policy.clone(),
            row.trust.to_string(),
            format!("{}{reason}", row.would.text()),
            line(&row.why),
        ]
    };
    let (tone, text) = match (verdict.plan, verdict.reason) {
        (_, Some(reason)) => (
            Tone::Bad,
            format!(
                "The request would be refused, {reason}: {}.",
                verdict.detail.as_deref().unwrap_or(reason.meaning())
            ),
        ),
        (Foreseen::Verify, None) => (
            Tone::Caution,
            "No sync would help: the service pushes certificate authorities by itself, or a hub could not be read. Each hub's \
             evidence would be looked for. Nothing would be written."
                .to_owned(),
        ),
        (Foreseen::Undecided, None) => (
            Tone::Caution,
            format!("The request would wait: {}.", verdict.detail.as_deref().unwrap_or("a hub could not be read")),
        ),
        (Foreseen::Sync, None) => {
            (Tone::Strong, "One sync of the namespace would run. It cannot be undone.".to_owned())
        }
        (_, None) => {
            (Tone::Good, "Every hub in question trusts already; no sync would run.".to_owned())
        }
    };
    let next_step = verdict.next_step.as_deref().filter(|_| verdict.reason.is_some());
    let header = ["hub", "policy", "trust now", "what would happen", "why"];
    Screen::verdict(tone, text)
        .text(next_step.map_or_else(String::new, |next| format!("→ {next}")))
        .text(format!("The plan for {}; nothing is written.", line(request.namespace_id.name())))
        .table(Table::of(&header, rows.iter().map(cells)).titled(2).states(2))
}

#[cfg(test)]
mod tests {
    use certificate_management::trust::Trust;

    use super::*;
    use crate::commands::golden::{self, HUB, NAMESPACE, POLICY};
    use crate::dry_run::Would;

    #[test]
    fn the_golden_dry_run_fits_the_width() {
        let request =
            SyncRequest::from_submission(&json!({"namespaceId": NAMESPACE}).to_string(), "r-1").unwrap();
        let row = |trust, would, why: &str| PairVerdict {
            hub: HUB.to_owned(),
            policy: POLICY.to_owned(),
            trust,
            why: why.to_owned(),
            would,
            reason: None,
            evidence: None,
        };
        let rows = [
            row(Trust::Trusted, Would::AlreadyTrusted, "it has the current issuing CA"),
            row(Trust::Missing, Would::Sync, "it has no certificate of the policy, and 3 of others"),
        ];
        let verdict = Verdict { plan: Foreseen::Sync, reason: None, detail: None, next_step: None };
        golden::compare("submit-dry-run", &screen(&request, &verdict, &rows), &[]);
    }
}
