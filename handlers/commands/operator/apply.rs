//! `apply FILE`: performs exactly a saved plan, as the person who runs it: first the authorities and policies, then the assignments.
//!
//! A person has read this plan and approved it, so with `--even-in-audit` it writes also where the configuration says
//! `mode = "audit"`. Under the kill switch, `POLICYSYNC_MODE=audit`, it writes nothing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use certificate_management::plan::saved::{PLAN_SCHEMA, SavedPlan};
use clap::Args;
use serde_json::Value;

use super::intent::Intent;
use super::perform::declared::PerformedResource;
use super::perform::{self, PerformedEntry};
use super::table::Output;
use super::{fail, person};

/// Largest plan that is read, in bytes: 20 DPS with 200 groups each stay far below it.
const LARGEST_PLAN: u64 = 64 * 1024 * 1024;

#[derive(Args)]
pub struct Arguments {
    /// A plan that `policysync plan --out` saved.
    file: PathBuf,
    /// Write also to groups of namespaces that policysync.toml has in audit mode.
    #[arg(long)]
    even_in_audit: bool,
    #[command(flatten)]
    intent: Intent,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let plan = match read(&arguments.file) {
        Ok(plan) => plan,
        Err(message) => return fail(&message),
    };
    let person = match person::start().await {
        Ok(person) => person,
        Err(message) => return fail(&message),
    };
    if let Err(message) = person.may_write() {
        return fail(&message);
    }
    let tells = arguments.output == Output::Table;
    let (even_in_audit, intent) = (arguments.even_in_audit, &arguments.intent);
    let authorities = person.authorities("apply", even_in_audit, intent, Some(plan.hash()));
    let declared = perform::declared::perform(&authorities, &plan, tells).await;
    let writer = person.writer("apply", even_in_audit, intent, Some(plan.hash()));
    let rows = perform::perform(&writer, &plan).await;
    perform::show(&person, &plan, &declared, &rows, arguments.output);
    exit_code(&declared, &rows)
}

/// 0 when everything is as planned.
pub fn exit_code(declared: &[PerformedResource], rows: &[PerformedEntry]) -> ExitCode {
    if perform::is_done(declared, rows) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(path: &Path) -> Result<SavedPlan, String> {
    let place = path.display();
    let unreadable = |error: std::io::Error| format!("cannot read the plan {place}: {error}");
    if std::fs::metadata(path).map_err(unreadable)?.len() > LARGEST_PLAN {
        return Err(format!("the plan {place} is larger than {LARGEST_PLAN} bytes"));
    }
    parse(&std::fs::read_to_string(path).map_err(unreadable)?)
        .map_err(|problem| format!("the plan {place} cannot be performed: {problem}"))
}

fn parse(text: &str) -> Result<SavedPlan, String> {
    let document: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    match document.get("schema").and_then(Value::as_str) {
        Some(PLAN_SCHEMA) => {
            let declared = document.get("declared").cloned();
            let plan: SavedPlan = serde_json::from_value(document).map_err(|error| error.to_string())?;
            // The types of its steps let unknown members pass, and a plan is performed exactly or not at all.
            match declared {
                Some(declared) if serde_json::to_value(&plan.declared).ok().as_ref() != Some(&declared) => {
                    Err("`declared` has members that this version does not know".to_owned())
                }
                _ => Ok(plan),
            }
        }
        Some(other) => Err(format!("its schema is `{other}`; this version performs `{PLAN_SCHEMA}`")),
        None => Err(format!("it has no schema; this version performs `{PLAN_SCHEMA}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_with_an_unknown_member_of_a_declared_resource_is_refused() {
        let text = r#"{"schema": "policysync-plan/v1", "toolVersion": "1", "madeAt": "2026-11-23T05:00:00Z",
            "declared": [{"namespaceId": "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso",
                "step": {"resource": "policy", "name": "short-lived", "authority": null,
                    "action": {"do": "write", "write": "credentialPolicy", "leafValidityDays": 7, "ownRoot": false}},
                "detail": ""}],
            "assignments": [], "leftAlone": [], "unchanged": 0, "syncs": [], "unreadable": []}"#;
        assert_eq!(parse(text).unwrap().declared.len(), 1);
        for (known, with_unknown) in
            [("\"ownRoot\"", "\"tags\": {}, \"ownRoot\""), ("\"name\"", "\"location\": \"x\", \"name\"")]
        {
            let said = parse(&text.replace(known, with_unknown)).unwrap_err();
            assert!(said.contains("declared"), "{said}");
        }
    }

    #[test]
    fn a_plan_of_another_schema_or_with_unknown_members_is_refused() {
        let now = time::macros::datetime!(2026-11-23 05:00 UTC);
        let text = serde_json::to_string(&SavedPlan::empty("1.0.0", now)).unwrap();
        assert!(parse(&text).is_ok());
        for (wrong, problem) in [
            (text.replace("/v1", "/v2"), "policysync-plan/v2"),
            (text.replace("\"unchanged\"", "\"changed\""), "changed"),
            ("{}".to_owned(), "no schema"),
            ("{".to_owned(), "not JSON"),
        ] {
            let said = parse(&wrong).unwrap_err();
            assert!(said.contains(problem), "{said}");
        }
    }
}
