//! The documents that come and go, from their types. The schema of the report is `docs/policy-status.schema.json`, which tests
//! hold against reports.

use certificate_management::request::{MAX_NAMES, SyncRequest};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::api::problem::Problem;

/// From this many variants on an enumeration is a list of codes without their meanings, which other pages have.
const MOST_EXPLAINED: usize = 12;
/// Longest text of a submission, in bytes and so in characters too.
const LONGEST_TEXT: usize = 2048;
/// The id of a namespace.
const NAMESPACE_ID: &str = "^/[sS]ubscriptions/[^/]+/[rR]esource[gG]roups/[^/]+/[pP]roviders/[mM]icrosoft\\.[dD]evice[rR]egistry/[nN]amespaces/[^/]+$";

/// Schemas by name.
pub struct Schemas {
    answers: SchemaGenerator,
    more: Map<String, Value>,
}

impl Schemas {
    /// None yet.
    pub fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        let settings = settings.with(|settings| settings.definitions_path = "/components/schemas".into());
        Self { answers: settings.into_generator(), more: Map::new() }
    }

    /// A reference to the schema of an answer.
    pub fn of<T: JsonSchema>(&mut self) -> Value {
        self.answers.subschema_for::<T>().to_value()
    }

    /// The answer of every error.
    pub fn error(&mut self) {
        let problem = self.of::<Problem>();
        let error = json!({"type": "object", "required": ["error"], "properties": {"error": problem}});
        self.more.insert("Error".to_owned(), error);
    }

    /// A reference to the schema of what a caller submits: the members of the message that are a caller's, and `dryRun`.
    pub fn submission(&mut self) -> Value {
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        let mut schema = settings.into_generator().subschema_for::<SyncRequest>().to_value();
        let members = schema["properties"].as_object_mut().unwrap();
        for own in ["schema", "requestId"] {
            assert!(members.remove(own).is_some(), "{own}");
        }
        let namespace = json!({
            "type": "string",
            "maxLength": LONGEST_TEXT,
            "pattern": NAMESPACE_ID,
            "description": members["namespaceId"]["description"],
        });
        members.insert("namespaceId".to_owned(), namespace);
        for names in ["hubs", "policies"] {
            let member = &mut members[names];
            member["minItems"] = json!(1);
            member["maxItems"] = json!(MAX_NAMES);
            member["items"]["minLength"] = json!(1);
            member["items"]["maxLength"] = json!(LONGEST_TEXT);
        }
        for text in ["requestedBy", "reason", "traceparent"] {
            members[text]["maxLength"] = json!(LONGEST_TEXT);
        }
        for flag in ["allowWholeNamespace", "breakFreeze"] {
            members[flag]["type"] = json!(["boolean", "null"]);
        }
        let dry_run = json!({
            "type": ["boolean", "null"],
            "default": false,
            "description": "Answer what would be done, and write and submit nothing.",
        });
        members.insert("dryRun".to_owned(), dry_run);
        schema["required"] = json!(["namespaceId"]);
        // An emergency is done only with a reason.
        schema["if"] = json!({"properties": {"breakFreeze": {"const": true}}, "required": ["breakFreeze"]});
        schema["then"] =
            json!({"properties": {"reason": {"type": "string", "pattern": "\\S"}}, "required": ["reason"]});
        schema["additionalProperties"] = json!(false);
        self.more.insert("Submission".to_owned(), schema);
        json!({"$ref": "#/components/schemas/Submission"})
    }

    /// A reference to the schema of the report.
    pub fn report(&mut self) -> Value {
        let text = include_str!("../../../docs/policy-status.schema.json");
        let text = text.replace("\"#/$defs/", "\"#/components/schemas/");
        let mut schema: Value = serde_json::from_str(&text).unwrap();
        let members = schema.as_object_mut().unwrap();
        members.remove("$schema");
        let parts = members.remove("$defs").unwrap();
        for (name, part) in parts.as_object().unwrap() {
            self.more.insert(name.clone(), part.clone());
        }
        self.more.insert("PolicyStatus".to_owned(), schema);
        json!({"$ref": "#/components/schemas/PolicyStatus"})
    }

    /// All of them.
    pub fn finish(mut self) -> Map<String, Value> {
        let mut all = self.answers.take_definitions(true);
        // The schema of the report has these too, by names of its own.
        for (ours, of_report) in [("Reason", "reason"), ("Outcome", "outcome"), ("Trust", "trust")] {
            assert!(all.contains_key(ours), "{ours}");
            all.insert(ours.to_owned(), json!({"$ref": format!("#/components/schemas/{of_report}")}));
        }
        all.append(&mut self.more);
        for schema in all.values_mut() {
            shorten(schema);
        }
        all
    }
}

/// Makes a list of an enumeration with many variants, and takes away what says nothing to a reader.
fn shorten(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Array(variants)) = members.get("oneOf")
                && variants.len() > MOST_EXPLAINED
                && variants.iter().all(|variant| variant.get("const").is_some())
            {
                let codes: Vec<Value> = variants.iter().map(|variant| variant["const"].clone()).collect();
                members.remove("oneOf");
                members.insert("type".to_owned(), json!("string"));
                members.insert("enum".to_owned(), Value::Array(codes));
            }
            if members.get("format").is_some_and(|format| format == "uint") {
                members.remove("format");
            }
            members.values_mut().for_each(shorten);
        }
        Value::Array(values) => values.iter_mut().for_each(shorten),
        _ => {}
    }
}
