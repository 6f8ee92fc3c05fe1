//! `status`: looks at everything now, reads the records where it can, and prints what the checks find. It needs no queue and no running
//! handler, and writes nothing. Where records cannot be read it says which checks were not made: it never calls healthy what it has not
//! looked at.

mod dead_letters;
mod list;
mod print;
mod watch;

use std::process::ExitCode;
use std::time::Duration;

use certificate_management::reason::Severity;
use certificate_management::report::Report;
use clap::{Args, ValueEnum};
use state::Store;

use super::person::STATE;
use super::table::{self, Output};
use super::{USAGE, reader};
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
    /// Look again every so many seconds, 60 without a number, until Ctrl-C, and draw the screen anew. Where there is no terminal, print a
    /// line for each change.
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        default_missing_value = "60",
        value_parser = clap::value_parser!(u64).range(watch::SHORTEST..=watch::LONGEST),
        conflicts_with = "list"
    )]
    watch: Option<u64>,
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
        let thresholds = list::thresholds().await;
        match arguments.output {
            Output::Json => say!("{}", list::json(&thresholds)),
            Output::Table => list::screen(&thresholds).print(),
        }
        return ExitCode::SUCCESS;
    }
    if let Some(seconds) = arguments.watch {
        if arguments.output == Output::Json {
            complain!(
                "--watch is for a person; for a program run `policysync status --output json` again and again."
            );
            return ExitCode::from(USAGE);
        }
        return watch::run(&arguments, Duration::from_secs(seconds)).await;
    }
    let looked = match look(arguments.without_records).await {
        Ok(looked) => looked,
        Err(message) => {
            complain!("{message}");
            return ExitCode::from(NOT_EVALUATED);
        }
    };
    match arguments.output {
        Output::Json => say!("{}", table::json(&looked.report)),
        Output::Table => print::screen(&looked).print(),
    }
    ExitCode::from(exit_code(&looked.report, &arguments))
}

/// What a look has seen.
struct Looked {
    report: Report,
    /// Why dead letters were not counted, where they were not.
    uncounted: Option<String>,
}

async fn look(without_records: bool) -> Result<Looked, String> {
    let settings = reader::settings().map_err(|error| error.to_string())?;
    let configuration = reader::configuration(&settings).await?;
    let fleet = reader::fleet(&settings, configuration).map_err(|error| error.to_string())?;
    let store = if without_records { Err("--without-records was given".to_owned()) } else { records(&fleet) };
    let mut report =
        reporting::live::report(&fleet, reader::caller(), store.as_ref().map_err(String::as_str)).await;
    let uncounted = dead_letters::count(&fleet, &mut report).await;
    Ok(Looked { report, uncounted })
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
    let waits = report.waiting.as_ref().is_some_and(|waiting| print::waiting(waiting) > 0);
    match (worst, arguments.fail_on) {
        (Some(Severity::Critical), _) => 2,
        (Some(Severity::Warning), FailOn::Warning) => 1,
        // A message that no function took is a request that nothing came of.
        (_, FailOn::Warning) if waits => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
