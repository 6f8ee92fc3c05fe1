//! Checks that a deployment has no keys, public blobs, old TLS, rights beyond the table, or settings that no program
//! reads.

use std::path::Path;

use serde_json::{Value, json};

use super::snapshot::{Snapshot, kind, name};
use super::{alerts, names, private, regions, roles, settings};

/// A property that every resource of a type has, with its value.
struct Required {
    kind: &'static str,
    /// Below the resource, as a JSON pointer.
    property: &'static str,
    value: fn() -> Value,
}

const fn required(kind: &'static str, property: &'static str, value: fn() -> Value) -> Required {
    Required { kind, property, value }
}

const YES: fn() -> Value = || json!(true);
const NO: fn() -> Value = || json!(false);

const REQUIRED: &[Required] = &[
    // No keys.
    required("Microsoft.Devices/IotHubs", "/properties/disableLocalAuth", YES),
    required("Microsoft.EventGrid/topics", "/properties/disableLocalAuth", YES),
    required("Microsoft.Insights/components", "/properties/DisableLocalAuth", YES),
    required("Microsoft.OperationalInsights/workspaces", "/properties/features/disableLocalAuth", YES),
    required("Microsoft.ServiceBus/namespaces", "/properties/disableLocalAuth", YES),
    required("Microsoft.Storage/storageAccounts", "/properties/allowSharedKeyAccess", NO),
    required("Microsoft.Web/sites/basicPublishingCredentialsPolicies", "/properties/allow", NO),
    // The one exception: diagnostic settings write with a SAS rule, and that rule can only send.
    required("Microsoft.EventHub/namespaces", "/properties/disableLocalAuth", NO),
    required("Microsoft.EventHub/namespaces/authorizationRules", "/properties/rights", || json!(["Send"])),
    // Nothing public.
    required("Microsoft.Storage/storageAccounts", "/properties/allowBlobPublicAccess", NO),
    required("Microsoft.Storage/storageAccounts/blobServices/containers", "/properties/publicAccess", || {
        json!("None")
    }),
    // Encrypted on the way.
    required("Microsoft.Devices/IotHubs", "/properties/minTlsVersion", || json!("1.2")),
    required("Microsoft.EventGrid/topics", "/properties/minimumTlsVersionAllowed", || json!("1.2")),
    required("Microsoft.EventHub/namespaces", "/properties/minimumTlsVersion", || json!("1.2")),
    required("Microsoft.ServiceBus/namespaces", "/properties/minimumTlsVersion", || json!("1.2")),
    required("Microsoft.Storage/storageAccounts", "/properties/minimumTlsVersion", || json!("TLS1_2")),
    required("Microsoft.Storage/storageAccounts", "/properties/supportsHttpsTrafficOnly", YES),
    required("Microsoft.Web/sites", "/properties/httpsOnly", YES),
    required("Microsoft.Web/sites", "/properties/siteConfig/ftpsState", || json!("Disabled")),
    required("Microsoft.Web/sites", "/properties/siteConfig/minTlsVersion", || json!("1.2")),
    required("Microsoft.Web/sites", "/properties/siteConfig/scmMinTlsVersion", || json!("1.2")),
    // The queue drops a repeated send, and a batch's lock outlives its step (`contracts.md` §5).
    required("Microsoft.ServiceBus/namespaces/queues", "/properties/requiresDuplicateDetection", YES),
];

/// Types without properties for keys, TLS or public access. Any other type has a row above, or a person looks at it
/// first.
const PLAIN: [&str; 28] = [
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Authorization/roleDefinitions",
    "Microsoft.DeviceRegistry/namespaces",
    "Microsoft.DeviceRegistry/namespaces/certificateAuthorities",
    "Microsoft.DeviceRegistry/namespaces/certificateAuthorities/certificatePolicies",
    "Microsoft.DeviceRegistry/namespaces/credentials",
    "Microsoft.DeviceRegistry/namespaces/credentials/policies",
    "Microsoft.Devices/provisioningServices",
    "Microsoft.EventGrid/eventSubscriptions",
    "Microsoft.EventGrid/systemTopics",
    "Microsoft.EventGrid/systemTopics/eventSubscriptions",
    "Microsoft.EventGrid/topics/eventSubscriptions",
    "Microsoft.EventHub/namespaces/eventhubs",
    "Microsoft.EventHub/namespaces/networkRuleSets",
    "Microsoft.Insights/actionGroups",
    "Microsoft.Insights/diagnosticSettings",
    "Microsoft.Insights/metricAlerts",
    "Microsoft.Insights/scheduledQueryRules",
    "Microsoft.Insights/workbooks",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.Network/privateDnsZones",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
    "Microsoft.Network/privateEndpoints",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.Resources/resourceGroups",
    "Microsoft.Storage/storageAccounts/blobServices",
    "Microsoft.Storage/storageAccounts/managementPolicies",
];
/// Looked at by rules of their own.
const ELSEWHERE: [&str; 2] = ["Microsoft.Web/serverfarms", "Microsoft.Web/sites/config"];

/// Texts that read or hold a key, anywhere.
const KEYS: [&str; 5] =
    ["listkeys", "accountkey=", "sharedaccesskey=", "primarykey", "sharedaccesssignature"];

/// Every problem of a snapshot. The sample world is no app: it has roles of other services and no settings.
pub fn problems(root: &Path, file: &str, snapshot: &Snapshot) -> Result<Vec<String>, String> {
    let mut problems = of_resources(snapshot);
    problems.extend(names::problems(snapshot));
    problems.extend(regions::problems(&root.join("infra"), file, snapshot)?);
    if !file.starts_with("sample-world/") {
        problems.extend(roles::problems(root, file, snapshot)?);
        problems.extend(settings::problems(root, snapshot)?);
        problems.extend(private::problems(root, file, snapshot)?);
        problems.extend(alerts::problems(root, snapshot)?);
        problems.extend(memory(root, snapshot)?);
    }
    Ok(problems)
}

/// An instance of Flex Consumption holds twice the memory that the handler may need: the other half is the host's.
/// `cargo xtask bench report` and `bench sync` judge how much the handler needs.
fn memory(root: &Path, snapshot: &Snapshot) -> Result<Vec<String>, String> {
    let path = root.join("campaigns/src/memory.rs");
    let source = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let most = source
        .split_once("const MOST_BYTES: u64 = ")
        .and_then(|(_, rest)| rest.split_once(" * 1024 * 1024;"));
    let most: u64 = most
        .and_then(|(number, _)| number.parse().ok())
        .ok_or("the bench has no limit of memory any more")?;
    let mut problems = Vec::new();
    for app in snapshot.of_type("Microsoft.Web/sites") {
        let scale = &app["properties"]["functionAppConfig"]["scaleAndConcurrency"];
        if let Some(size) = scale["instanceMemoryMB"].as_u64().filter(|size| *size < 2 * most) {
            problems
                .push(format!("{}: an instance of {size} MB, and the handler may need {most}", name(app)));
        }
    }
    Ok(problems)
}

fn of_resources(snapshot: &Snapshot) -> Vec<String> {
    let mut problems = Vec::new();
    for resource in &snapshot.resources {
        let kind = kind(resource);
        let mut rules = REQUIRED.iter().filter(|rule| rule.kind == kind).peekable();
        if rules.peek().is_none() && !PLAIN.contains(&kind) && !ELSEWHERE.contains(&kind) {
            problems.push(format!("{kind} is new: has it keys, TLS, public access? Say so in the rules"));
        }
        for rule in rules {
            let (found, expected) = (resource.pointer(rule.property), (rule.value)());
            if found != Some(&expected) {
                let found = found.map_or_else(|| "nothing".to_owned(), Value::to_string);
                problems.push(format!("{}: {} is {found}, not {expected}", name(resource), rule.property));
            }
        }
        let text = resource.to_string().to_ascii_lowercase();
        problems.extend(
            KEYS.iter().filter(|key| text.contains(*key)).map(|key| format!("{}: {key}", name(resource))),
        );
    }
    for queue in snapshot.of_type("Microsoft.ServiceBus/namespaces/queues") {
        for property in ["lockDuration", "maxDeliveryCount", "defaultMessageTimeToLive"] {
            if queue["properties"][property].is_null() {
                problems.push(format!("{}: it has no {property}", name(queue)));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::files::PARAMETER_FILES;
    use super::*;
    use crate::workspace::Workspace;

    /// The first snapshot with one property of one resource changed.
    fn changed(kind_of: &str, property: &str, value: Value) -> Vec<String> {
        let workspace = Workspace::find();
        let file = PARAMETER_FILES[0].file;
        let mut snapshot = Snapshot::read(&workspace.root().join("infra"), file).unwrap();
        let resource = snapshot.resources.iter_mut().find(|resource| kind(resource) == kind_of).unwrap();
        *resource.pointer_mut(property).unwrap() = value;
        problems(workspace.root(), file, &snapshot).unwrap()
    }

    #[test]
    fn a_key_a_public_blob_or_old_tls_is_noticed() {
        for (kind, property, value) in [
            ("Microsoft.Storage/storageAccounts", "/properties/allowSharedKeyAccess", json!(true)),
            ("Microsoft.Storage/storageAccounts", "/properties/allowBlobPublicAccess", json!(true)),
            ("Microsoft.Storage/storageAccounts", "/properties/minimumTlsVersion", json!("TLS1_0")),
            ("Microsoft.ServiceBus/namespaces", "/properties/disableLocalAuth", json!(false)),
            (
                "Microsoft.EventHub/namespaces/authorizationRules",
                "/properties/rights",
                json!(["Send", "Manage"]),
            ),
            ("Microsoft.Web/sites", "/properties/httpsOnly", json!(false)),
            ("Microsoft.Web/sites/config", "/properties/POLICYSYNC_QUEUE", json!("[listKeys('x').key1]")),
            ("Microsoft.ServiceBus/namespaces/queues", "/properties/lockDuration", Value::Null),
        ] {
            assert_eq!(changed(kind, property, value).len(), 1, "{kind}{property}");
        }
    }

    #[test]
    fn an_instance_that_is_too_small_is_noticed() {
        let size = "/properties/functionAppConfig/scaleAndConcurrency/instanceMemoryMB";
        assert_eq!(changed("Microsoft.Web/sites", size, json!(100)).len(), 1);
    }

    #[test]
    fn a_type_that_no_person_looked_at_is_noticed() {
        let problems = changed("Microsoft.EventGrid/topics", "/type", json!("Microsoft.Cache/redis"));
        assert!(
            problems.iter().any(|problem| problem.contains("Microsoft.Cache/redis is new")),
            "{problems:?}"
        );
    }
}
