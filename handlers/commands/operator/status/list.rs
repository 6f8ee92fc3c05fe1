//! Lists the checks: what each looks for, how bad it usually is, and its thresholds.

use certificate_management::checks::CheckId;
use certificate_management::configuration::Thresholds;
use serde_json::json;

use crate::commands::operator::reader;
use crate::commands::screen::Screen;
use crate::commands::table::{self, Table};

/// The thresholds of the configuration, where there is one that can be read; else the defaults.
pub async fn thresholds() -> Thresholds {
    let Ok(settings) = reader::settings() else { return Thresholds::default() };
    reader::configuration(&settings).await.unwrap_or_default().checks
}

/// For a program.
pub fn json(thresholds: &Thresholds) -> String {
    let defaults = Thresholds::default();
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

/// For a person.
pub fn screen(thresholds: &Thresholds) -> Screen {
    let defaults = Thresholds::default();
    let rows = CheckId::ALL.iter().map(|check| {
        let set = check.thresholds(thresholds);
        let default = check.thresholds(&defaults);
        let shown = if set == default { set } else { format!("{set} (default: {default})") };
        vec![check.to_string(), check.severity().to_string(), check.description().to_owned(), shown]
    });
    let table = Table::of(&["check", "severity", "looks for", "thresholds"], rows).titled(2).states(1);
    Screen::default().table(table)
}
