//! Preview churn: puts unknown members and values into the answer of a service.
//!
//! A JSON merge patch (RFC 7396): a `null` removes a member, an object is merged into an object, any other value
//! replaces the old one. In a list it changes each entry, so that one patch does for a resource and for the list that
//! it is in.

use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::header;
use serde_json::{Map, Value};

/// Larger answers are left as they are; the simulator makes none.
const LARGEST: usize = 16 * 1024 * 1024;

/// The answer with the patch in it. Refusals, and bodies that are not JSON, stay as they are.
pub(super) async fn into(answer: Response, patch: &Map<String, Value>) -> Response {
    if !answer.status().is_success() {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let Ok(bytes) = to_bytes(body, LARGEST).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let Ok(mut value) = serde_json::from_slice::<Value>(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    for resource in resources(&mut value) {
        merge(resource, patch);
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(value.to_string()))
}

/// The entries of a list of DPS or ARM; otherwise the body itself.
fn resources(body: &mut Value) -> Vec<&mut Value> {
    let is_list = body.get("value").is_some_and(Value::is_array);
    let entries = if is_list { &mut body["value"] } else { body };
    match entries {
        Value::Array(entries) => entries.iter_mut().collect(),
        resource => vec![resource],
    }
}

fn merge(target: &mut Value, patch: &Map<String, Value>) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(members) = target.as_object_mut() else { return };
    for (name, value) in patch {
        match value {
            Value::Null => {
                members.shift_remove(name);
            }
            Value::Object(inner) => merge(members.entry(name).or_insert(Value::Null), inner),
            other => {
                members.insert(name.clone(), other.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merged(mut body: Value, patch: &Value) -> Value {
        for resource in resources(&mut body) {
            merge(resource, patch.as_object().unwrap());
        }
        body
    }

    #[test]
    fn objects_go_into_objects_and_null_takes_away() {
        let patch = json!({"properties": {"new": {"deep": [1]}, "gone": null, "state": "Odd"}});
        let body = json!({"id": "x", "properties": {"gone": 1, "state": "Known", "kept": true}});
        let expected = json!({"id": "x", "properties": {"state": "Odd", "kept": true, "new": {"deep": [1]}}});
        assert_eq!(merged(body, &patch), expected);
    }

    #[test]
    fn of_a_list_each_entry_is_changed() {
        let patch = json!({"odd": 1});
        assert_eq!(
            merged(json!({"value": [{"a": 1}, {}], "nextLink": null}), &patch),
            json!({"value": [{"a": 1, "odd": 1}, {"odd": 1}], "nextLink": null})
        );
        assert_eq!(merged(json!([{}]), &patch), json!([{"odd": 1}]));
        assert_eq!(merged(json!({"value": 7}), &patch), json!({"value": 7, "odd": 1}));
    }

    #[tokio::test]
    async fn refusals_and_what_is_no_json_stay_as_they_are() {
        let patch = json!({"odd": 1}).as_object().unwrap().clone();
        let text = async |status: u16, body: &'static str| {
            let mut answer = Response::new(Body::from(body));
            *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
            let answer = into(answer, &patch).await;
            String::from_utf8(to_bytes(answer.into_body(), LARGEST).await.unwrap().to_vec()).unwrap()
        };
        assert_eq!(text(404, "{}").await, "{}");
        assert_eq!(text(202, "").await, "");
        assert_eq!(text(200, "<a/>").await, "<a/>");
        assert_eq!(text(200, "{}").await, r#"{"odd":1}"#);
    }
}
