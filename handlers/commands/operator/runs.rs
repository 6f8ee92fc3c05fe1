//! `runs`: who wrote what, when, why and by which plan, from the records of the writes.

use std::process::ExitCode;

use certificate_management::attribution::Attribution;
use certificate_management::plural;
use certificate_management::report::RunEntry;
use certificate_management::request::RequestRecord;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};
use state::{Store, key};

use super::fail;
use super::person::{self, Person, STATE};
use super::plan::print;
use super::screen::Screen;
use super::table::{self, Output, Table};
use super::tone::Tone;
use crate::assignment::journal::{self, WriteRecord};
use crate::authorities::WRITES;
use crate::commands::moment::{minute, minute_of};
use crate::commands::terminal::line;
use crate::runs;
use crate::synchronization::records;
use crate::views::RequestView;

#[derive(Args)]
#[command(
    after_help = "A run is one invocation of a function, or one command, that wrote. RUN is its id, or that of a sync request."
)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show the runs that wrote last.
    List {
        /// How many.
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Show each write of one run.
    Show {
        /// The run.
        #[arg(value_name = "RUN")]
        run: String,
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let person = match person::start().await {
        Ok(person) => person,
        Err(message) => return fail(&message),
    };
    if !person.keeps_records {
        return fail(&format!("what runs wrote cannot be looked up. {STATE}"));
    }
    let shown = match arguments.action {
        Action::List { limit, output } => list(&person.store, usize::from(limit), output).await,
        Action::Show { run, output } => show(&person, &run, output).await,
    };
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => fail(&message),
    }
}

async fn list(store: &Store, limit: usize, output: Output) -> Result<(), String> {
    let entries =
        runs::newest(store, limit).await.map_err(|error| format!("the records of runs: {error}"))?;
    match output {
        Output::Json => say!("{}", table::json(&json!({"schema": "policysync-runs/v1", "runs": entries}))),
        Output::Table => listed(&entries).print(),
    }
    Ok(())
}

fn listed(entries: &[RunEntry]) -> Screen {
    if entries.is_empty() {
        return Screen::verdict(Tone::Strong, "No run has written anything.");
    }
    let row = |entry: &RunEntry| {
        let wrote = [(entry.assignments, "group"), (entry.declared, "resource")];
        let wrote = wrote.into_iter().filter(|(number, _)| *number > 0);
        let wrote = wrote.map(|(number, noun)| plural::count(number, noun));
        let who = who(&entry.woken_by, &entry.attribution);
        vec![line(&entry.run), minute(entry.at), wrote.collect::<Vec<_>>().join("\n"), line(&who)]
    };
    Screen::default()
        .table(Table::of(&["run", "began", "wrote", "who and why"], entries.iter().map(row)))
        .text("See one with `policysync runs show RUN`; what people asked to sync is on the status page.")
}

/// Who it was and why, as a sentence.
fn who(woken_by: &str, attribution: &Attribution) -> String {
    let mut who = woken_by.to_owned();
    if let Some(caller) = &attribution.caller {
        who.push_str(&format!(" as {caller}"));
    }
    if let Some(reason) = &attribution.reason {
        who.push_str(&format!(": {reason}"));
    }
    if let Some(version) = &attribution.configuration {
        who.push_str(&format!(", under version {version} of the configuration"));
    }
    who
}

/// One write of a run.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    what: String,
    change: String,
    stage: Value,
    woken_by: String,
    attribution: Attribution,
    at: Value,
}

async fn show(person: &Person, run: &str, output: Output) -> Result<(), String> {
    let store = &person.store;
    let mut writes: Vec<Shown> = journal::of_run(store, run).await?.into_iter().map(assignment).collect();
    let prefix = format!("{WRITES}/{}", key::segment(run));
    let listing = store.list(&prefix).await.map_err(|error| error.to_string())?;
    for key in &listing.keys {
        let found = store.get::<Value>(key).await.map_err(|error| error.to_string())?;
        writes.extend(found.map(|stored| declared(&stored.value)));
    }
    let request = records::request(store, run).await.map_err(|error| error.to_string())?;
    writes.extend(request.as_ref().map(sync));
    let Some(first) = writes.first() else {
        return Err(format!(
            "there is no record of a write by run {run}; `policysync runs list` shows the last ones"
        ));
    };
    if output == Output::Json {
        let request = request.as_ref().map(|record| RequestView::of(&person.fleet, record));
        let document =
            json!({"schema": "policysync-run/v1", "run": run, "writes": writes, "request": request});
        say!("{}", table::json(&document));
        return Ok(());
    }
    shown(run, first, &writes).print();
    Ok(())
}

fn shown(run: &str, first: &Shown, writes: &[Shown]) -> Screen {
    let at = minute_of(first.at.as_str().unwrap_or_default());
    let row = |write: &Shown| {
        vec![
            line(&write.what),
            line(write.stage.as_str().unwrap_or_default()),
            line(&write.change),
            line(write.attribution.plan.as_deref().unwrap_or("(not recorded)")),
        ]
    };
    Screen::verdict(
        Tone::Strong,
        format!("Run {}, {}: {}", line(run), line(&at), plural::count(writes.len(), "write")),
    )
    .text(line(&who(&first.woken_by, &first.attribution)))
    .table(Table::of(&["wrote", "stage", "change", "plan"], writes.iter().map(row)).titled(2).states(1))
}

fn assignment(record: WriteRecord) -> Shown {
    let named = |policy: &Option<String>| print::policy(&record.namespace_id, policy.as_deref());
    Shown {
        what: format!("{}/{}", record.provisioning_service, record.enrollment_group),
        change: format!("{} → {}: {}", named(&record.before), named(&record.after), record.detail),
        stage: json!(record.stage),
        at: member(&record, "at"),
        woken_by: record.woken_by,
        attribution: record.attribution,
    }
}

/// A record of another member is shown as far as it is understood: it may be of an activation, or of another version.
fn declared(record: &Value) -> Shown {
    let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
    let what = match record["target"].as_object() {
        Some(target) => {
            let name =
                |member: &str| target.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
            format!("{} {}", name("resource"), name("name"))
        }
        None => text("authorityId"),
    };
    let change = match (&record["write"], text("certificateSha256")) {
        (Value::Null, sha256) => format!("activate with {sha256}"),
        (write, _) => write.to_string(),
    };
    Shown {
        what,
        change,
        stage: record["stage"].clone(),
        woken_by: text("wokenBy"),
        attribution: serde_json::from_value(record["attribution"].clone()).unwrap_or_default(),
        at: record["at"].clone(),
    }
}

fn sync(record: &RequestRecord) -> Shown {
    let by = match (&record.request.requested_by, record.requester.how()) {
        (_, None) => "Policysync itself".to_owned(),
        (Some(by), Some(how)) => format!("{by}, {how}"),
        (None, _) => "a caller who did not say who they are".to_owned(),
    };
    Shown {
        what: format!("sync of {}", record.request.namespace_id.name()),
        change: record.reason.map_or_else(String::new, |reason| reason.to_string()),
        stage: json!(record.outcome),
        woken_by: format!("a sync request of {by}"),
        attribution: Attribution {
            caller: None,
            reason: record.request.reason.clone(),
            plan: record.plan.clone(),
            configuration: None,
        },
        at: member(record, "submittedAt"),
    }
}

/// A member as the record has it.
fn member(record: &impl Serialize, name: &str) -> Value {
    serde_json::to_value(record).map(|mut record| record[name].take()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::golden::{self, GROUP, POLICY, SERVICE};

    fn attribution() -> Attribution {
        serde_json::from_value(json!({
            "caller": {"objectId": "00000000-0000-0000-0000-00000000000a", "name": "robin.operator@contoso.example"},
            "reason": "line 17 was commissioned, change CHG-4711", "plan": "3f6a9b0c1d2e4f5061728394a5b6c7d8",
        }))
        .unwrap()
    }

    #[test]
    fn the_golden_runs_fit_the_width() {
        let entry = |declared| RunEntry {
            run: "01M85A71M08CPV9XGR0PSFA70F".to_owned(),
            woken_by: "apply by robin".to_owned(),
            attribution: attribution(),
            assignments: 12,
            declared,
            at: time::macros::datetime!(2026-11-23 05:00 UTC),
        };
        golden::compare("runs-list", &listed(&[entry(0), entry(1)]), &[]);
        let write = Shown {
            what: format!("{SERVICE}/{GROUP}"),
            change: format!("(none) → {POLICY}: its hubs trust the policy"),
            stage: json!("written"),
            woken_by: "apply by robin".to_owned(),
            attribution: attribution(),
            at: json!("2026-11-23T05:00:00Z"),
        };
        let writes = [write];
        golden::compare("runs-show", &shown("01M85A71M08CPV9XGR0PSFA70F", &writes[0], &writes), &[]);
    }
}
