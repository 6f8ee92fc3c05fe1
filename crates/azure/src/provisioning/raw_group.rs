//! An enrollment group in its own JSON text, so that it can be written back without touching what we do not own.
//!
//! A PUT replaces the whole group (`azure-wire-facts.md` §3). Reading it into a struct and writing that would drop
//! members that this version does not know and respell numbers, so the top-level members are kept in order, each as the
//! text that came. The text may hold symmetric keys, so only `to_json` shows it.

use std::fmt;

use certificate_management::model::{Attestation, EnrollmentGroup};
use certificate_management::reference::Reference;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::reference::{self, CERTIFICATE_POLICY, CREDENTIAL_POLICY};
use crate::members::{at, date, member, owned, text};

const ATTESTATION: &str = "attestation";

/// The members of a group as they were written. `Debug` shows their names only.
#[derive(Clone)]
pub struct RawGroup {
    members: Vec<(String, Box<RawValue>)>,
}

impl RawGroup {
    /// Reads the text of a JSON object.
    ///
    /// # Errors
    /// When it is not an object, or names a member twice: writing it back could change which of the two counts.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The group as JSON text, for sending. It may hold keys.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::from("{");
        for (index, (name, value)) in self.members.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            json.push_str(&Value::from(name.as_str()).to_string());
            json.push(':');
            json.push_str(value.get());
        }
        json.push('}');
        json
    }

    /// The members that decisions need; `None` when the group has no id.
    #[must_use]
    pub fn view(&self) -> Option<EnrollmentGroup> {
        let value = self.value();
        let mut hubs: Vec<String> = at(&value, &["iotHubs"])
            .and_then(Value::as_array)
            .map(|hubs| hubs.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default();
        if hubs.is_empty() {
            // The older member, which names a single hub.
            hubs.extend(owned(&value, &["iotHubHostName"]));
        }
        Some(EnrollmentGroup {
            id: owned(&value, &["enrollmentGroupId"])?,
            etag: at(&value, &["etag"]).and_then(Value::as_str).map(str::to_owned),
            policy: reference::read(&value),
            attestation: attestation(&value),
            hubs,
            enabled: !text(&value, &["provisioningStatus"])
                .is_some_and(|s| s.eq_ignore_ascii_case("disabled")),
            created_at: date(&value, &["createdDateTimeUtc"]),
            tags: at(&value, &["initialTwin", "tags"])
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
        })
    }

    /// The version in the body, verbatim.
    #[must_use]
    pub fn etag(&self) -> Option<String> {
        serde_json::from_str(self.member("etag")?.get()).ok()
    }

    /// The same group with another policy, as [`Reference`] writes it. It changes an existing member in its place, in
    /// its spelling, and removes the members of the other generation. `None` when the text is no whole reference.
    #[must_use]
    pub fn with_policy(&self, policy: &str) -> Option<Self> {
        // A JSON text of a string always exists; `null` would be refused by the check that follows an edit.
        let text = |name: &str| to_raw_value(name).unwrap_or_else(|_| RawValue::NULL.to_owned());
        match Reference::parse(policy) {
            Reference::Credential(name) => {
                Some(self.without(reference::is_certificate).with(CREDENTIAL_POLICY, text(name)))
            }
            Reference::Certificate { namespace, authority, policy } => {
                let names = CERTIFICATE_POLICY.into_iter().zip([namespace, authority, policy]);
                let bare = self.without(reference::is_credential);
                Some(names.fold(bare, |group, (member, name)| group.with(member, text(name))))
            }
            Reference::Unclear => None,
        }
    }

    /// The same group without a policy: removes its members in any spelling, and keeps every other one.
    #[must_use]
    pub fn without_policy(&self) -> Self {
        self.without(reference::is_reference)
    }

    fn without(&self, is_gone: fn(&str) -> bool) -> Self {
        let is_kept = |(name, _): &&(String, Box<RawValue>)| !is_gone(name);
        Self { members: self.members.iter().filter(is_kept).cloned().collect() }
    }

    pub(super) fn with_attestation(&self, attestation: Box<RawValue>) -> Self {
        self.with(ATTESTATION, attestation)
    }

    /// Names of the top-level members that are not the same text in both groups, or not in the same order. Those that name
    /// the policy may come, go and change.
    pub(super) fn differences(&self, other: &Self) -> Vec<Difference> {
        let (own, theirs) = (self.without_policy(), other.without_policy());
        let names = |group: &Self| group.members.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let own_names = names(&own);
        if names(&theirs).get(..own_names.len()) != Some(own_names.as_slice()) {
            return vec![Difference::Order];
        }
        let changed = |(name, value): &&(String, Box<RawValue>)| {
            own.exact(name).is_none_or(|before| before.get() != value.get())
        };
        let mut differences: Vec<Difference> =
            theirs.members.iter().filter(changed).map(|(name, _)| Difference::of(name)).collect();
        let references = |group: &Self| {
            let texts = group.members.iter().filter(|(name, _)| reference::is_reference(name));
            texts.map(|(name, value)| (name.clone(), value.get().to_owned())).collect::<Vec<_>>()
        };
        if references(self) != references(other) {
            differences.push(Difference::Policy);
        }
        differences
    }

    pub(super) fn attestation_value(&self) -> Value {
        self.member(ATTESTATION).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    }

    fn with(&self, name: &str, value: Box<RawValue>) -> Self {
        let mut members = self.members.clone();
        let place = members
            .iter()
            .position(|(key, _)| key == name)
            .or_else(|| members.iter().position(|(key, _)| key.eq_ignore_ascii_case(name)));
        match place {
            Some(index) => members[index].1 = value,
            None => members.push((name.to_owned(), value)),
        }
        Self { members }
    }

    fn exact(&self, name: &str) -> Option<&RawValue> {
        self.members.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    fn member(&self, name: &str) -> Option<&RawValue> {
        self.exact(name).or_else(|| {
            self.members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| &**v)
        })
    }

    fn value(&self) -> Value {
        let read = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or_default();
        Value::Object(self.members.iter().map(|(name, raw)| (name.clone(), read(raw))).collect())
    }
}

/// One thing in which two groups differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Difference {
    Policy,
    Attestation,
    Order,
    Member(String),
}

impl Difference {
    fn of(name: &str) -> Self {
        if name.eq_ignore_ascii_case(ATTESTATION) { Self::Attestation } else { Self::Member(name.to_owned()) }
    }
}

fn attestation(group: &Value) -> Attestation {
    let mechanism = member(group, ATTESTATION).unwrap_or(&Value::Null);
    match text(mechanism, &["type"]).unwrap_or_default().to_ascii_lowercase().as_str() {
        "symmetrickey" => Attestation::SymmetricKey,
        "tpm" => Attestation::Tpm,
        "x509" if at(mechanism, &["x509", "caReferences"]).is_some() => Attestation::X509CaReference,
        "x509" if at(mechanism, &["x509", "signingCertificates"]).is_some() => {
            Attestation::X509SigningCertificate
        }
        _ => Attestation::Other,
    }
}

impl fmt::Debug for RawGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.members.iter().map(|(name, _)| name)).finish()
    }
}

impl<'de> Deserialize<'de> for RawGroup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = RawGroup;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an enrollment group")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawGroup, A::Error> {
                let mut group = RawGroup { members: Vec::new() };
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if group.exact(&name).is_some() {
                        return Err(A::Error::custom("a member is named twice"));
                    }
                    group.members.push((name, value));
                }
                Ok(group)
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
pub(super) mod arbitrary;
#[cfg(test)]
mod tests;
