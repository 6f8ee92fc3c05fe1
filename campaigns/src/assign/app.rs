//! The parts of the deployed app that assign: two functions, their host, records in Azurite, and the program that a person
//! runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use azure_simulator::fleet::Fleet;
use azure_simulator::{Options, Simulator};
use functions_host_stand_in::{Host, HostOptions, InvocationReport, Sources};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Arguments;
use crate::azurite::Azurite;
use crate::error::CampaignError;
use crate::handler::clock;
use crate::stage::handler_program;

const FILES: [(&str, &str); 3] = [
    ("host.json", include_str!("../../../host.json")),
    (
        "assign-policy/function.json",
        include_str!("../../../function-definitions/assign-policy/function.json"),
    ),
    (
        "reconcile-assignments/function.json",
        include_str!("../../../function-definitions/reconcile-assignments/function.json"),
    ),
];
/// New Year's Day: the campaign fires the timer itself.
const NEVER: &str = "0 0 0 1 1 *";
const CONTINUATION: &str = "x-ms-continuation";
const API_VERSION: &str = "2025-07-01-preview";

/// A running app with its Azure. Dropping it ends every process of it.
pub struct App {
    /// The simulated Azure.
    pub simulator: Simulator,
    host: Host,
    client: Client,
    /// The program whose commands a person runs.
    commands: PathBuf,
    settings: BTreeMap<String, String>,
    _azurite: Azurite,
    _folder: TempDir,
}

impl App {
    /// Starts all of it. `with_events`: whether records of the DPS reach the app.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn start(
        arguments: &Arguments,
        fleet: Fleet,
        configuration: &str,
        with_events: bool,
    ) -> Result<Self, CampaignError> {
        let program = handler_program(arguments.handler.as_deref())?;
        let commands = handler_program(arguments.commands.as_deref())?;
        let azurite = arguments.azurite.as_deref().ok_or(CampaignError::NoAzurite)?;
        let azurite = Azurite::start(azurite).await?;
        let folder = TempDir::with_prefix("campaign-").map_err(CampaignError::file("a folder"))?;
        let configuration = lay_out(folder.path(), configuration)?;
        let simulator = Simulator::start(Options { fleet, ..Options::default() }).await?;
        let settings = settings(simulator.url(), &azurite, &configuration);
        let event_hubs = with_events.then(|| simulator.event_hubs());
        let options = HostOptions {
            root: folder.path().to_owned(),
            app_settings: with_clock(&settings),
            clear_environment: true,
            sources: Sources { event_hubs, ..Sources::default() },
            handler_executable: Some(program),
            ..HostOptions::default()
        };
        let host = Host::start(options).await.map_err(|error| CampaignError::NotStarted {
            what: "the stand-in for the Functions host".to_owned(),
            problem: error.to_string(),
        })?;
        let client = Client::builder()
            .timeout(Duration::from_secs(60))
            .build()
            .map_err(|error| CampaignError::unanswered("an HTTP client", error))?;
        Ok(Self { simulator, host, client, commands, settings, _azurite: azurite, _folder: folder })
    }

    /// Fires a function and waits for its end.
    ///
    /// # Errors
    /// When the host does not know it.
    pub async fn fire(&self, function: &str) -> Result<InvocationReport, CampaignError> {
        let fired = self.host.fire(function, None).await;
        fired.map_err(|error| CampaignError::unanswered(format!("firing {function}"), error))
    }

    /// Makes a group of symmetric keys without a policy, as a pipeline does that knows nothing of policies. When the
    /// DPS refuses for now, it tries again at the time that the DPS names.
    ///
    /// # Errors
    /// When the DPS does not take it.
    pub async fn create(&self, service: &str, id: &str) -> Result<(), CampaignError> {
        let body = json!({
            "enrollmentGroupId": id,
            "attestation": {"type": "symmetricKey", "symmetricKey": {}},
            "initialTwin": {"tags": {"madeBy": "a pipeline"}},
        });
        let put = self.client.put(self.groups_url(service, id)).json(&body);
        self.send(&format!("creating {service}/{id}"), put).await.map(drop)
    }

    /// The policy of each group of a DPS that has one.
    ///
    /// # Errors
    /// When the DPS does not answer.
    pub async fn policies(&self, service: &str) -> Result<BTreeMap<String, String>, CampaignError> {
        let asked = format!("the groups of {service}");
        let mut policies = BTreeMap::new();
        let mut continuation: Option<String> = None;
        loop {
            let mut query =
                self.client.post(self.groups_url(service, "query")).json(&json!({"query": "SELECT *"}));
            if let Some(token) = &continuation {
                query = query.header(CONTINUATION, token);
            }
            let answer = self.send(&asked, query).await?;
            continuation =
                answer.headers().get(CONTINUATION).and_then(|value| Some(value.to_str().ok()?.to_owned()));
            let page: Vec<Value> =
                answer.json().await.map_err(|error| CampaignError::unanswered(&asked, error))?;
            let text = |group: &Value, name: &str| group[name].as_str().map(str::to_owned);
            policies.extend(page.iter().filter_map(|group| {
                Some((text(group, "enrollmentGroupId")?, text(group, "credentialPolicyName")?))
            }));
            if continuation.is_none() {
                return Ok(policies);
            }
        }
    }

    fn groups_url(&self, service: &str, rest: &str) -> String {
        format!("{}/dps/{service}/enrollmentGroups/{rest}?api-version={API_VERSION}", self.simulator.url())
    }

    /// Sends a call to a DPS, and sends it again when the service asks to wait.
    async fn send(&self, asked: &str, request: RequestBuilder) -> Result<Response, CampaignError> {
        for _ in 0..20 {
            let Some(request) = request.try_clone() else { break };
            let answer = request.bearer_auth("pipeline").send().await;
            let answer = answer.map_err(|error| CampaignError::unanswered(asked, error))?;
            if answer.status().is_success() {
                return Ok(answer);
            }
            let pause =
                answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
            let Some(pause) = pause else { return Err(CampaignError::unanswered(asked, answer.status())) };
            tokio::time::sleep(Duration::from_secs(pause)).await;
        }
        Err(CampaignError::unanswered(asked, "it was throttled twenty times"))
    }

    /// Runs a command as a person does; its document and exit code.
    ///
    /// # Errors
    /// When it prints no JSON.
    pub async fn command(&self, arguments: &[&str]) -> Result<(Value, i32), CampaignError> {
        let asked = || format!("policysync {}", arguments.join(" "));
        let output = tokio::process::Command::new(&self.commands)
            .args(arguments)
            .args(["--output", "json"])
            .env_clear()
            .envs(clock())
            .envs(&self.settings)
            .kill_on_drop(true)
            .output()
            .await
            .map_err(CampaignError::file(asked()))?;
        let document = serde_json::from_slice(&output.stdout).map_err(|error| {
            CampaignError::unanswered(
                asked(),
                format!("{error}: {}", String::from_utf8_lossy(&output.stderr)),
            )
        })?;
        Ok((document, output.status.code().unwrap_or(-1)))
    }
}

fn lay_out(root: &Path, configuration: &str) -> Result<PathBuf, CampaignError> {
    let place = root.join("policysync.toml");
    let files = FILES.map(|(name, text)| (root.join(name), text));
    for (path, text) in files.iter().map(|(path, text)| (path, *text)).chain([(&place, configuration)]) {
        let written =
            path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(path, text));
        written.map_err(CampaignError::file(path.display().to_string()))?;
    }
    Ok(place)
}

fn settings(simulator: &str, azurite: &Azurite, configuration: &Path) -> BTreeMap<String, String> {
    let address = simulator.trim_start_matches("http://");
    let bus = format!(
        "Endpoint=sb://{address}/servicebus;SharedAccessKeyName=RootManageSharedAccessKey;\
         SharedAccessKey=c2ltdWxhdG9y;UseDevelopmentEmulator=true"
    );
    let settings = [
        ("ServiceBusConnection", bus),
        ("AzureWebJobsStorage", azurite.connection_string()),
        ("POLICYSYNC_CONFIG", configuration.display().to_string()),
        ("POLICYSYNC_ARM_ENDPOINT", simulator.to_owned()),
        ("POLICYSYNC_RECONCILE_SCHEDULE", NEVER.to_owned()),
        ("IDENTITY_ENDPOINT", format!("{simulator}/identity")),
        ("IDENTITY_HEADER", "x".to_owned()),
    ];
    settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The settings of the app, which goes by the clock of this process.
fn with_clock(settings: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let clock = clock().filter_map(|(name, value)| Some((name.to_owned(), value.into_string().ok()?)));
    settings.clone().into_iter().chain(clock).collect()
}
