//! `serve`: the custom handler.

use std::process::ExitCode;
use std::sync::Arc;

use ambient::Ambient;
use certificate_management::plural;
use functions_host::Server;

use super::terminal::fail;
use crate::application::Application;
use crate::fleet::Outside;
use crate::settings::Settings;
use crate::{functions, telemetry};

/// Checks everything that can be checked without I/O, then listens: readiness is the open port.
pub async fn run() -> ExitCode {
    let ambient = Ambient::of_system();
    let _telemetry = telemetry::start(&ambient);
    let settings = match Settings::from_environment() {
        Ok(settings) => settings,
        Err(error) => return fail(&error.to_string()),
    };
    let application = match Application::start(&settings, Outside::of(ambient)) {
        Ok(application) => Arc::new(application),
        Err(error) => return fail(&error.to_string()),
    };
    telemetry::metrics::watch_budget(application.fleet.azure.budget());
    telemetry::metrics::watch_surprises(&application.fleet.azure);
    let server = match Server::from_environment() {
        Ok(server) => server,
        Err(error) => return fail(&error.to_string()),
    };
    tracing::info!(
        "serving {} for {} on {}",
        plural::count(functions::DEFINITIONS.len(), "function"),
        plural::count(application.fleet.configuration.namespaces.len(), "namespace"),
        server.local_addr()
    );
    match server.serve(functions::router(&application)).await {
        Ok(stopped) => stopped.exit_code(),
        Err(error) => fail(&format!("the server stopped: {error}")),
    }
}
