//! `policysync.toml`.

use certificate_management::configuration::{Configuration, analysis};
use certificate_management::rules;

use crate::input::text;

/// Any text is accepted or refused with the place named; a configuration that is accepted is accepted as the same when it is
/// written again; the places of its problems are lines of the file; and each rule decides about each of its tests as the
/// test expects.
///
/// # Panics
/// When that does not hold.
pub fn run(input: &[u8]) {
    check(input, false);
}

/// Keeps records for another time before it is read again.
pub fn broken(input: &[u8]) {
    check(input, true);
}

fn check(input: &[u8], is_broken: bool) {
    let text = text(input);
    let Ok(examined) = Configuration::examine(&text) else { return };
    let lines = text.lines().count();
    for problem in
        examined.problems.iter().chain(&analysis::rule_order(&examined.configuration, &examined.lines))
    {
        assert!(!problem.to_string().is_empty());
        assert!(
            problem.line.is_none_or(|line| (1..=lines.max(1)).contains(&line)),
            "{problem} is about no line of the file"
        );
    }
    let accepted = Configuration::parse(&text).ok();
    assert_eq!(accepted.is_some(), examined.problems.is_empty(), "two readings of one file differ");
    let Some(configuration) = accepted else { return };
    let mut again = configuration.clone();
    if is_broken {
        again.retention_days ^= 1;
    }
    let written = toml::to_string(&again).unwrap_or_else(|error| panic!("it is not written: {error}"));
    match Configuration::parse(&written) {
        Ok(read) => assert_eq!(read, configuration, "it is another one when it is written again:\n{written}"),
        Err(error) => panic!("it is refused when it is written again: {error}\n{written}"),
    }
    for namespace in &configuration.namespaces {
        let _ =
            (namespace.subscriptions(), namespace.frozen(None, crate::cloud::NOW).map(|freeze| freeze.why()));
        for rule in &namespace.rules {
            let decided = rules::decide_by_id(namespace, &rule.name);
            assert!(!decided.verdict.to_string().is_empty());
        }
    }
}
