//! `serve`: the custom handler.

use std::process::ExitCode;
use std::sync::Arc;

use ambient::Ambient;
use certificate_management::plural;
use functions_host::Server;

use super::terminal::fail;
use crate::fleet::Outside;
use crate::serving::Serving;
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
    let serving = match Serving::start(&settings, Outside::of(ambient)) {
        Ok(serving) => Arc::new(serving),
        Err(error) => return fail(&error.to_string()),
    };
    telemetry::metrics::watch_budget(serving.fleet().azure.budget());
    telemetry::metrics::watch_surprises(&serving.fleet().azure);
    let server = match Server::from_environment() {
        Ok(server) => server,
        Err(error) => return fail(&error.to_string()),
    };
    tracing::info!(
        "serving {} for {serving} on {}",
        plural::count(functions::DEFINITIONS.len(), "function"),
        server.local_addr()
    );
    match server.serve(functions::router(&serving)).await {
        Ok(stopped) => stopped.exit_code(),
        Err(error) => fail(&format!("the server stopped: {error}")),
    }
}
