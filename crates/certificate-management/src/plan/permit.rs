//! Who may write where: functions, and people at a command line.

use crate::configuration::{Mode, NamespaceConfiguration};

/// Who wants to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// A function.
    Function,
    /// A person with a command, who has read the plan.
    Person {
        /// Whether they write also where the configuration says `audit`: `--even-in-audit`.
        even_in_audit: bool,
    },
}

/// The text for a person whom the kill switch stops.
pub const KILL_SWITCH: &str =
    "POLICYSYNC_MODE=audit is set, so nothing is written, whatever the configuration says";

/// Whether a group of the namespace may be written. Nothing wins over the kill switch.
///
/// # Errors
/// Why not, and what to do about it.
pub fn permitted(
    configuration: &NamespaceConfiguration,
    kill_switch: bool,
    writer: Writer,
) -> Result<(), String> {
    if kill_switch {
        return Err(format!("{KILL_SWITCH}; unset it to write"));
    }
    let name = configuration.id.name();
    match (configuration.mode, writer) {
        (Mode::Enforce, _) | (Mode::Audit, Writer::Person { even_in_audit: true }) => Ok(()),
        (Mode::Audit, Writer::Function) => Err(format!("namespace {name} is in audit mode")),
        (Mode::Audit, Writer::Person { even_in_audit: false }) => Err(format!(
            "policysync.toml has namespace {name} in audit mode; `--even-in-audit` writes there all the same"
        )),
    }
}

/// Whether an authority or a policy that the file declares may be written: as [`permitted`], and by a function only where the file
/// says `manage = true`.
///
/// # Errors
/// Why not, and what to do about it.
pub fn permitted_to_declare(
    configuration: &NamespaceConfiguration,
    kill_switch: bool,
    writer: Writer,
) -> Result<(), String> {
    permitted(configuration, kill_switch, writer)?;
    match writer {
        Writer::Function if !configuration.manage => Err(format!(
            "policysync.toml does not say `manage = true` of namespace {}",
            configuration.id.name()
        )),
        Writer::Function | Writer::Person { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::Configuration;

    #[test]
    fn a_function_declares_only_where_the_file_says_so_and_nothing_wins_over_audit_and_the_kill_switch() {
        let writers = [
            Writer::Function,
            Writer::Person { even_in_audit: false },
            Writer::Person { even_in_audit: true },
        ];
        for (mode, kill_switch, manage) in [
            ("enforce", false, false),
            ("enforce", false, true),
            ("enforce", true, true),
            ("audit", false, true),
            ("audit", true, true),
        ] {
            let id =
                "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
            let text = format!("[[namespace]]\nid = \"{id}\"\nmode = \"{mode}\"\nmanage = {manage}\n");
            let configuration = Configuration::parse(&text).unwrap().namespaces.remove(0);
            for writer in writers {
                let may = permitted(&configuration, kill_switch, writer).is_ok();
                let expected = may && (manage || writer != Writer::Function);
                let answer = permitted_to_declare(&configuration, kill_switch, writer);
                assert_eq!(answer.is_ok(), expected, "{mode} {kill_switch} {manage} {writer:?}: {answer:?}");
            }
        }
    }

    #[test]
    fn the_kill_switch_stops_everybody_and_audit_mode_all_but_a_person_who_insists() {
        let person = |even_in_audit| Writer::Person { even_in_audit };
        for (mode, kill_switch, writer, may) in [
            ("enforce", false, Writer::Function, true),
            ("enforce", false, person(false), true),
            ("enforce", false, person(true), true),
            ("audit", false, Writer::Function, false),
            ("audit", false, person(false), false),
            ("audit", false, person(true), true),
            ("enforce", true, Writer::Function, false),
            ("enforce", true, person(false), false),
            ("enforce", true, person(true), false),
            ("audit", true, Writer::Function, false),
            ("audit", true, person(false), false),
            ("audit", true, person(true), false),
        ] {
            let id =
                "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
            let text = format!("[[namespace]]\nid = \"{id}\"\nmode = \"{mode}\"\n");
            let configuration = Configuration::parse(&text).unwrap().namespaces.remove(0);
            let answer = permitted(&configuration, kill_switch, writer);
            assert_eq!(answer.is_ok(), may, "{mode} {kill_switch} {writer:?}");
            if let Err(why) = answer {
                assert_eq!(why.contains("POLICYSYNC_MODE=audit"), kill_switch, "{why}");
                let is_offered = !kill_switch && writer == person(false);
                assert_eq!(why.contains("--even-in-audit"), is_offered, "{why}");
            }
        }
    }
}
