//! `status`: looks at everything now, reads the records where it can, and prints what the checks find. It needs no queue and no running
//! handler, and writes nothing. Where records cannot be read it says which checks were not made: it never calls healthy what it has not
//! looked at.

mod list;
mod print;

use std::process::ExitCode;

use certificate_management::reason::Severity;
use certificate_management::report::Report;
use clap::{Args, ValueEnum};
use state::Store;

use super::person::STATE;
use super::reader;
use super::table::{self, Output};
use crate::application;
use crate::fleet::Fleet;
use crate::reporting;
use crate::settings::{self, StateSettings};

/// Exit code when the fleet could not be evaluated whole.
const NOT_EVALUATED: u8 = 3;

#[derive(Args)]
pub struct Arguments {
    /// Exit with 0 unless something is at least this bad.
    #[arg(long, value_enum, default_value_t = FailOn::Warning, value_name = "SEVERITY")]
    fail_on: FailOn,
    /// Leave out the checks that rest on records of the app, which need its storage account.
    #[arg(long)]
    without_records: bool,
    /// Print the checks with their severities and thresholds, and look at nothing.
    #[arg(long)]
    list: bool,
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// From which severity on the exit code is not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// 1 for warnings, 2 for critical findings.
    Warning,
    /// 2 for critical findings; warnings are 0.
    Critical,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    if arguments.list {
        say!("{}", list::text(&list::thresholds().await, arguments.output));
        return ExitCode::SUCCESS;
    }
    let report = match observed(arguments.without_records).await {
        Ok(report) => report,
        Err(message) => {
            complain!("{message}");
            return ExitCode::from(NOT_EVALUATED);
        }
    };
    match arguments.output {
        Output::Json => say!("{}", table::json(&report)),
        Output::Table => say!("{}", print::text(&report, table::screen_width())),
    }
    ExitCode::from(exit_code(&report, &arguments))
}

async fn observed(without_records: bool) -> Result<Report, String> {
    let settings = reader::settings().map_err(|error| error.to_string())?;
    let configuration = reader::configuration(&settings).await?;
    let fleet = reader::fleet(&settings, configuration).map_err(|error| error.to_string())?;
    let store = if without_records { Err("--without-records was given".to_owned()) } else { records(&fleet) };
    Ok(reporting::live::report(&fleet, reader::caller(), store.as_ref().map_err(String::as_str)).await)
}

/// The records of the app.
///
/// # Errors
/// Why they cannot be read, and what to do.
fn records(fleet: &Fleet) -> Result<Store, String> {
    let kept = StateSettings::if_kept(&settings::environment()).map_err(|error| error.to_string())?;
    let Some(kept) = kept else {
        return Err(format!(
            "no storage account is named, or POLICYSYNC_STATE=memory keeps the records in another process. {STATE} \
             `--without-records` leaves these checks out"
        ));
    };
    application::records(&kept, &fleet.azure, &fleet.ambient.randomness)
        .map_err(|error| format!("AzureWebJobsStorage: {error}"))
}

/// 3 when no namespace could be read, or checks were not made that were not left out on purpose; else the worst that `fail_on` lets
/// through.
fn exit_code(report: &Report, arguments: &Arguments) -> u8 {
    let lacks_checks = !report.checks_not_made.is_empty() && !arguments.without_records;
    if lacks_checks || report.lines.iter().all(|line| line.is_unreadable) {
        return NOT_EVALUATED;
    }
    let worst = report.findings.iter().map(|finding| finding.severity).max();
    match (worst, arguments.fail_on) {
        (Some(Severity::Critical), _) => 2,
        (Some(Severity::Warning), FailOn::Warning) => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
