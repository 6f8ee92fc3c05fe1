//! Members and values that the service sends and this version does not know: the preview has moved on.

use super::CheckId;
use crate::facts::Facts;
use crate::finding::{Finding, Subject};
use crate::reason::Reason;

/// How many are named in the message.
const NAMED: usize = 5;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    if facts.surprises.is_empty() {
        return Vec::new();
    }
    let named = facts.surprises.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    let more = match facts.surprises.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let message = format!("since this process started: {named}{more}");
    let subject = Subject::component("service");
    vec![Finding::new(CheckId::PreviewSurprise, Reason::PreviewSurprise, subject, message)]
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;

    #[test]
    fn everything_new_is_one_finding_that_wakes_no_person() {
        let mut world = World::healthy();
        assert_eq!(world.found(CheckId::PreviewSurprise), []);
        world.surprises = (1..=7).map(|n| format!("policies: m{n} is a new member")).collect();
        let found = world.found(CheckId::PreviewSurprise);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, crate::reason::Severity::Information);
        assert!(
            found[0].message.ends_with("policies: m5 is a new member; and 2 more"),
            "{}",
            found[0].message
        );
    }
}
