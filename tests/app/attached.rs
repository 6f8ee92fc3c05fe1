//! The handler within the test: the same settings, functions and server as `serve`, without a process.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, OnceLock};

use ambient::Ambient;
use async_trait::async_trait;
use azure::credential::CachedTokens;
use azure::{AccessToken, Azure, Cloud, Error, Http, TokenSource};
use functions_host::Server;
use policysync::commands::laptop::local_world::Attach;
use policysync::fleet::Outside;
use policysync::functions;
use policysync::serving;
use policysync::settings::Settings;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::task::AbortHandle;

/// A handler that serves until this is dropped.
pub struct InThisProcess {
    serving: Arc<OnceLock<Serving>>,
}

struct Serving {
    port: u16,
    task: AbortHandle,
}

impl InThisProcess {
    /// What a world starts the handler with, and the handler that then serves.
    pub fn attach() -> (Attach, Self) {
        let serving = Arc::new(OnceLock::new());
        let handler = Self { serving: Arc::clone(&serving) };
        let attach = move |settings: &BTreeMap<String, String>| {
            let started = serve(settings)?;
            Ok(serving.get_or_init(|| started).port)
        };
        (Box::new(attach), handler)
    }

    /// Its port of 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.serving.get().unwrap().port
    }
}

impl Drop for InThisProcess {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.get() {
            serving.task.abort();
        }
    }
}

fn serve(variables: &BTreeMap<String, String>) -> Result<Serving, String> {
    let settings = Settings::from_variables(variables).map_err(text)?;
    let cloud = Cloud::new(settings.fleet.arm_endpoint.as_deref()).map_err(text)?;
    let ambient = Ambient::of_system();
    let identity = ManagedIdentity { variables: variables.clone() };
    let tokens = Arc::new(CachedTokens::new(identity, ambient.clock.clone()));
    let http = Http::shared(ambient.clone()).map_err(text)?;
    let outside = Outside { azure: Some(Azure::new(http, cloud, tokens)), ..Outside::of(ambient) };
    let serving = serving::Serving::start(&settings, outside).map_err(text)?;
    let server = Server::bind(0).map_err(text)?;
    let port = server.local_addr().port();
    let router = functions::router(&Arc::new(serving));
    let serving = tokio::spawn(async move { server.serve_within(router).await.unwrap() });
    Ok(Serving { port, task: serving.abort_handle() })
}

/// The managed identity of the settings. The library that the app uses for it reads the environment of its process, and that of
/// the test has none.
struct ManagedIdentity {
    variables: BTreeMap<String, String>,
}

#[async_trait]
impl TokenSource for ManagedIdentity {
    async fn token(&self, scope: &str) -> Result<AccessToken, Error> {
        let failed = |problem: &dyn Display| Error::timed_out(format!("getting a token: {problem}"));
        let asked = reqwest::Client::new()
            .get(&self.variables["IDENTITY_ENDPOINT"])
            .query(&[("api-version", "2019-08-01"), ("resource", scope.trim_end_matches("/.default"))])
            .header("x-identity-header", &self.variables["IDENTITY_HEADER"])
            .send();
        let answer = asked.await.map_err(|error| failed(&error))?;
        let answer: Value = answer.json().await.map_err(|error| failed(&error))?;
        let secret = answer["access_token"].as_str().ok_or_else(|| failed(&answer))?;
        let expires_on = answer["expires_on"].as_str().and_then(|seconds| seconds.parse().ok());
        let expires_on = expires_on.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        Ok(AccessToken::new(secret, expires_on.ok_or_else(|| failed(&answer))?))
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}
