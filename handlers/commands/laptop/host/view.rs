//! Writes events as lines for a person: the time, the source, the text. Details of an event stand below its line,
//! further in.

use std::io::{self, Write};

use functions_host_stand_in::{
    FunctionState, FunctionSummary, HandlerAction, HostEvent, InvocationReport, LogLevel, LogSource, Outcome,
};
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

use crate::commands::table::{self, Table, screen_width};
use crate::visible;

/// Names of functions with fewer characters than this are aligned.
const WIDTH: usize = 24;
/// A text is not wrapped to less than this, in columns.
const NARROWEST: usize = 24;
/// How much of a message that an output binding would send is shown, characters.
const SHOWN: usize = 160;
/// How many of those messages it shows.
const MOST_MESSAGES: usize = 5;

const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const RESET: &str = "\u{1b}[0m";

/// Writes lines. Colours are for the writer to keep or to leave out.
pub struct View<W> {
    out: W,
    width: usize,
    /// How many columns a line has now; `None`: a line stays one.
    columns: fn() -> Option<usize>,
}

impl<W: Write> View<W> {
    /// A view that writes to `out`. `columns`: how many a line has there now; `None`, as where it is no terminal: a line stays one.
    pub fn new(out: W, columns: fn() -> Option<usize>) -> Self {
        Self { out, width: "handler".len(), columns }
    }

    /// The table of functions: what fires each of them, and where it is called or fired by hand.
    ///
    /// # Errors
    /// When the reader of the output has gone away.
    pub fn functions(&mut self, functions: &[FunctionSummary], url: &str) -> io::Result<()> {
        let longest = functions.iter().map(|function| function.name.chars().count()).max();
        self.width = self.width.max(longest.unwrap_or_default()).min(WIDTH);
        let rows = functions.iter().map(|function| row(function, url));
        let table = Table::of(&["Function", "Trigger", "Call, or fire by hand"], rows).titled(2);
        let table = table.render(screen_width());
        writeln!(self.out, "\n{table}\n")?;
        self.out.flush()
    }

    /// One event.
    ///
    /// # Errors
    /// When the reader of the output has gone away.
    pub fn event(&mut self, event: &HostEvent) -> io::Result<()> {
        match event {
            HostEvent::Ready { url } => {
                self.line("host", GREEN, &format!("ready at {url}, Ctrl-C ends it"))?;
            }
            HostEvent::Handler { action, pid, code } => {
                let (color, what) = match action {
                    HandlerAction::Started => (DIM, "started"),
                    HandlerAction::Exited => (YELLOW, "ended by itself"),
                    HandlerAction::Killed => (DIM, "killed by the host"),
                };
                let code = code.map(|code| format!(", exit code {code}")).unwrap_or_default();
                self.line("handler", color, &format!("{what}, process {pid}{code}"))?;
            }
            HostEvent::Invocation(report) => self.invocation(report)?,
            HostEvent::Log { source, level, message } => {
                let (who, plain) = match source {
                    LogSource::HandlerStdout => ("stdout", RESET),
                    LogSource::HandlerStderr => ("stderr", RESET),
                    LogSource::Host => ("host", RESET),
                };
                let (color, mark) = match level {
                    LogLevel::Information => (plain, ""),
                    LogLevel::Warning => (YELLOW, "warning: "),
                    LogLevel::Error => (RED, "error: "),
                };
                self.line(who, color, &format!("{mark}{message}"))?;
            }
        }
        self.out.flush()
    }

    fn invocation(&mut self, report: &InvocationReport) -> io::Result<()> {
        let (color, outcome) = match report.outcome {
            Outcome::Succeeded => (GREEN, "succeeded"),
            Outcome::Failed => (RED, "FAILED"),
            Outcome::TimedOut => (RED, "TIMED OUT"),
        };
        let duration = report.duration.as_secs_f64() * 1000.0;
        let (trigger, id) = (report.trigger, &report.invocation_id);
        let text = format!("{outcome} in {duration:.1} ms {DIM}({trigger}, {id}){RESET}");
        self.line(&report.function, color, &text)?;
        if let Some(error) = &report.error {
            self.below("because", RED, error)?;
        }
        for log in &report.logs {
            self.below("log", RESET, log)?;
        }
        for (binding, messages) in &report.outputs {
            for message in messages.iter().take(MOST_MESSAGES) {
                let cut = message.chars().count() > SHOWN;
                let shown: String = message.chars().take(SHOWN).collect();
                let more = if cut { " ..." } else { "" };
                self.below(&format!("to {binding}"), RESET, &format!("{shown}{more}"))?;
            }
            if messages.len() > MOST_MESSAGES {
                let more = messages.len() - MOST_MESSAGES;
                self.below(&format!("to {binding}"), DIM, &format!("and {more} more"))?;
            }
        }
        Ok(())
    }

    fn line(&mut self, who: &str, color: &str, text: &str) -> io::Result<()> {
        let width = self.width;
        let clock = clock();
        let indent = clock.len() + 1 + width.max(who.len()) + 2;
        let text = self.fitting(&with_our_styles(text), indent);
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        writeln!(self.out, "{DIM}{clock}{RESET} {BOLD}{who:width$}{RESET}  {color}{first}{RESET}")?;
        for line in lines {
            writeln!(self.out, "{:indent$}{color}{line}{RESET}", "")?;
        }
        Ok(())
    }

    /// A text on lines that fit after so many columns.
    fn fitting(&self, text: &str, indent: usize) -> String {
        match (self.columns)() {
            Some(columns) => table::wrapped(text, columns.saturating_sub(indent).max(NARROWEST)),
            None => text.to_owned(),
        }
    }

    /// A detail of the line above.
    fn below(&mut self, what: &str, color: &str, text: &str) -> io::Result<()> {
        let indent = clock().len() + 1 + self.width + 2;
        for line in visible::lines(text).lines() {
            let text = self.fitting(line, indent + what.len() + 2);
            let mut mark = what.to_owned();
            for line in text.lines() {
                writeln!(self.out, "{:indent$}{DIM}{mark}{RESET}  {color}{line}{RESET}", "")?;
                mark = " ".repeat(what.len());
            }
        }
        Ok(())
    }
}

/// A text of the handler or the app. It may use our own two styles; every other control character is escaped.
fn with_our_styles(text: &str) -> String {
    let styles = [DIM, RESET];
    let mut shown = visible::lines(text);
    for style in styles {
        shown = shown.replace(&visible::lines(style), style);
    }
    shown
}

/// The time of day, UTC as everything that the host tells.
fn clock() -> String {
    let format = format_description!("[hour]:[minute]:[second].[subsecond digits:3]Z");
    OffsetDateTime::now_utc().to_offset(UtcOffset::UTC).format(format).unwrap_or_default()
}

fn row(function: &FunctionSummary, url: &str) -> Vec<String> {
    let place = match (&function.state, &function.url) {
        (FunctionState::InError(error), _) => format!("in error: {error}"),
        (FunctionState::Disabled, _) => "disabled".to_owned(),
        (FunctionState::Running, Some(url)) if function.methods.is_empty() => url.clone(),
        (FunctionState::Running, Some(url)) => format!("{} {url}", function.methods.join(", ")),
        (FunctionState::Running, None) => format!("POST {url}/admin/functions/{}", function.name),
    };
    vec![function.name.clone(), function.trigger.to_owned(), place]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::table::wrapping::measured;
    use std::time::Duration;

    fn text(show: impl FnOnce(&mut View<&mut Vec<u8>>)) -> String {
        let mut out = Vec::new();
        show(&mut View::new(&mut out, || None));
        anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string()
    }

    fn report(outcome: Outcome) -> InvocationReport {
        InvocationReport {
            function: "orders".to_owned(),
            trigger: "serviceBusTrigger",
            invocation_id: "c0ffee".to_owned(),
            outcome,
            error: None,
            logs: Vec::new(),
            outputs: Default::default(),
            duration: Duration::from_micros(12_340),
            response: None,
        }
    }

    #[test]
    fn an_invocation_tells_function_trigger_outcome_duration_and_its_logs_below() {
        let mut report = report(Outcome::Succeeded);
        report.logs = vec!["first\nsecond".to_owned()];
        report.outputs.insert("out".to_owned(), (0..7).map(|number| format!("message {number}")).collect());
        let text = text(|view| view.event(&HostEvent::Invocation(Box::new(report))).unwrap());
        let lines: Vec<_> = text.lines().map(str::trim_start).collect();
        assert!(lines[0].ends_with("orders   succeeded in 12.3 ms (serviceBusTrigger, c0ffee)"), "{text}");
        assert_eq!(lines[1..3], ["log  first", "log  second"]);
        assert_eq!(lines[3], "to out  message 0");
        assert_eq!(lines[8..], ["to out  and 2 more"]);
    }

    #[test]
    fn a_failure_says_why_below() {
        let mut report = report(Outcome::TimedOut);
        report.error = Some("it was too slow".to_owned());
        let text = text(|view| view.event(&HostEvent::Invocation(Box::new(report))).unwrap());
        assert!(
            text.contains("TIMED OUT in 12.3 ms") && text.ends_with("because  it was too slow\n"),
            "{text}"
        );
    }

    #[test]
    fn on_a_terminal_every_line_fits_and_goes_on_below_its_own_text() {
        let sentence = "one sync request was taken in and the namespace contoso-plants is asked to be synced";
        let mut report = report(Outcome::Failed);
        report.error = Some(sentence.to_owned());
        report.logs = vec![sentence.to_owned()];
        let log = HostEvent::Log {
            source: LogSource::HandlerStdout,
            level: LogLevel::Information,
            message: format!("{DIM}{sentence}{RESET}"),
        };
        let mut out = Vec::new();
        let mut view = View::new(&mut out, || Some(72));
        view.event(&HostEvent::Invocation(Box::new(report))).unwrap();
        view.event(&log).unwrap();
        let shown = anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string();
        assert!(shown.lines().all(|line| measured(line) <= 72), "{shown}");
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let (all, sentence) = (words(&shown), words(sentence));
        let whole = all.windows(sentence.len()).filter(|window| *window == sentence).count();
        assert_eq!(whole, 3, "nothing is lost, and each text stands together: {shown}");
    }

    #[test]
    fn what_the_handler_prints_is_marked_by_its_stream_and_level() {
        let log = |source, level| HostEvent::Log { source, level, message: "m".to_owned() };
        let shown = text(|view| {
            view.event(&log(LogSource::HandlerStdout, LogLevel::Information)).unwrap();
            view.event(&log(LogSource::HandlerStderr, LogLevel::Error)).unwrap();
            view.event(&log(LogSource::Host, LogLevel::Warning)).unwrap();
        });
        let ends = ["stdout   m", "stderr   error: m", "host     warning: m"];
        assert!(shown.lines().zip(ends).all(|(line, end)| line.ends_with(end)), "{shown}");
    }

    #[test]
    fn the_table_says_where_each_function_is_reached() {
        let function = |name: &str, trigger, url: Option<&str>, state| FunctionSummary {
            name: name.to_owned(),
            trigger,
            url: url.map(str::to_owned),
            methods: if url.is_some() { vec!["GET".to_owned(), "POST".to_owned()] } else { Vec::new() },
            state,
        };
        let functions = [
            function("hello", "httpTrigger", Some("http://h/api/hello"), FunctionState::Running),
            function("orders", "serviceBusTrigger", None, FunctionState::Running),
            function("odd", "", None, FunctionState::InError("no known binding type".to_owned())),
        ];
        let shown = text(|view| view.functions(&functions, "http://h").unwrap());
        for words in
            ["GET, POST http://h/api/hello", "POST http://h/admin/functions/orders", "in error: no known"]
        {
            assert!(shown.contains(words), "{shown}");
        }
    }
}
