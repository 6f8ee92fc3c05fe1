//! `status --watch`: looks again and again. On a terminal the screen is drawn anew; elsewhere, as in a log, each change is a line.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use ambient::Ambient;
use certificate_management::report::Report;
use time::UtcOffset;
use time::macros::format_description;
use tokio::time::sleep;

use super::{Arguments, Looked, NOT_EVALUATED, exit_code, look, print};
use crate::commands::screen::Screen;
use crate::commands::table;
use crate::commands::terminal::{self, line};
use crate::commands::tone::Tone;

/// The shortest and the longest pause between two looks, in seconds. A look reads everything, and draws from the same budget of calls as
/// the app: more than two in a minute would take from the app what tells nothing new.
pub const SHORTEST: u64 = 30;
pub const LONGEST: u64 = 86_400;

/// Looks until Ctrl-C; answers the exit code of the last look, or that nothing could be evaluated where none has ended.
pub async fn run(arguments: &Arguments, pause: Duration) -> ExitCode {
    let is_drawn =
        std::io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    let mut code = NOT_EVALUATED;
    let mut before = None;
    // One listener for the whole time: a signal between two looks counts too.
    let ended = tokio::signal::ctrl_c();
    tokio::pin!(ended);
    loop {
        let looked = tokio::select! {
            looked = look(arguments.without_records) => looked,
            _ = &mut ended => break,
        };
        code = looked.as_ref().map_or(NOT_EVALUATED, |looked| exit_code(&looked.report, arguments));
        match is_drawn {
            true => draw(&looked, pause),
            false => {
                let now = Shown::of(&looked);
                now.changes(before.as_ref()).iter().for_each(|change| say!("{} {change}", clock()));
                before = Some(now);
            }
        }
        tokio::select! {
            () = sleep(pause) => {}
            _ = &mut ended => break,
        }
    }
    if is_drawn {
        // The shell goes on below what Ctrl-C left on its line.
        say!("");
    }
    ExitCode::from(code)
}

fn draw(looked: &Result<Looked, String>, pause: Duration) {
    let screen = match looked {
        Ok(looked) => print::screen(looked),
        Err(message) => Screen::verdict(Tone::Bad, "Not evaluated.").text(message),
    };
    let width = table::screen_width();
    let footer = format!("Seen at {}, and again after {} s. Ctrl-C ends it.", clock(), pause.as_secs());
    let footer = table::wrapped(&footer, width);
    let height = table::terminal_height().unwrap_or(usize::MAX);
    let room = height.saturating_sub(footer.lines().count() + 2);
    terminal::redraw(&format!("{}\n\n{footer}", cut(&screen.render(width), room)));
}

/// The first lines of a text, of so many at the most; the last of them says how many are left out.
fn cut(text: &str, room: usize) -> String {
    let all = text.lines().count();
    if all <= room {
        return text.to_owned();
    }
    let kept = room.saturating_sub(1);
    let lines: Vec<&str> = text.lines().take(kept).collect();
    format!("{}\n… and {} lines more: `policysync status`", lines.join("\n"), all - kept)
}

/// The time of day, UTC.
fn clock() -> String {
    let format = format_description!("[hour]:[minute]:[second]Z");
    Ambient::of_system().now().to_offset(UtcOffset::UTC).format(format).unwrap_or_default()
}

/// What a look has shown, as far as lines tell of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Shown {
    verdict: String,
    /// Each finding by its id, in a line.
    findings: BTreeMap<String, String>,
}

impl Shown {
    fn of(looked: &Result<Looked, String>) -> Self {
        match looked {
            Ok(looked) => Self { verdict: print::verdict(looked), findings: findings(&looked.report) },
            Err(message) => {
                Self { verdict: format!("Not evaluated: {}", line(message)), findings: BTreeMap::new() }
            }
        }
    }

    /// A line for each change since the look before; none where nothing has changed.
    fn changes(&self, before: Option<&Self>) -> Vec<String> {
        let nothing = Self::default();
        let known = before.unwrap_or(&nothing);
        let mut lines = Vec::new();
        if known.verdict != self.verdict || before.is_none() {
            lines.push(self.verdict.clone());
        }
        let came = self.findings.iter().filter(|(id, text)| known.findings.get(*id) != Some(*text));
        lines.extend(came.map(|(_, text)| format!("+ {text}")));
        let went = known.findings.iter().filter(|(id, _)| !self.findings.contains_key(*id));
        lines.extend(went.map(|(_, text)| format!("- {text}")));
        lines
    }
}

fn findings(report: &Report) -> BTreeMap<String, String> {
    let findings = report.findings.iter().map(|finding| {
        let text = format!("{} {}: {}", finding.severity, finding.check, finding.subject.text);
        (finding.id.clone(), line(&text))
    });
    findings.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(verdict: &str, findings: &[(&str, &str)]) -> Shown {
        let findings = findings.iter().map(|&(id, text)| (id.to_owned(), text.to_owned())).collect();
        Shown { verdict: verdict.to_owned(), findings }
    }

    #[test]
    fn a_line_is_told_of_each_change_and_none_where_nothing_has_changed() {
        let first = shown("1 warning.", &[("a", "warning x: contoso")]);
        assert_eq!(first.changes(None), ["1 warning.", "+ warning x: contoso"]);
        assert_eq!(first.changes(Some(&first)), Vec::<String>::new());
        let second = shown("1 critical.", &[("b", "critical y: contoso")]);
        assert_eq!(
            second.changes(Some(&first)),
            ["1 critical.", "+ critical y: contoso", "- warning x: contoso"]
        );
        let worse = shown("1 critical.", &[("b", "critical y: contoso, worse")]);
        assert_eq!(worse.changes(Some(&second)), ["+ critical y: contoso, worse"]);
    }

    #[test]
    fn what_does_not_fit_on_the_terminal_is_counted_and_the_verdict_stays() {
        let text = "verdict\n2\n3\n4\n5";
        assert_eq!(cut(text, 5), text);
        assert_eq!(cut(text, 3), "verdict\n2\n… and 3 lines more: `policysync status`");
    }
}
