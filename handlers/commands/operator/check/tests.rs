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
    let printed = screen(&rows).plain(120);
    for row in &rows {
        assert_eq!(row.status == Status::Failed, row.next_step.is_some());
        let first_words = row.message.split_whitespace().next().unwrap();
        assert!(printed.contains(first_words), "{printed}");
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

#[test]
fn the_golden_checks_fit_the_width_and_what_is_wrong_stands_first() {
    use crate::commands::golden::{self, GROUP, HUB, NAMESPACE, POLICY, SERVICE};

    let name = "contoso-manufacturing-west-europe";
    let rows = [
        Checked::ok("configuration", "policysync.toml", "1 namespace"),
        Checked::ok("hub", format!("{name} / {HUB}"), "3 CA certificates"),
        Checked {
            line: Some(17),
            ..Checked::failed(
                "rule-policies",
                name,
                format!("rule `the robots of every assembly line` names `{POLICY}`, which does not exist"),
                "`policysync policies apply` shows what it would create.",
            )
        },
        Checked {
            status: Status::Warning,
            ..Checked::failed(
                "not-in-file",
                format!("{name} / {SERVICE}"),
                format!("it is linked, and policysync.toml does not name it\n{NAMESPACE}"),
                "Add it to `provisioning_services`, or leave it out on purpose.",
            )
        },
        Checked {
            grant: Some(format!("az role assignment create --role \"Contributor\" --scope \"{NAMESPACE}\"")),
            ..Checked::failed(
                "link-roles",
                format!("{name} / {HUB}"),
                format!("the identity of {HUB} lacks `Contributor` on {name}"),
                "Grant the role: the command is below; role assignments take minutes to arrive. Then link again where the link has failed.",
            )
        },
        Checked::ok(
            "enrollment-groups",
            format!("{name} / {SERVICE}"),
            format!("1 enrollment group, {GROUP}"),
        ),
    ];
    let screen = screen(&rows);
    golden::compare("check", &screen, &["az "]);
    let text = screen.plain(80);
    assert!(text.starts_with("2 checks FAILED, 1 warning, 3 ok."), "{text}");
    let place = |word: &str| text.find(word).unwrap();
    assert!(
        place("FAILED  rule-policies") < place("warning  not-in-file")
            && place("warning  not") < place("ok "),
        "{text}"
    );
}
