//! A newer version of the configuration that is not in force: it cannot be used, or the blob cannot be read.

use super::CheckId;
use crate::facts::Facts;
use crate::finding::{Finding, Subject};
use crate::in_force::{Source, Trouble, VersionInForce};
use crate::phrase;
use crate::reason::{Reason, Severity};

/// Longest problem that a message quotes, in characters.
const QUOTED: usize = 600;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(standing) = facts.standing else { return Vec::new() };
    standing.troubles.iter().map(|trouble| of_trouble(trouble, standing)).collect()
}

fn of_trouble(trouble: &Trouble, standing: &VersionInForce) -> Finding {
    let stays = match standing.source {
        Source::Newest | Source::Earlier => format!("{} stays in force", standing.version),
        Source::Records => format!(
            "only the text of {} in the records is known, so everything is reported and no function writes",
            standing.version
        ),
    };
    let found = |reason, message: String| {
        Finding::new(CheckId::ConfigurationBehind, reason, Subject::component("configuration"), message)
    };
    let finding = match trouble {
        Trouble::Refused { version, problem } => {
            let message =
                format!("{version} cannot be used: {}; {stays}", phrase::clause(&in_one_line(problem)));
            found(Reason::ConfigurationRefused, message)
                .on_occasion(&version.e_tag)
                .with("version", version)
                .with("modifiedAt", version.modified_at)
        }
        Trouble::Unreadable { failure, since } => {
            let message = format!("{}; {stays}", phrase::clause(&in_one_line(&failure.message)));
            found(Reason::ConfigurationUnreadable, message).with("since", since)
        }
    };
    let finding = finding.with("inForce", &standing.version);
    match standing.source {
        Source::Newest | Source::Earlier => finding,
        Source::Records => finding.with_severity(Severity::Critical),
    }
}

/// A problem without the lines that show the place in the file, which only a monospaced text can show.
fn in_one_line(problem: &str) -> String {
    let lines = problem.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_frame = |line: &&str| line.split_whitespace().take(2).any(|word| word == "|");
    let text = lines.filter(|line| !is_frame(line)).collect::<Vec<_>>().join("; ");
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::super::testing::{NOW, World};
    use super::*;
    use crate::configuration::Configuration;
    use crate::in_force::{Event, Failure, Knowledge, Recalled, Version};

    fn version(e_tag: &str) -> Version {
        Version { e_tag: e_tag.to_owned(), version_id: None, modified_at: NOW }
    }

    fn after(events: Vec<Event<u8>>) -> World {
        let mut known = Knowledge::default();
        for event in events {
            known = known.step(event, NOW).0;
        }
        World { standing: known.standing(NOW + Duration::hours(1)), ..World::healthy() }
    }

    #[test]
    fn a_broken_version_is_told_with_its_problem_until_a_good_one_comes() {
        let good = |e_tag: &str| Event::Read { version: version(e_tag), judged: Ok(1) };
        let problem = Configuration::parse("[[namespace]]\ncolour = \"red\"").unwrap_err().to_string();
        let bad = Event::Read { version: version("2"), judged: Err(problem) };
        let found = after(vec![good("1"), bad.clone()]).found(CheckId::ConfigurationBehind);
        assert_eq!((found.len(), found[0].reason), (1, Reason::ConfigurationRefused));
        let message = &found[0].message;
        for named in ["version 2 of", "line 2", "colour", "version 1 of"] {
            assert!(message.contains(named), "{named}: {message}");
        }
        assert!(!message.contains('\n') && !message.contains('^'), "{message}");
        assert!(found[0].next_step.contains("policysync config push"), "{}", found[0].next_step);
        let other = Event::Read { version: version("3"), judged: Err("no".into()) };
        let next = after(vec![good("1"), bad.clone(), other]).found(CheckId::ConfigurationBehind);
        assert_ne!(next[0].id, found[0].id, "another broken version is told anew");
        assert_eq!(after(vec![good("1"), bad, good("4")]).found(CheckId::ConfigurationBehind), []);
        assert_eq!(World::healthy().found(CheckId::ConfigurationBehind), []);
    }

    #[test]
    fn a_blob_that_cannot_be_read_is_told_with_the_version_that_the_records_had() {
        let failure = Failure { is_fleeting: false, is_denied: true, message: "403".into() };
        for (is_of_blob, severity, says) in
            [(true, Severity::Warning, "stays in force"), (false, Severity::Critical, "no function writes")]
        {
            let recalled = Recalled { version: version("1"), configuration: 1, is_of_blob };
            let events = vec![Event::Failed(failure.clone()), Event::Recalled(Ok(recalled))];
            let found = after(events).found(CheckId::ConfigurationBehind);
            assert_eq!((found.len(), found[0].reason), (1, Reason::ConfigurationUnreadable));
            assert_eq!(found[0].severity, severity);
            assert!(found[0].message.contains(says), "{}", found[0].message);
        }
    }

    #[test]
    fn a_long_problem_is_cut() {
        assert!(in_one_line(&"é".repeat(9_999)).chars().count() <= QUOTED + 1);
    }
}
