//! Every environment variable that the app reads, and those of the host that belong to the same setting. The guide
//! (`docs/configuration.md`) is written from this table, and a test holds it against the sources.

/// Who reads a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Our own code.
    App,
    /// The Functions host or one of its extensions. Our code may read it too.
    Host,
}

/// A variable, or a family of them when its name ends in `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Who reads it.
    pub reader: Reader,
    /// The value without it; empty where the variable is required.
    pub default: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

const fn app(name: &'static str, default: &'static str, meaning: &'static str) -> Variable {
    Variable { name, reader: Reader::App, default, meaning }
}

const fn host(name: &'static str, default: &'static str, meaning: &'static str) -> Variable {
    Variable { name, reader: Reader::Host, default, meaning }
}

/// The prefix of our own variables. An unknown one is refused, since a misspelt one would be ignored in silence.
pub const PREFIX: &str = "POLICYSYNC_";

/// Every variable.
pub const VARIABLES: &[Variable] = &[
    app(
        "POLICYSYNC_CONFIG",
        "`policysync.toml` beside `host.json`",
        "Path of the configuration, or the address of a blob, `https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME`: see [above](#the-configuration-in-a-blob).",
    ),
    app(
        "POLICYSYNC_MODE",
        "`policysync.toml` decides",
        "`audit`: neither functions nor commands write to Azure, whatever the file says. The kill switch.",
    ),
    app("POLICYSYNC_QUEUE", "`sync-requests`", "Queue of sync requests and scheduled follow-ups."),
    app(
        "POLICYSYNC_PARKED_QUEUE",
        "`sync-requests-parked`",
        "Queue of messages that could not be understood.",
    ),
    app(
        "POLICYSYNC_RECONCILE_SCHEDULE",
        "",
        "When every enrollment group is looked at (NCRONTAB). The host reads it for `reconcile-assignments`; deployed as `0 */15 * * * *`.",
    ),
    app(
        "POLICYSYNC_REPORT_SCHEDULE",
        "",
        "When the status report is made (NCRONTAB). The host reads it for `report-policy-status`; deployed as `0 5 * * * *`.",
    ),
    app(
        "POLICYSYNC_STATE",
        "the storage account",
        "`memory`: records are kept in the process and gone with it. For a laptop.",
    ),
    #[cfg(feature = "simulator")]
    app(
        "POLICYSYNC_CLOCK",
        "the clock of the machine",
        "File with the clock of a world that `policysync dev` runs; see [its exports](simulator.md). For a laptop: the package for Azure refuses it.",
    ),
    app(
        "POLICYSYNC_ARM_ENDPOINT",
        "`https://management.azure.com`",
        "Address of Azure Resource Manager: another cloud, or the simulator.",
    ),
    app(
        "ServiceBusConnection",
        "",
        "Connection string of the Service Bus namespace; with `UseDevelopmentEmulator=true` its endpoint is plain http. A key: prefer the next one.",
    ),
    app(
        "ServiceBusConnection__fullyQualifiedNamespace",
        "",
        "Host name of the Service Bus namespace, reached with the identity.",
    ),
    host(
        "ServiceBusConnection__clientId",
        "the system-assigned identity",
        "Client id of the user-assigned identity that the trigger uses.",
    ),
    host(
        "ServiceBusConnection__credential",
        "the host's own default",
        "`managedidentity`, so that the trigger uses the identity above.",
    ),
    app(
        "AzureWebJobsStorage",
        "",
        "Connection string of the storage account of the host and of the records. A key: prefer the next one.",
    ),
    app(
        "AzureWebJobsStorage__blobServiceUri",
        "",
        "Address of the account's blob service, reached with the identity.",
    ),
    app(
        "AzureWebJobsStorage__accountName",
        "",
        "Name of the account, where it is in the public cloud. Instead of the address.",
    ),
    host(
        "AzureWebJobsStorage__clientId",
        "the system-assigned identity",
        "Client id of the user-assigned identity that the host uses.",
    ),
    host(
        "AzureWebJobsStorage__credential",
        "the host's own default",
        "`managedidentity`, so that the host uses the identity above.",
    ),
    host(
        "EventHubConnection__fullyQualifiedNamespace",
        "",
        "Host name of the event hub namespace with the diagnostic records. For the Nth region of a package that was built with `--regions`, `EventHubConnectionN__…`.",
    ),
    host(
        "EventHubConnection__clientId",
        "the system-assigned identity",
        "Client id of the user-assigned identity that the trigger uses.",
    ),
    host(
        "EventHubConnection__credential",
        "the host's own default",
        "`managedidentity`, so that the trigger uses the identity above.",
    ),
    app(
        "EventGridTopic__topicEndpointUri",
        "nothing is published",
        "Address of the custom topic, e.g. `https://….eventgrid.azure.net/api/events`. `announce` publishes to it.",
    ),
    app(
        "EventGridTopic__topicKey",
        "the identity",
        "Access key of that topic, for a machine without an identity.",
    ),
    host(
        "EventGridTopic__clientId",
        "the system-assigned identity",
        "Client id of the user-assigned identity that the host's output binding uses.",
    ),
    host(
        "EventGridTopic__credential",
        "the host's own default",
        "`managedidentity`, so that the binding uses the identity above.",
    ),
    app(
        "AZURE_CLIENT_ID",
        "the system-assigned identity",
        "Client id of the user-assigned identity that our own calls use.",
    ),
    app("AZURE_TENANT_ID", "", "Tenant of a workload identity (a pipeline)."),
    app(
        "AZURE_FEDERATED_TOKEN_FILE",
        "the login of `az` or `azd`",
        "File with the token of a workload identity, where there is no managed identity.",
    ),
    app(
        "IDENTITY_ENDPOINT",
        "see the line above",
        "Where tokens of the managed identity come from. App Service sets it.",
    ),
    app("IDENTITY_HEADER", "", "Sent to that endpoint. App Service sets it."),
    app(
        "OTEL_*",
        "nothing is exported",
        "Where telemetry goes: the variables of OpenTelemetry, e.g. `OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318` (OTLP over HTTP).",
    ),
    host(
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "nothing is exported",
        "The Application Insights component.",
    ),
    host(
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        "the key in the connection string",
        "`ClientId=…;Authorization=AAD`: telemetry is sent with the identity.",
    ),
    app(
        "HTTPS_PROXY",
        "none",
        "Proxy for calls to Azure; `ALL_PROXY` does too, and `NO_PROXY` lists what goes past it.",
    ),
    app("ALL_PROXY", "none", "See `HTTPS_PROXY`."),
    app("FUNCTIONS_CUSTOMHANDLER_PORT", "", "Port on 127.0.0.1 that `serve` listens on. The host sets it."),
    app(
        "WEBSITE_*",
        "not named",
        "Which app and instance telemetry is from, e.g. `WEBSITE_SITE_NAME`. App Service sets them.",
    ),
    app(
        "WEBSITE_AUTH_ENABLED",
        "who asks is what the caller says",
        "`True`: callers sign in before they come here, so who asks is what the platform says. App Service sets it; never set it by hand.",
    ),
    host(
        "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT",
        "100 MB",
        "Largest HTTP request that the host takes, in bytes; deployed as 4194304.",
    ),
    app("CONTAINER_NAME", "not named", "The same on Flex Consumption and in containers."),
    host(
        "FUNCTIONS_EXTENSION_VERSION",
        "",
        "Version of the host: `~4`. Only Elastic Premium wants it set; telemetry names it.",
    ),
    app("FUNCTIONS_APP_ROOT_PATH", "the working folder", "Folder of the app. The host sets it."),
];

/// Our own variables, by name.
pub fn own() -> impl Iterator<Item = &'static str> {
    VARIABLES.iter().map(|variable| variable.name).filter(|name| name.starts_with(PREFIX))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    /// What a text in the sources begins with when it is the name of a variable.
    const PREFIXES: [&str; 14] = [
        "ALL_PROXY",
        "APPLICATIONINSIGHTS_",
        "AZURE_",
        "AzureWebJobs",
        "CONTAINER_",
        "EventGridTopic__",
        "EventHubConnection",
        "FUNCTIONS_",
        "HTTPS_PROXY",
        "IDENTITY_",
        "OTEL_",
        "POLICYSYNC_",
        "ServiceBusConnection",
        "WEBSITE_",
    ];
    /// Where production code is.
    const FOLDERS: [&str; 4] =
        ["handlers", "crates/azure/src", "crates/functions-host/src", "crates/state/src"];

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
            if path.is_dir() && name != "tests" {
                sources(&path, found);
            } else if name.ends_with(".rs") && !["tests.rs", "variables.rs", "guide.rs"].contains(&&*name) {
                found.push(path);
            }
        }
    }

    /// The names of variables among the texts of a source.
    fn names(source: &str) -> impl Iterator<Item = &str> {
        let production = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        production.split('"').filter(|text| {
            PREFIXES.iter().any(|prefix| text.starts_with(prefix))
                && !text.ends_with('_')
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
    }

    fn is_listed(name: &str) -> bool {
        VARIABLES.iter().any(|variable| match variable.name.strip_suffix('*') {
            Some(family) => name.starts_with(family),
            None => name == variable.name,
        })
    }

    #[test]
    fn every_variable_in_the_sources_is_listed_and_every_listed_one_is_read() {
        let mut paths = Vec::new();
        for folder in FOLDERS {
            sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut paths);
        }
        let texts: Vec<String> = paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        let mut read: BTreeSet<&str> = texts.iter().flat_map(|text| names(text)).collect();
        // Bindings in function.json read these.
        read.extend(["POLICYSYNC_RECONCILE_SCHEDULE", "POLICYSYNC_REPORT_SCHEDULE"]);
        let unlisted: Vec<_> = read.iter().filter(|name| !is_listed(name)).collect();
        assert!(unlisted.is_empty(), "say in VARIABLES what these mean: {unlisted:?}");
        for Variable { name, reader, .. } in VARIABLES {
            let is_read = match name.strip_suffix('*') {
                Some(family) => read.iter().any(|read| read.starts_with(family)),
                None => read.contains(name),
            };
            assert!(is_read || *reader == Reader::Host, "nothing reads {name} any more");
        }
    }

    #[test]
    fn a_new_variable_would_be_noticed() {
        let source = "get(\"POLICYSYNC_NEW\"); x(\"POLICYSYNC_\"); y(\"OTEL_{name}\")\n#[cfg(test)]\nmod tests \"POLICYSYNC_TEST\"";
        assert_eq!(names(source).collect::<Vec<_>>(), ["POLICYSYNC_NEW"]);
        assert!(!is_listed("POLICYSYNC_NEW"));
    }
}
