//! Writes `docs/openapi.json` (`OpenAPI` 3.1), and the form of it that the app serves, from the types that read requests and
//! write answers, and from the table of errors. A test compares them;
//! `WRITE_GENERATED_FILES=1 cargo test -p policysync --lib api::description` writes them.
//!
//! - [`operations`]: every address with its methods, parameters and answers.
//! - [`schemas`]: the documents that come and go.

mod operations;
mod schemas;

use std::path::Path;

use serde_json::{Value, json};

use super::problem::Code;
use crate::functions::{DEFINITIONS, policy_status};

/// Set it to write the document instead of comparing it.
const WRITE: &str = "WRITE_GENERATED_FILES";
const ABOUT: &str = "Sync requests and policy status of Policysync. Every GET is answered to HEAD too. A caller shows the key of a function or of the \
    host; the host checks it before the app. What the host answers by itself (401, 404 for other addresses, 429, and 500 or 503 of an app that failed or \
    does not run) has no body. Members, codes and reasons may be added, and readers take unknown ones in their stride.";

/// The whole document.
fn document() -> Value {
    let mut schemas = schemas::Schemas::new();
    let mut responses = operations::Responses::default();
    let paths = operations::paths(&mut schemas, &mut responses);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Policysync",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [
            {"url": "https://{app}.azurewebsites.net", "variables": {"app": {"default": "app", "description": "The name of the function app."}}},
        ],
        "security": [{"key": []}, {"keyInAddress": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "responses": responses.finish(),
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "keyInAddress": {"type": "apiKey", "in": "query", "name": "code", "description": "For browsers. It ends in histories and logs of proxies."},
            },
        },
    })
}

/// The document as the app serves it: the same without the descriptions of schemas and without blanks, since it is a part of
/// the package, where each kilobyte counts.
fn served(mut document: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.retain(|name, member| name != "description" || !member.is_string());
                members.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut document["components"]["schemas"]);
    document
}

/// Compares a file with what it is to be, or writes that.
fn hold(file: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(path, made).unwrap();
        return;
    }
    let text = std::fs::read_to_string(path).unwrap();
    let differs = made.lines().zip(text.lines()).find(|(made, text)| made != text);
    assert!(
        made == text,
        "{file} is not what the types say: run `{WRITE}=1 cargo test -p policysync --lib api::description`\n{differs:#?}"
    );
}

#[test]
fn the_documents_are_what_the_types_say() {
    let document = document();
    hold("docs/openapi.json", &(serde_json::to_string_pretty(&document).unwrap() + "\n"));
    hold("handlers/api/served-openapi.json", &(served(document).to_string() + "\n"));
}

/// Every route of a function over HTTP is described, and nothing else; each with the methods that it admits.
#[test]
fn every_route_is_described_and_no_other() {
    use std::collections::BTreeSet;

    let document = document();
    let described: BTreeSet<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
    let mut routes = BTreeSet::new();
    for definition in DEFINITIONS {
        if let functions_host::Trigger::Http { route: Some(route), .. } = definition.trigger {
            // An optional parameter makes two addresses.
            match route.split_once("/{") {
                Some((start, parameter)) => {
                    routes.insert(format!("/api/{start}"));
                    routes.insert(format!("/api/{start}/{{{}", parameter.replace('?', "")));
                }
                None => {
                    routes.insert(format!("/api/{route}"));
                }
            }
        }
    }
    // These addresses stand beside those of namespaces.
    for name in policy_status::BESIDE {
        routes.insert(format!("/api/policy-status/{name}"));
    }
    assert_eq!(described, routes);
}

/// What a `$ref` names is there, and what is there is named.
#[test]
fn every_reference_leads_somewhere_and_nothing_lies_about() {
    fn references(value: &Value, found: &mut std::collections::BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member.as_str() {
                        Some(target) if name == "$ref" => {
                            found.insert(target.trim_start_matches('#').to_owned());
                        }
                        _ => references(member, found),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = std::collections::BTreeSet::new();
    references(&document, &mut found);
    for target in &found {
        assert!(document.pointer(target).is_some(), "{target} is nowhere");
    }
    for kind in ["schemas", "responses"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            let target = format!("/components/{kind}/{name}");
            assert!(found.contains(&target), "nothing names {target}");
        }
    }
}

#[test]
fn the_codes_that_the_host_crate_answers_are_among_ours() {
    assert_eq!(json!(Code::BodyTooLarge), functions_host::BODY_TOO_LARGE);
    assert_eq!(json!(Code::Busy), functions_host::BUSY);
}
