//! Checks that a private deployment leaves only the resources reachable that stand here, and that docs/deploy.md names
//! each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::parameters::Parameters;
use super::snapshot::{Snapshot, kind, name};

/// Types that have to be closed, with the part of them that a private endpoint opens inside.
const CLOSED: [(&str, &str); 4] = [
    ("Microsoft.EventGrid/topics", "topic"),
    ("Microsoft.ServiceBus/namespaces", "namespace"),
    ("Microsoft.Storage/storageAccounts", "blob"),
    ("Microsoft.Web/sites", "sites"),
];
/// Types that can be reached from outside all the same, with the words of docs/deploy.md that say so.
const REACHABLE: [(&str, &str); 3] = [
    ("Microsoft.EventHub/namespaces", "the event hubs, by trusted services of Azure only"),
    ("Microsoft.Insights/components", "telemetry"),
    ("Microsoft.OperationalInsights/workspaces", "telemetry"),
];

/// What is wrong with a snapshot; nothing where the deployment is not a private one.
pub fn problems(root: &Path, file: &str, snapshot: &Snapshot) -> Result<Vec<String>, String> {
    if !Parameters::read(&root.join("infra"), file)?.is_private {
        return Ok(Vec::new());
    }
    let path = root.join("docs/deploy.md");
    let guide = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut problems = of_resources(snapshot);
    for (kind, words) in REACHABLE {
        if snapshot.of_type(kind).next().is_some() && !guide.contains(words) {
            problems.push(format!("docs/deploy.md does not say that {kind} stays reachable: `{words}`"));
        }
    }
    Ok(problems)
}

fn of_resources(snapshot: &Snapshot) -> Vec<String> {
    let mut problems = Vec::new();
    for resource in &snapshot.resources {
        let properties = &resource["properties"];
        let is_closed = properties["publicNetworkAccess"] == "Disabled";
        if CLOSED.iter().any(|(closed, _)| *closed == kind(resource)) {
            if !is_closed {
                problems.push(format!("{} can be reached from outside", name(resource)));
            }
        } else if properties["publicNetworkAccess"] == "Enabled"
            && kind(resource).split('/').count() == 2
            && !REACHABLE.iter().any(|(reachable, _)| *reachable == kind(resource))
        {
            problems.push(format!("{} is open, and nothing says why", name(resource)));
        }
    }
    problems.extend(ways_in(snapshot));
    // Open for trusted services is not open for all.
    let is_denied = |it: &&Value| it["properties"]["defaultAction"] == "Deny";
    let hubs = snapshot.of_type("Microsoft.EventHub/namespaces").count();
    if snapshot.of_type("Microsoft.EventHub/namespaces/networkRuleSets").filter(is_denied).count() != hubs {
        problems.push("an Event Hubs namespace lets everybody in".to_owned());
    }
    problems
}

/// A way in for each resource that has none from outside. Targets are expressions, so they are counted.
fn ways_in(snapshot: &Snapshot) -> Vec<String> {
    let mut targets: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for endpoint in snapshot.of_type("Microsoft.Network/privateEndpoints") {
        for connection in
            endpoint["properties"]["privateLinkServiceConnections"].as_array().into_iter().flatten()
        {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let properties = &connection["properties"];
            targets
                .entry(text(&properties["groupIds"][0]))
                .or_default()
                .insert(text(&properties["privateLinkServiceId"]));
        }
    }
    let mut wanted: BTreeMap<&str, usize> = BTreeMap::new();
    for (kind, part) in CLOSED.iter().chain(&[("Microsoft.EventHub/namespaces", "namespace")]) {
        *wanted.entry(part).or_default() += snapshot.of_type(kind).count();
    }
    let found = |part: &str| targets.get(part).map_or(0, BTreeSet::len);
    let short = wanted.into_iter().filter(|(part, count)| found(part) != *count);
    short
        .map(|(part, count)| format!("private endpoints for `{part}`: {}, not {count}", found(part)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    const FILE: &str = "environments/private.bicepparam";

    fn after(change: impl Fn(&mut Vec<Value>)) -> Vec<String> {
        let root = Workspace::find().root().to_path_buf();
        let mut snapshot = Snapshot::read(&root.join("infra"), FILE).unwrap();
        assert_eq!(problems(&root, FILE, &snapshot).unwrap(), Vec::<String>::new());
        change(&mut snapshot.resources);
        problems(&root, FILE, &snapshot).unwrap()
    }

    #[test]
    fn what_is_open_or_has_no_way_in_is_noticed() {
        for (closed, _) in CLOSED {
            let problems = after(|resources| {
                let one = resources.iter_mut().find(|it| it["type"] == closed).unwrap();
                one["properties"]["publicNetworkAccess"] = "Enabled".into();
            });
            assert_eq!(problems.len(), 1, "{closed}: {problems:?}");
        }
        let problems =
            after(|resources| resources.retain(|it| it["type"] != "Microsoft.Network/privateEndpoints"));
        assert_eq!(problems.len(), 4, "{problems:?}");
        let rules = "Microsoft.EventHub/namespaces/networkRuleSets";
        assert_eq!(after(|resources| resources.retain(|it| it["type"] != rules)).len(), 1);
    }
}
