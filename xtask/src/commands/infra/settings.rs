//! Checks the app settings: exactly those that a function's binding, the host or our own code reads, and names that the
//! template repeats from the function folders and the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::snapshot::{Snapshot, name};

/// The host or the platform reads these, on every plan.
const HOST: [&str; 7] = [
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AZURE_CLIENT_ID",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
    "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT",
];
/// The platform reads these on Elastic Premium; Flex Consumption refuses the first two.
const PREMIUM: [&str; 4] = [
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_RUNTIME",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID",
];
/// Sign-in reads this, where it is on.
const SIGN_IN: &str = "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID";
/// Our code reads these. Each has a default, and is set where a person chose another value.
const OPTIONAL: [&str; 2] = ["POLICYSYNC_CONFIG", "POLICYSYNC_MODE"];
/// Our code reads this beside the settings of the bindings: the queue that no binding names.
const OURS: [&str; 1] = ["POLICYSYNC_PARKED_QUEUE"];

/// How the connection to the custom topic is made, by `announce` and by an output binding.
const TOPIC: &str = "EventGridTopic";
/// Parts of a connection by identity, after its name and two underscores; the first says where to.
const TOPIC_PARTS: [&str; 3] = ["topicEndpointUri", "clientId", "credential"];
const PARTS: [&str; 3] = ["fullyQualifiedNamespace", "clientId", "credential"];

/// The function that only a private app's package has.
const STREAMED: &str = include_str!("../../../package/functions/handle-streamed-events/function.json");

/// What is wrong with the settings of a snapshot.
pub fn problems(root: &Path, snapshot: &Snapshot) -> Result<Vec<String>, String> {
    let bindings = bindings(root)?;
    let mut code = String::new();
    for file in ["handlers/settings.rs", "handlers/settings/variables.rs"] {
        let source = read(&root.join(file))?;
        code.push_str(source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default());
    }
    let code = code.as_str();
    let mut problems = Vec::new();
    let configurations: BTreeMap<&str, &Value> = snapshot
        .of_type("Microsoft.Web/sites/config")
        .filter_map(|config| Some((name(config).rsplit('/').next()?, &config["properties"])))
        .collect();
    let Some(settings) = configurations.get("appsettings").and_then(|it| it.as_object()) else {
        return Ok(vec!["there are no app settings".to_owned()]);
    };
    let is_premium = snapshot
        .of_type("Microsoft.Web/serverfarms")
        .any(|plan| plan["sku"]["tier"].as_str() == Some("ElasticPremium"));
    let mut expected: BTreeSet<String> = HOST.iter().chain(&OURS).map(|name| (*name).to_owned()).collect();
    expected.extend(if is_premium { &PREMIUM[..] } else { &[] }.iter().map(|name| (*name).to_owned()));
    expected.extend(configurations.contains_key("authsettingsV2").then(|| SIGN_IN.to_owned()));
    expected.extend(read_by(&bindings));
    expected.extend(TOPIC_PARTS.map(|part| format!("{TOPIC}__{part}")));
    // A package for several regions has a folder for each, whose connection ends in the region's number.
    for number in 2..=snapshot.of_type("Microsoft.EventHub/namespaces").count() {
        expected.extend(PARTS.map(|part| format!("EventHubConnection{number}__{part}")));
    }
    expected.extend(OPTIONAL.iter().filter(|name| settings.contains_key(**name)).map(|it| (*it).to_owned()));
    let found: BTreeSet<String> = settings.keys().cloned().collect();
    problems.extend(found.difference(&expected).map(|name| format!("nothing reads the setting {name}")));
    problems.extend(expected.difference(&found).map(|name| format!("the setting {name} is missing")));
    for name in found.iter().filter(|name| name.starts_with("POLICYSYNC_")) {
        if !code.contains(&format!("\"{name}\"")) {
            problems.push(format!("handlers/settings.rs does not know {name}, so the app would not start"));
        }
    }
    problems.extend(repeated_names(&bindings, code, snapshot));
    Ok(problems)
}

/// Every binding of every function.
fn bindings(root: &Path) -> Result<Vec<Value>, String> {
    let folder = root.join("function-definitions");
    let mut bindings = Vec::new();
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path().join("function.json");
        let function: Value = serde_json::from_str(&read(&path)?).map_err(|error| error.to_string())?;
        bindings.extend(function["bindings"].as_array().cloned().unwrap_or_default());
    }
    Ok(bindings)
}

/// A connection by identity is three settings; `%NAME%` is one.
fn read_by(bindings: &[Value]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (binding, member, text) in bindings.iter().flat_map(|binding| {
        binding.as_object().into_iter().flatten().map(move |(member, value)| (binding, member, value))
    }) {
        let Some(text) = text.as_str() else { continue };
        if member == "connection" {
            let parts = if binding["type"] == "eventGrid" { TOPIC_PARTS } else { PARTS };
            names.extend(parts.map(|part| format!("{text}__{part}")));
        } else if let Some(name) = text.strip_prefix('%').and_then(|text| text.strip_suffix('%')) {
            names.insert(name.to_owned());
        }
    }
    names
}

/// The names that the template repeats from the function folders and the code.
fn repeated_names(bindings: &[Value], code: &str, snapshot: &Snapshot) -> Vec<String> {
    let mut problems = Vec::new();
    let last = |resource| name(resource).rsplit('/').next().unwrap_or_default().to_owned();
    for hub in bindings.iter().filter_map(|binding| binding["eventHubName"].as_str()) {
        let is_created =
            snapshot.of_type("Microsoft.EventHub/namespaces/eventhubs").any(|it| last(it) == hub);
        let is_written = snapshot
            .of_type("Microsoft.Insights/diagnosticSettings")
            .all(|it| it["properties"]["eventHubName"] == hub);
        if !is_created || !is_written {
            problems.push(format!(
                "a function reads the event hub {hub}, which is not created or not written to"
            ));
        }
    }
    let read: BTreeSet<&str> = bindings.iter().filter_map(|it| it["eventHubName"].as_str()).collect();
    for hub in snapshot.of_type("Microsoft.EventHub/namespaces/eventhubs").map(last) {
        if !read.contains(hub.as_str()) && !STREAMED.contains(&format!("\"eventHubName\": \"{hub}\"")) {
            problems.push(format!("no function reads the event hub {hub}"));
        }
    }
    for queue in snapshot.of_type("Microsoft.ServiceBus/namespaces/queues").map(last) {
        if !code.contains(&format!("\"{queue}\"")) {
            problems.push(format!("the queue {queue} is not one of the code's defaults"));
        }
    }
    let containers = "Microsoft.Storage/storageAccounts/blobServices/containers";
    if !snapshot
        .of_type(containers)
        .any(|it| code.contains(&format!("STATE_CONTAINER: &str = \"{}\"", last(it))))
    {
        problems.push("the container of the code's records is not created".to_owned());
    }
    problems
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::super::files::PARAMETER_FILES;
    use super::*;
    use crate::workspace::Workspace;
    use serde_json::json;

    fn after(change: impl Fn(&mut serde_json::Map<String, Value>)) -> Vec<String> {
        let root = Workspace::find().root().to_path_buf();
        let mut snapshot = Snapshot::read(&root.join("infra"), PARAMETER_FILES[0].file).unwrap();
        assert_eq!(problems(&root, &snapshot).unwrap(), Vec::<String>::new());
        let fits = |it: &&mut Value| it["name"].as_str().is_some_and(|name| name.ends_with("/appsettings"));
        let config = snapshot.resources.iter_mut().find(fits).unwrap();
        change(config["properties"].as_object_mut().unwrap());
        problems(&root, &snapshot).unwrap()
    }

    #[test]
    fn a_setting_that_is_missing_is_noticed() {
        for name in ["AZURE_CLIENT_ID", "ServiceBusConnection__clientId", "POLICYSYNC_REPORT_SCHEDULE"] {
            let problems = after(|settings| assert!(settings.remove(name).is_some()));
            assert_eq!(problems, [format!("the setting {name} is missing")]);
        }
    }

    #[test]
    fn a_setting_that_nothing_reads_is_noticed() {
        let problems = after(|settings| {
            settings.insert("POLICYSYNC_MOED".to_owned(), json!("audit"));
        });
        assert_eq!(problems.len(), 2, "nothing reads it, and the app would not start: {problems:?}");
        let premium = after(|settings| {
            settings.insert("FUNCTIONS_WORKER_RUNTIME".to_owned(), json!("custom"));
        });
        assert_eq!(premium.len(), 1, "Flex Consumption refuses it");
    }
}
