//! The table as a file that templates read.

use std::fmt::Write as _;

use super::{PERMISSIONS, Permission};

/// The table as `infra/modules/permissions.json` holds it: one row a line, so that a change is one line of a diff.
#[must_use]
pub fn to_json() -> String {
    let mut text = String::from("{\n  \"permissions\": [\n");
    for (index, permission) in PERMISSIONS.iter().enumerate() {
        let Permission { feature, action, data, scope, who, role, .. } = permission;
        let comma = if index + 1 == PERMISSIONS.len() { "" } else { "," };
        // Writing to a string cannot fail; no name holds what JSON would escape.
        let _ = writeln!(
            text,
            "    {{ \"feature\": \"{}\", \"action\": \"{action}\", \"data\": {data}, \"scope\": \"{}\", \"who\": \"{}\", \"role\": \"{}\" }}{comma}",
            feature.name(),
            scope.name(),
            who.name(),
            role.name()
        );
    }
    text.push_str("  ]\n}\n");
    text
}
