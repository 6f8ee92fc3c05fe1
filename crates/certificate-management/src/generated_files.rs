//! Writes what pages for people repeat of the code: the rows of `RUNBOOK.md`, and the codes in
//! `docs/policy-status.schema.json`. The tests compare them; `WRITE_GENERATED_FILES=1 cargo test -p
//! certificate-management --lib generated_files` writes them.

use std::path::Path;

use serde_json::{Value, json};

use crate::checks::CheckId;
use crate::configuration::Thresholds;
use crate::reason::Reason;

/// Set it to write the files instead of comparing them.
const WRITE: &str = "WRITE_GENERATED_FILES";

/// Compares a file with what `make` makes of its text, or writes that.
fn hold(file: &str, make: impl Fn(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let made = make(&text);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, made).unwrap();
        return;
    }
    let differs = made.lines().zip(text.lines()).find(|(made, text)| made != text);
    assert!(
        made == text,
        "{file} is not what the code says: run `{WRITE}=1 cargo test -p certificate-management --lib generated_files`\n{differs:#?}"
    );
}

/// A row, and the cell that it begins with.
struct Row {
    start: String,
    text: String,
}

/// Puts the rows into the page. Each takes the place of the row with the same first cell; a new one goes behind the row
/// that is before it in the code; a row whose check or reason the code does not have any more goes.
fn with_rows(page: &str, rows: &[Row], is_row: impl Fn(&str) -> bool) -> String {
    let mut lines: Vec<&str> = page.lines().collect();
    lines.retain(|line| !is_row(line) || rows.iter().any(|row| line.starts_with(&row.start)));
    let mut next = lines.iter().position(|line| is_row(line)).unwrap_or(lines.len());
    for row in rows {
        match lines.iter().position(|line| is_row(line) && line.starts_with(&row.start)) {
            Some(place) => {
                lines[place] = &row.text;
                next = place + 1;
            }
            None => {
                lines.insert(next, &row.text);
                next += 1;
            }
        }
    }
    lines.join("\n") + "\n"
}

/// A row of a reason has its severity in the second cell; rows of other tables do not.
fn is_reason(line: &str) -> bool {
    let severity = line.split(" | ").nth(1).unwrap_or_default();
    line.starts_with("| `") && matches!(severity, "information" | "warning" | "critical")
}

fn is_check(line: &str) -> bool {
    line.starts_with("| <a id=\"check-")
}

#[test]
fn the_runbook_has_the_rows_of_the_code() {
    let reasons: Vec<Row> = Reason::ALL
        .iter()
        .map(|reason| {
            let start = format!("| `{reason}` | ");
            let (severity, meaning, next_step) = (reason.severity(), reason.meaning(), reason.next_step());
            Row { text: format!("{start}{severity} | {meaning} | {next_step} |"), start }
        })
        .collect();
    let checks: Vec<Row> = CheckId::ALL
        .iter()
        .map(|check| {
            let start = format!("| <a id=\"check-{check}\"></a>`{check}` | ");
            let (severity, says, next_step) = (check.severity(), check.description(), check.next_step());
            let told =
                check.told_when(&Thresholds::default()).map(|told| format!(" {told}")).unwrap_or_default();
            Row { text: format!("{start}{severity} | {says}{told} | {next_step} |"), start }
        })
        .collect();
    hold("RUNBOOK.md", |page| with_rows(&with_rows(page, &reasons, is_reason), &checks, is_check));
}

#[test]
fn the_schema_of_the_report_has_the_codes_of_the_code() {
    hold("docs/policy-status.schema.json", |text| {
        let mut schema: Value = serde_json::from_str(text).unwrap();
        for (name, codes) in [("reason", json!(Reason::ALL)), ("check", json!(CheckId::ALL))] {
            schema["$defs"][name]["enum"] = codes;
        }
        serde_json::to_string_pretty(&schema).unwrap() + "\n"
    });
}

#[test]
fn a_row_is_replaced_or_put_behind_the_one_before_it_or_goes() {
    let row =
        |code: &str| Row { start: format!("| `{code}` | "), text: format!("| `{code}` | warning | new |") };
    let page = "# A\n| `b` | warning | old |\n| `gone` | critical | old |\n\n# B\n| `d` | warning | old |\n| `x` | 2 |\n";
    let rows = ["a", "b", "c", "d"].map(row);
    assert_eq!(
        with_rows(page, &rows, is_reason),
        "# A\n| `a` | warning | new |\n| `b` | warning | new |\n| `c` | warning | new |\n\n# B\n| `d` | warning | new |\n| `x` | 2 |\n"
    );
}
