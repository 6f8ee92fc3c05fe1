//! Checks the role assignments of the app's identity: exactly those of the permission table (`permissions.json`,
//! written from the code) and those that the Functions host needs itself, each on the narrowest scope.

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

/// Roles that our identity must never have.
const FORBIDDEN: [(&str, &str); 4] = [
    ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner"),
    ("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor"),
    ("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator"),
    ("f58310d9-a9f6-439a-9e8d-f62e7b41a168", "Role Based Access Control Administrator"),
];

/// The roles that the host and its extensions need: type of the scope, end of its id, role.
const HOST: [(&str, &str, &str); 6] = [
    ("Microsoft.EventGrid/topics", "", "EventGrid Data Sender"),
    ("Microsoft.EventHub/namespaces/eventhubs", "", "Azure Event Hubs Data Receiver"),
    ("Microsoft.EventHub/namespaces/eventhubs", "/resource-events", TOPICS_ROLE),
    ("Microsoft.Insights/components", "", "Monitoring Metrics Publisher"),
    ("Microsoft.ServiceBus/namespaces/queues", "/sync-requests", "Azure Service Bus Data Receiver"),
    ("Microsoft.Storage/storageAccounts", "", "Storage Blob Data Owner"),
];

/// The beginning of the name of the identity that the app runs as.
const APP_IDENTITY: &str = "id-policysync-";
/// The beginning of the names of storage accounts for packages.
const PACKAGES: &str = "stpkg";
/// The beginning of the names of storage accounts for the configuration, on which the app has no role: it has one on the container.
const CONFIGURATIONS: &str = "stcfg";
/// The type of a container.
const CONTAINER: &str = "Microsoft.Storage/storageAccounts/blobServices/containers";
/// The role of the app on the package on Elastic Premium: it can only read it.
const PACKAGE_READER: &str = "Storage Blob Data Reader";
/// The role with which the platform stores and fetches a package on Flex Consumption, by an identity for nothing else.
const PACKAGE_WRITER: &str = "Storage Blob Data Contributor";

/// The role of Event Grid topics on the event hub of a private app.
const TOPICS_ROLE: &str = "Azure Event Hubs Data Sender";

/// The role that opens keys, for deployments that ask for it.
const SYMMETRIC_KEYS: &str = "symmetric-keys";

/// The feature whose roles are for deployments that ask for them: making what the file declares.
const DECLARE: &str = "declare";

/// The type of resource that a scope of the table means.
fn kind_of_scope(scope: &str) -> Option<&'static str> {
    Some(match scope {
        "namespace" => "Microsoft.DeviceRegistry/namespaces",
        "hub" => "Microsoft.Devices/IotHubs",
        "provisioning-service" => "Microsoft.Devices/provisioningServices",
        "queues" => "Microsoft.ServiceBus/namespaces/queues",
        "storage-account" => "Microsoft.Storage/storageAccounts",
        "configuration-container" => CONTAINER,
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
            && (row["feature"] != DECLARE || parameters.manage_authorities)
    };
    rows.retain(is_wanted);
    let own = table["roles"].as_array().cloned().unwrap_or_default();
    let mut problems = definitions(snapshot, &own, &rows);
    problems.extend(assignments(snapshot, &own, &rows, parameters.is_premium));
    problems.extend(identities(snapshot));
    let guide = root.join("docs/deploy.md");
    let guide = std::fs::read_to_string(&guide).map_err(|error| format!("{}: {error}", guide.display()))?;
    problems.extend(untold(snapshot, &guide));
    Ok(problems)
}

/// `policysync check` finds the identity that the app runs as by the beginning of its name, so one alone has that.
fn identities(snapshot: &Snapshot) -> Option<String> {
    let identities = snapshot.of_type("Microsoft.ManagedIdentity/userAssignedIdentities");
    let count = identities.filter(|it| name(it).starts_with(APP_IDENTITY)).count();
    (count != 1).then(|| format!("{count} identities have a name that begins with {APP_IDENTITY}"))
}

/// Every role that is assigned has its row in the guide.
fn untold(snapshot: &Snapshot, guide: &str) -> Vec<String> {
    let own = snapshot.of_type("Microsoft.Authorization/roleDefinitions").filter_map(|definition| {
        let (name, _) = definition["properties"]["roleName"].as_str()?.rsplit_once(" (")?;
        Some((self::name(definition), name))
    });
    let names: BTreeMap<&str, &str> = BUILT_IN.into_iter().chain(own).collect();
    let assignments = snapshot.of_type("Microsoft.Authorization/roleAssignments");
    let roles: BTreeSet<&str> = assignments
        .filter_map(|it| it["properties"]["roleDefinitionId"].as_str()?.rsplit('/').next())
        .filter_map(|id| names.get(id).copied())
        .collect();
    let is_told = |role: &&str| guide.lines().any(|line| line.starts_with('|') && line.contains(*role));
    // Event Grid's own is told below the table.
    let untold = roles.into_iter().filter(|role| *role != TOPICS_ROLE && !is_told(role));
    untold.map(|role| format!("docs/deploy.md has no row for the role {role}")).collect()
}

/// Each custom role with rows in the table has a definition with exactly the actions of those rows.
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
    if scope.rsplit('/').next().is_some_and(|name| name.starts_with(CONFIGURATIONS)) {
        return BTreeSet::new();
    }
    let kind = kind_of_id(scope);
    let of_table = rows
        .iter()
        .filter(|row| row["scope"].as_str().and_then(kind_of_scope) == Some(kind.as_str()))
        .filter_map(|row| row["role"].as_str());
    let of_host = HOST.iter().filter(|(of, end, _)| *of == kind && scope.ends_with(end)).map(|row| row.2);
    of_table.chain(of_host).map(str::to_owned).collect()
}

/// The scopes that have to have roles: new resources that need some, each provisioning service with a diagnostic
/// setting, and the subscriptions of the resources that the app looks after.
fn scopes(snapshot: &Snapshot) -> BTreeSet<String> {
    let mut scopes = BTreeSet::new();
    for kind in HOST.iter().map(|row| row.0) {
        scopes.extend(snapshot.of_type(kind).map(|resource| id(resource).to_owned()));
    }
    let containers = snapshot.of_type(CONTAINER).map(id);
    let is_of_configuration = |id: &&str| id.contains(&format!("/{CONFIGURATIONS}"));
    scopes.extend(containers.filter(is_of_configuration).map(str::to_owned));
    scopes
        .extend(snapshot.of_type("Microsoft.Insights/diagnosticSettings").map(|it| scope_of(it).to_owned()));
    let assignments = snapshot.of_type("Microsoft.Authorization/roleAssignments").map(scope_of);
    for scope in assignments.filter(|scope| kind_of_id(scope).starts_with("Microsoft.Device")) {
        scopes.insert(scope.split('/').take(3).collect::<Vec<_>>().join("/"));
    }
    scopes
}

#[cfg(test)]
mod tests;
