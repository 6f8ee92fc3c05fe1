//! Numbers with their nouns, for every text that counts something.

/// A number with its noun, which is given for one: `1 hub`, `2 policies`. Of several words the last is the noun.
#[must_use]
pub fn count(number: impl TryInto<u64>, noun: &str) -> String {
    // What is counted is there, so there are not less than none.
    let number = number.try_into().unwrap_or_default();
    format!("{number} {}", noun_for(number, noun))
}

/// The noun for so many.
#[must_use]
pub fn noun_for(number: u64, noun: &str) -> String {
    match noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u'])) {
        _ if number == 1 => noun.to_owned(),
        Some(stem) => format!("{stem}ies"),
        None => format!("{noun}s"),
    }
}

/// A word that agrees with a number, such as `is` and `are`.
#[must_use]
pub const fn agreeing<'a>(number: usize, one: &'a str, several: &'a str) -> &'a str {
    if number == 1 { one } else { several }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_everything_else_is_several() {
        assert_eq!(count(1, "namespace"), "1 namespace");
        assert_eq!(count(0, "namespace"), "0 namespaces");
        assert_eq!(count(2, "policy"), "2 policies");
        assert_eq!(count(2, "certificate authority"), "2 certificate authorities");
        assert_eq!(count(30, "day"), "30 days");
        assert_eq!(format!("1 hub {}", agreeing(1, "is", "are")), "1 hub is");
    }
}
