//! The names of resources against Azure's rules: length and characters, per type ("Naming rules and restrictions for Azure
//! resources" in Microsoft's documentation).

use serde_json::Value;

use super::snapshot::{Snapshot, id, kind, name};

/// Which characters a name may have, beside letters and digits.
#[derive(Clone, Copy)]
enum Characters {
    /// Lower-case letters and digits.
    LowerAlphanumeric,
    /// Letters, digits and hyphens; begins with a letter or digit and ends with one.
    Hyphens,
    /// The same with `_`, `.`, `(` and `)`.
    Wide,
}

struct Rule {
    kind: &'static str,
    length: std::ops::RangeInclusive<usize>,
    characters: Characters,
}

const fn rule(kind: &'static str, shortest: usize, longest: usize, characters: Characters) -> Rule {
    Rule { kind, length: shortest..=longest, characters }
}

const RULES: &[Rule] = &[
    rule("Microsoft.DeviceRegistry/namespaces", 3, 64, Characters::Hyphens),
    rule("Microsoft.Devices/IotHubs", 3, 50, Characters::Hyphens),
    rule("Microsoft.Devices/provisioningServices", 3, 64, Characters::Hyphens),
    rule("Microsoft.EventGrid/eventSubscriptions", 3, 64, Characters::Hyphens),
    rule("Microsoft.EventGrid/systemTopics", 3, 128, Characters::Hyphens),
    rule("Microsoft.EventGrid/topics", 3, 50, Characters::Hyphens),
    rule("Microsoft.EventHub/namespaces", 6, 50, Characters::Hyphens),
    rule("Microsoft.Insights/actionGroups", 1, 260, Characters::Wide),
    rule("Microsoft.Insights/components", 1, 255, Characters::Wide),
    rule("Microsoft.Insights/diagnosticSettings", 1, 260, Characters::Wide),
    rule("Microsoft.Insights/metricAlerts", 1, 260, Characters::Wide),
    rule("Microsoft.Insights/scheduledQueryRules", 1, 260, Characters::Wide),
    rule("Microsoft.ManagedIdentity/userAssignedIdentities", 3, 128, Characters::Wide),
    rule("Microsoft.Network/privateEndpoints", 2, 64, Characters::Wide),
    rule("Microsoft.Network/virtualNetworks", 2, 64, Characters::Wide),
    rule("Microsoft.OperationalInsights/workspaces", 4, 63, Characters::Hyphens),
    rule("Microsoft.Resources/resourceGroups", 1, 90, Characters::Wide),
    rule("Microsoft.ServiceBus/namespaces", 6, 50, Characters::Hyphens),
    rule("Microsoft.Storage/storageAccounts", 3, 24, Characters::LowerAlphanumeric),
    rule("Microsoft.Web/serverfarms", 1, 60, Characters::Hyphens),
    rule("Microsoft.Web/sites", 2, 60, Characters::Hyphens),
];

/// Named by a GUID or by Azure.
const UNRULED: [&str; 4] = [
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Authorization/roleDefinitions",
    "Microsoft.Insights/workbooks",
    "Microsoft.Network/privateDnsZones",
];

/// What is wrong with the names. A child is named with its parents and is left to the compiler.
pub fn problems(snapshot: &Snapshot) -> Vec<String> {
    let mut problems: Vec<String> = snapshot.resources.iter().filter_map(problem).collect();
    let mut ids: Vec<&str> = snapshot.resources.iter().map(id).collect();
    ids.sort_unstable();
    problems.extend(
        ids.windows(2).filter(|two| two[0] == two[1]).map(|two| format!("{} is there twice", two[0])),
    );
    problems
}

fn problem(resource: &Value) -> Option<String> {
    let (kind, name) = (kind(resource), name(resource));
    if kind.matches('/').count() > 1 || UNRULED.contains(&kind) {
        return None;
    }
    let Some(rule) = RULES.iter().find(|rule| rule.kind == kind) else {
        return Some(format!("there is no rule for the names of {kind}; add it to RULES"));
    };
    let fits = |c: char| match rule.characters {
        Characters::LowerAlphanumeric => c.is_ascii_lowercase() || c.is_ascii_digit(),
        Characters::Hyphens => c.is_ascii_alphanumeric() || c == '-',
        Characters::Wide => c.is_ascii_alphanumeric() || "-_.()".contains(c),
    };
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let fits = rule.length.contains(&name.len())
        && name.chars().all(fits)
        && ends(name.chars().next())
        && ends(name.chars().next_back())
        // Service Bus keeps these two endings for itself.
        && !(kind == "Microsoft.ServiceBus/namespaces" && (name.ends_with("-sb") || name.ends_with("-mgmt")));
    if fits { None } else { Some(format!("`{name}` is no name for {kind}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(kind: &str, name: &str) -> bool {
        problem(&json!({"type": kind, "name": name})).is_none()
    }

    #[test]
    fn length_and_characters_are_those_of_the_type() {
        assert!(of("Microsoft.Storage/storageAccounts", "stabc123"));
        assert!(!of("Microsoft.Storage/storageAccounts", "st-abc"));
        assert!(!of("Microsoft.Storage/storageAccounts", "st456789012345678901234567890"));
        assert!(of("Microsoft.Web/sites", "func-policysync"));
        assert!(!of("Microsoft.Web/sites", "func_policysync"));
        assert!(!of("Microsoft.ServiceBus/namespaces", "sbns-policysync-"));
        assert!(!of("Microsoft.ServiceBus/namespaces", "policysync-sb"));
    }

    #[test]
    fn a_type_without_a_rule_is_noticed() {
        assert!(!of("Microsoft.Cache/redis", "cache"));
    }
}
