//! The published schema and the report must not drift apart. Every object of the schema is closed and its members are
//! required, so a report with a member more or less does not hold; and a report that has something everywhere must use
//! every member that the schema names.

use std::collections::BTreeSet;

use serde_json::Value;

use super::tests::everything;
use crate::checks::testing::World;
use crate::model::{ReadFailure, ReadFailureKind};

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../../docs/policy-status.schema.json")).unwrap()
}

/// What a validator has to say about a document.
fn problems(document: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// A world that knows its hubs and not its DPS, so that it may have hubs that no list shows.
fn unlisted() -> World {
    World { services: Err(ReadFailure::other("503")), ..World::healthy() }
}

fn document(world: &World) -> Value {
    serde_json::to_value(world.report()).unwrap()
}

#[test]
fn reports_hold_against_the_published_schema() {
    let unreadable = ReadFailureKind::ALL.iter().map(|kind| World {
        observation: Err(ReadFailure { kind: *kind, ..ReadFailure::other("500") }),
        ..World::healthy()
    });
    for world in unreadable.chain([World::healthy(), everything(), unlisted()]) {
        let problems = problems(&document(&world));
        assert!(problems.is_empty(), "docs/policy-status.schema.json is behind: {problems:#?}");
    }
}

#[test]
fn a_member_more_or_less_would_be_noticed() {
    let mut more = document(&everything());
    more["namespaces"][0]["policies"][0]["colour"] = Value::from("red");
    assert_eq!(problems(&more).len(), 1);
    let mut less = document(&everything());
    less["summary"].as_object_mut().unwrap().remove("hubs");
    assert_eq!(problems(&less).len(), 1);
}

#[test]
fn every_member_of_the_schema_is_one_of_the_report() {
    let mut named = BTreeSet::new();
    members_of_schema(&schema(), &mut named);
    let mut used = BTreeSet::new();
    members(&document(&everything()), &mut used);
    members(&document(&unlisted()), &mut used);
    let mut unused: Vec<_> = named.difference(&used).collect();
    // The one part of a subject that only a request which failed as a whole has.
    unused.retain(|name| *name != "request");
    assert!(unused.is_empty(), "in the schema only: {unused:?}");
}

fn members(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                found.insert(name.clone());
                members(value, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| members(value, found)),
        _ => {}
    }
}

fn members_of_schema(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get("properties") {
                found.extend(properties.keys().cloned());
            }
            object.values().for_each(|value| members_of_schema(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| members_of_schema(value, found)),
        _ => {}
    }
}
