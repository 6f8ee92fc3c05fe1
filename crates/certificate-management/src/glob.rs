//! Globs: `*` stands for any run of characters, `?` for exactly one, everything else for itself.
//!
//! Ids of enrollment groups and names of hubs are case-insensitive (`azure-wire-facts.md` §3), so globs are too.

/// Whether a glob matches the whole text.
#[must_use]
pub fn matches(glob: &str, text: &str) -> bool {
    covers(&lower(glob), &lower(text), |_| true)
}

/// Whether `wide` matches every text that `narrow` matches. `true` is proven; `false` may be undecided.
#[must_use]
pub fn subsumes(wide: &str, narrow: &str) -> bool {
    // The narrow glob is matched as if it were a text. A `*` in it stands for any run of characters, so only a `*`
    // covers it.
    covers(&ordered(wide), &ordered(narrow), |c| c != '*')
}

/// Longest id of an enrollment group, in characters (`azure-wire-facts.md` §3).
const LONGEST_ID: usize = 128;
/// Longest host name, in characters (RFC 1035).
const LONGEST_HOST_NAME: usize = 255;

/// Why a glob matches no id of an enrollment group that the service allows (`azure-wire-facts.md` §3); `None` where it can match
/// one. Letters beyond ASCII are let pass, since the rules for ids are inferred.
#[must_use]
pub fn no_group(glob: &str) -> Option<String> {
    impossible(glob, "the id of an enrollment group", ":._-", LONGEST_ID)
}

/// Why a glob matches neither the name nor the host name of a hub; `None` where it can match one.
#[must_use]
pub fn no_hub(glob: &str) -> Option<String> {
    impossible(glob, "the name of a hub", "._-", LONGEST_HOST_NAME)
}

/// Why a glob matches no text of ASCII letters, digits, what is `allowed` beside them and whatever is beyond ASCII.
fn impossible(glob: &str, what: &str, allowed: &str, longest: usize) -> Option<String> {
    if glob.is_empty() {
        return Some(format!("it is empty, and {what} is not"));
    }
    let is_allowed =
        |c: char| c.is_alphanumeric() || !c.is_ascii() || allowed.contains(c) || "*?".contains(c);
    if let Some(wrong) = glob.chars().find(|c| !is_allowed(*c)) {
        return Some(format!("it has `{}`, which {what} cannot have", wrong.escape_default()));
    }
    let least = glob.chars().filter(|c| *c != '*').count();
    (least > longest).then(|| format!("it needs {least} characters, and {what} has {longest} at the most"))
}

/// Whether a glob covers a row of characters. `?` covers a character for which `is_one` is true.
fn covers(glob: &[char], text: &[char], is_one: impl Fn(char) -> bool) -> bool {
    let (mut g, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match glob.get(g) {
            Some('*') => {
                star = Some((g, t));
                g += 1;
            }
            Some('?') if is_one(text[t]) => {
                g += 1;
                t += 1;
            }
            Some(&c) if c != '?' && c == text[t] => {
                g += 1;
                t += 1;
            }
            _ => {
                // Let the last `*` take one character more and try again from there.
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                g = star_at + 1;
                t = taken + 1;
            }
        }
    }
    glob[g..].iter().all(|&c| c == '*')
}

fn lower(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Writes every run of wildcards with its `?` first and one `*` at most: `*?*` and `?*` mean the same.
fn ordered(glob: &str) -> Vec<char> {
    let mut ordered = Vec::new();
    let mut star = false;
    for c in lower(glob) {
        match c {
            '*' => star = true,
            '?' => ordered.push('?'),
            _ => {
                ordered.extend(std::mem::take(&mut star).then_some('*'));
                ordered.push(c);
            }
        }
    }
    ordered.extend(star.then_some('*'));
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn globs_match_whole_texts() {
        for (glob, text, expected) in [
            ("*", "", true),
            ("*", "a", true),
            ("?", "", false),
            ("?", "é", true),
            ("line-*", "line-", true),
            ("line-*", "a-line-1", false),
            ("*-a-*-b", "x-a-a-b-b", true),
            ("*-a-*-b", "x-a-b", false),
            ("a*a", "a", false),
            ("a**b", "ab", true),
            ("a?", "a*", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(glob, text), expected, "{glob} {text}");
        }
    }

    #[test]
    fn a_wider_glob_subsumes_a_narrower_one() {
        for (wide, narrow, expected) in [
            ("*", "line-*", true),
            ("line-*", "LINE-test-*", true),
            ("line-*", "line-?", true),
            ("line-?", "line-*", false),
            ("line-?", "line-7", true),
            ("line-7", "line-?", false),
            ("*-north", "plant-*-north", true),
            ("*", "", true),
            ("?*", "*?", true),
            ("**", "*", true),
            ("?", "*", false),
            ("a*", "*a", false),
            ("line-*", "line", false),
        ] {
            assert_eq!(subsumes(wide, narrow), expected, "{wide} {narrow}");
        }
    }

    #[test]
    fn a_glob_that_can_match_nothing_is_known_by_what_it_has() {
        for (glob, why) in [
            ("", "empty"),
            ("line-[0-9]", "`[`"),
            ("{a,b}-*", "`{`"),
            ("line 7", "` `"),
            ("line-7\n", "`\\n`"),
            ("contoso-dps/line-*", "`/`"),
            ("!line-*", "`!`"),
            (&"a".repeat(129), "129 characters"),
        ] {
            assert!(no_group(glob).is_some_and(|said| said.contains(why)), "{glob}: {:?}", no_group(glob));
        }
        for glob in ["*", "?", "line-*", "gauge.*", "a:b_c", "größe-*", &"a".repeat(128), &"*".repeat(300)]
        {
            assert_eq!(no_group(glob), None, "{glob}");
        }
        assert!(no_hub("hub:1").is_some());
        assert_eq!(no_hub("*.azure-devices.net"), None);
    }

    proptest! {
        /// What is refused matches no id, however it is made.
        #[test]
        fn a_refused_glob_matches_no_id(glob in "[a-c*?\\[\\]{} /-]{0,6}", id in "[a-c0-9:._-]{1,8}") {
            if no_group(&glob).is_some() {
                prop_assert!(!matches(&glob, &id));
            }
        }

        #[test]
        fn every_id_matches_itself_its_prefixes_and_its_suffixes(id in "[a-z0-9.:_-]{0,40}", cut in 0usize..40) {
            prop_assert!(matches(&id, &id));
            let cut = cut.min(id.len());
            let (head, tail) = (format!("{}*", &id[..cut]), format!("*{}", &id[cut..]));
            prop_assert!(matches(&head, &id));
            prop_assert!(matches(&tail, &id));
            prop_assert!(subsumes(&head, &id) && subsumes(&tail, &id));
        }

        /// The wide glob matches every text that the narrow one matches. Few letters, so that globs do meet.
        #[test]
        fn subsumption_is_never_wrong(wide in "[ab*?]{0,5}", narrow in "[ab*?]{0,5}", text in "[ab*?]{0,6}") {
            if subsumes(&wide, &narrow) && matches(&narrow, &text) {
                prop_assert!(matches(&wide, &text));
            }
        }

        #[test]
        fn every_glob_subsumes_itself(glob in "\\PC{0,12}") {
            prop_assert!(subsumes(&glob, &glob));
            prop_assert!(subsumes("*", &glob));
        }
    }
}
