//! The options that our texts name exist: of every command line of `policysync` in our messages and guides, each `--option` is one
//! that clap knows for that command.

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};

use super::CommandLine;

/// Where texts for users are.
const PLACES: [&str; 7] = [
    "README.md",
    "RUNBOOK.md",
    "docs",
    "handlers",
    "crates/certificate-management/src",
    "crates/certificate-chain/src",
    "crates/azure/src",
];

/// Options of `cargo` and `cargo xtask`, which our guides name too.
const OF_CARGO: [&str; 4] = ["no-default-features", "regions", "streamed-events", "write"];

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            files(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|extension| extension == "md" || extension == "rs") {
        found.push(path.to_path_buf());
    }
}

/// A text without the line breaks that a literal of Rust or a code block escapes.
fn joined(text: &str) -> String {
    let mut joined = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\\n") {
        joined.push_str(before);
        rest = after.trim_start_matches([' ', '\t', '/', '>']);
    }
    joined + rest
}

/// Every command line of `policysync` in a text, as its words after the name.
fn command_lines(text: &str) -> Vec<Vec<String>> {
    let text = joined(text);
    let mut found = Vec::new();
    for (at, _) in text.match_indices("policysync ") {
        let is_path = text[..at].ends_with(|c: char| c.is_alphanumeric() || "-_.".contains(c));
        let rest = &text[at + "policysync ".len()..];
        // A command line ends with its code, its line, its text, where a shell ends it, or where a value is filled in.
        let end = rest.find(['`', '\n', '"', ';', '|', '&', '#', '<', '{']).unwrap_or(rest.len());
        if !is_path {
            found.push(rest[..end].split_whitespace().map(str::to_owned).collect());
        }
    }
    found
}

/// The options in a command line that its command does not have. `None` where the words are prose.
fn unknown(root: &Command, words: &[String]) -> Option<Vec<String>> {
    let mut command = root;
    let mut path = vec![root];
    let mut rest = words.iter().peekable();
    while let Some(next) = rest.peek().and_then(|word| command.find_subcommand(trimmed(word))) {
        (command, _) = (next, rest.next());
        path.push(next);
    }
    if path.len() == 1 {
        return None;
    }
    let has = |long: &str| {
        let own = |command: &Command, is_met: &dyn Fn(&clap::Arg) -> bool| {
            command.get_arguments().any(|argument| argument.get_long() == Some(long) && is_met(argument))
        };
        ["help", "version"].contains(&long)
            || own(command, &|_| true)
            || path.iter().any(|above| own(above, &clap::Arg::is_global_set))
            // `holds list|release --x`: a group of commands is named with one of them.
            || command.get_subcommands().any(|below| own(below, &|_| true))
    };
    let options = rest.filter_map(|word| {
        let long = trimmed(word).strip_prefix("--")?;
        Some(long.split('=').next().unwrap_or(long)).filter(|long| !long.is_empty())
    });
    Some(options.filter(|long| !has(long)).map(|long| format!("--{long}")).collect())
}

/// Whether any command has an option.
fn has(command: &Command, long: &str) -> bool {
    ["help", "version"].contains(&long)
        || command.get_arguments().any(|argument| argument.get_long() == Some(long))
        || command.get_subcommands().any(|below| has(below, long))
}

/// The options that a text names alone in backquotes, as our messages do: `--offline`.
fn bare(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).filter_map(|code| {
        let long = code.strip_prefix("--")?.split([' ', '=']).next()?;
        let is_option = !long.is_empty() && long.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        is_option.then_some(long)
    })
}

fn trimmed(word: &str) -> &str {
    word.trim_matches(|c: char| "[](){},.:'’…*!?\\".contains(c))
}

#[test]
fn every_option_that_a_text_names_is_one_of_its_command() {
    let root = CommandLine::command();
    let mut paths = Vec::new();
    for place in PLACES {
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(place), &mut paths);
    }
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        if path.ends_with("handlers/commands/options.rs") {
            continue;
        }
        // Facts name the options of Azure's own command line.
        let is_fact = path.components().any(|part| part.as_os_str() == "facts");
        wrong.extend(
            bare(&text)
                .filter(|_| !is_fact)
                .filter(|long| !OF_CARGO.contains(long) && !has(&root, long))
                .map(|long| format!("{}: --{long}", path.display())),
        );
        for words in command_lines(&text) {
            let Some(unknown) = unknown(&root, &words) else { continue };
            seen += words.iter().filter(|word| word.starts_with("--")).count();
            let line = words.join(" ");
            wrong.extend(
                unknown.into_iter().map(|option| format!("{}: {option} in `{line}`", path.display())),
            );
        }
    }
    assert!(seen > 60, "only {seen} options were found, so the texts are not read any more");
    assert!(wrong.is_empty(), "these options do not exist:\n{}", wrong.join("\n"));
}

#[test]
fn an_option_that_does_not_exist_is_found_wherever_it_stands() {
    let root = CommandLine::command();
    let found = |text: &str| -> Vec<String> {
        command_lines(text).iter().filter_map(|words| unknown(&root, words)).flatten().collect()
    };
    for text in [
        "Run `policysync submit --namespace ID --force`.",
        "policysync submit --namespace ID \\\n  --force",
        "\"policysync status --output json --force\"",
        "`policysync parked resubmit ID [--force]`",
        "policysync policies list --force=yes",
    ] {
        assert_eq!(found(text), ["--force"], "{text}");
    }
    for text in [
        "`policysync submit --namespace ID --wait`, and `--force` of another tool",
        "policysync does what --force would",
        "policysync parked resubmit ID --file FILE --output json",
        "target/policysync-1 --force",
    ] {
        assert_eq!(found(text), Vec::<String>::new(), "{text}");
    }
}
