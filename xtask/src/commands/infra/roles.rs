//! Role assignments of the app's identity: exactly those of the permission table (`permissions.json`, written from the code)
//! and those that the Functions host needs itself, each on the narrowest scope.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::parameters::Parameters;
use super::snapshot::{Snapshot, id, kind_of_id, name, scope_of};

/// Built-in roles by id: those that may be assigned, by their names.
const BUILT_IN: [(&str, &str); 9] = [
    ("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", "Storage Blob Data Reader"),
    ("2b629674-e913-4c01-ae53-ef4638d8f975", "Azure Event Hubs Data Sender"),
    ("3913510d-42f4-4e42-8a64-420c390055eb", "Monitoring Metrics Publisher"),
    ("4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0", "Azure Service Bus Data Receiver"),
    ("69a216fc-b8fb-44d8-bc22-1f3c2cd27a39", "Azure Service Bus Data Sender"),
    ("a638d3c7-ab3a-418d-83e6-5f17a39d4fde", "Azure Event Hubs Data Receiver"),
    ("b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "Storage Blob Data Owner"),
    ("ba92f5b4-2d11-453d-a403-e96b0029c9fe", PACKAGE_WRITER),
    ("d5a91429-5739-47e2-a06b-3470a27159e7", "EventGrid Data Sender"),
];

/// Never for our identity, whatever else is assigned.
const FORBIDDEN: [(&str, &str); 4] = [
    ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner"),
    ("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor"),
    ("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator"),
    ("f58310d9-a9f6-439a-9e8d-f62e7b41a168", "Role Based Access Control Administrator"),
];

/// What the host and its extensions need, whatever our code does: type of the scope, end of its id, role.
const HOST: [(&str, &str, &str); 6] = [
    ("Microsoft.EventGrid/topics", "", "EventGrid Data Sender"),
    ("Microsoft.EventHub/namespaces/eventhubs", "", "Azure Event Hubs Data Receiver"),
    ("Microsoft.EventHub/namespaces/eventhubs", "/resource-events", TOPICS_ROLE),
    ("Microsoft.Insights/components", "", "Monitoring Metrics Publisher"),
    ("Microsoft.ServiceBus/namespaces/queues", "/sync-requests", "Azure Service Bus Data Receiver"),
    ("Microsoft.Storage/storageAccounts", "", "Storage Blob Data Owner"),
];

/// How the names of storage accounts for packages begin.
const PACKAGES: &str = "stpkg";
/// Who runs from a package on Elastic Premium: the app, which can only read it.
const PACKAGE_READER: &str = "Storage Blob Data Reader";
/// Who stores and fetches a package on Flex Consumption: the platform, with an identity for nothing else.
const PACKAGE_WRITER: &str = "Storage Blob Data Contributor";

/// What Event Grid topics may do with the event hub of a private app.
const TOPICS_ROLE: &str = "Azure Event Hubs Data Sender";

/// The role that opens keys, for deployments that ask for it.
const SYMMETRIC_KEYS: &str = "symmetric-keys";

/// The type of resource that a scope of the table means.
fn kind_of_scope(scope: &str) -> Option<&'static str> {
    Some(match scope {
        "namespace" => "Microsoft.DeviceRegistry/namespaces",
        "hub" => "Microsoft.Devices/IotHubs",
        "provisioning-service" => "Microsoft.Devices/provisioningServices",
        "queues" => "Microsoft.ServiceBus/namespaces/queues",
        "storage-account" => "Microsoft.Storage/storageAccounts",
        "subscription" => "subscription",
        _ => return None,
    })
}

/// What is wrong with the roles of the snapshot of a parameter file.
pub fn problems(root: &Path, file: &str, snapshot: &Snapshot) -> Result<Vec<String>, String> {
    let path = root.join("infra/modules/permissions.json");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let table: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut rows = table["permissions"].as_array().cloned().unwrap_or_default();
    // People bring their own rights.
    rows.retain(|row| row["who"] == "app");
    if rows.is_empty() {
        return Err(format!("{} has no rows", path.display()));
    }
    let parameters = Parameters::read(&root.join("infra"), file)?;
    let is_wanted = |row: &Value| {
        let generation = row["generation"].as_str().unwrap_or_default();
        (generation == "any" || parameters.generations.iter().any(|one| one == generation))
            && (row["role"] != SYMMETRIC_KEYS || parameters.symmetric_key_access)
    };
    rows.retain(is_wanted);
    let own = table["roles"].as_array().cloned().unwrap_or_default();
    let mut problems = definitions(snapshot, &own, &rows);
    problems.extend(assignments(snapshot, &own, &rows, parameters.is_premium));
    Ok(problems)
}

/// There is a custom role for each that has a row, and it holds exactly the actions of its rows.
fn definitions(snapshot: &Snapshot, own: &[Value], rows: &[Value]) -> Vec<String> {
    let mut problems = Vec::new();
    for role in own.iter().filter_map(|role| role["role"].as_str()) {
        let expected = |data: bool| -> BTreeSet<&str> {
            let of_role = rows.iter().filter(|row| row["role"] == role && row["data"] == data);
            of_role.filter_map(|row| row["action"].as_str()).collect()
        };
        let definition = snapshot
            .of_type("Microsoft.Authorization/roleDefinitions")
            .find(|definition| role_of_definition(definition, own) == role);
        let is_wanted = !expected(true).is_empty() || !expected(false).is_empty();
        let Some(definition) = definition.filter(|_| is_wanted) else {
            if is_wanted || definition.is_some() {
                let is = if is_wanted { "is no" } else { "should be no" };
                problems.push(format!("there {is} custom role for {role}"));
            }
            continue;
        };
        let permissions = &definition["properties"]["permissions"];
        if permissions.as_array().map(Vec::len) != Some(1) {
            problems.push(format!("the role for {role} has more than one set of actions"));
        }
        for (member, data) in [("actions", false), ("dataActions", true)] {
            let found: BTreeSet<&str> =
                permissions[0][member].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if found != expected(data) {
                problems.push(format!(
                    "the {member} of the role for {role} are {found:?}, the table says {:?}",
                    expected(data)
                ));
            }
        }
    }
    problems
}

/// The role of ours whose name a definition has, which ends in a token in parentheses.
fn role_of_definition<'a>(definition: &Value, own: &'a [Value]) -> &'a str {
    let role_name = definition["properties"]["roleName"].as_str().unwrap_or_default();
    let (name, _) = role_name.rsplit_once(" (").unwrap_or_default();
    let found = own.iter().find(|role| role["name"] == name);
    found.and_then(|role| role["role"].as_str()).unwrap_or_default()
}

/// Every scope that there is has exactly the roles that it should have.
fn assignments(snapshot: &Snapshot, own: &[Value], rows: &[Value], is_premium: bool) -> Vec<String> {
    let mut problems = Vec::new();
    let mut custom: BTreeMap<String, &str> = BTreeMap::new();
    for definition in snapshot.of_type("Microsoft.Authorization/roleDefinitions") {
        custom.insert(name(definition).to_ascii_lowercase(), role_of_definition(definition, own));
    }
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for assignment in snapshot.of_type("Microsoft.Authorization/roleAssignments") {
        let properties = &assignment["properties"];
        let role = properties["roleDefinitionId"].as_str().unwrap_or_default();
        let role = role.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        if let Some((_, forbidden)) = FORBIDDEN.iter().find(|(guid, _)| *guid == role) {
            problems.push(format!("{forbidden} on {}", scope_of(assignment)));
        }
        let built_in = BUILT_IN.iter().find(|(guid, _)| *guid == role).map(|(_, name)| *name);
        let Some(role) = custom.get(&role).copied().or(built_in) else {
            problems.push(format!("an unknown role {role} on {}", scope_of(assignment)));
            continue;
        };
        let principal = properties["principalId"].as_str().unwrap_or_default();
        let of_packages = principal.contains("'packageIdentity-");
        let (whose, is_theirs) = match role {
            TOPICS_ROLE => ("a topic's", principal.contains("outputs.topicPrincipalId")),
            PACKAGE_WRITER => ("the package's", of_packages),
            _ => ("the app's", principal.contains("outputs.principalId") && !of_packages),
        };
        if properties["principalType"] != "ServicePrincipal" || !is_theirs {
            problems.push(format!("{role} on {} is not for {whose} identity", scope_of(assignment)));
        }
        let is_new = found.entry(scope_of(assignment).to_owned()).or_default().insert(role.to_owned());
        // Each topic has an identity of its own.
        if !is_new && role != TOPICS_ROLE {
            problems.push(format!("{role} twice on {}", scope_of(assignment)));
        }
    }
    for scope in scopes(snapshot).union(&found.keys().cloned().collect()) {
        let expected = expected_roles(scope, rows, is_premium);
        let roles = found.get(scope).cloned().unwrap_or_default();
        if roles != expected {
            problems.push(format!("the roles on {scope} are {roles:?}, the table says {expected:?}"));
        }
    }
    problems
}

/// The roles that the table and the host want on a scope.
fn expected_roles(scope: &str, rows: &[Value], is_premium: bool) -> BTreeSet<String> {
    if scope.rsplit('/').next().is_some_and(|name| name.starts_with(PACKAGES)) {
        let role = if is_premium { PACKAGE_READER } else { PACKAGE_WRITER };
        return BTreeSet::from([role.to_owned()]);
    }
    let kind = kind_of_id(scope);
    let of_table = rows
        .iter()
        .filter(|row| row["scope"].as_str().and_then(kind_of_scope) == Some(kind.as_str()))
        .filter_map(|row| row["role"].as_str());
    let of_host = HOST.iter().filter(|(of, end, _)| *of == kind && scope.ends_with(end)).map(|row| row.2);
    of_table.chain(of_host).map(str::to_owned).collect()
}

/// The scopes that have to have roles: what is created and wants some, each provisioning service with a diagnostic setting,
/// and the subscription of whatever the app looks after.
fn scopes(snapshot: &Snapshot) -> BTreeSet<String> {
    let mut scopes = BTreeSet::new();
    for kind in HOST.iter().map(|row| row.0) {
        scopes.extend(snapshot.of_type(kind).map(|resource| id(resource).to_owned()));
    }
    scopes
        .extend(snapshot.of_type("Microsoft.Insights/diagnosticSettings").map(|it| scope_of(it).to_owned()));
    let assignments = snapshot.of_type("Microsoft.Authorization/roleAssignments").map(scope_of);
    for scope in assignments.filter(|scope| kind_of_id(scope).starts_with("Microsoft.Device")) {
        scopes.insert(scope.split('/').take(3).collect::<Vec<_>>().join("/"));
    }
    scopes
}

#[cfg(test)]
mod tests {
    use super::super::files::PARAMETER_FILES;
    use super::*;
    use crate::workspace::Workspace;
    use serde_json::json;

    const ASSIGNMENT: &str = "Microsoft.Authorization/roleAssignments";

    /// The problems of the first snapshot after a change to it.
    fn after(change: impl Fn(&mut Vec<Value>)) -> Vec<String> {
        after_in(PARAMETER_FILES[0].file, change)
    }

    fn after_in(file: &str, change: impl Fn(&mut Vec<Value>)) -> Vec<String> {
        let root = Workspace::find().root().to_path_buf();
        let mut snapshot = Snapshot::read(&root.join("infra"), file).unwrap();
        assert_eq!(problems(&root, file, &snapshot).unwrap(), Vec::<String>::new());
        change(&mut snapshot.resources);
        problems(&root, file, &snapshot).unwrap()
    }

    fn first_on(resources: &mut [Value], kind: &str) -> usize {
        let fits = |it: &Value| it["type"] == ASSIGNMENT && kind_of_id(scope_of(it)) == kind;
        resources.iter().position(fits).unwrap()
    }

    #[test]
    fn an_assignment_that_is_missing_is_noticed() {
        for kind in [
            "Microsoft.Storage/storageAccounts",
            "Microsoft.ServiceBus/namespaces/queues",
            "Microsoft.EventHub/namespaces/eventhubs",
            "Microsoft.Devices/provisioningServices",
            "subscription",
        ] {
            let problems = after(|resources| {
                let index = first_on(resources, kind);
                resources.remove(index);
            });
            assert_eq!(problems.len(), 1, "{kind}: {problems:?}");
        }
    }

    #[test]
    fn a_wider_scope_is_noticed() {
        let problems = after(|resources| {
            let index = first_on(resources, "Microsoft.ServiceBus/namespaces/queues");
            let on_namespace = id(&resources[index]).replace("/queues/sync-requests", "");
            resources[index]["id"] = json!(on_namespace);
        });
        assert!(!problems.is_empty());
    }

    #[test]
    fn another_role_is_noticed_and_contributor_by_its_name() {
        let role = |guid: &str| {
            let id = format!("/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/{guid}");
            after(move |resources| {
                let index = first_on(resources, "Microsoft.Devices/IotHubs");
                resources[index]["properties"]["roleDefinitionId"] = json!(id);
            })
        };
        assert!(!role(BUILT_IN[6].0).is_empty());
        assert!(role(FORBIDDEN[1].0).iter().any(|problem| problem.starts_with("Contributor on ")));
    }

    #[test]
    fn an_action_more_or_less_in_a_role_is_noticed() {
        for actions in [json!(["*"]), json!([])] {
            let problems = after(|resources| {
                let kind = "Microsoft.Authorization/roleDefinitions";
                let role = resources.iter_mut().find(|it| it["type"] == kind).unwrap();
                role["properties"]["permissions"][0]["actions"] = actions.clone();
            });
            assert_eq!(problems.len(), 1, "{problems:?}");
        }
    }

    fn definition<'a>(resources: &'a mut [Value], name: &str) -> &'a mut Value {
        let is_it = |it: &&mut Value| {
            it["properties"]["roleName"].as_str().is_some_and(|role| role.starts_with(&format!("{name} (")))
        };
        resources.iter_mut().find(is_it).unwrap()
    }

    #[test]
    fn an_action_of_the_other_generation_or_the_right_to_keys_is_noticed() {
        for foreign in [
            "Microsoft.DeviceRegistry/namespaces/credentials/synchronize/action",
            "Microsoft.DeviceRegistry/namespaces/credentials/policies/read",
        ] {
            let problems = after(|resources| {
                let role = definition(resources, "Policysync certificate authorities");
                role["properties"]["permissions"][0]["actions"].as_array_mut().unwrap().push(json!(foreign));
            });
            assert_eq!(problems.len(), 1, "{problems:?}");
        }
        let keys = "Microsoft.Devices/provisioningServices/attestationmechanism/details/action";
        let problems = after(|resources| {
            let role = definition(resources, "Policysync");
            role["properties"]["permissions"][0]["dataActions"].as_array_mut().unwrap().push(json!(keys));
        });
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    #[test]
    fn a_role_that_the_parameters_do_not_ask_for_is_noticed() {
        // The fleet has every role; in its snapshot each is called another one that is not asked for in the first.
        let fleet = "environments/fleet.bicepparam";
        for name in
            ["Policysync credentials", "Policysync certificate authorities", "Policysync symmetric keys"]
        {
            let problems = after_in(fleet, |resources| {
                definition(resources, name)["properties"]["roleName"] = json!("Policysync other (x)");
            });
            assert!(
                problems.iter().any(|problem| problem.starts_with("there is no custom role for ")),
                "{problems:?}"
            );
        }
        let problems = after(|resources| {
            let mut more = definition(resources, "Policysync").clone();
            more["properties"]["roleName"] = json!("Policysync symmetric keys (x)");
            resources.push(more);
        });
        assert!(
            problems.contains(&"there should be no custom role for symmetric-keys".to_owned()),
            "{problems:?}"
        );
    }

    #[test]
    fn an_app_that_can_change_its_package_is_noticed() {
        let on_packages = |resources: &mut [Value]| -> usize {
            let fits = |it: &Value| it["type"] == ASSIGNMENT && scope_of(it).contains("/stpkg");
            resources.iter().position(fits).unwrap()
        };
        // On Flex Consumption: by the identity that the app runs as.
        let problems = after(|resources| {
            let (packages, app) =
                (on_packages(resources), first_on(resources, "Microsoft.ServiceBus/namespaces/queues"));
            resources[packages]["properties"]["principalId"] =
                resources[app]["properties"]["principalId"].clone();
        });
        assert!(
            problems.iter().any(|problem| problem.contains("is not for the package's identity")),
            "{problems:?}"
        );
        // On Elastic Premium: by a role that writes.
        let problems = after_in("environments/private.bicepparam", |resources| {
            let packages = on_packages(resources);
            let role = BUILT_IN.iter().find(|(_, name)| *name == "Storage Blob Data Owner").unwrap().0;
            resources[packages]["properties"]["roleDefinitionId"] = json!(format!("/x/{role}"));
        });
        assert_eq!(problems.len(), 1, "{problems:?}");
        // And records and package in one account are two roles on it.
        let problems = after(|resources| {
            let packages = on_packages(resources);
            let moved = id(&resources[packages]).replace("/stpkg", "/st");
            resources[packages]["id"] = json!(moved);
        });
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
}
