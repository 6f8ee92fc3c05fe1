//! Compares a definition with its `function.json`.

use serde_json::Value;

use crate::definition::{DataType, Definition, Trigger};

impl Definition {
    /// The differences between the code and this `function.json`, each in a sentence; empty when they agree.
    ///
    /// It compares the names, types and directions of all bindings, and the trigger's cardinality, `dataType`, methods
    /// and route. It leaves out settings that the handler cannot notice (queue names, connections, schedules,
    /// authorisation). Spelling counts, since the host drops an output whose name differs in case.
    #[must_use]
    pub fn check(&self, function_json: &Value) -> Vec<String> {
        let mut found = Disagreements { function: self.name, texts: Vec::new() };
        if !is_function_name(self.name) {
            found.add(
                "the host accepts only names of at most 128 letters, digits, `-` and `_`, starting with a letter, and \
                 not `host`",
            );
        }
        let Some(bindings) = function_json.get("bindings").and_then(Value::as_array) else {
            found.add("function.json has no list `bindings`");
            return found.texts;
        };
        let named = |name: &str| bindings.iter().find(|binding| text(binding, "name") == Some(name));
        self.check_trigger(named(self.trigger.binding()), function_json, &mut found);
        for (name, kind) in self.all_outputs() {
            match named(name) {
                None => {
                    found.add(format!("the code writes output `{name}`, which function.json does not have"));
                }
                Some(binding) => {
                    found.compare(name, "type", text(binding, "type"), Some(kind.binding_type()));
                    found.compare(name, "direction", text(binding, "direction"), Some("out"));
                }
            }
            if name == "$return" {
                found.add("output `$return` takes the return value, which a reply never sets");
            }
        }
        for binding in bindings {
            let name = text(binding, "name").unwrap_or("(without a name)");
            if name != self.trigger.binding() && self.all_outputs().all(|(output, _)| output != name) {
                found.add(format!("function.json has a binding `{name}` that the code does not know"));
            }
        }
        found.texts
    }

    fn check_trigger(&self, binding: Option<&Value>, function_json: &Value, found: &mut Disagreements) {
        let name = self.trigger.binding();
        let Some(binding) = binding else {
            found.add(format!(
                "the code expects its trigger under the name `{name}`, which function.json does not have"
            ));
            return;
        };
        found.compare(name, "type", text(binding, "type"), Some(self.trigger.binding_type()));
        found.compare(name, "direction", text(binding, "direction"), Some("in"));
        match self.trigger {
            Trigger::ServiceBus { many, data_type, .. } | Trigger::EventHub { many, data_type, .. } => {
                self.check_batch(binding, many, data_type, found);
            }
            Trigger::Http { methods, route, .. } => {
                found.compare(
                    name,
                    "methods",
                    Some(&of_json(binding)),
                    Some(&sorted(methods.iter().copied())),
                );
                found.compare(name, "route", text(binding, "route"), route);
            }
            Trigger::Timer { .. } | Trigger::EventGrid { .. } => {}
        }
        let retries = matches!(self.trigger, Trigger::Timer { .. } | Trigger::EventHub { .. });
        if !retries && function_json.get("retry").is_some() {
            found.add(format!("a retry policy is not supported for a {}", self.trigger.binding_type()));
        }
    }

    fn check_batch(
        &self,
        binding: &Value,
        many: bool,
        data_type: Option<DataType>,
        found: &mut Disagreements,
    ) {
        let name = self.trigger.binding();
        // The host's own defaults differ by extension, so an absent cardinality is a disagreement with either.
        let cardinality = if many { "many" } else { "one" };
        found.compare(name, "cardinality", text(binding, "cardinality"), Some(cardinality));
        let written = text(binding, "dataType");
        found.compare(name, "dataType", written, data_type.map(DataType::name));
        if many && (data_type.is_none() || written.is_none()) {
            found.add(format!(
                "`{name}`: cardinality many needs a dataType, or one body that is not JSON fails its whole batch \
                 before the handler is asked"
            ));
        }
    }
}

struct Disagreements {
    function: &'static str,
    texts: Vec<String>,
}

impl Disagreements {
    fn add(&mut self, text: impl AsRef<str>) {
        self.texts.push(format!("{}: {}", self.function, text.as_ref()));
    }

    fn compare(&mut self, binding: &str, property: &str, written: Option<&str>, expected: Option<&str>) {
        let show =
            |value: Option<&str>| value.map_or_else(|| "none".to_owned(), |value| format!("`{value}`"));
        if written != expected {
            let (written, expected) = (show(written), show(expected));
            self.add(format!(
                "`{binding}`: {property} is {written} in function.json, and {expected} in code"
            ));
        }
    }
}

fn text<'a>(binding: &'a Value, property: &str) -> Option<&'a str> {
    binding.get(property).and_then(Value::as_str)
}

/// The methods of a binding in the form of [`sorted`]; all methods, when it lists none.
fn of_json(binding: &Value) -> String {
    let methods = binding.get("methods").and_then(Value::as_array);
    sorted(methods.into_iter().flatten().filter_map(Value::as_str))
}

fn sorted<'a>(methods: impl Iterator<Item = &'a str>) -> String {
    let mut methods: Vec<String> = methods.map(str::to_ascii_uppercase).collect();
    methods.sort();
    methods.dedup();
    if methods.is_empty() { "all".to_owned() } else { methods.join(", ") }
}

/// The host's rule for folder names (`Utility.cs`).
fn is_function_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        && name.len() <= 128
        && !name.eq_ignore_ascii_case("host")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OutputKind;
    use serde_json::json;

    const SYNC: Definition = Definition {
        name: "sync",
        trigger: Trigger::ServiceBus { binding: "requests", many: true, data_type: Some(DataType::String) },
        outputs: &[("poison", OutputKind::ServiceBus)],
    };

    const STATUS: Definition = Definition {
        name: "status",
        trigger: Trigger::Http {
            binding: "req",
            response: "res",
            methods: &["GET", "POST"],
            route: Some("jobs/{id?}"),
        },
        outputs: &[],
    };

    fn sync_json() -> Value {
        json!({"bindings": [
            {"type": "serviceBusTrigger", "name": "requests", "direction": "in", "queueName": "q", "cardinality": "many",
             "dataType": "string"},
            {"type": "serviceBus", "name": "poison", "direction": "out", "queueName": "p"},
        ]})
    }

    #[test]
    fn agreement_is_silent() {
        assert_eq!(SYNC.check(&sync_json()), [""; 0]);
        let status = json!({"bindings": [
            {"type": "httpTrigger", "name": "req", "direction": "in", "methods": ["post", "get"], "route": "jobs/{id?}"},
            {"type": "http", "name": "res", "direction": "out"},
        ]});
        assert_eq!(STATUS.check(&status), [""; 0]);
    }

    #[test]
    fn each_property_that_differs_is_named() {
        for (pointer, value, words) in [
            ("/bindings/0/name", json!("Requests"), "`requests`"),
            ("/bindings/0/type", json!("queueTrigger"), "serviceBusTrigger"),
            ("/bindings/0/direction", json!("out"), "direction"),
            ("/bindings/0/cardinality", json!("one"), "cardinality"),
            ("/bindings/0/dataType", json!("binary"), "dataType"),
            ("/bindings/1/name", json!("POISON"), "`poison`"),
            ("/bindings/1/type", json!("queue"), "serviceBus"),
        ] {
            let mut file = sync_json();
            *file.pointer_mut(pointer).unwrap() = value;
            let found = SYNC.check(&file);
            assert!(found.iter().any(|text| text.contains(words)), "{pointer}: {found:?}");
        }
    }

    #[test]
    fn many_needs_a_data_type_even_if_both_sides_leave_it_out() {
        let trigger = Trigger::ServiceBus { binding: "requests", many: true, data_type: None };
        let mut file = sync_json();
        file["bindings"][0].as_object_mut().unwrap().remove("dataType");
        let found = Definition { trigger, ..SYNC }.check(&file);
        assert!(found.len() == 1 && found[0].contains("cardinality many needs a dataType"), "{found:?}");
    }

    #[test]
    fn methods_and_route_of_an_http_function_are_compared() {
        let file = json!({"retry": {}, "bindings": [
            {"type": "httpTrigger", "name": "req", "direction": "in"}, {"type": "http", "name": "res", "direction": "out"},
        ]});
        let found = STATUS.check(&file).join("\n");
        for words in ["methods is `all`", "`GET, POST` in code", "route is none", "retry policy"] {
            assert!(found.contains(words), "{words} in {found}");
        }
    }

    #[test]
    fn an_unknown_binding_a_bad_name_and_a_missing_list_are_reported() {
        let mut file = sync_json();
        file["bindings"]
            .as_array_mut()
            .unwrap()
            .push(json!({"type": "blob", "name": "extra", "direction": "in"}));
        assert!(SYNC.check(&file).join("\n").contains("`extra`"));
        assert!(
            Definition { name: "7-up", ..SYNC }
                .check(&sync_json())
                .join("\n")
                .contains("at most 128 letters")
        );
        assert!(SYNC.check(&json!({})).join("\n").contains("no list `bindings`"));
    }
}
