//! `plan`: looks at everything and shows what the app would write and why; keeps the plan in a file for `apply`. It
//! writes nothing to Azure.

pub mod print;
pub mod survey;

use std::path::PathBuf;
use std::process::ExitCode;

use certificate_management::next_step;
use certificate_management::plan::saved::SavedPlan;
use clap::Args;

use self::survey::Survey;
use super::fail;
use super::screen::Screen;
use super::table::{self, Output};
use crate::commands::operator::person;
use crate::fleet::Fleet;

#[derive(Args)]
pub struct Arguments {
    /// Save the plan to this file, for `policysync apply`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let person = match person::start().await {
        Ok(person) => person,
        Err(message) => return fail(&message),
    };
    let mut plan = by_rules(&person.fleet).await;
    person.leave_held(&mut plan, None).await;
    let plan = plan;
    print::show(&person.fleet, &plan, arguments.output);
    if let Some(path) = &arguments.out {
        if let Err(error) = std::fs::write(path, table::json(&plan) + "\n") {
            return fail(&format!("cannot save the plan to {}: {error}", path.display()));
        }
        if arguments.output == Output::Table {
            let (fleet, file) = (&person.fleet, path.display().to_string());
            let next = next_step::to_perform(&file, &plan.demands(), fleet.kill_switch);
            Screen::default().text(format!("\nSaved, plan {}. {next}", plan.hash())).print();
        }
    }
    exit_code(&plan)
}

/// 1 when something could not be read, so that the plan is not complete.
pub fn exit_code(plan: &SavedPlan) -> ExitCode {
    if plan.unreadable.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// An empty plan, made by this version now.
pub fn empty(fleet: &Fleet) -> SavedPlan {
    SavedPlan::empty(env!("CARGO_PKG_VERSION"), fleet.now())
}

/// Plans what the file declares, and every group of every DPS by the rules.
pub async fn by_rules(fleet: &Fleet) -> SavedPlan {
    let mut survey = Survey::new(fleet);
    let mut plan = empty(fleet);
    for configuration in &fleet.configuration.namespaces {
        if let Some(inventory) = survey.inventory(configuration).await {
            plan.add_declared(configuration, &inventory);
        }
    }
    for (service, groups) in survey.every_group(None).await {
        let Some(observation) = survey.observation(service.configuration).await else { continue };
        for group in &groups {
            plan.add_by_rules(service.place(), &group.view, &observation);
        }
    }
    for configuration in &fleet.configuration.namespaces {
        if let Some(observation) = survey.observation(configuration).await {
            plan.add_sync(configuration, &observation);
        }
    }
    plan.unreadable = survey.unreadable;
    plan
}
