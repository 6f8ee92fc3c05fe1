//! What would become of a request, from one look at Azure. Nothing is written and nothing is submitted.

use std::process::ExitCode;

use azure::ErrorKind;
use certificate_management::configuration::Configuration;
use certificate_management::generation::Generation;
use certificate_management::plan::{self, Observation, Pair, RequestPlan};
use certificate_management::reason::Reason;
use certificate_management::request::{Outcome, SyncRequest};
use certificate_management::trust::{Evidence, Trust};
use serde::Serialize;
use serde_json::json;

use super::UNKNOWN;
use crate::application::Application;
use crate::commands::table::{self, Output};
use crate::commands::{fail, reader};
use crate::observation::Observer;

/// What would happen to a pair of a hub and a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Would {
    /// Nothing: the hub trusts it.
    AlreadyTrusted,
    /// It would be synced.
    Sync,
    /// It was not asked for, and would be synced too.
    SyncToo,
    /// Its evidence would be looked for, since the service pushes by itself.
    Verify,
    /// Nothing: the request would be refused.
    Refuse,
    /// Nothing. It was not asked for, but it is out of sync as well.
    NotAskedFor,
}

impl Would {
    const fn text(self) -> &'static str {
        match self {
            Self::AlreadyTrusted => "nothing, already-trusted",
            Self::Sync => "would sync",
            Self::SyncToo => "would sync too, not asked for",
            Self::Verify => "would verify",
            Self::Refuse => "refused",
            Self::NotAskedFor => "nothing, not asked for",
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    hub: String,
    policy: String,
    trust: Trust,
    /// Why the trust is judged so.
    why: String,
    would: Would,
    reason: Option<Reason>,
    evidence: Option<Evidence>,
}

/// What would become of the request as a whole.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    plan: &'static str,
    reason: Option<Reason>,
    detail: Option<String>,
}

/// Prints the plan: exit code 0 when it would be done, 1 when it would be refused, 3 when Azure could not be read.
pub async fn run(request: &SyncRequest, has_own_id: bool, output: Output) -> ExitCode {
    let application = match application() {
        Ok(application) => application,
        Err(message) => return fail(&message),
    };
    let (verdict, rows) = match planned(&application, request).await {
        Ok(planned) => planned,
        Err(error) => {
            eprintln!("policysync: the namespace could not be read, so there is no plan: {error}");
            return ExitCode::from(UNKNOWN);
        }
    };
    match output {
        Output::Json => {
            let document = json!({
                "requestId": has_own_id.then_some(&request.request_id),
                "namespaceId": request.namespace_id,
                "dryRun": true,
                "plan": verdict.plan,
                "reason": verdict.reason,
                "detail": verdict.detail,
                "nextStep": verdict.reason.map(Reason::next_step),
                "hubs": rows,
            });
            println!("{}", table::json(&document));
        }
        Output::Table => print(request, &verdict, &rows),
    }
    if verdict.plan == "refuse" { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn application() -> Result<Application, String> {
    let settings = reader::settings().map_err(|error| error.to_string())?;
    let text = reader::configuration_text(&settings.configuration)?;
    let configuration = Configuration::parse(&text).map_err(|error| {
        format!("the configuration {} cannot be used:\n{error}", settings.configuration.display())
    })?;
    reader::application(&settings, configuration).map_err(|error| error.to_string())
}

async fn planned(
    application: &Application,
    request: &SyncRequest,
) -> Result<(Verdict, Vec<Row>), azure::Error> {
    let refused = |reason, detail| Verdict { plan: "refuse", reason: Some(reason), detail: Some(detail) };
    let Some(configuration) = application.configuration.namespace(&request.namespace_id) else {
        let detail = format!("policysync.toml has no namespace {}", request.namespace_id);
        return Ok((refused(Reason::NamespaceNotConfigured, detail), Vec::new()));
    };
    let observation = match Observer::new(application).namespace(configuration).await {
        Ok(observation) => observation,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok((refused(Reason::NamespaceNotFound, error.to_string()), Vec::new()));
        }
        Err(error) => return Err(error),
    };
    let plan = plan::plan_request(request, application.mode(configuration), &observation);
    let rows = rows(request, &plan, &observation);
    let verdict = match plan {
        RequestPlan::AlreadyTrusted(_) => Verdict { plan: "already-trusted", reason: None, detail: None },
        RequestPlan::Sync(_) => Verdict { plan: "sync", reason: None, detail: None },
        RequestPlan::Verify(_) => Verdict { plan: "verify", reason: None, detail: None },
        RequestPlan::Undecided { detail, .. } => {
            Verdict { plan: "undecided", reason: None, detail: Some(detail) }
        }
        RequestPlan::Refuse { reason: Reason::AuditMode, detail, .. } if application.kill_switch => {
            refused(Reason::AuditMode, format!("{detail}: POLICYSYNC_MODE=audit is set here"))
        }
        RequestPlan::Refuse { reason, detail, .. } => refused(reason, detail),
    };
    Ok((verdict, rows))
}

/// Every pair that the request is for, and every other that is out of sync.
fn rows(request: &SyncRequest, plan: &RequestPlan, observation: &Observation) -> Vec<Row> {
    let row = |pair: Pair<'_>| {
        let is_asked_for = plan::covers(request, &pair);
        let is_trusted = pair.assessment.trust.admits_current();
        let (would, reason) = match plan {
            RequestPlan::Refuse { reason, hubs, .. } if is_asked_for => {
                let own = hubs.iter().find(|hub| hub.hub == pair.hub.name && hub.policy == pair.policy.name);
                match own {
                    Some(hub) if hub.outcome == Outcome::AlreadyTrusted => {
                        (Would::AlreadyTrusted, hub.reason)
                    }
                    _ => (Would::Refuse, Some(*reason)),
                }
            }
            _ if is_asked_for && is_trusted => (Would::AlreadyTrusted, None),
            _ if is_trusted => return None,
            RequestPlan::Verify(hubs) | RequestPlan::Undecided { hubs, .. } if is_asked_for => {
                let own = hubs.iter().find(|hub| hub.hub == pair.hub.name && hub.policy == pair.policy.name);
                (Would::Verify, own.and_then(|hub| hub.reason))
            }
            RequestPlan::Sync(_) if pair.policy.generation() == Generation::CertificateAuthorities => {
                (if is_asked_for { Would::Verify } else { Would::NotAskedFor }, None)
            }
            // What could not be read is no need, and a sync is not made for it.
            RequestPlan::Sync(_) if !pair.needs_sync() => {
                (if is_asked_for { Would::Verify } else { Would::NotAskedFor }, Some(Reason::HubUnreadable))
            }
            RequestPlan::Sync(_) if is_asked_for => (Would::Sync, None),
            RequestPlan::Sync(_) => (Would::SyncToo, None),
            _ => (Would::NotAskedFor, None),
        };
        Some(Row {
            hub: pair.hub.name.clone(),
            policy: pair.policy.name.clone(),
            trust: pair.assessment.trust,
            why: pair.assessment.why,
            would,
            reason,
            evidence: pair.assessment.evidence,
        })
    };
    observation.pairs().into_iter().filter_map(row).collect()
}

fn print(request: &SyncRequest, verdict: &Verdict, rows: &[Row]) {
    println!("Plan for {}; nothing is written.", request.namespace_id);
    if !rows.is_empty() {
        let cells = |row: &Row| {
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
        println!("{}", table::table(&header, rows.iter().map(cells).collect()));
    }
    match (verdict.plan, verdict.reason) {
        (_, Some(reason)) => {
            println!(
                "The request would be refused, {reason}: {}.",
                verdict.detail.as_deref().unwrap_or(reason.meaning())
            );
            println!("{}", reason.next_step());
        }
        ("verify", None) => println!(
            "No sync would help: the service pushes certificate authorities by itself, or a hub could not be read. Each hub's \
             evidence would be looked for. Nothing would be written."
        ),
        ("undecided", None) => println!(
            "The request would wait: {}.",
            verdict.detail.as_deref().unwrap_or("a hub could not be read")
        ),
        ("sync", None) => println!("One sync of the namespace would run. It cannot be undone."),
        (_, None) => println!("Every hub in question trusts already; no sync would run."),
    }
}
