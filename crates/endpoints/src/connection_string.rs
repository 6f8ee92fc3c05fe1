//! `Name=value;Name=value`, as Azure writes where a service is and how to be let in.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

/// The parts of a connection string. `Debug` shows none of them: there is a key among them.
pub struct ConnectionString<'t> {
    /// By their names in lower case.
    parts: BTreeMap<String, &'t str>,
}

/// Why a text is no connection string. It names parts by their numbers, from 1: even what stands where a name belongs may be
/// half of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A part is not of the form `Name=value`.
    #[error("part {0} of the connection string has no `=`")]
    NoValue(usize),
    /// Two parts have one name, and which of them counts would be a guess.
    #[error("part {0} of the connection string has the name of an earlier part")]
    Twice(usize),
}

impl<'t> ConnectionString<'t> {
    /// Takes a text apart. Parts are separated by `;`; empty ones, as after the last `;`, are nothing. The first `=` ends the
    /// name, since keys and signatures hold `=` themselves. White space around names and values does not count.
    ///
    /// # Errors
    /// When it is no connection string; nothing of the text is repeated.
    pub fn parse(text: &'t str) -> Result<Self, Malformed> {
        let mut parts = BTreeMap::new();
        let written = text.split(';').map(str::trim).zip(1..).filter(|(part, _)| !part.is_empty());
        for (part, number) in written {
            let (name, value) = part.split_once('=').ok_or(Malformed::NoValue(number))?;
            match parts.entry(name.trim().to_ascii_lowercase()) {
                Entry::Vacant(free) => free.insert(value.trim()),
                Entry::Occupied(_) => return Err(Malformed::Twice(number)),
            };
        }
        Ok(Self { parts })
    }

    /// The value of a part, whose name is found in any case; `None` when there is no such part, or its value is empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'t str> {
        self.parts.get(&name.to_ascii_lowercase()).copied().filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for ConnectionString<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionString").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_are_found_by_name_in_any_case_and_values_keep_their_equals_signs() {
        let text = " Endpoint = sb://contoso/ ;;SharedAccessKey=a2V5a2V5==;Empty= ;";
        let parts = ConnectionString::parse(text).unwrap();
        assert_eq!(parts.get("endpoint"), Some("sb://contoso/"));
        assert_eq!(parts.get("SHAREDACCESSKEY"), Some("a2V5a2V5=="));
        assert_eq!((parts.get("Empty"), parts.get("Other")), (None, None));
        assert_eq!(ConnectionString::parse("").unwrap().get("Endpoint"), None);
    }

    #[test]
    fn what_is_wrong_is_told_by_its_number() {
        let wrong = |text| ConnectionString::parse(text).unwrap_err();
        assert_eq!(wrong("a=1;swordfish"), Malformed::NoValue(2));
        assert_eq!(wrong("a=1;;A=2"), Malformed::Twice(3));
        assert_eq!(
            wrong("c3dvcmRmaXNo==;c3dvcmRmaXNo=x").to_string(),
            "part 2 of the connection string has the name of an earlier part"
        );
    }

    proptest! {
        #[test]
        fn no_text_panics_or_is_repeated(secret in "[a-z]{12}", text in "(?s).{0,40}") {
            for text in [format!("{text};{secret}"), format!("{secret}=;{text}{secret}=x;{secret}={secret}")] {
                let told = match ConnectionString::parse(&text) {
                    Ok(parts) => format!("{parts:?}"),
                    Err(malformed) => format!("{malformed} {malformed:?}"),
                };
                prop_assert!(!told.contains(&secret), "{told}");
            }
        }
    }
}
