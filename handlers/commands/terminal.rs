//! The one way to stdout and stderr of every command but `serve`. It escapes what a terminal would obey
//! ([`crate::visible`]). A test finds every other `println!`.
//!
//! A text may have several lines. Callers pass a text that others chose through [`line`] first, so that it stays on
//! one.
//!
//! A program that asks for JSON reads stdout. So when a command ends without a document on stdout, its complaints are printed
//! there as one too ([`end`]): `{"schema": "failure/v1", "error": {"message"}}` on one line.

use std::ffi::OsString;
use std::fmt::Display;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use serde_json::json;

#[cfg(feature = "operator")]
use super::bar::aside;
use crate::visible;
#[cfg(feature = "operator")]
pub use crate::visible::line;

/// The exit code of wrong usage: 2, which clap would use, means critical for `status`.
pub const USAGE: u8 = 64;

/// What was said so far, where a program asked for JSON.
struct Said {
    /// Whether it asked.
    wants_json: bool,
    /// Whether something is on stdout.
    has_answer: bool,
    complaints: Vec<String>,
}

static SAID: Mutex<Said> = Mutex::new(Said { wants_json: false, has_answer: false, complaints: Vec::new() });

fn said(note: impl FnOnce(&mut Said)) {
    note(&mut SAID.lock().unwrap_or_else(PoisonError::into_inner));
}

/// Notes from the arguments of the process whether a program asks for JSON. Wrong usage is told as JSON too, so it is not clap
/// that is asked.
pub fn expect(arguments: impl IntoIterator<Item = OsString>) {
    let wants_json = asks_for_json(arguments);
    said(|said| said.wants_json = wants_json);
}

fn asks_for_json(arguments: impl IntoIterator<Item = OsString>) -> bool {
    let mut follows = false;
    arguments.into_iter().take_while(|argument| argument != "--").any(|argument| {
        let is_json = argument == "--output=json" || (follows && argument == "json");
        follows = argument == "--output";
        is_json
    })
}

/// Prints the complaints as a document where a program asked for JSON and has got none.
pub fn end() {
    let mut document = None;
    said(|said| document = failure(said));
    if let Some(document) = document {
        out(visible::json(&document));
    }
}

fn failure(said: &Said) -> Option<String> {
    let is_told = said.wants_json && !said.has_answer && !said.complaints.is_empty();
    is_told.then(|| {
        json!({"schema": "failure/v1", "error": {"message": said.complaints.join("\n")}}).to_string()
    })
}

/// Prints for a program, on stdout, bytes as they are.
///
/// # Errors
/// When stdout does not take them.
#[cfg(feature = "setup")]
pub fn raw(bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;

    let mut stdout = std::io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Prints for the person or program that asked, on stdout.
pub fn out(text: impl Display) {
    said(|said| said.has_answer = true);
    aside(|| println!("{}", visible::lines(&text.to_string())));
}

/// Prints a screen on stdout, which is escaped already. Its colours stay on a terminal alone, and as `NO_COLOR` and `CLICOLOR_FORCE` say.
#[cfg(feature = "operator")]
pub fn show(rendered: &str) {
    said(|said| said.has_answer = true);
    aside(|| anstream::println!("{rendered}"));
}

/// Prints what is wrong, on stderr, after the name of the program. On a terminal it fits the width; elsewhere a line stays one.
pub fn complain(text: impl Display) {
    let text = text.to_string();
    said(|said| {
        // Without a program that reads them they are on stderr alone.
        if said.wants_json {
            said.complaints.push(text.trim_end().to_owned());
        }
    });
    let text = on_stderr(&format!("policysync: {}", visible::lines(&text)));
    aside(|| eprintln!("{text}"));
}

/// Draws a screen in the place of what the terminal shows.
#[cfg(feature = "operator")]
pub fn redraw(rendered: &str) {
    said(|said| said.has_answer = true);
    // To the corner, and nothing below it. `NO_COLOR` is about colours alone, so this does not go through `anstream`.
    print!("\u{1b}[H\u{1b}[2J");
    anstream::println!("{rendered}");
}

#[cfg(feature = "operator")]
fn on_stderr(text: &str) -> String {
    super::terminal_size::complaint_width()
        .map_or_else(|| text.to_owned(), |width| super::table::wrapped(text, width))
}

#[cfg(not(feature = "operator"))]
fn aside(print: impl FnOnce()) {
    print();
}

#[cfg(not(feature = "operator"))]
fn on_stderr(text: &str) -> String {
    text.to_owned()
}

/// Tells what went wrong, and ends the command so.
pub fn fail(message: &str) -> ExitCode {
    complain(message);
    ExitCode::FAILURE
}

/// [`out`] with the arguments of `format!`.
#[cfg(feature = "operator")]
macro_rules! say {
    ($($argument:tt)*) => { $crate::commands::terminal::out(format_args!($($argument)*)) };
}

/// [`complain`] with the arguments of `format!`.
#[cfg(feature = "operator")]
macro_rules! complain {
    ($($argument:tt)*) => { $crate::commands::terminal::complain(format_args!($($argument)*)) };
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn only_the_option_asks_for_json() {
        for (arguments, asks) in [
            (&["status", "--output", "json"][..], true),
            (&["status", "--output=json", "--list"], true),
            (&["status", "--output", "table", "json"], false),
            (&["explain", "json"], false),
            (&["explain", "--", "--output", "json"], false),
        ] {
            assert_eq!(asks_for_json(arguments.iter().map(OsString::from)), asks, "{arguments:?}");
        }
    }

    #[test]
    fn a_failure_is_a_document_only_where_there_is_no_other() {
        let said = |wants_json, has_answer, complaints: &[&str]| Said {
            wants_json,
            has_answer,
            complaints: complaints.iter().map(|&text| text.to_owned()).collect(),
        };
        let document = failure(&said(true, false, &["one", "two\u{1b}"])).unwrap();
        assert_eq!(document.lines().count(), 1, "{document}");
        let read: serde_json::Value = serde_json::from_str(&document).unwrap();
        assert_eq!(read, json!({"schema": "failure/v1", "error": {"message": "one\ntwo\u{1b}"}}));
        for other in [said(false, false, &["a"]), said(true, true, &["a"]), said(true, false, &[])] {
            assert_eq!(failure(&other), None);
        }
    }

    /// Files that print in another way, and why.
    const OTHERS: [&str; 7] = [
        // This one.
        "commands/terminal.rs",
        // It asks how wide stdout is.
        "commands/terminal_size.rs",
        // They escape their texts themselves and put colours around them.
        "commands/laptop/console.rs",
        "commands/laptop/demo.rs",
        "commands/laptop/local_world.rs",
        // It escapes its texts itself, since its lines hold colours.
        "commands/laptop/host/view.rs",
        // It escapes its texts itself: one line of JSON each.
        "commands/laptop/host/printer.rs",
    ];

    fn offenders(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                offenders(&path, found);
                continue;
            }
            let name = path.to_string_lossy().replace('\\', "/");
            if !name.ends_with(".rs") || OTHERS.iter().any(|other| name.ends_with(other)) {
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            let prints = ["print!(", "println!(", "io::stdout()"];
            let is_print = |line: &str| {
                prints.iter().any(|print| line.contains(print)) && !line.trim_start().starts_with("//")
            };
            for (number, line) in source.lines().enumerate().filter(|(_, line)| is_print(line)) {
                if !line.contains("is_terminal()") {
                    found.push(format!("{name}:{}", number + 1));
                }
            }
        }
    }

    #[test]
    fn nothing_else_prints() {
        let mut found = Vec::new();
        offenders(&Path::new(env!("CARGO_MANIFEST_DIR")).join("handlers"), &mut found);
        assert!(found.is_empty(), "print by commands::terminal: {found:?}");
    }
}
