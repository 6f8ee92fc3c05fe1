//! `holds`: enrollment groups that no function and no command writes for now.

use std::process::ExitCode;

use certificate_management::attribution::Attribution;
use certificate_management::hold::{GroupHolds, HOLD_RECORD, Hold, Release};
use certificate_management::plural;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::command_failure::CommandFailure;
use super::fail;
use super::intent;
use super::person::{self, Person, STATE};
use super::plan::survey::Survey;
use super::screen::Screen;
use super::table::{self, Output, Table};
use super::tone::Tone;
use super::wanted::Wanted;
use crate::commands::terminal::line;
use crate::holds;

#[derive(Args)]
#[command(after_help = "GROUP is the id of a group, or DPS/ID where several DPS have one of this id.")]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show the groups that are held, who holds them and why.
    List {
        /// Show also the holds that have ended.
        #[arg(long)]
        all: bool,
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Hold a group as it is. A write that is under way already may still arrive.
    Put {
        /// The group.
        #[arg(value_name = "GROUP")]
        group: String,
        /// Why, for those who wonder.
        #[arg(long, value_name = "TEXT", value_parser = intent::reason)]
        reason: String,
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// End the hold of a group: the rules decide about it again.
    Release {
        /// The group.
        #[arg(value_name = "GROUP")]
        group: String,
        /// Why, for the readers of the record.
        #[arg(long, value_name = "TEXT", value_parser = intent::reason)]
        reason: String,
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
        return fail(&format!("what is held cannot be looked up. {STATE}"));
    }
    let done = match arguments.action {
        Action::List { all, output } => list(&person, all, output).await,
        Action::Put { group, reason, output } => put(&person, &group, reason, output).await,
        Action::Release { group, reason, output } => release(&person, &group, reason, output).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

async fn list(person: &Person, with_ended: bool, output: Output) -> Result<(), CommandFailure> {
    let mut records = read(person).await?;
    records.retain(|record| with_ended || record.in_force().is_some());
    if output == Output::Json {
        say!("{}", table::json(&json!({"schema": "policysync-holds/v1", "groups": records})));
        return Ok(());
    }
    listed(&records).print();
    Ok(())
}

fn listed(records: &[GroupHolds]) -> Screen {
    let held = records.iter().filter(|record| record.in_force().is_some()).count();
    let verdict = match held {
        0 => "No group is held.".to_owned(),
        held => format!("{} {} held.", plural::count(held, "group"), plural::agreeing(held, "is", "are")),
    };
    let screen = Screen::verdict(Tone::Strong, verdict)
        .table(Table::of(&["group", "since", "why"], records.iter().map(row)));
    match held {
        0 => screen,
        _ => screen.text("End one with\n  policysync holds release GROUP --reason TEXT"),
    }
}

fn row(record: &GroupHolds) -> Vec<String> {
    let mut why = record.last.why();
    if let Some(Release { woken_by, attribution, at, .. }) = &record.last.released {
        let by = attribution.caller.as_ref().map_or_else(|| woken_by.clone(), ToString::to_string);
        why.push_str(&format!("; released by {by} on {}", at.date()));
        if let Some(reason) = &attribution.reason {
            why.push_str(&format!(": {reason}"));
        }
    }
    vec![name(record), record.last.at.date().to_string(), line(&why)]
}

fn name(record: &GroupHolds) -> String {
    line(&format!("{}/{}", record.provisioning_service, record.enrollment_group))
}

async fn put(person: &Person, group: &str, reason: String, output: Output) -> Result<(), CommandFailure> {
    let mut survey = Survey::new(&person.fleet);
    let (service, found) = Wanted::parse(group)?.find(&mut survey).await?;
    let hold = GroupHolds {
        record: HOLD_RECORD.to_owned(),
        namespace_id: service.configuration.id.clone(),
        provisioning_service: service.linked.name.clone(),
        enrollment_group: found.view.id.clone(),
        last: Hold {
            run: person.run.to_string(),
            woken_by: person.woken_by("holds put"),
            reverts: None,
            attribution: person.attribution(Some(reason), None).await,
            at: person.fleet.now(),
            released: None,
        },
        earlier: Vec::new(),
    };
    let is_new = holds::put(&person.store, &hold).await;
    let is_new =
        is_new.map_err(|error| CommandFailure::Failed(format!("the hold could not be written: {error}")))?;
    tell(output, &hold, if is_new { "held" } else { "already-held" });
    Ok(())
}

/// Ends a hold by its record alone: the group may be gone.
async fn release(person: &Person, group: &str, reason: String, output: Output) -> Result<(), CommandFailure> {
    let wanted = Wanted::parse(group)?;
    let mut held = read(person).await?;
    held.retain(|record| {
        let service = wanted.service.unwrap_or(&record.provisioning_service);
        record.in_force().is_some() && record.is_of(service, wanted.group)
    });
    let record = match held.as_slice() {
        [] => {
            return Err(CommandFailure::Failed(format!(
                "`{group}` is not held; `policysync holds list` shows what is"
            )));
        }
        [record] => record,
        several => {
            let names: Vec<String> = several.iter().map(|record| format!("  {}", name(record))).collect();
            let names = names.join("\n");
            return Err(CommandFailure::Usage(format!(
                "several groups could be meant; name one as DPS/ID:\n{names}"
            )));
        }
    };
    let end = Release {
        run: person.run.to_string(),
        woken_by: person.woken_by("holds release"),
        attribution: person.attribution(Some(reason), None).await,
        at: person.fleet.now(),
    };
    let is_released = holds::release(&person.store, record, &end).await;
    match is_released {
        Ok(true) => tell(output, record, "released"),
        Ok(false) => {
            return Err(CommandFailure::Failed(format!("`{group}` was released by another person just now")));
        }
        Err(error) => {
            return Err(CommandFailure::Failed(format!("the release could not be written: {error}")));
        }
    }
    Ok(())
}

fn tell(output: Output, record: &GroupHolds, outcome: &str) {
    let document: Value = json!({
        "schema": "policysync-hold/v1",
        "outcome": outcome,
        "namespaceId": record.namespace_id,
        "provisioningService": record.provisioning_service,
        "enrollmentGroup": record.enrollment_group,
    });
    let name = name(record);
    match (output, outcome) {
        (Output::Json, _) => say!("{}", table::json(&document)),
        (Output::Table, outcome) => told(&name, outcome).print(),
    }
}

fn told(name: &str, outcome: &str) -> Screen {
    let text = match outcome {
        "released" => format!(
            "{name} is released: the next event or reconcile does what the rules say. See `policysync explain {name}`."
        ),
        "held" => format!("{name} is held: no function and no command writes it."),
        _ => format!("{name} was held already, and that hold stays. See `policysync holds list`."),
    };
    Screen::default().text(text)
}

async fn read(person: &Person) -> Result<Vec<GroupHolds>, CommandFailure> {
    let records = holds::all(&person.store).await;
    records.map_err(|error| CommandFailure::Failed(format!("what is held cannot be read: {error}")))
}

/// Puts a hold on each group that a revert is about to take back, before anything is written.
///
/// # Errors
/// When one could not be written; then nothing must be taken back.
pub async fn put_for_revert(
    person: &Person,
    plan: &certificate_management::plan::saved::SavedPlan,
    reverts: &str,
    attribution: &Attribution,
) -> Result<(), String> {
    for entry in &plan.assignments {
        let hold = GroupHolds {
            record: HOLD_RECORD.to_owned(),
            namespace_id: entry.namespace_id.clone(),
            provisioning_service: entry.provisioning_service.clone(),
            enrollment_group: entry.enrollment_group.clone(),
            last: Hold {
                run: person.run.to_string(),
                woken_by: person.woken_by("assign"),
                reverts: Some(reverts.to_owned()),
                attribution: attribution.clone(),
                at: person.fleet.now(),
                released: None,
            },
            earlier: Vec::new(),
        };
        holds::put(&person.store, &hold).await.map_err(|error| {
            format!(
                "the hold of {}/{} could not be written, so nothing was taken back: {error}",
                entry.provisioning_service, entry.enrollment_group
            )
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::golden::{self, GROUP, NAMESPACE, SERVICE};

    #[test]
    fn the_golden_holds_fit_the_width() {
        let held = json!({
            "record": HOLD_RECORD, "namespaceId": NAMESPACE, "provisioningService": SERVICE, "enrollmentGroup": GROUP,
            "last": {"run": "01M85A71M08CPV9XGR0PSFA70F", "wokenBy": "holds put by robin", "at": "2026-11-23T05:00:00Z",
                "attribution": {"caller": {"objectId": null, "name": "robin.operator@contoso.example"},
                    "reason": "the robots of line 17 get new firmware until Thursday"}},
        });
        let mut released = held.clone();
        released["last"]["released"] = json!({"run": "01M85A71M08CPV9XGR0PSFA70G", "wokenBy": "holds release by robin",
            "attribution": {"reason": "done"}, "at": "2026-11-24T05:00:00Z"});
        let records = [held, released].map(|record| serde_json::from_value(record).unwrap());
        golden::compare("holds-list", &listed(&records), &["policysync holds release"]);
        assert_eq!(listed(&[]).plain(80), "No group is held.");
        let name = format!("{SERVICE}/{GROUP}");
        let all = ["held", "already-held", "released"].map(|outcome| told(&name, outcome));
        golden::compare("holds-told", &all.into_iter().fold(Screen::default(), Screen::and), &[]);
    }
}
