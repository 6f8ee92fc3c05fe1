//! One rule of `policysync.toml`: which groups it selects, which policy it names, and what the operator expects of it.
//!
//! An empty selector could be read as "nothing" or as "everything"; so the file is refused.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::model::Attestation;

/// Selects enrollment groups and names the policy they get. Every selector that is given must match; at least one is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, shown in explanations.
    pub name: String,
    /// Globs on the group's id; one that matches is enough. Empty: the rule does not select by it.
    #[serde(default, deserialize_with = "some", skip_serializing_if = "Vec::is_empty")]
    pub enrollment_groups: Vec<String>,
    /// Tags of the initial twin, each with a glob on its text; every one must match. A dotted name is a path.
    #[serde(default, deserialize_with = "tags", skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// How the group's devices prove who they are; one that is equal is enough. Empty: the rule does not select by it.
    #[serde(default, deserialize_with = "some", skip_serializing_if = "Vec::is_empty")]
    pub attestation: Vec<Attestation>,
    /// Globs on the names or host names of hubs. Every hub that the group can allocate to must match one of them.
    #[serde(default, deserialize_with = "some", skip_serializing_if = "Vec::is_empty")]
    pub hubs: Vec<String>,
    /// Whether devices can provision through the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The policy's name, or `none`.
    pub policy: String,
    /// Whether it wins over a policy that the group already names.
    #[serde(default)]
    pub reassign: bool,
    /// What the operator expects of the rules.
    #[serde(default)]
    pub test: Vec<RuleTest>,
}

/// An expectation that is checked before anything runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RuleTest {
    /// Id of a group, which need not exist.
    pub enrollment_group: String,
    /// Tags of its initial twin. Absent: it has none.
    #[serde(default)]
    pub tags: Map<String, Value>,
    /// How its devices prove who they are. Absent: it is not known, and then no rule that selects by it matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<Attestation>,
    /// Names or host names of the hubs that it can allocate to. Absent: they are not known.
    #[serde(default)]
    pub hubs: Vec<String>,
    /// Whether devices can provision through it, as they can through a new group.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The policy that the rules give it, or `none`.
    pub expect: String,
}

impl Rule {
    /// The policy, or `None` where the rule says that a group gets none.
    #[must_use]
    pub fn policy_name(&self) -> Option<&str> {
        named_policy(&self.policy)
    }

    /// Whether it selects by anything. The file is refused when one of its rules does not.
    #[must_use]
    pub fn has_selector(&self) -> bool {
        !self.enrollment_groups.is_empty()
            || !self.tags.is_empty()
            || !self.attestation.is_empty()
            || !self.hubs.is_empty()
            || self.enabled.is_some()
    }
}

/// The policy that a text of the file names; `None` for `none`.
#[must_use]
pub(crate) fn named_policy(text: &str) -> Option<&str> {
    (text != "none").then_some(text)
}

const fn yes() -> bool {
    true
}

/// What is wrong with an empty selector, and what to do.
const EMPTY: &str = "it is empty, so the rule can never match; leave it out to select by something else";

fn some<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let values = Vec::deserialize(deserializer)?;
    if values.is_empty() { Err(D::Error::custom(EMPTY)) } else { Ok(values) }
}

fn tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let mut globs = BTreeMap::new();
    match Tag::deserialize(deserializer)? {
        Tag::Text(_) => return Err(D::Error::custom("it must be a table of tags, each with a glob")),
        Tag::Table(members) => flatten("", members, &mut globs),
    }
    if globs.is_empty() { Err(D::Error::custom(EMPTY)) } else { Ok(globs) }
}

/// `line.site = "a"` within an inline table is a table in a table; its path is what a dotted name means.
fn flatten(prefix: &str, members: Vec<(String, Tag)>, globs: &mut BTreeMap<String, String>) {
    for (name, tag) in members {
        let path = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match tag {
            Tag::Text(glob) => {
                globs.insert(path, glob);
            }
            Tag::Table(members) => flatten(&path, members, globs),
        }
    }
}

/// A tag of the file: a glob, or a table of tags.
enum Tag {
    Text(String),
    Table(Vec<(String, Tag)>),
}

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tags;

        impl<'de> Visitor<'de> for Tags {
            type Value = Tag;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a glob, or a table of tags")
            }

            fn visit_str<E>(self, text: &str) -> Result<Tag, E> {
                Ok(Tag::Text(text.to_owned()))
            }

            // A twin holds numbers and truths too, and `line = 7` reads better than `line = "7"`.
            fn visit_i64<E>(self, number: i64) -> Result<Tag, E> {
                Ok(Tag::Text(number.to_string()))
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Tag, E> {
                Ok(Tag::Text(truth.to_string()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tag, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, Tag>()? {
                    members.push(member);
                }
                Ok(Tag::Table(members))
            }
        }

        deserializer.deserialize_any(Tags)
    }
}
