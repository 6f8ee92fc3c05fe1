//! Shows a difference to the person who is to upload it.

use certificate_management::ArmId;
use certificate_management::configuration::Mode;
use certificate_management::difference::{Difference, GroupEffect, NamespaceChange};
use certificate_management::reference;

use crate::commands::screen::Screen;
use crate::commands::table::Table;

/// The difference, with what it does to groups last.
pub fn screen(difference: &Difference) -> Screen {
    // A name says which one is meant, unless several ids that come or leave have it.
    let named = |id: &ArmId| {
        let all = difference.removed.iter().chain(&difference.added);
        match all.filter(|other| other.name().eq_ignore_ascii_case(id.name())).count() {
            1 => id.name().to_owned(),
            _ => id.to_string(),
        }
    };
    let mut sentences: Vec<String> = Vec::new();
    sentences.extend(difference.removed.iter().map(|id| {
        format!(
            "Namespace {} would leave: the app does nothing for it any more, and reports nothing of it.",
            named(id)
        )
    }));
    sentences.extend(difference.added.iter().map(|id| format!("Namespace {} would come.", named(id))));
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

/// A policy as people of its namespace write it.
fn shown(effect: &GroupEffect, policy: Option<&str>, none: &str) -> String {
    policy.map_or(none, |policy| reference::shown(policy, effect.namespace_id.name())).to_owned()
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
            shown(effect, effect.has.as_deref(), "(none)"),
            shown(effect, effect.to.as_deref(), "–"),
            effect.why.clone(),
        ]
    };
    Table::of(&["enrollment group", "what would change", "has", "gets", "why"], groups.iter().map(row))
}

#[cfg(test)]
mod tests {
    use certificate_management::configuration::Configuration;
    use certificate_management::difference::GroupChange;

    use super::*;
    use crate::commands::golden::{self, GROUP, NAMESPACE, POLICY, SERVICE};

    #[test]
    fn the_golden_difference_fits_the_width_and_names_what_a_name_is_enough_for() {
        let file = |ids: &[String]| {
            let text: String = ids.iter().map(|id| format!("[[namespace]]\nid = \"{id}\"\n")).collect();
            Configuration::parse(&text).unwrap()
        };
        let other = |group: &str| {
            format!(
                "/subscriptions/S/resourceGroups/{group}/providers/Microsoft.DeviceRegistry/namespaces/kiln"
            )
        };
        let after = file(&[NAMESPACE.to_owned(), other("a"), other("b")]);
        let effect = GroupEffect {
            namespace_id: ArmId::parse(NAMESPACE).unwrap(),
            provisioning_service: SERVICE.to_owned(),
            enrollment_group: GROUP.to_owned(),
            has: None,
            change: GroupChange::NewlyAssigned,
            to: Some(format!("contoso-manufacturing-west-europe/{POLICY}")),
            why: "rule `the robots of every assembly line`".to_owned(),
        };
        let mut difference = Difference::of(&file(&[other("c").replace("kiln", "press")]), &after);
        difference.groups = Some(vec![effect]);
        golden::compare("config-difference", &screen(&difference), &[]);
    }
}
