//! Reads an example, and compares an answer with it.

use std::collections::BTreeSet;

use reqwest::Response;
use serde_json::Value;

/// An example of a specification.
pub(super) struct Example {
    pub name: String,
    document: Value,
}

impl Example {
    pub(super) fn read(name: &str) -> Self {
        let path = format!("{}/../../tests/fixtures/specs/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { name: name.to_owned(), document: serde_json::from_str(&text).unwrap() }
    }

    pub(super) fn version(&self) -> &str {
        self.document["parameters"]["api-version"].as_str().unwrap()
    }

    pub(super) fn body(&self, member: &str) -> Value {
        self.document["parameters"][member].clone()
    }

    pub(super) fn answer_of(&self, status: u16) -> &Value {
        &self.document["responses"][status.to_string()]
    }

    /// Checks that the answer has the documented status and headers, and all members but those that `absent` names.
    pub(super) async fn compare(&self, answer: Response, absent: &[&str]) -> Value {
        let (name, status) = (&self.name, answer.status().as_u16());
        let headers: BTreeSet<String> = answer.headers().keys().map(ToString::to_string).collect();
        let text = answer.text().await.unwrap();
        let documented = self.answer_of(status);
        assert!(!documented.is_null(), "{name}: {status} is not documented: {text}");
        for header in documented["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
            assert!(headers.contains(&header.to_ascii_lowercase()), "{name}: no header {header}");
        }
        let body: Value = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
        if documented["body"].is_object() {
            same_members(name, "", &documented["body"], &body, absent);
        }
        body
    }
}

/// Checks that every documented member is there, but for those that `absent` names.
pub(super) fn same_members(name: &str, place: &str, documented: &Value, body: &Value, absent: &[&str]) {
    for (member, value) in documented.as_object().into_iter().flatten() {
        let place = format!("{place}/{member}");
        match body.get(member) {
            None => assert!(absent.contains(&&*place), "{name}: no {place} in {body}"),
            Some(found) => same_members(name, &place, value, found, absent),
        }
    }
}
