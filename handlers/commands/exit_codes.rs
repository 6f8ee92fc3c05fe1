//! What the exit code of each command means. `--help` and the man pages tell it from here.

use clap::Command;

use super::terminal::USAGE;

/// An exit code and its meaning.
type Code = (u8, &'static str);

/// The codes of one command: its path below `policysync`, and each code but that of wrong usage.
const CODES: &[(&str, &[Code])] = &[
    ("serve", &[(0, "the host has ended it"), (1, "a setting is wrong, or it could not listen")]),
    (
        "submit",
        &[
            (0, "taken; with --wait: every hub trusts; with --dry-run: it would be done"),
            (1, "not taken, refused, failed, unverified, or not done in time"),
            (3, "the outcome could not be learnt"),
        ],
    ),
    (
        "parked list",
        &[(0, "every place was read"), (1, "a place could not be read, where messages may wait")],
    ),
    (
        "parked resubmit",
        &[(0, "it is on its queue again"), (1, "there is no such message, or it could not be sent")],
    ),
    ("parked discard", &[(0, "it is gone"), (1, "there is no such message, or it could not be removed")]),
    ("explain", &[(0, "explained"), (1, "the configuration or Azure could not be read")]),
    ("plan", &[(0, "everything was read"), (1, "something could not be, or the plan not be saved")]),
    (
        "apply",
        &[
            (0, "all done, or nothing to do"),
            (1, "an entry was refused or failed, or POLICYSYNC_MODE=audit is set"),
        ],
    ),
    ("runs list", &[(0, "listed"), (1, "the records could not be read")]),
    ("runs show", &[(0, "shown"), (1, "there is no such run, or its records could not be read")]),
    ("holds list", &[(0, "listed"), (1, "the records could not be read")]),
    (
        "holds put",
        &[(0, "the group is held"), (1, "it is not: it was not found, or nothing could be recorded")],
    ),
    (
        "holds release",
        &[(0, "the hold has ended"), (1, "it has not: there is none, or nothing could be recorded")],
    ),
    ("policies list", &[(0, "everything was read"), (1, "a namespace could not be")]),
    (
        "policies apply",
        &[
            (0, "everything is as declared, or, without --apply, would be after it"),
            (
                1,
                "something is refused or failed, a namespace could not be read, or POLICYSYNC_MODE=audit is set",
            ),
            (3, "something waits for a person, or for the service after ten minutes"),
        ],
    ),
    (
        "policies blast-radius",
        &[
            (0, "nothing stops at once, or the service refuses the step"),
            (1, "it could not be judged"),
            (2, "something stops at once, or may: it could not be read, or no source says"),
        ],
    ),
    ("policies csr", &[(0, "a request waits"), (1, "none waits, or it could not be read")]),
    (
        "policies lint",
        &[
            (0, "nothing is wrong with the chain"),
            (1, "it could not be judged"),
            (2, "the service would refuse it"),
        ],
    ),
    (
        "policies activate",
        &[
            (0, "every hub trusts the chain, or, without --apply, it can be activated"),
            (1, "the chain has faults, the service refused it, or nothing could be sent"),
            (3, "not proven on every hub yet: the same command again goes on and sends nothing twice"),
        ],
    ),
    (
        "assign",
        &[
            (0, "the plan was made; with --apply: all done, or nothing to do"),
            (
                1,
                "a group was refused or failed, something could not be read, or POLICYSYNC_MODE=audit is set",
            ),
        ],
    ),
    (
        "group create",
        &[
            (0, "the group would be created; with --apply: it was"),
            (1, "refused or failed, or POLICYSYNC_MODE=audit is set"),
        ],
    ),
    ("announce", &[(0, "published"), (1, "there is no such group, or it could not be published")]),
    (
        "status",
        &[
            (0, "nothing at or above --fail-on"),
            (1, "warnings, or messages that wait for a person"),
            (2, "critical"),
            (
                3,
                "could not be evaluated whole: no namespace was read, or, without --without-records, no records",
            ),
        ],
    ),
    (
        "config push",
        &[
            (0, "shown; with --apply: uploaded, or there already"),
            (1, "a check failed, something could not be read, or another version came in between"),
        ],
    ),
    (
        "config show",
        &[(0, "the newest version can be used"), (1, "it cannot, there is none, or it could not be read")],
    ),
    ("check", &[(0, "no check failed"), (1, "a check failed")]),
    (
        "init",
        &[
            (0, "everything was read, and the file is written and passes its checks"),
            (1, "no file was written, something could not be read, or a check failed"),
        ],
    ),
    ("completions", &[(0, "printed"), (1, "could not be printed")]),
    ("man-pages", &[(0, "written"), (1, "could not be written")]),
    ("demo", &[(0, "every step was checked and holds"), (1, "a step does not hold")]),
    ("dev", &[(0, "ended by Ctrl-C"), (1, "it did not start, or ended by itself")]),
    ("host", &[(0, "ended by a signal"), (1, "it did not start, or ended by itself")]),
    ("simulator", &[(0, "ended by a signal"), (1, "it did not start")]),
];

/// A command whose help, and that of all its commands, tells the exit codes.
#[must_use]
pub fn told_by(command: Command) -> Command {
    below("", command)
}

fn below(path: &str, command: Command) -> Command {
    let mut lines: Vec<String> = Vec::new();
    let own = CODES.iter().find(|(known, _)| *known == path);
    lines.extend(own.into_iter().flat_map(|(_, codes)| *codes).map(|&(code, meaning)| line(code, meaning)));
    lines.push(line(USAGE, "wrong usage"));
    if command.has_subcommands() {
        lines.push("  The others are in the help of each command.".to_owned());
    }
    let before = command.get_after_help().map(|text| format!("{text}\n\n")).unwrap_or_default();
    let command = command.after_help(format!("{before}Exit codes:\n{}", lines.join("\n")));
    command.mut_subcommands(|inner| {
        let path = format!("{path} {}", inner.get_name());
        below(path.trim_start(), inner)
    })
}

fn line(code: u8, meaning: &str) -> String {
    format!("  {code:>2}  {meaning}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands;

    /// Each command that does something, with its path.
    fn leaves(path: &str, command: &Command, found: &mut Vec<(String, Command)>) {
        if !command.has_subcommands() {
            found.push((path.to_owned(), command.clone()));
        }
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            leaves(format!("{path} {}", inner.get_name()).trim_start(), inner, found);
        }
    }

    #[test]
    fn every_help_tells_its_exit_codes_once_and_each_row_is_of_a_command() {
        let mut found = Vec::new();
        leaves("", &commands::command(), &mut found);
        assert!(found.len() > 20, "{}", found.len());
        for (path, command) in &mut found {
            let help = command.render_long_help().to_string();
            assert_eq!(help.to_lowercase().matches("exit codes").count(), 1, "{path}: {help}");
            assert!(help.contains("\n   0  ") && help.contains("\n  64  wrong usage"), "{path}: {help}");
        }
        for (path, codes) in CODES {
            assert!(found.iter().any(|(known, _)| known == path), "no command `{path}`");
            assert!(
                codes.is_sorted_by(|a, b| a.0 < b.0) && codes.iter().all(|code| code.0 != USAGE),
                "{path}"
            );
        }
        let without = found.iter().find(|(path, _)| !CODES.iter().any(|(known, _)| known == path));
        assert_eq!(without.map(|(path, _)| path), None);
        let whole = commands::command().render_long_help().to_string();
        assert!(whole.contains("64  wrong usage"), "{whole}");
    }

    #[test]
    fn the_command_line_is_well_formed() {
        commands::command().debug_assert();
    }
}
