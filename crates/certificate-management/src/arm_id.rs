//! Azure Resource Manager ids: compared without regard to case, shown as they were written.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The id of an Azure resource, `/subscriptions/{s}/resourceGroups/{r}/providers/{type}/{name}...`.
///
/// ARM treats ids as case-insensitive and services return them in whatever case they like
/// (`azure-wire-facts.md` §2.2), so equality, order and hash ignore ASCII case. The spelling is kept for people.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct ArmId(String);

/// How many bytes of two ids are compared at once.
const BLOCK: usize = 16;

/// Why a text is not the id of an Azure resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an ARM resource id: {problem}")]
pub struct ArmIdError {
    text: String,
    problem: &'static str,
}

impl ArmIdError {
    fn of(text: &str, problem: &'static str) -> Self {
        Self { text: text.chars().take(200).collect(), problem }
    }
}

impl ArmId {
    /// Parses a resource id that names a subscription, a resource group, a provider and at least one type/name pair.
    ///
    /// # Errors
    /// Says which part is missing. Ids over 2,048 bytes, empty segments and control characters are refused.
    pub fn parse(text: &str) -> Result<Self, ArmIdError> {
        match problem(text) {
            None => Ok(Self(text.to_owned())),
            Some(problem) => Err(ArmIdError::of(text, problem)),
        }
    }

    /// The id as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment: the resource's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The subscription id.
    #[must_use]
    pub fn subscription(&self) -> &str {
        self.segment(1)
    }

    /// Whether the resource is of this type, e.g. `Microsoft.DeviceRegistry/namespaces`, in any case.
    #[must_use]
    pub fn is_of_type(&self, resource_type: &str) -> bool {
        let segments: Vec<&str> = self.0[1..].split('/').collect();
        let mut own = vec![segments[5]];
        own.extend(segments[6..].iter().step_by(2));
        own.join("/").eq_ignore_ascii_case(resource_type)
    }

    /// The name of the resource of this type on the way to it, itself included, e.g. `named("namespaces")`.
    #[must_use]
    pub fn named(&self, resource_type: &str) -> Option<&str> {
        let mut segments = self.0[1..].split('/').skip(6);
        while let (Some(own), Some(name)) = (segments.next(), segments.next()) {
            if own.eq_ignore_ascii_case(resource_type) {
                return Some(name);
            }
        }
        None
    }

    /// The id of a child, e.g. `child("credentials", "default")`.
    #[must_use]
    pub fn child(&self, resource_type: &str, name: &str) -> Self {
        Self(format!("{}/{resource_type}/{name}", self.0))
    }

    /// Whether this id is `ancestor` or lies below it.
    #[must_use]
    pub fn is_within(&self, ancestor: &Self) -> bool {
        let (own, above) = (self.key(), ancestor.key());
        own == above || own.strip_prefix(&above).is_some_and(|rest| rest.starts_with('/'))
    }

    /// The id in lower case: the same text for every spelling of one resource.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    fn segment(&self, index: usize) -> &str {
        self.0[1..].split('/').nth(index).unwrap_or_default()
    }
}

/// Why a text is not a resource id, if it is none.
fn problem(text: &str) -> Option<&'static str> {
    if text.len() > 2048 {
        return Some("it is longer than 2,048 bytes");
    }
    let Some(rest) = text.strip_prefix('/') else {
        return Some("it does not start with `/subscriptions/`");
    };
    // Those that are the same in every id are among the first five.
    let (mut first, mut count) = ([""; 5], 0);
    for segment in rest.split('/') {
        if matches!(segment, "" | "." | "..") || !has_fit_letters(segment) {
            return Some("a segment is empty or holds a character that no resource name has");
        }
        if let Some(place) = first.get_mut(count) {
            *place = segment;
        }
        count += 1;
    }
    let [subscriptions, _, groups, _, providers] = first;
    if !subscriptions.eq_ignore_ascii_case("subscriptions") || count < 2 {
        return Some("it does not start with `/subscriptions/{id}`");
    }
    if count < 4 || !groups.eq_ignore_ascii_case("resourceGroups") {
        return Some("`/resourceGroups/{name}` is missing after the subscription");
    }
    if count < 8 || !providers.eq_ignore_ascii_case("providers") {
        return Some("`/providers/{namespace}/{type}/{name}` is missing after the resource group");
    }
    if count % 2 != 0 {
        return Some("a resource type has no name after it");
    }
    None
}

/// Whether each letter may be in the name of a resource. Nearly every name is of ASCII alone.
fn has_fit_letters(segment: &str) -> bool {
    let is_unfit = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '?' | '#' | '%' | '\\');
    segment.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'%' | b'\\'))
        || !segment.contains(is_unfit)
}

impl PartialEq for ArmId {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ArmId {}

impl Hash for ArmId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialOrd for ArmId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ArmId {
    fn cmp(&self, other: &Self) -> Ordering {
        // As their keys are ordered, without making them: a map compares often, and mostly ids that begin alike.
        let (own, others) = (self.0.as_bytes(), other.0.as_bytes());
        let blocks = own.chunks_exact(BLOCK).zip(others.chunks_exact(BLOCK));
        let alike = blocks.take_while(|(own, other)| own == other).count() * BLOCK;
        let lower = |byte: &u8| byte.to_ascii_lowercase();
        own[alike..].iter().map(lower).cmp(others[alike..].iter().map(lower))
    }
}

impl fmt::Display for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ArmId {
    type Err = ArmIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ArmId {
    type Error = ArmIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match problem(&text) {
            None => Ok(Self(text)),
            Some(problem) => Err(ArmIdError::of(&text, problem)),
        }
    }
}

impl From<ArmId> for String {
    fn from(id: ArmId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAMESPACE: &str =
        "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";

    #[test]
    fn parts_are_named() {
        let id = ArmId::parse(NAMESPACE).unwrap();
        assert_eq!((id.subscription(), id.name()), ("S", "contoso"));
        assert!(id.is_of_type("microsoft.deviceregistry/NAMESPACES"));
        let policy = id.child("credentials", "default").child("policies", "p");
        assert!(policy.is_of_type("Microsoft.DeviceRegistry/namespaces/credentials/policies"));
        assert!(policy.is_within(&id) && !id.is_within(&policy));
        assert_eq!((policy.named("NAMESPACES"), policy.named("policies")), (Some("contoso"), Some("p")));
        assert_eq!((id.named("policies"), id.named("contoso"), id.named("providers")), (None, None, None));
    }

    #[test]
    fn spelling_is_kept_and_case_is_ignored() {
        let (a, b) = (ArmId::parse(NAMESPACE).unwrap(), ArmId::parse(&NAMESPACE.to_uppercase()).unwrap());
        assert_eq!(a, b);
        assert_eq!(a.key(), b.key());
        assert_ne!(a.as_str(), b.as_str());
    }

    #[test]
    fn ids_are_ordered_as_their_keys_are() {
        let names = ["contoso", "CONTOSO", "contoso-two", "Contoso_", "contosö", "a", "B", "Z", "ß", "é"];
        let id =
            |name: &str| ArmId::parse(&format!("{}{name}", NAMESPACE.trim_end_matches("contoso"))).unwrap();
        for (one, other) in names.iter().flat_map(|one| names.iter().map(move |other| (one, other))) {
            let (one, other) = (id(one), id(other));
            assert_eq!(one.cmp(&other), one.key().cmp(&other.key()), "{one} {other}");
            assert_eq!(one == other, one.cmp(&other) == Ordering::Equal, "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn ids_in_any_spelling_are_ordered_as_their_keys_are(
            one in "[aA]{0,33}[bB_]?[\\[aAé]{0,20}",
            other in "[aA]{0,33}[bB_]?[\\[aAé]{0,20}",
        ) {
            let (one, other) = (ArmId(format!("/s/{one}")), ArmId(format!("/s/{other}")));
            prop_assert_eq!(one.cmp(&other), one.key().cmp(&other.key()));
            prop_assert_eq!(one == other, one.cmp(&other) == Ordering::Equal);
        }
    }

    #[test]
    fn a_neighbour_with_a_longer_name_is_not_within() {
        let a = ArmId::parse(NAMESPACE).unwrap();
        let b = ArmId::parse(&format!("{NAMESPACE}-two")).unwrap();
        assert!(!b.is_within(&a));
    }

    #[test]
    fn a_name_may_have_letters_beyond_ascii_and_its_spelling_survives() {
        let text = "/subscriptions/S/resourceGroups/größe/providers/P/t/工厂";
        let id: ArmId = serde_json::from_value(text.into()).unwrap();
        assert_eq!((id.as_str(), ArmId::parse(text)), (text, Ok(id.clone())));
        assert!(
            serde_json::from_value::<ArmId>("contoso".into()).unwrap_err().to_string().contains("`contoso`")
        );
    }

    #[test]
    fn malformed_ids_are_refused_with_the_missing_part() {
        for (text, problem) in [
            ("", "does not start"),
            ("contoso", "does not start"),
            ("/subscriptions", "does not start"),
            ("/subscriptions/S", "resourceGroups"),
            ("/subscriptions/S/resourceGroups/R", "providers"),
            ("/subscriptions/S/resourceGroups/R/providers/P/t", "providers"),
            ("/subscriptions/S/groups/R/providers/P/t/n", "resourceGroups"),
            ("/subscriptions/S/resourceGroups/R/resources/P/t/n", "providers"),
            ("/subscriptions/S/resourceGroups/R/providers/P/t/n/child", "no name"),
            ("/subscriptions//resourceGroups/R/providers/P/t/n", "empty"),
            ("/subscriptions/S/resourceGroups/../providers/P/t/n", "empty"),
            ("/subscriptions/S/resourceGroups/R?x/providers/P/t/n", "character"),
            ("/subscriptions/S/resourceGroups/R/providers/P/t/n\u{7f}", "character"),
            ("/subscriptions/S/resourceGroups/R/providers/P/t/n\u{a0}", "character"),
            ("/subscriptions/S/resourceGroups/R/providers/P/t/é\u{85}", "character"),
        ] {
            let error = ArmId::parse(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
