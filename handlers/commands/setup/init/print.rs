//! What a person sees of `init`.

use std::path::Path;

use certificate_management::proposal::rules::ProposedRule;
use certificate_management::proposal::steps::Step;

use super::Done;
use crate::commands::operator::check;
use crate::commands::table;
use crate::commands::terminal::line;
use crate::settings::CONFIGURATION_FILE;

/// Width of the column of patterns, and of sentences, in characters.
const PATTERNS_WIDTH: usize = 24;
const SENTENCE_WIDTH: usize = 76;
/// How many patterns a row shows.
const SHOWN: usize = 4;

pub(super) fn show(done: &Done, path: &Path) {
    let seen = &done.seen;
    let services = || seen.namespaces.iter().flat_map(|namespace| &namespace.services);
    let groups: usize = services().filter_map(|service| service.groups.as_ref().ok()).map(Vec::len).sum();
    say!(
        "Read: {}, {}, {}.",
        counted(seen.subscriptions.len(), "subscription", "subscriptions"),
        counted(seen.namespaces.len(), "namespace", "namespaces"),
        counted(groups, "enrollment group", "enrollment groups")
    );
    let rows: Vec<Vec<String>> = done
        .proposal
        .namespaces
        .iter()
        .flat_map(|namespace| namespace.guess.rules.iter().map(|rule| row(namespace.id.name(), rule)))
        .collect();
    if !rows.is_empty() {
        let header = ["namespace", "policy", "enrollment groups", "have it", "would get it"];
        say!("\nRules, guessed from what groups have:\n\n{}", table::table(&header, rows));
    }
    if !done.proposal.unread.is_empty() {
        say!("\nCould not be read, so nothing is guessed of it:");
        done.proposal.unread.iter().for_each(|unread| listed("-", unread));
    }
    if !done.proposal.create.is_empty() {
        say!("\nStill to be made, in this order:");
        for (number, Step { namespace, what, how }) in done.proposal.create.iter().enumerate() {
            let of = if namespace.is_empty() { String::new() } else { format!("{namespace}: ") };
            listed(&format!("{}.", number + 1), &format!("{of}{what} {how}"));
        }
    }
    if done.proposal.text.is_none() {
        return match done.proposal.unread.is_empty() {
            true => {
                say!(
                    "\nThere is no namespace yet, so no file was written.\nRun init again when there is one."
                );
            }
            false => say!("\nNo namespace could be read, so no file was written."),
        };
    }
    say!("\nWritten: {}, in audit mode. Its checks:\n", path.display());
    say!("{}", check::printed(&done.checks));
    let is_used = std::env::var_os("POLICYSYNC_CONFIG").is_none() && path == Path::new(CONFIGURATION_FILE);
    let used = if is_used { String::new() } else { format!(", with POLICYSYNC_CONFIG={},", path.display()) };
    let next = format!(
        "Next: read the file, since its rules are guesses. Then{used} `policysync plan` shows what they would give to which group."
    );
    say!("\n{}", table::wrapped(&next, SENTENCE_WIDTH));
}

fn row(namespace: &str, rule: &ProposedRule) -> Vec<String> {
    let globs = &rule.enrollment_groups;
    let mut patterns = globs.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(" ");
    if globs.len() > SHOWN {
        patterns.push_str(&format!(" and {} more", globs.len() - SHOWN));
    }
    vec![
        line(namespace),
        line(&rule.policy),
        table::wrapped(&line(&patterns), PATTERNS_WIDTH),
        rule.have_it.len().to_string(),
        rule.would_get_it.len().to_string(),
    ]
}

/// A sentence after a mark; its further lines stand under the first.
fn listed(mark: &str, sentence: &str) {
    let indent = " ".repeat(mark.len() + 1);
    let text = table::wrapped(&line(sentence), SENTENCE_WIDTH - indent.len());
    say!("{mark} {}", text.replace('\n', &format!("\n{indent}")));
}

fn counted(number: usize, one: &str, several: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {several}"),
    }
}
