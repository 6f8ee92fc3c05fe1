//! How a person has that performed which a command has planned. An option is named where every write needs it; where some do, it is said
//! which.

use crate::plan::condition::Demands;
use crate::plural;

/// How many namespaces are named.
const NAMED: usize = 5;

/// How a person does what a command has shown, who gave no `--apply`: `does` says what it then does.
#[must_use]
pub fn to_apply(does: &str, demands: &Demands, kill_switch: bool) -> String {
    let even = if all(demands, demands.in_audit) { " --even-in-audit" } else { "" };
    let command = format!("the same with --apply{even} {does}.");
    sentences([Some(first(&command, demands, kill_switch)), some_in_audit(demands), some_frozen(demands)])
}

/// How a person performs a plan that was saved to a file.
#[must_use]
pub fn to_perform(file: &str, demands: &Demands, kill_switch: bool) -> String {
    if demands.writes == 0 {
        return "There is nothing in it to perform.".to_owned();
    }
    let even = if all(demands, demands.in_audit) { " --even-in-audit" } else { "" };
    let command = format!("perform it with\n  policysync apply {file}{even}");
    let command = first(&command, demands, kill_switch);
    match sentences([None, some_in_audit(demands), some_frozen(demands)]) {
        more if more.is_empty() => command,
        more => format!("{command}\n{more}"),
    }
}

fn all(demands: &Demands, part: usize) -> bool {
    part > 0 && part == demands.writes
}

/// The command, after what has to be so before it.
fn first(command: &str, demands: &Demands, kill_switch: bool) -> String {
    let emergency = "or in an emergency with --break-freeze and a --reason";
    match (kill_switch, all(demands, demands.frozen)) {
        (false, false) => capital(command),
        (false, true) => {
            format!("A window of `freeze` in policysync.toml is open: after it, {emergency}, {command}")
        }
        (true, false) => format!("POLICYSYNC_MODE=audit is set: once it is unset, {command}"),
        (true, true) => format!(
            "POLICYSYNC_MODE=audit is set, and a window of `freeze` in policysync.toml is open: once it is unset, and after the \
             window, {emergency}, {command}"
        ),
    }
}

fn capital(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

fn some_in_audit(demands: &Demands) -> Option<String> {
    let is_part = demands.in_audit > 0 && !all(demands, demands.in_audit);
    is_part.then(|| {
        let names = &demands.audit_namespaces;
        let shown = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = match names.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(
            "{} of {} {} in {} that policysync.toml has in audit mode ({shown}{more}): with --even-in-audit {} too.",
            demands.in_audit,
            plural::count(demands.writes, "write"),
            plural::agreeing(demands.in_audit, "is", "are"),
            plural::agreeing(names.len(), "a namespace", "namespaces"),
            plural::agreeing(demands.in_audit, "it is performed", "they are performed"),
        )
    })
}

fn some_frozen(demands: &Demands) -> Option<String> {
    let is_part = demands.frozen > 0 && !all(demands, demands.frozen);
    is_part.then(|| {
        format!(
            "{} of {} {} frozen now: in an emergency {} with --break-freeze and a --reason.",
            demands.frozen,
            plural::count(demands.writes, "write"),
            plural::agreeing(demands.frozen, "is", "are"),
            plural::agreeing(demands.frozen, "it is performed", "they are performed"),
        )
    })
}

fn sentences(all: [Option<String>; 3]) -> String {
    all.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
