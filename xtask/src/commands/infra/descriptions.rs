//! Every parameter says what it is, and no output shows a secret, in a template and in the modules inside it.

use serde_json::{Map, Value};

/// Words in the name of an output that holds something to keep.
const SECRET_WORDS: [&str; 6] = ["key", "secret", "password", "connectionstring", "token", "sas"];

/// What is wrong with a built template.
pub fn problems(file: &str, template: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    check(file, template, true, &mut problems);
    problems
}

fn check(place: &str, template: &Value, is_root: bool, problems: &mut Vec<String>) {
    let none = Map::new();
    for (name, parameter) in template["parameters"].as_object().unwrap_or(&none) {
        let described = parameter["metadata"]["description"].as_str().is_some_and(|text| text.len() > 3);
        if !described {
            problems.push(format!("{place}: the parameter {name} has no description"));
        }
    }
    for (name, output) in template["outputs"].as_object().unwrap_or(&none) {
        let is_secure =
            output["type"].as_str().is_some_and(|kind| kind.to_ascii_lowercase().starts_with("secure"));
        let plain = name.to_ascii_lowercase().replace('_', "");
        let sounds_secret = SECRET_WORDS.iter().any(|word| plain.contains(word));
        let value = output.to_string().to_ascii_lowercase();
        if value.contains("listkeys(") || (sounds_secret && !is_secure) || (is_root && is_secure) {
            problems.push(format!("{place}: the output {name} shows a secret"));
        }
        if output["metadata"]["description"].as_str().is_none() {
            problems.push(format!("{place}: the output {name} has no description"));
        }
    }
    // Resources are an array, or an object where symbolic names are used.
    let resources = &template["resources"];
    let list: Vec<&Value> = match resources {
        Value::Array(list) => list.iter().collect(),
        Value::Object(by_name) => by_name.values().collect(),
        _ => Vec::new(),
    };
    for resource in list {
        let inner = &resource["properties"]["template"];
        if inner.is_object() {
            check(&format!("{place} / {}", resource["name"]), inner, false, problems);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_parameter_without_description_is_noticed_wherever_it_is() {
        let bare = json!({"parameters": {"x": {"type": "string"}}});
        assert_eq!(problems("a", &bare).len(), 1);
        let nested = json!({"resources": {"m": {"name": "m", "properties": {"template": bare}}}});
        assert_eq!(problems("a", &nested).len(), 1);
        let described =
            json!({"parameters": {"x": {"type": "string", "metadata": {"description": "A region."}}}});
        assert_eq!(problems("a", &described), Vec::<String>::new());
    }

    #[test]
    fn an_output_with_a_secret_is_noticed() {
        let output = |name: &str, kind: &str, value: &str| json!({"outputs": {name: {"type": kind, "value": value, "metadata": {"description": "Something."}}}});
        assert_eq!(problems("a", &output("hostName", "string", "x")), Vec::<String>::new());
        assert_eq!(problems("a", &output("storageKey", "string", "x")).len(), 1);
        assert_eq!(problems("a", &output("value", "string", "[listKeys('x').key1]")).len(), 1);
        assert_eq!(problems("a", &output("connectionString", "securestring", "x")).len(), 1, "of the root");
    }
}
