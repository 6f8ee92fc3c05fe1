//! Provisioning services and their enrollment groups.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::link::Link;
use super::names::{Names, is_enrollment_group_id};
use crate::dates;
use crate::fleet::UnknownReference;
use crate::provisioning::api_version::ApiVersion;
use crate::provisioning::error::ServiceError;
use crate::provisioning::reference::{self, Reference};

/// A device provisioning service.
pub(crate) struct ProvisioningService {
    pub id: String,
    pub name: String,
    pub subscription: String,
    pub resource_group: String,
    pub location: String,
    /// The link to a namespace, in whatever state.
    pub link: Option<Link>,
    /// Its data plane does not know the namespace, until somebody writes the resource.
    pub is_unaware: bool,
    /// When its roles on the namespace have replicated.
    pub roles_replicated: OffsetDateTime,
    pub identity_id: String,
    pub tags: Map<String, Value>,
    /// Host names of the linked hubs.
    pub hubs: Vec<String>,
    pub id_scope: String,
    /// By lower-case id.
    pub groups: BTreeMap<String, EnrollmentGroup>,
    /// The last registration of each device, by registration id.
    pub registrations: BTreeMap<String, Registration>,
}

/// An enrollment group as it was written, symmetric keys included. No `Debug`: it holds keys.
pub(crate) struct EnrollmentGroup {
    pub id: String,
    document: Map<String, Value>,
    pub etag: String,
    created: OffsetDateTime,
    updated: OffsetDateTime,
}

/// The last registration of a device.
pub(crate) struct Registration {
    pub operation_id: String,
    pub finishes: OffsetDateTime,
    /// The body of the operation once it is done.
    pub result: Value,
}

/// Members that the service makes; what a client sends for them is ignored.
const OWN_MEMBERS: [&str; 3] = ["etag", "createdDateTimeUtc", "lastUpdatedDateTimeUtc"];
const ATTESTATION_TYPES: [&str; 4] = ["none", "tpm", "x509", "symmetricKey"];

/// How a group is written, beside what is written.
pub(crate) struct Write {
    pub version: ApiVersion,
    pub unknown_reference: UnknownReference,
    pub now: OffsetDateTime,
}

impl ProvisioningService {
    /// Whether it is linked to this namespace.
    pub(crate) fn is_linked_to(&self, namespace_id: &str) -> bool {
        self.link.as_ref().is_some_and(|link| link.is_listed() && link.is_to(namespace_id))
    }

    /// The group of an id, in any case.
    pub(crate) fn group(&self, id: &str) -> Option<&EnrollmentGroup> {
        self.groups.get(&id.to_ascii_lowercase())
    }
}

impl EnrollmentGroup {
    /// The group that a write makes. A write replaces all: a member that is left out is gone. Members that the service
    /// does not know are kept as they came. A symmetric-key group that comes without keys gets new ones, also when it
    /// had some: reading does not show them, so whoever writes back what was read loses them
    /// (`azure-wire-facts.md` §3).
    ///
    /// # Errors
    /// 400 when the service would not take it.
    pub(crate) fn written(
        previous: Option<&Self>,
        id: &str,
        mut document: Map<String, Value>,
        write: &Write,
        names: &mut Names,
    ) -> Result<Self, ServiceError> {
        let invalid = |problem: String| ServiceError::new(400_000, problem);
        if !is_enrollment_group_id(id) {
            return Err(invalid(format!("The enrollment group id '{id}' is not valid.")));
        }
        match document.get("enrollmentGroupId").and_then(Value::as_str) {
            Some(own) if own.eq_ignore_ascii_case(id) => {}
            _ => return Err(invalid("enrollmentGroupId does not match the id in the path.".to_owned())),
        }
        complete_attestation(&mut document, names)?;
        reference::check(&document, write.version)?;
        for &member in write.version.unknown_members() {
            document.shift_remove(member);
            let kept = previous.filter(|_| write.unknown_reference == UnknownReference::Keep);
            if let Some(value) = kept.and_then(|group| group.document.get(member)) {
                document.insert(member.to_owned(), value.clone());
            }
        }
        for member in OWN_MEMBERS {
            document.shift_remove(member);
        }
        // Defaults of the service; which others it fills in is not documented.
        document.entry("provisioningStatus").or_insert_with(|| "enabled".into());
        document.entry("allocationPolicy").or_insert_with(|| "hashed".into());
        let created = previous.map_or(write.now, |group| group.created);
        let id = previous.map_or(id, |group| group.id.as_str()).to_owned();
        document.insert("enrollmentGroupId".to_owned(), id.clone().into());
        Ok(Self { id, document, etag: names.enrollment_etag(), created, updated: write.now })
    }

    /// What a read shows: everything but symmetric keys, and a policy only to versions that know its kind.
    pub(crate) fn shown(&self, version: ApiVersion) -> Value {
        let mut document = self.document.clone();
        if let Some(keys) = document.get_mut("attestation").and_then(|a| a.get_mut("symmetricKey")) {
            *keys = json!({});
        }
        for &member in version.unknown_members() {
            document.shift_remove(member);
        }
        document.insert("etag".to_owned(), self.etag.clone().into());
        document.insert("createdDateTimeUtc".to_owned(), dates::milliseconds(self.created).into());
        document.insert("lastUpdatedDateTimeUtc".to_owned(), dates::milliseconds(self.updated).into());
        Value::Object(document)
    }

    /// The attestation with its keys: `POST .../attestationmechanism`.
    pub(crate) fn attestation(&self) -> Value {
        self.document.get("attestation").cloned().unwrap_or(Value::Null)
    }

    /// The group keys, base64; none unless the attestation is `symmetricKey`.
    pub(crate) fn symmetric_keys(&self) -> impl Iterator<Item = &str> {
        let keys = self.document.get("attestation").and_then(|attestation| attestation.get("symmetricKey"));
        ["primaryKey", "secondaryKey"].into_iter().filter_map(move |name| keys?.get(name)?.as_str())
    }

    /// The assigned policy.
    pub(crate) fn reference(&self) -> Option<Reference<'_>> {
        Reference::read(&self.document)
    }

    /// Whether its devices may register.
    pub(crate) fn is_enabled(&self) -> bool {
        self.text("provisioningStatus") == Some("enabled")
    }

    /// `hashed`, `geoLatency`, `static` or `custom`.
    pub(crate) fn allocation_policy(&self) -> &str {
        self.text("allocationPolicy").unwrap_or("hashed")
    }

    /// The hubs of the group; empty: all hubs of the service.
    pub(crate) fn hubs(&self) -> Vec<&str> {
        match (self.text("iotHubHostName"), self.document.get("iotHubs").and_then(Value::as_array)) {
            (_, Some(hubs)) if !hubs.is_empty() => hubs.iter().filter_map(Value::as_str).collect(),
            (Some(hub), _) => vec![hub],
            _ => Vec::new(),
        }
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.document.get(member).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}

/// Checks the attestation and fills in the symmetric keys that are missing.
fn complete_attestation(document: &mut Map<String, Value>, names: &mut Names) -> Result<(), ServiceError> {
    let invalid = |problem: &str| ServiceError::new(400_000, problem.to_owned());
    let attestation = document.get_mut("attestation").and_then(Value::as_object_mut);
    let attestation = attestation.ok_or_else(|| invalid("attestation is required."))?;
    let kind = attestation.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !ATTESTATION_TYPES.contains(&kind.as_str()) {
        return Err(invalid("attestation.type is not one of none, tpm, x509, symmetricKey."));
    }
    if kind != "symmetricKey" {
        return Ok(());
    }
    let keys = attestation.entry("symmetricKey").or_insert(Value::Null);
    if keys.is_null() {
        *keys = json!({});
    }
    let keys = keys.as_object_mut().ok_or_else(|| invalid("attestation.symmetricKey is not an object."))?;
    for name in ["primaryKey", "secondaryKey"] {
        match keys.get(name) {
            None | Some(Value::Null) => {
                keys.insert(name.to_owned(), names.symmetric_key().into());
            }
            Some(Value::String(key)) if is_key(key) => {}
            Some(Value::String(key)) if key.is_empty() => {
                keys.insert(name.to_owned(), names.symmetric_key().into());
            }
            Some(_) => return Err(invalid("a symmetric key is not base64 of 16 to 64 bytes.")),
        }
    }
    Ok(())
}

fn is_key(text: &str) -> bool {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).is_ok_and(|bytes| (16..=64).contains(&bytes.len()))
}
