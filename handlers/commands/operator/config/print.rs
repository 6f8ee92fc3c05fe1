//! Shows a difference to the person who is to upload it.

use certificate_management::configuration::Mode;
use certificate_management::difference::{Difference, GroupEffect, NamespaceChange};

use crate::commands::table;
use crate::commands::terminal::line;

/// Width of the column that says why, in characters.
const WIDTH: usize = 40;

/// The difference as text.
pub fn text(difference: &Difference) -> String {
    let mut parts = Vec::new();
    parts.extend(difference.removed.iter().map(|id| {
        format!(
            "Namespace {} would leave: the app does nothing for it any more, and reports nothing of it.",
            id
        )
    }));
    parts.extend(difference.added.iter().map(|id| format!("Namespace {id} would come.")));
    parts.extend(difference.changed.iter().map(namespace));
    if !difference.keys.is_empty() {
        parts.push(format!("Of the whole file: {} would change.", difference.keys.join(", ")));
    }
    match &difference.groups {
        None => parts.push(
            "What becomes of enrollment groups is not known, since Azure was not looked at.".to_owned(),
        ),
        Some(groups) if groups.is_empty() => {
            parts.push("Nothing would change for any enrollment group.".to_owned())
        }
        Some(groups) => parts.push(table_of(groups)),
    }
    if !difference.unreadable.is_empty() {
        parts.push(format!("Not everything could be read:\n  {}", difference.unreadable.join("\n  ")));
    }
    parts.join("\n\n")
}

fn namespace(change: &NamespaceChange) -> String {
    let mut says = Vec::new();
    if let Some((before, after)) = change.mode {
        let then = match after {
            Mode::Enforce => ": functions would write to it",
            Mode::Audit => ": no function would write to it any more",
        };
        says.push(format!("mode {} becomes {}{then}", word(before), word(after)));
    }
    if !change.keys.is_empty() {
        says.push(format!("{} would change", change.keys.join(", ")));
    }
    format!("Namespace {}: {}.", change.namespace_id.name(), says.join("; "))
}

const fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Audit => "audit",
        Mode::Enforce => "enforce",
    }
}

fn table_of(groups: &[GroupEffect]) -> String {
    let header = ["enrollment group", "what would change", "has", "gets", "why"];
    let policy = |policy: &Option<String>| policy.as_deref().map_or_else(|| "(none)".to_owned(), line);
    let row = |effect: &GroupEffect| {
        vec![
            line(&format!("{}/{}", effect.provisioning_service, effect.enrollment_group)),
            effect.change.text().to_owned(),
            policy(&effect.has),
            effect.to.as_deref().map_or_else(|| "–".to_owned(), line),
            table::wrapped(&line(&effect.why), WIDTH),
        ]
    };
    table::table(&header, groups.iter().map(row).collect())
}
