//! Shows a difference to the person who is to upload it.

use certificate_management::configuration::Mode;
use certificate_management::difference::{Difference, GroupEffect, NamespaceChange};

use crate::commands::screen::Screen;
use crate::commands::table::Table;

/// The difference, with what it does to groups last.
pub fn screen(difference: &Difference) -> Screen {
    let mut sentences: Vec<String> = Vec::new();
    sentences.extend(difference.removed.iter().map(|id| {
        format!(
            "Namespace {id} would leave: the app does nothing for it any more, and reports nothing of it."
        )
    }));
    sentences.extend(difference.added.iter().map(|id| format!("Namespace {id} would come.")));
    sentences.extend(difference.changed.iter().map(namespace));
    if !difference.keys.is_empty() {
        sentences.push(format!("Of the whole file: {} would change.", difference.keys.join(", ")));
    }
    let screen = Screen::default().list("-", sentences);
    let screen = match &difference.groups {
        None => screen.text("What becomes of enrollment groups is not known, since Azure was not looked at."),
        Some(groups) if groups.is_empty() => screen.text("Nothing would change for any enrollment group."),
        Some(groups) => screen.table(table(groups)),
    };
    match difference.unreadable.is_empty() {
        true => screen,
        false => screen.heading("Not everything could be read:").list("-", difference.unreadable.clone()),
    }
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

fn table(groups: &[GroupEffect]) -> Table {
    let row = |effect: &GroupEffect| {
        vec![
            format!("{}/{}", effect.provisioning_service, effect.enrollment_group),
            effect.change.text().to_owned(),
            effect.has.clone().unwrap_or_else(|| "(none)".to_owned()),
            effect.to.clone().unwrap_or_else(|| "–".to_owned()),
            effect.why.clone(),
        ]
    };
    Table::of(&["enrollment group", "what would change", "has", "gets", "why"], groups.iter().map(row))
}
