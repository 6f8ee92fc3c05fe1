//! What a person sees of `init`.

use std::path::Path;

use certificate_management::plural::count;
use certificate_management::proposal::rules::ProposedRule;
use certificate_management::proposal::steps::Step;

use super::Done;
use crate::commands::operator::check;
use crate::commands::screen::Screen;
use crate::commands::table::Table;
use crate::commands::terminal::line;
use crate::commands::tone::Tone;
use crate::settings::CONFIGURATION_FILE;

/// How many patterns a row shows.
const SHOWN: usize = 4;

pub(super) fn screen(done: &Done, path: &Path, is_used: bool) -> Screen {
    let Done { seen, proposal, checks } = done;
    let services = || seen.namespaces.iter().flat_map(|namespace| &namespace.services);
    let groups: usize = services().filter_map(|service| service.groups.as_ref().ok()).map(Vec::len).sum();
    let verdict = match (&proposal.text, proposal.unread.is_empty()) {
        (Some(_), _) => format!("Written: {}, in audit mode.", line(&path.display().to_string())),
        (None, true) => "There is no namespace yet, so no file was written.".to_owned(),
        (None, false) => "No namespace could be read, so no file was written.".to_owned(),
    };
    let tone = if done.is_whole() { Tone::Good } else { Tone::Caution };
    let mut screen = Screen::verdict(tone, verdict).text(format!(
        "Read: {}, {}, {}.",
        count(seen.subscriptions.len(), "subscription"),
        count(seen.namespaces.len(), "namespace"),
        count(groups, "enrollment group")
    ));
    let rows: Vec<Vec<String>> = proposal
        .namespaces
        .iter()
        .flat_map(|namespace| namespace.guess.rules.iter().map(|rule| row(namespace.id.name(), rule)))
        .collect();
    if !rows.is_empty() {
        let header = ["namespace", "policy", "enrollment groups", "have it", "would get it"];
        screen =
            screen.heading("Rules, guessed from what groups have:").table(Table::of(&header, rows).titled(2));
    }
    if !proposal.unread.is_empty() {
        let unread = proposal.unread.iter().map(|unread| line(unread));
        screen = screen.heading("Could not be read, so nothing is guessed of it:").list("-", unread);
    }
    if !proposal.create.is_empty() {
        let steps = proposal.create.iter().map(|Step { namespace, what, how }| {
            let of = if namespace.is_empty() { String::new() } else { format!("{namespace}: ") };
            line(&format!("{of}{what} {how}"))
        });
        screen = screen.heading("Still to be made, in this order:").numbered(steps);
    }
    if proposal.text.is_none() {
        return match proposal.unread.is_empty() {
            true => screen.text("Run init again when there is one."),
            false => screen,
        };
    }
    let used = if is_used {
        String::new()
    } else {
        format!(", with POLICYSYNC_CONFIG={},", line(&path.display().to_string()))
    };
    screen.heading("The checks of the file:").and(check::screen(checks)).text(format!(
        "Next: read the file, since its rules are guesses. Then{used} `policysync plan` shows what they would give to which group."
    ))
}

/// Whether the other commands read this file without being told.
pub(super) fn is_used(path: &Path) -> bool {
    std::env::var_os("POLICYSYNC_CONFIG").is_none() && path == Path::new(CONFIGURATION_FILE)
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
        line(&patterns),
        rule.have_it.len().to_string(),
        rule.would_get_it.len().to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use certificate_management::ArmId;
    use certificate_management::proposal::rules::Guess;
    use certificate_management::proposal::seen::Seen;
    use certificate_management::proposal::{Proposal, ProposedNamespace};

    use super::*;
    use crate::commands::golden::{self, GROUP, NAMESPACE, POLICY};

    #[test]
    fn the_golden_first_file_fits_the_width() {
        let rule = ProposedRule {
            policy: POLICY.to_owned(),
            enrollment_groups: (1..7).map(|line| format!("assembly-line-{line}-*")).collect(),
            have_it: vec![GROUP.to_owned(); 12],
            would_get_it: Vec::new(),
            tests: Vec::new(),
        };
        let step = |namespace: &str| Step {
            namespace: namespace.to_owned(),
            what: "Link a provisioning service to it, so that devices can get certificates of its policies."
                .to_owned(),
            how: "In the portal, under Linked services; there is no command for it yet.".to_owned(),
        };
        let proposal = Proposal {
            text: Some("[[namespace]]".to_owned()),
            namespaces: vec![ProposedNamespace {
                id: ArmId::parse(NAMESPACE).unwrap(),
                guess: Guess {
                    rules: vec![rule],
                    left_out: Vec::new(),
                    without_policy: Vec::new(),
                    opted_out: 0,
                },
            }],
            unread: vec![
                "the hubs of subscription 00000000-0000-0000-0000-000000000002: the service answered 403"
                    .to_owned(),
            ],
            create: vec![step("contoso-manufacturing-west-europe"), step("")],
        };
        let seen = Seen {
            subscriptions: vec!["S".to_owned()],
            namespaces: Vec::new(),
            free_hubs: Vec::new(),
            free_services: Vec::new(),
            unread: Vec::new(),
        };
        let done = Done { seen, proposal, checks: Vec::new() };
        golden::compare("init", &screen(&done, Path::new("policysync.toml"), true), &[]);
    }
}
