//! Checks names as the services do.

/// `^[0-9a-zA-Z][a-zA-Z0-9-]*$`, 3 to 63 characters (`azure-wire-facts.md` §1.2).
pub(crate) fn is_policy_name(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Up to 128 letters, digits and `: . _ -`, none of these four at an end (`azure-wire-facts.md` §3).
pub(crate) fn is_enrollment_group_id(id: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    id.len() <= 128
        && edge(id.chars().next())
        && edge(id.chars().next_back())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_judged_as_the_services_document_them() {
        for good in ["a", "line-7", "Line:7.a_b", &"x".repeat(128)] {
            assert!(is_enrollment_group_id(good), "{good}");
        }
        for bad in ["", "-a", "a-", "a b", "ä", "a/b", &"x".repeat(129)] {
            assert!(!is_enrollment_group_id(bad), "{bad}");
        }
        assert!(
            is_policy_name("short-lived")
                && !is_policy_name("-ab")
                && !is_policy_name("a_b")
                && !is_policy_name("ab")
        );
    }
}
