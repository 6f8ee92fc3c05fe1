//! Lists the checks: what each looks for, how bad it usually is, and its thresholds.

use certificate_management::checks::CheckId;
use certificate_management::configuration::Thresholds;
use serde_json::json;

use crate::commands::operator::reader;
use crate::commands::table::{self, Output};

/// Widths of the columns that hold sentences, in characters.
const DESCRIPTION_WIDTH: usize = 64;
const THRESHOLDS_WIDTH: usize = 32;

/// The thresholds of the configuration, where there is one that can be read; else the defaults.
pub async fn thresholds() -> Thresholds {
    let Ok(settings) = reader::settings() else { return Thresholds::default() };
    reader::configuration(&settings).await.unwrap_or_default().checks
}

pub fn text(thresholds: &Thresholds, output: Output) -> String {
    let defaults = Thresholds::default();
    match output {
        Output::Json => {
            let checks = CheckId::ALL.iter().map(|check| {
                json!({
                    "check": check,
                    "severity": check.severity(),
                    "description": check.description(),
                    "thresholds": check.thresholds(thresholds),
                    "defaults": check.thresholds(&defaults),
                    "runbook": check.runbook(),
                })
            });
            table::json(&json!({"schema": "checks/v1", "checks": checks.collect::<Vec<_>>()}))
        }
        Output::Table => {
            let rows = CheckId::ALL.iter().map(|check| {
                let set = check.thresholds(thresholds);
                let default = check.thresholds(&defaults);
                let shown = if set == default { set } else { format!("{set} (default: {default})") };
                vec![
                    check.to_string(),
                    check.severity().to_string(),
                    table::wrapped(check.description(), DESCRIPTION_WIDTH),
                    table::wrapped(&shown, THRESHOLDS_WIDTH),
                ]
            });
            table::table(&["check", "severity", "looks for", "thresholds"], rows.collect())
        }
    }
}
