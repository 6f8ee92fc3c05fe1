//! The table as a file that templates read.

use std::fmt::Write as _;

use super::{PERMISSIONS, Permission, Role};

/// The table as `infra/modules/permissions.json` holds it: the roles of our own, and one row a line, so that a change is one
/// line of a diff.
#[must_use]
pub fn to_json() -> String {
    let mut text = String::from("{\n  \"roles\": [\n");
    // Writing to a string cannot fail; no name holds what JSON would escape.
    let own = Role::OWN.iter().filter_map(|role| Some((role.name(), role.definition()?)));
    let rows = own.map(|(role, (name, description))| {
        format!("    {{ \"role\": \"{role}\", \"name\": \"{name}\", \"description\": \"{description}\" }}")
    });
    let _ = write!(text, "{}", rows.collect::<Vec<_>>().join(",\n"));
    text.push_str("\n  ],\n  \"permissions\": [\n");
    let rows = PERMISSIONS.iter().map(|permission| {
        let Permission { feature, action, data, scope, who, role, generation, evidence, .. } = permission;
        let generation = generation.map_or_else(|| "any".to_owned(), |one| one.to_string());
        format!(
            "    {{ \"feature\": \"{}\", \"action\": \"{action}\", \"data\": {data}, \"scope\": \"{}\", \"who\": \"{}\", \"role\": \"{}\", \"generation\": \"{generation}\", \"evidence\": \"{}\" }}",
            feature.name(),
            scope.name(),
            who.name(),
            role.name(),
            evidence.name()
        )
    });
    let _ = write!(text, "{}", rows.collect::<Vec<_>>().join(",\n"));
    text.push_str("\n  ]\n}\n");
    text
}
