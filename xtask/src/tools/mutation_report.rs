//! The report of a mutation run, in the format of `mutation-testing-elements`, as a table by module.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

/// What came of the breaks of one module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    /// A test failed.
    caught: usize,
    /// Every test passed, or none comes there.
    missed: usize,
    /// The tests did not end in time, which no assertion has found.
    timeouts: usize,
    /// The compiler refused it, so it says nothing about the tests.
    unviable: usize,
}

/// What came of each break, by module.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    modules: BTreeMap<String, Counts>,
}

impl Report {
    /// Reads the report that the run has written.
    pub fn of(report: &Value) -> Self {
        let mut modules = BTreeMap::<String, Counts>::new();
        for (path, file) in report["files"].as_object().into_iter().flatten() {
            let counts = modules.entry(module(path)).or_default();
            for mutant in file["mutants"].as_array().into_iter().flatten() {
                let reason = mutant["statusReason"].as_str().unwrap_or_default();
                match mutant["status"].as_str().unwrap_or_default() {
                    "Killed" => counts.caught += 1,
                    // The format would count a timeout as found, so cargo-gamma writes it as a survivor with a reason.
                    "Survived" if reason.starts_with("timed out: ") => counts.timeouts += 1,
                    "Survived" | "NoCoverage" => counts.missed += 1,
                    "CompileError" | "RuntimeError" => counts.unviable += 1,
                    _ => {}
                }
            }
        }
        modules.retain(|_, counts| *counts != Counts::default());
        Self { modules }
    }

    /// A row for each module, in the form of a guide, and one for all of them.
    pub fn table(&self) -> String {
        let mut table = String::from(
            "| module | caught | missed | timeouts | unviable | caught, % |\n|---|---|---|---|---|---|\n",
        );
        let mut all = Counts::default();
        for (module, counts) in &self.modules {
            row(&mut table, module, *counts);
            all.caught += counts.caught;
            all.missed += counts.missed;
            all.timeouts += counts.timeouts;
            all.unviable += counts.unviable;
        }
        row(&mut table, "all", all);
        table
    }
}

fn row(table: &mut String, name: &str, counts: Counts) {
    let Counts { caught, missed, timeouts, unviable } = counts;
    let viable = (caught + missed + timeouts).max(1);
    // Rounded down, so that nothing which was missed is a hundred.
    let share = caught * 100 / viable;
    // Writing to a text cannot fail.
    let _ = writeln!(table, "| {name} | {caught} | {missed} | {timeouts} | {unviable} | {share} |");
}

/// `crates/azure/src/budget/bucket.rs` is a part of `azure/budget`.
fn module(path: &str) -> String {
    let (package, inside) = path.split_once("/src/").unwrap_or(("", path));
    let package = package.rsplit('/').next().unwrap_or_default();
    let first = inside.split('/').next().unwrap_or_default();
    format!("{package}/{}", first.trim_end_matches(".rs"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(outcomes: &[(&str, &str)]) -> Value {
        let mutants =
            outcomes.iter().map(|(status, reason)| json!({"status": status, "statusReason": reason}));
        json!({"mutants": mutants.collect::<Vec<_>>()})
    }

    #[test]
    fn a_module_is_counted_with_its_parts_and_an_unviable_break_in_no_share() {
        let report = json!({"files": {
            "crates/azure/src/budget.rs": file(&[("Killed", ""), ("CompileError", "")]),
            "crates/azure/src/budget/bucket.rs": file(&[("Killed", ""), ("Survived", ""), ("NoCoverage", "")]),
            "crates/certificate-management/src/plan.rs": file(&[("Killed", ""), ("Ignored", ""), ("Survived", "timed out: …")]),
            "crates/certificate-management/src/lib.rs": file(&[]),
        }});
        let table = Report::of(&report).table();
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| azure/budget | 2 | 2 | 0 | 1 | 50 |",
                "| certificate-management/plan | 1 | 0 | 1 | 0 | 50 |",
                "| all | 3 | 2 | 1 | 1 | 50 |"
            ]
        );
    }
}
