//! `status`: looks at everything now and prints what the checks find. It needs no stored report, no queue and no
//! running handler, and writes nothing.

mod list;
mod print;

use std::process::ExitCode;

use certificate_management::configuration::Configuration;
use certificate_management::reason::Severity;
use certificate_management::report::{self, Report};
use clap::{Args, ValueEnum};

use super::reader;
use super::table::{self, Output};
use crate::reporting;

/// Exit code when no namespace could be evaluated.
const NOT_EVALUATED: u8 = 3;

#[derive(Args)]
pub struct Arguments {
    /// Exit with 0 unless something is at least this bad.
    #[arg(long, value_enum, default_value_t = FailOn::Warning, value_name = "SEVERITY")]
    fail_on: FailOn,
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
        say!("{}", list::text(&list::thresholds(), arguments.output));
        return ExitCode::SUCCESS;
    }
    let report = match observed().await {
        Ok(report) => report,
        Err(message) => {
            complain!("{message}");
            return ExitCode::from(NOT_EVALUATED);
        }
    };
    match arguments.output {
        Output::Json => say!("{}", table::json(&report)),
        Output::Table => say!("{}", print::text(&report)),
    }
    ExitCode::from(exit_code(&report, arguments.fail_on))
}

async fn observed() -> Result<Report, String> {
    let settings = reader::settings().map_err(|error| error.to_string())?;
    let text = reader::configuration_text(&settings.configuration)?;
    let configuration = Configuration::parse(&text).map_err(|error| {
        format!("the configuration {} cannot be used:\n{error}", settings.configuration.display())
    })?;
    let fleet = reader::fleet(&settings, configuration).map_err(|error| error.to_string())?;
    Ok(report::build(&reporting::observe_all(&fleet).await))
}

/// 3 when no namespace could be read; else the worst that `fail_on` lets through.
fn exit_code(report: &Report, fail_on: FailOn) -> u8 {
    if report.lines.iter().all(|line| line.is_unreadable) {
        return NOT_EVALUATED;
    }
    let worst = report.findings.iter().map(|finding| finding.severity).max();
    match (worst, fail_on) {
        (Some(Severity::Critical), _) => 2,
        (Some(Severity::Warning), FailOn::Warning) => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
