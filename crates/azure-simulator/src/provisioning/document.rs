//! An enrollment group as the service API writes and shows it.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::api_version::ApiVersion;
use super::error::ServiceError;
use super::reference;
use crate::dates;
use crate::fleet::UnknownReference;
use crate::resource_names::is_enrollment_group_id;
use crate::world::enrollment::EnrollmentGroup;
use crate::world::names::Names;
use crate::world::resource::Verbatim;

/// Members that the service makes; it ignores a client's values for them.
const OWN_MEMBERS: [&str; 3] = ["etag", "createdDateTimeUtc", "lastUpdatedDateTimeUtc"];
const ATTESTATION_TYPES: [&str; 4] = ["none", "tpm", "x509", "symmetricKey"];

/// The circumstances of a write: everything but the document.
pub(super) struct Write {
    pub version: ApiVersion,
    pub unknown_reference: UnknownReference,
    pub now: OffsetDateTime,
}

/// The group that a write makes. A write replaces everything: a member that is left out is gone. The service keeps
/// unknown members as they came. A symmetric-key group that comes without keys gets new ones, also when it had some:
/// reading does not show them, so a client that writes back what it read loses them (`azure-wire-facts.md` §3).
///
/// # Errors
/// 400 when the service would not take it.
pub(super) fn written(
    previous: Option<&EnrollmentGroup>,
    id: &str,
    mut document: Map<String, Value>,
    write: &Write,
    names: &mut Names,
) -> Result<EnrollmentGroup, ServiceError> {
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
    let kept = previous.filter(|_| write.unknown_reference == UnknownReference::Keep).map(read);
    for &member in reference::unknown_members(write.version) {
        document.shift_remove(member);
        if let Some(value) = kept.as_ref().and_then(|group| group.get(member)) {
            document.insert(member.to_owned(), value.clone());
        }
    }
    for member in OWN_MEMBERS {
        document.shift_remove(member);
    }
    // Defaults of the service. It is not documented which others it fills in.
    document.entry("provisioningStatus").or_insert_with(|| "enabled".into());
    document.entry("allocationPolicy").or_insert_with(|| "hashed".into());
    let created = previous.map_or(write.now, |group| group.created);
    let id = previous.map_or(id, |group| group.id.as_str()).to_owned();
    document.insert("enrollmentGroupId".to_owned(), id.clone().into());
    Ok(EnrollmentGroup {
        id,
        policy: reference::read(&document),
        symmetric_keys: symmetric_keys(&document),
        is_enabled: text(&document, "provisioningStatus") == Some("enabled"),
        is_custom_allocated: text(&document, "allocationPolicy") == Some("custom"),
        hubs: hubs(&document),
        written: Verbatim::new(&Value::Object(document).to_string()),
        etag: names.enrollment_etag(),
        created,
        updated: write.now,
    })
}

/// The group as a read shows it: without symmetric keys, and with a policy only for versions that know its kind.
pub(super) fn shown(group: &EnrollmentGroup, version: ApiVersion) -> Value {
    let mut document = read(group);
    if let Some(keys) = document.get_mut("attestation").and_then(|a| a.get_mut("symmetricKey")) {
        *keys = json!({});
    }
    for &member in reference::unknown_members(version) {
        document.shift_remove(member);
    }
    document.insert("etag".to_owned(), group.etag.clone().into());
    document.insert("createdDateTimeUtc".to_owned(), dates::milliseconds(group.created).into());
    document.insert("lastUpdatedDateTimeUtc".to_owned(), dates::milliseconds(group.updated).into());
    Value::Object(document)
}

/// The attestation with its keys: `POST .../attestationmechanism`.
pub(super) fn attestation(group: &EnrollmentGroup) -> Value {
    read(group).shift_remove("attestation").unwrap_or(Value::Null)
}

/// The document that was written.
fn read(group: &EnrollmentGroup) -> Map<String, Value> {
    // Only `written` makes this text.
    serde_json::from_str(group.written.text()).unwrap_or_default()
}

fn symmetric_keys(document: &Map<String, Value>) -> Vec<String> {
    let keys = document.get("attestation").and_then(|attestation| attestation.get("symmetricKey"));
    let named = ["primaryKey", "secondaryKey"].into_iter();
    named.filter_map(|name| Some(keys?.get(name)?.as_str()?.to_owned())).collect()
}

fn hubs(document: &Map<String, Value>) -> Vec<String> {
    match (text(document, "iotHubHostName"), document.get("iotHubs").and_then(Value::as_array)) {
        (_, Some(hubs)) if !hubs.is_empty() => {
            hubs.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        (Some(hub), _) => vec![hub.to_owned()],
        _ => Vec::new(),
    }
}

fn text<'a>(document: &'a Map<String, Value>, member: &str) -> Option<&'a str> {
    document.get(member).and_then(Value::as_str).filter(|text| !text.is_empty())
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
