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
    person.restrain(&mut plan, reverts).await;
    let plan = &plan;
    if !arguments.apply {
        print::show(&person.fleet, plan, output);
        if output == Output::Table && !plan.assignments.is_empty() {
            let in_audit = print::is_in_audit(&person.fleet, plan);
            let next = next_step::to_apply("performs it", in_audit, person.fleet.kill_switch);
            say!("\nNothing was changed. {next}");
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
