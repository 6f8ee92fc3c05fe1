//! The answer for a person. Only ids and the commands below it may be longer than the terminal is wide, so that they can be copied.

use certificate_management::blast_radius::radius::{Basis, Holds, Statement};
use certificate_management::blast_radius::{Count, Radius, Verdict};
use certificate_management::plural;
use time::OffsetDateTime;

use crate::commands::screen::Screen;
use crate::commands::table::Table;
use crate::commands::terminal::line;
use crate::commands::tone::Tone;

pub(super) fn screen(radius: &Radius) -> Screen {
    let mut screen = affected(heading(radius), radius);
    for (title, statements) in [
        (at_once(radius.verdict), &radius.at_once),
        ("Stops or changes later", &radius.later),
        ("Cannot be undone", &radius.irreversible),
        ("Not known", &radius.unknown),
    ] {
        screen = section(screen, title, statements, false);
    }
    commands(section(screen, "In this order it is safe", &radius.safe_order, true), radius)
}

fn at_once(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Stops => "Stops at once",
        _ => "May stop at once",
    }
}

fn heading(radius: &Radius) -> Screen {
    let (tone, word) = match radius.verdict {
        Verdict::Stops => (Tone::Bad, "STOPS AT ONCE"),
        Verdict::MayStop => (Tone::Bad, "MAY STOP AT ONCE"),
        Verdict::Refused => (Tone::Caution, "REFUSED"),
        Verdict::NothingStops => (Tone::Good, "NOTHING STOPS AT ONCE"),
    };
    Screen::verdict(tone, format!("{word}. {}", radius.summary)).text(format!(
        "{} of {} {}, namespace {}, generation {}",
        radius.action,
        radius.kind,
        line(&radius.name),
        line(radius.namespace_id.name()),
        radius.generation
    ))
}

/// Groups, devices, hubs and device certificates.
fn affected(screen: Screen, radius: &Radius) -> Screen {
    let groups = radius.groups.iter().map(|group| {
        let mut name = line(&group.enrollment_group);
        if !group.is_certain {
            name.push_str(" (perhaps)");
        }
        if !group.enabled {
            name.push_str(" (disabled)");
        }
        vec![name, line(&group.provisioning_service), group.devices.to_string()]
    });
    let hubs = radius.hubs.iter().map(|hub| {
        let holds = match &hub.holds {
            Holds::Yes { certificates } => format!("yes: {}", line(&certificates.join(", "))),
            Holds::No => "no".to_owned(),
            Holds::Unknown { .. } => "unknown".to_owned(),
        };
        vec![line(&hub.hub), holds]
    });
    let leaves = radius.leaves.iter().map(|leaves| {
        let days =
            leaves.validity_days.map_or_else(|| "unknown".to_owned(), |days| plural::count(days, "day"));
        vec![line(&leaves.policy), days, date(leaves.issued_today_end), date(leaves.none_after)]
    });
    screen
        .table(Table::of(&["enrollment group", "provisioning service", "devices"], groups))
        .text(format!(
            "{}\n{}",
            counted("Devices registered through the groups that use it now", &radius.devices),
            counted("Individual enrollments that use it", &radius.individual_enrollments)
        ))
        .table(Table::of(&["linked hub", "has the CA"], hubs))
        .table(Table::of(&["device certificates of", "validity", "issued now end", "none after"], leaves))
}

fn counted(what: &str, count: &Count) -> String {
    let why = count.why().map(|why| format!(" ({})", line(why))).unwrap_or_default();
    format!("{what}: {count}{why}")
}

fn date(at: Option<OffsetDateTime>) -> String {
    at.map_or_else(|| "unknown".to_owned(), |at| at.date().to_string())
}

fn section(screen: Screen, title: &str, statements: &[Statement], is_numbered: bool) -> Screen {
    if statements.is_empty() {
        return screen;
    }
    let sentences = statements.iter().map(|statement| {
        let until = match (statement.until, is_numbered) {
            (None, _) => String::new(),
            (Some(until), false) => format!(" Until {} at the latest.", until.date()),
            (Some(until), true) => format!(" That is {} at the latest.", until.date()),
        };
        let basis = match statement.basis {
            Basis::Published => String::new(),
            other => format!(" [{other}]"),
        };
        format!("{}{until}\nWhy: {}{basis}", line(&statement.text), line(&statement.why))
    });
    let screen = screen.heading(title);
    if is_numbered { screen.numbered(sentences) } else { screen.list("-", sentences) }
}

fn commands(mut screen: Screen, radius: &Radius) -> Screen {
    if radius.commands.is_empty() {
        return screen.text("There is no command for it.");
    }
    screen = screen.text("The commands, for you to run or not. Policysync has no code that could run them.");
    for command in &radius.commands {
        let basis = match command.basis {
            Basis::Published => String::new(),
            other => format!(" ({other}: no source shows this command)"),
        };
        screen = screen.verbatim(format!("# It {}{basis}:\n{}", line(&command.does), command.text));
    }
    screen
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
    use crate::commands::golden;
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
    fn the_golden_answers_fit_the_width() {
        // As long as an enrollment group's id can be.
        for (name, of) in
            [("short", "short".to_owned()), ("long", "x".repeat(128)), ("words", "a-b ".repeat(32))]
        {
            golden::compare(
                &format!("blast-radius-{name}"),
                &screen(&radius(&of)),
                &["az ", "# ", "'/subscriptions/"],
            );
        }
        let short = screen(&radius("short")).plain(80);
        assert!(short.contains("(inferred: no source shows this command)"), "{short}");
        assert!(
            short.contains("at least 123456789") && short.contains("Until 2027-02-27 at the latest."),
            "{short}"
        );
    }

    #[test]
    fn a_name_of_others_is_escaped() {
        let text = screen(&radius(HOSTILE)).plain(80);
        assert!(text.chars().all(|c| c == '\n' || !is_deceptive(c)), "{text:?}");
        assert!(text.contains("\\u{1b}[2J\\u{202e}7"), "{text}");
    }
}
