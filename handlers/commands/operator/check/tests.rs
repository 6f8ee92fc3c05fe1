//! What `check` says about a file.

use super::*;

const NAMESPACE: &str = "[[namespace]]\nid = \"/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso\"\n";

fn rule(name: &str, glob: &str, policy: &str) -> String {
    format!(
        "[[namespace.rule]]\nname = \"{name}\"\nenrollment_groups = [\"{glob}\"]\npolicy = \"{policy}\"\n"
    )
}

/// Check, status and line of each row.
fn summary(text: &str) -> Vec<(&'static str, Status, Option<usize>)> {
    let (rows, _) = file_rows("policysync.toml", text);
    let printed = printed(&rows);
    for row in &rows {
        assert_eq!(row.status == Status::Failed, row.next_step.is_some());
        let first_line = table::wrapped(&row.message, MESSAGE_WIDTH).lines().next().unwrap().to_owned();
        assert!(printed.contains(&first_line), "{printed}");
    }
    rows.into_iter().map(|row| (row.check, row.status, row.line)).collect()
}

#[test]
fn each_check_of_a_right_file_is_one_row() {
    let text = format!("{NAMESPACE}{}", rule("lines", "line-*", "short"));
    let ok = |check| (check, Status::Ok, None);
    assert_eq!(summary(&text), [ok("configuration"), ok("rule-tests"), ok("rule-order")]);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let test = "[[namespace.rule.test]]\nenrollment_group = \"line-7\"\nexpect = \"long\"\n";
    let text = format!(
        "{NAMESPACE}opt_out_tag = \"\"\n{}{test}{}",
        rule("lines", "line-*", "short"),
        rule("some lines", "line-1*", "long")
    );
    let failed = |check, line| (check, Status::Failed, Some(line));
    assert_eq!(
        summary(&text),
        [failed("configuration", 3), failed("rule-tests", 10), failed("rule-order", 11)]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_one_row() {
    for text in ["[[namespace", "[[namespace]]\nid = \"x\"", "[[namespaces]]"] {
        assert_eq!(summary(text), [("configuration", Status::Failed, None)], "{text}");
    }
}
