//! `assign`: gives the policy of an existing enrollment group to others, or takes a run's assignments back. Without
//! `--apply` it prints the plan and changes nothing.

mod copy;
mod migrate;
mod revert;

use std::process::ExitCode;

use certificate_management::next_step;
use certificate_management::plan::saved::SavedPlan;
use clap::Args;

use super::command_failure::CommandFailure;
use super::fail;
use super::holds;
use super::intent::Intent;
use super::person::{self, Person};
use super::plan::{self, print};
use super::screen::Screen;
use super::table::Output;
use super::{apply, perform};
use crate::assignment::writer::Writer;

#[derive(Args)]
#[command(
    after_help = "GROUP is the id of a group, or DPS/ID where several DPS have one of this id. After --to it may be a glob."
)]
pub struct Arguments {
    /// The group whose policy the others are to get.
    #[arg(long, value_name = "GROUP", requires = "to", required_unless_present_any = ["revert", "migrate"])]
    from: Option<String>,
    /// The groups that are to get it.
    #[arg(long, value_name = "GROUP", num_args = 1.., requires = "from")]
    to: Vec<String>,
    /// Take back the assignments of this run, for every group that has not been changed since, and hold these groups, so that the
    /// rules leave them alone until `policysync holds release`.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["from", "to"])]
    revert: Option<String>,
    /// Move every group that names a policy of the previous generation to what [[namespace.migration]] says.
    #[arg(long, conflicts_with_all = ["from", "to", "revert"])]
    migrate: bool,
    /// Perform the plan.
    #[arg(long)]
    apply: bool,
    /// Write also to groups of namespaces that policysync.toml has in audit mode.
    #[arg(long, requires = "apply")]
    even_in_audit: bool,
    #[command(flatten)]
    intent: Intent,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let person = match person::start().await {
        Ok(person) => person,
        Err(message) => return fail(&message),
    };
    if let (true, Err(message)) = (arguments.apply, person.may_write()) {
        return fail(&message);
    }
    if arguments.migrate {
        let plan = migrate::plan(&person).await;
        return finish(&person, plan, &arguments).await;
    }
    let plan = match (&arguments.from, &arguments.revert) {
        (Some(from), _) => copy::plan(&person, from, &arguments.to).await,
        (None, Some(run)) => revert::plan(&person, run).await,
        (None, None) => Err(CommandFailure::Usage("give --from and --to, --revert or --migrate".to_owned())),
    };
    match plan {
        Ok(plan) => finish(&person, plan, &arguments).await,
        Err(failure) => failure.tell(),
    }
}

/// Prints the plan; performs it when asked to.
async fn finish(person: &Person, mut plan: SavedPlan, arguments: &Arguments) -> ExitCode {
    let (output, reverts) = (arguments.output, arguments.revert.as_deref());
    person.leave_held(&mut plan, reverts).await;
    let plan = &plan;
    if !arguments.apply {
        print::show(&person.fleet, plan, output);
        if output == Output::Table && !plan.assignments.is_empty() {
            say!("");
            how_to_apply(plan, person.fleet.kill_switch).print();
        }
        return plan::exit_code(plan);
    }
    if output == Output::Table {
        print::show(&person.fleet, plan, output);
        say!("");
    }
    let intent = &arguments.intent;
    let writer = person.writer("assign", arguments.even_in_audit, intent, Some(plan.hash()));
    let writer = Writer { reverts: arguments.revert.clone(), ..writer };
    if let Some(run) = reverts {
        let attribution = person.attribution(intent.reason.clone(), Some(plan.hash())).await;
        if let Err(message) = holds::put_for_revert(person, plan, run, &attribution).await {
            return fail(&message);
        }
    }
    let rows = perform::perform(&writer, plan).await;
    perform::record_left_alone(&writer, plan).await;
    perform::show(person, plan, &[], &rows, output);
    if reverts.is_some() && output == Output::Table && !plan.assignments.is_empty() {
        say!("The groups are held, so the rules leave them alone: see `policysync holds list`.");
    }
    if !plan.left_alone.is_empty() || !plan.unreadable.is_empty() {
        return ExitCode::FAILURE;
    }
    apply::exit_code(&[], &rows)
}

/// How the plan that was shown is performed.
fn how_to_apply(plan: &SavedPlan, kill_switch: bool) -> Screen {
    let next = next_step::to_apply("performs it", &plan.demands(), kill_switch);
    Screen::default().text(format!("Nothing was changed. {next}"))
}

#[cfg(test)]
mod tests {
    use certificate_management::plan::saved::PlannedAssignment;
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::commands::golden::{self, GROUP, NAMESPACE, POLICY, SERVICE};

    fn entry(group: &str, reason: &str, detail: &str, is_in_audit: bool) -> PlannedAssignment {
        let in_audit = json!({"option": "even-in-audit", "because": "its namespace is in audit mode"});
        serde_json::from_value(json!({
            "namespaceId": NAMESPACE, "provisioningService": SERVICE, "enrollmentGroup": group, "before": POLICY,
            "after": null, "etag": "\"1\"", "rule": "taking back run 01M85A71M08CPV9XGR0PSFA70F of apply by robin",
            "reason": reason, "detail": detail, "policyCaNotAfter": null, "untrustingHubs": [],
            "conditions": if is_in_audit { vec![in_audit] } else { Vec::new() },
        }))
        .unwrap()
    }

    #[test]
    fn the_golden_assignments_fit_the_width() {
        let held = "taking back run 01M85A71M08CPV9XGR0PSFA70F of apply by robin; the group is held then, so the rules leave it \
                    alone until `policysync holds release`";
        let plan = SavedPlan {
            assignments: vec![
                entry(GROUP, "assigned", held, false),
                entry("assembly-line-18-paint-shop", "assigned", held, true),
            ],
            left_alone: vec![entry(
                "assembly-line-19-packing",
                "group-moved",
                "it was written since that run",
                false,
            )],
            ..SavedPlan::empty("1.0.0", datetime!(2026-11-23 05:00 UTC))
        };
        let screen = print::screen(&plan, |_| String::new()).and(how_to_apply(&plan, false));
        let text = screen.plain(80);
        assert!(text.contains("The same with --apply performs it. 1 of 2 writes"), "{text}");
        golden::compare("assign", &screen, &[]);
    }
}
