//! The facts of one enrollment group that rules look at, whether the group exists or is only described.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::configuration::RuleTest;
use crate::model::{Attestation, EnrollmentGroup};

/// The facts of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// Its id.
    pub id: String,
    /// Tags of its initial twin.
    pub tags: Map<String, Value>,
    /// How its devices prove who they are; `None`: not known.
    pub attestation: Option<Attestation>,
    /// Names or host names of the hubs that it can allocate devices to; empty: not known.
    pub hubs: Vec<String>,
    /// Whether devices can provision through it.
    pub enabled: bool,
}

impl Subject {
    /// A group of which only the id is known: enabled, without tags.
    #[must_use]
    pub fn named(id: &str) -> Self {
        Self { id: id.to_owned(), tags: Map::new(), attestation: None, hubs: Vec::new(), enabled: true }
    }

    /// A group as it was seen. `provisioning_service_hubs` are the host names of the hubs of its DPS, which it allocates
    /// to when it names none of its own.
    #[must_use]
    pub fn of(group: &EnrollmentGroup, provisioning_service_hubs: &[String]) -> Self {
        Self {
            id: group.id.clone(),
            tags: group.tags.clone(),
            attestation: Some(group.attestation),
            hubs: allocated_hubs(group, provisioning_service_hubs).to_vec(),
            enabled: group.enabled,
        }
    }

    /// A tag by its name, or by its path with dots: names in a twin have none. `null` is how a twin says that there is no
    /// such tag.
    #[must_use]
    pub fn tag(&self, path: &str) -> Option<&Value> {
        tag_at(&self.tags, path)
    }

    /// Whether it asks to be left alone: its tag of this name is the text `off`.
    #[must_use]
    pub fn opts_out(&self, tag: &str) -> bool {
        self.tag(tag).and_then(Value::as_str).is_some_and(|text| text.trim().eq_ignore_ascii_case("off"))
    }
}

/// As [`Subject::tag`].
pub(super) fn tag_at<'t>(tags: &'t Map<String, Value>, path: &str) -> Option<&'t Value> {
    let found = tags.get(path).or_else(|| {
        let mut names = path.split('.');
        let first = tags.get(names.next()?)?;
        names.try_fold(first, |value, name| value.as_object()?.get(name))
    });
    found.filter(|value| !value.is_null())
}

/// The hubs that a group can allocate devices to; none when neither the group nor its DPS names any.
pub(crate) fn allocated_hubs<'a>(
    group: &'a EnrollmentGroup,
    provisioning_service_hubs: &'a [String],
) -> &'a [String] {
    if group.hubs.is_empty() { provisioning_service_hubs } else { &group.hubs }
}

impl From<&RuleTest> for Subject {
    fn from(test: &RuleTest) -> Self {
        Self {
            id: test.enrollment_group.clone(),
            tags: test.tags.clone(),
            attestation: test.attestation,
            hubs: test.hubs.clone(),
            enabled: test.enabled,
        }
    }
}

/// The text of a tag: of a string itself, of a number or a truth as JSON spells it; a table or a list has none.
pub(super) fn tag_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
