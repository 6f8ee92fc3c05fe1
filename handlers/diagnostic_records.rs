//! `ServiceOperations` records of a DPS, as Azure Monitor sends them to an event hub (`azure-wire-facts.md` §5).
//!
//! The form is only partly documented: the casing of members varies, `properties` is text or an object, records come in
//! an envelope, bare or as an array, and the type of a group is not documented. So every record that could mean an
//! upserted enrollment group is a hint; a wrong hint costs one read.

use serde_json::{Map, Value};

use crate::walk::GroupHint;

/// The enrollment groups that an event may be about.
#[must_use]
pub fn hints(event: &Value) -> Vec<GroupHint> {
    records(event).into_iter().filter_map(hint).collect()
}

fn records(event: &Value) -> Vec<&Map<String, Value>> {
    match event {
        Value::Array(records) => records.iter().filter_map(Value::as_object).collect(),
        Value::Object(object) => match member(object, &["records"]) {
            Some(Value::Array(records)) => records.iter().filter_map(Value::as_object).collect(),
            _ => vec![object],
        },
        _ => Vec::new(),
    }
}

fn hint(record: &Map<String, Value>) -> Option<GroupHint> {
    let text = |names: &[&str]| member(record, names).and_then(Value::as_str);
    let operation = text(&["operationName"])?.to_ascii_lowercase();
    if !["upsert", "create", "update", "bulk"].iter().any(|verb| operation.contains(verb)) {
        return None;
    }
    if text(&["category"]).is_some_and(|category| !category.eq_ignore_ascii_case("ServiceOperations")) {
        return None;
    }
    if text(&["resultType"]).is_some_and(|result| !result.to_ascii_lowercase().starts_with("succ")) {
        return None;
    }
    let properties = match member(record, &["properties", "properties_s"])? {
        Value::Object(properties) => properties.clone(),
        Value::String(text) => serde_json::from_str::<Map<String, Value>>(text).ok()?,
        _ => return None,
    };
    let kind =
        member(&properties, &["type"]).and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    if kind.contains("individual") || kind.contains("registration") {
        return None;
    }
    let id = member(&properties, &["id", "enrollmentGroupId"])?.as_str()?;
    let service = text(&["resourceId", "resource"])?;
    let provisioning_service = service.trim_end_matches('/').rsplit('/').next()?.to_owned();
    Some(GroupHint { provisioning_service: Some(provisioning_service), enrollment_group: id.to_owned() })
}

fn member<'a>(object: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    let is_wanted = |name: &str| names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted));
    let mut given = object.iter().filter(|(name, value)| is_wanted(name) && !value.is_null());
    given.next().map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record() -> Value {
        json!({"time": "2026-11-23T05:00:00Z", "resourceId": "/SUBSCRIPTIONS/S/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.DEVICES/PROVISIONINGSERVICES/CONTOSO-DPS",
            "operationName": "Upsert", "category": "ServiceOperations", "resultType": "Success",
            "properties": "{\"id\":\"line-7\",\"type\":\"EnrollmentGroup\",\"protocol\":\"Http\"}"})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut record = record();
        record[name] = value;
        record
    }

    #[test]
    fn every_form_of_a_record_gives_the_same_hint() {
        let expected = vec![GroupHint {
            provisioning_service: Some("CONTOSO-DPS".into()),
            enrollment_group: "line-7".into(),
        }];
        let upper: Map<String, Value> = record()
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.to_uppercase(), value.clone()))
            .collect();
        for event in [
            record(),
            json!({"records": [record()]}),
            json!([record()]),
            Value::Object(upper),
            with("properties", json!({"Id": "line-7", "Type": "enrollmentGroups"})),
            with("properties", json!({"id": "line-7"})),
        ] {
            assert_eq!(hints(&event), expected, "{event}");
        }
    }

    #[test]
    fn what_cannot_be_an_upserted_group_is_no_hint() {
        for event in [
            with("operationName", json!("Query")),
            with("category", json!("DeviceOperations")),
            with("resultType", json!("ClientError")),
            with("properties", json!({"id": "device-1", "type": "IndividualEnrollment"})),
            with("properties", json!("not json")),
            with("properties", json!(7)),
            with("resourceId", json!(null)),
            json!({"records": [1, null, "x"]}),
            json!("text"),
            json!(null),
        ] {
            assert_eq!(hints(&event), [], "{event}");
        }
    }
}
