//! Few globs that match some ids and none of others.
//!
//! A glob ends where a part of a name ends: after `-`, `.`, `_` or `:`, or before a number. Ids of enrollment groups hold
//! letters, digits and those four (`azure-wire-facts.md` §3), in any case.

/// More globs than this say less than `*`, where that is true.
const MOST_GLOBS: usize = 12;

/// Whether an id is one that an enrollment group can have. Then it is a glob that matches itself alone.
pub(super) fn is_usual(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || is_separator(byte))
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b'.' | b'_' | b':')
}

/// A set of ids that is asked for prefixes.
pub(super) struct Ids(Vec<String>);

impl Ids {
    pub(super) fn of<'i>(ids: impl Iterator<Item = &'i str>) -> Self {
        // As globs compare.
        let lower = |id: &str| id.chars().flat_map(char::to_lowercase).collect();
        let mut ids: Vec<String> = ids.map(lower).collect();
        ids.sort_unstable();
        Self(ids)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.0.binary_search(&id.to_ascii_lowercase()).is_ok()
    }

    /// Whether one of them begins like that.
    fn begins(&self, prefix: &str) -> bool {
        let prefix = prefix.to_ascii_lowercase();
        let at = self.0.partition_point(|id| *id < prefix);
        self.0.get(at).is_some_and(|id| id.starts_with(&prefix))
    }
}

/// Globs that match each of `own` and none of `others`. `own` are usual ids, none of which is among `others`. Globs have no
/// `*` unless `widen` is set.
pub(super) fn of(mut own: Vec<&str>, others: &Ids, widen: bool) -> Vec<String> {
    own.sort_by_cached_key(|id| id.to_ascii_lowercase());
    own.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    if !widen {
        return own.into_iter().map(str::to_owned).collect();
    }
    let mut globs = Vec::new();
    cover(&own, others, &mut globs);
    if globs.len() > MOST_GLOBS && others.is_empty() {
        return vec!["*".to_owned()];
    }
    globs
}

/// Adds globs for ids, which are in order and there once each.
fn cover(ids: &[&str], others: &Ids, globs: &mut Vec<String>) {
    let Some((first, last)) = ids.first().zip(ids.last()) else { return };
    // In order, what the first and the last share all share.
    let shared = match ids {
        [one] => parts(one).last().unwrap_or(0),
        _ => parts(first)
            .take_while(|&end| parts(last).any(|own| own == end) && is_alike(first, last, end))
            .last()
            .unwrap_or(0),
    };
    if shared > 0 && !others.begins(&first[..shared]) {
        return globs.push(format!("{}*", &first[..shared]));
    }
    if let [one] = ids {
        return globs.push((*one).to_owned());
    }
    // A name that ends where another goes on is on its own.
    let next = |id: &str| parts(id).find(|&end| end > shared);
    let same_part =
        |a: &&str, b: &&str| next(a).is_some_and(|end| next(b) == Some(end) && is_alike(a, b, end));
    for run in ids.chunk_by(same_part) {
        cover(run, others, globs);
    }
}

fn is_alike(a: &str, b: &str, end: usize) -> bool {
    a.get(..end).zip(b.get(..end)).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
}

/// Where parts of a name end, in bytes, but for the last one.
fn parts(id: &str) -> impl Iterator<Item = usize> {
    let bytes = id.as_bytes();
    (1..bytes.len()).filter(move |&end| {
        let (before, after) = (bytes[end - 1], bytes[end]);
        is_separator(before) || (before.is_ascii_alphabetic() && after.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::glob;

    fn globs(own: &[&str], others: &[&str]) -> Vec<String> {
        of(own.to_vec(), &Ids::of(others.iter().copied()), true)
    }

    #[test]
    fn a_glob_is_as_narrow_as_the_names_allow_and_ends_with_a_part() {
        for (own, others, expected) in [
            (&["sluice.north"][..], &[][..], &["sluice.*"][..]),
            (&["pump12"], &[], &["pump*"]),
            (&["pumps"], &[], &["pumps"]),
            (&["line-1", "Line-2", "LINE-10"], &[], &["line-*"]),
            (&["plant-a-1", "plant-a-2"], &[], &["plant-a-*"]),
            (&["plant-a-1", "plant-b-1"], &[], &["plant-*"]),
            (&["line-1", "liner"], &[], &["line-*", "liner"]),
            (&["line-1", "line-3"], &["LINE-2"], &["line-1", "line-3"]),
            (&["line-1", "line-3"], &["line"], &["line-*"]),
            (&["plant-a-1", "plant-a-2", "plant-b-1"], &["plant-c-1"], &["plant-a-*", "plant-b-*"]),
            (&["plant-a-1", "plant-a"], &["plant-b"], &["plant-a", "plant-a-*"]),
            (&["a", "a1"], &[], &["a", "a*"]),
            (&[], &["a"], &[]),
        ] {
            assert_eq!(globs(own, others), expected, "{own:?} {others:?}");
        }
    }

    #[test]
    fn names_without_anything_in_common_are_every_group_only_where_no_other_policy_is() {
        let own: Vec<String> = (b'a'..=b'z').map(|letter| format!("{0}{0}{0}", char::from(letter))).collect();
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        assert_eq!(globs(&own, &[]), ["*"]);
        assert_eq!(globs(&own, &["zz"]).len(), 26);
        assert_eq!(of(own, &Ids::of([].into_iter()), false).len(), 26, "nothing is widened");
    }

    proptest! {
        #[test]
        fn each_own_id_is_matched_and_no_other(
            own in proptest::collection::vec("[aB1][aB1:.-]{0,5}", 0..30),
            others in proptest::collection::vec("[aB1é][aB1:.*-]{0,5}", 0..10),
            widen in any::<bool>(),
        ) {
            let others = Ids::of(others.iter().map(String::as_str));
            let own: Vec<&str> = own.iter().map(String::as_str).filter(|id| !others.has(id)).collect();
            let globs = of(own.clone(), &others, widen);
            for id in &own {
                prop_assert!(globs.iter().any(|glob| glob::matches(glob, id)), "{} {:?}", id, globs);
            }
            for other in &others.0 {
                prop_assert!(!globs.iter().any(|glob| glob::matches(glob, other)), "{} {:?}", other, globs);
            }
            prop_assert!(globs.len() <= own.len());
        }
    }
}
