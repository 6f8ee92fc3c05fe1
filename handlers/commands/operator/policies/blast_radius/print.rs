//! The answer as text for a person, on 80 columns. Only ids and the commands below it may be longer, so that they can be
//! copied.

use certificate_management::blast_radius::radius::{Basis, Holds, Statement};
use certificate_management::blast_radius::{Count, Radius, Verdict};
use time::OffsetDateTime;

use crate::commands::table::{table, wrapped};
use crate::commands::terminal::line;

/// Width of the sentences, without their indentation.
const WIDTH: usize = 74;
/// Widths of cells with names of others.
const NAME: usize = 28;
const SHORT_NAME: usize = 22;

pub(super) fn text(radius: &Radius) -> String {
    let mut parts = vec![heading(radius), affected(radius)];
    parts.push(section(at_once(radius.verdict), &radius.at_once, false));
    parts.push(section("Stops or changes later", &radius.later, false));
    parts.push(section("Cannot be undone", &radius.irreversible, false));
    parts.push(section("Not known", &radius.unknown, false));
    parts.push(section("In this order it is safe", &radius.safe_order, true));
    parts.push(commands(radius));
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

fn at_once(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Stops => "Stops at once",
        _ => "May stop at once",
    }
}

fn heading(radius: &Radius) -> String {
    let word = match radius.verdict {
        Verdict::Stops => "STOPS AT ONCE",
        Verdict::MayStop => "MAY STOP AT ONCE",
        Verdict::Refused => "REFUSED",
        Verdict::NothingStops => "NOTHING STOPS AT ONCE",
    };
    let what = format!(
        "{} of {} {}, namespace {}, generation {}",
        radius.action,
        radius.kind,
        line(&radius.name),
        line(radius.namespace_id.name()),
        radius.generation
    );
    format!("{}\n{}", broken(&what, WIDTH), wrapped(&format!("{word}. {}", radius.summary), WIDTH))
}

/// Groups, devices, hubs and device certificates.
fn affected(radius: &Radius) -> String {
    let mut parts = Vec::new();
    if !radius.groups.is_empty() {
        let rows = radius.groups.iter().map(|group| {
            let mut name = line(&group.enrollment_group);
            if !group.is_certain {
                name.push_str(" (perhaps)");
            }
            if !group.enabled {
                name.push_str(" (disabled)");
            }
            let service = line(&group.provisioning_service);
            vec![broken(&name, NAME), broken(&service, SHORT_NAME), group.devices.to_string()]
        });
        parts.push(table(&["enrollment group", "provisioning service", "devices"], rows.collect()));
    }
    parts.push(format!(
        "{}\n{}",
        counted("Devices registered through the groups that use it now", &radius.devices),
        counted("Individual enrollments that use it", &radius.individual_enrollments)
    ));
    if !radius.hubs.is_empty() {
        let rows = radius.hubs.iter().map(|hub| {
            let holds = match &hub.holds {
                Holds::Yes { certificates } => format!("yes: {}", line(&certificates.join(", "))),
                Holds::No => "no".to_owned(),
                Holds::Unknown { .. } => "unknown".to_owned(),
            };
            vec![broken(&line(&hub.hub), NAME), broken(&holds, 40)]
        });
        parts.push(table(&["linked hub", "has the CA"], rows.collect()));
    }
    if !radius.leaves.is_empty() {
        let rows = radius.leaves.iter().map(|leaves| {
            let days =
                leaves.validity_days.map_or_else(|| "unknown".to_owned(), |days| format!("{days} days"));
            let (today, after) = (date(leaves.issued_today_end), date(leaves.none_after));
            vec![broken(&line(&leaves.policy), NAME), days, today, after]
        });
        let header = ["device certificates of", "validity", "issued now end", "none after"];
        parts.push(table(&header, rows.collect()));
    }
    parts.join("\n\n")
}

fn counted(what: &str, count: &Count) -> String {
    let why = count.why().map(|why| format!(" ({})", line(why))).unwrap_or_default();
    wrapped(&format!("{what}: {count}{why}"), WIDTH)
}

fn date(at: Option<OffsetDateTime>) -> String {
    at.map_or_else(|| "unknown".to_owned(), |at| at.date().to_string())
}

fn section(title: &str, statements: &[Statement], is_numbered: bool) -> String {
    if statements.is_empty() {
        return String::new();
    }
    let mut lines = vec![title.to_owned()];
    for (place, statement) in statements.iter().enumerate() {
        let mark = if is_numbered { format!("{}. ", place + 1) } else { "- ".to_owned() };
        let until = match (statement.until, is_numbered) {
            (None, _) => String::new(),
            (Some(until), false) => format!(" Until {} at the latest.", until.date()),
            (Some(until), true) => format!(" That is {} at the latest.", until.date()),
        };
        lines.push(indented(&format!("{}{until}", line(&statement.text)), &mark));
        let basis = match statement.basis {
            Basis::Published => String::new(),
            other => format!(" [{other}]"),
        };
        let margin = " ".repeat(mark.chars().count());
        lines.push(indented(&format!("Why: {}{basis}", line(&statement.why)), &margin));
    }
    lines.join("\n")
}

/// Sentences below one another, the first behind its mark.
fn indented(text: &str, mark: &str) -> String {
    let text = wrapped(text, WIDTH);
    let lines = text.lines().enumerate().map(|(place, line)| match place {
        0 => format!("{mark}{line}"),
        _ => format!("{:width$}{line}", "", width = mark.chars().count()),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A text on lines of at most this many characters, also where a word is longer.
fn broken(text: &str, width: usize) -> String {
    let mut lines = Vec::new();
    for line in wrapped(text, width).lines() {
        let characters: Vec<char> = line.chars().collect();
        lines.extend(characters.chunks(width).map(|chunk| chunk.iter().collect::<String>()));
    }
    lines.join("\n")
}

fn commands(radius: &Radius) -> String {
    if radius.commands.is_empty() {
        return "There is no command for it.".to_owned();
    }
    let mut lines =
        vec!["The commands, for you to run or not. Policysync has no code that could run them.".to_owned()];
    for command in &radius.commands {
        let basis = match command.basis {
            Basis::Published => String::new(),
            other => format!(" ({other}: no source shows this command)"),
        };
        lines.push(format!("\n# It {}{basis}:", line(&command.does)));
        lines.push(command.text.clone());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use certificate_management::ArmId;
    use certificate_management::blast_radius::Action;
    use certificate_management::blast_radius::radius::{AffectedGroup, AffectedHub, CommandText, Leaves};
    use certificate_management::blast_radius::target::Kind;
    use certificate_management::generation::Generation;
    use time::macros::datetime;

    use super::*;
    use crate::visible::is_deceptive;

    const HOSTILE: &str = "line\u{1b}[2J\u{202e}7";

    fn radius(name: &str) -> Radius {
        let id =
            ArmId::parse("/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/n");
        let id = id.unwrap();
        let end = Some(datetime!(2027-02-27 12:00 UTC));
        let statement = |basis| Statement {
            text: format!(
                "Something about {name} that is long enough to need more than one line of eighty columns."
            ),
            why: format!(
                "Because of {name}, which is long enough to need more than one line of eighty columns too."
            ),
            basis,
            until: end,
        };
        let count = Count::AtLeast { number: 123_456_789, why: format!("the bound of {name}") };
        Radius {
            action: Action::Unlink,
            kind: Kind::ProvisioningService,
            name: name.to_owned(),
            id: Some(id.clone()),
            namespace_id: id.clone(),
            generation: Generation::CertificateAuthorities,
            verdict: Verdict::MayStop,
            summary: "Something may stop.".to_owned(),
            groups: vec![AffectedGroup {
                provisioning_service: name.to_owned(),
                enrollment_group: name.to_owned(),
                policy: None,
                enabled: false,
                devices: count.clone(),
                is_certain: false,
            }],
            individual_enrollments: Count::unknown(name),
            devices: count,
            hubs: vec![AffectedHub {
                hub: name.to_owned(),
                id: id.clone(),
                holds: Holds::Yes { certificates: vec![name.to_owned(), name.to_owned()] },
            }],
            leaves: vec![Leaves {
                policy: name.to_owned(),
                validity_days: Some(90),
                issued_today_end: end,
                none_after: None,
            }],
            at_once: vec![statement(Basis::Unknown)],
            later: vec![statement(Basis::Published)],
            irreversible: vec![statement(Basis::Inferred)],
            unknown: vec![statement(Basis::Unknown)],
            safe_order: vec![statement(Basis::Observed); 11],
            commands: vec![CommandText {
                does: "takes it".to_owned(),
                text: format!("az resource delete --ids \\\n  '{id}'"),
                basis: Basis::Inferred,
            }],
            seen_at: datetime!(2026-11-29 12:00 UTC),
        }
    }

    #[test]
    fn everything_above_the_commands_fits_80_columns() {
        // As long as an enrollment group's id can be.
        for name in ["short", &"x".repeat(128), &"a-b ".repeat(32)] {
            let text = text(&radius(name));
            let (above, commands) = text.split_once("The commands, for you to run or not.").unwrap();
            for line in above.lines().filter(|line| !line.contains(&"x".repeat(75))) {
                assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
            }
            assert!(commands.contains("(inferred: no source shows this command)"), "{commands}");
        }
        let short = text(&radius("short"));
        assert!(
            short.contains("at least 123456789") && short.contains("Until 2027-02-27 at the latest."),
            "{short}"
        );
    }

    #[test]
    fn a_name_of_others_is_escaped() {
        let text = text(&radius(HOSTILE));
        assert!(text.chars().all(|c| c == '\n' || !is_deceptive(c)), "{text:?}");
        assert!(text.contains("\\u{1b}[2J\\u{202e}7"), "{text}");
    }
}
