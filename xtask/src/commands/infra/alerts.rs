//! Alerts: each has a row in the runbook, and each timer has one that notices when it does not come any more.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::snapshot::{Snapshot, kind, name};

/// What is wrong with the alerts of a snapshot.
pub fn problems(root: &Path, snapshot: &Snapshot) -> Result<Vec<String>, String> {
    let read = |path: std::path::PathBuf| {
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let runbook = read(root.join("RUNBOOK.md"))?;
    let mut problems = without_a_row(snapshot, &runbook);
    let folder = root.join("function-definitions");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        let function: Value =
            serde_json::from_str(&read(path.join("function.json"))?).map_err(|error| error.to_string())?;
        let is_timer = function["bindings"][0]["type"] == "timerTrigger";
        let function = path.file_name().unwrap_or_default().to_string_lossy();
        if is_timer && !is_watched(snapshot, &function) {
            problems.push(format!("no alert notices that the timer {function} has stopped"));
        }
    }
    Ok(problems)
}

fn without_a_row(snapshot: &Snapshot, runbook: &str) -> Vec<String> {
    let alerts = snapshot.resources.iter().filter(|it| {
        ["Microsoft.Insights/scheduledQueryRules", "Microsoft.Insights/metricAlerts"].contains(&kind(it))
    });
    // Names are `policysync-TOKEN-RULE`.
    let rules = alerts.filter_map(|alert| name(alert).splitn(3, '-').nth(2));
    rules
        .filter(|rule| !runbook.contains(&format!("| `{rule}` |")))
        .map(|rule| format!("RUNBOOK.md has no row for the alert `{rule}`"))
        .collect()
}

/// Whether an enabled rule fires when no successful invocation of a function came for a while.
fn is_watched(snapshot: &Snapshot, function: &str) -> bool {
    snapshot.of_type("Microsoft.Insights/scheduledQueryRules").any(|rule| {
        let properties = &rule["properties"];
        let query = properties["criteria"]["allOf"][0]["query"].as_str().unwrap_or_default();
        properties["enabled"] == true
            && query.contains(&format!("name == \"{function}\" and success == true"))
            && query.contains("isnull(newest) or newest < ago(")
    })
}

#[cfg(test)]
mod tests {
    use super::super::files::PARAMETER_FILES;
    use super::*;
    use crate::workspace::Workspace;

    fn after(change: impl Fn(&mut Vec<Value>)) -> Vec<String> {
        let root = Workspace::find().root().to_path_buf();
        let mut snapshot = Snapshot::read(&root.join("infra"), PARAMETER_FILES[0].file).unwrap();
        assert_eq!(problems(&root, &snapshot).unwrap(), Vec::<String>::new());
        change(&mut snapshot.resources);
        problems(&root, &snapshot).unwrap()
    }

    #[test]
    fn a_timer_that_nothing_watches_is_noticed() {
        for (rule, function) in
            [("timers-stopped", "reconcile-assignments"), ("report-late", "report-policy-status")]
        {
            let is_rule = |it: &Value| it["name"].as_str().is_some_and(|name| name.ends_with(rule));
            let expected = [format!("no alert notices that the timer {function} has stopped")];
            assert_eq!(after(|resources| resources.retain(|it| !is_rule(it))), expected);
            let off = after(|resources| {
                let one = resources.iter_mut().find(|it| is_rule(it)).unwrap();
                one["properties"]["enabled"] = false.into();
            });
            assert_eq!(off, expected);
        }
    }

    #[test]
    fn an_alert_without_a_row_in_the_runbook_is_noticed() {
        let problems = after(|resources| {
            let kind = "Microsoft.Insights/metricAlerts";
            let one = resources.iter_mut().find(|it| it["type"] == kind).unwrap();
            one["name"] = "policysync-x-something-new".into();
        });
        assert_eq!(problems, ["RUNBOOK.md has no row for the alert `something-new`"]);
    }
}
