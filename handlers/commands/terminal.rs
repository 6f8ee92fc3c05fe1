//! The one way to stdout and stderr of every command but `serve`. It escapes what a terminal would obey
//! ([`crate::visible`]). A test finds every other `println!`.
//!
//! A text may have several lines. Callers pass a text that others chose through [`line`] first, so that it stays on
//! one.

use std::fmt::Display;
use std::process::ExitCode;

use crate::visible;
pub use crate::visible::line;

/// The exit code of wrong usage: 2, which clap would use, means critical for `status`.
pub const USAGE: u8 = 64;

/// Prints for the person or program that asked, on stdout.
pub fn out(text: impl Display) {
    println!("{}", visible::lines(&text.to_string()));
}

/// Prints what is wrong, on stderr, after the name of the program.
pub fn complain(text: impl Display) {
    eprintln!("policysync: {}", visible::lines(&text.to_string()));
}

/// Tells what went wrong, and ends the command so.
pub fn fail(message: &str) -> ExitCode {
    complain(message);
    ExitCode::FAILURE
}

/// [`out`] with the arguments of `format!`.
macro_rules! say {
    ($($argument:tt)*) => { $crate::commands::terminal::out(format_args!($($argument)*)) };
}

/// [`complain`] with the arguments of `format!`.
macro_rules! complain {
    ($($argument:tt)*) => { $crate::commands::terminal::complain(format_args!($($argument)*)) };
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Files that print in another way, and why.
    const OTHERS: [&str; 6] = [
        // This one.
        "commands/terminal.rs",
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
