//! `simulator`: the simulated Azure alone.

use std::path::PathBuf;
use std::process::ExitCode;

use azure_simulator::fleet::Fleet;
use azure_simulator::{Options, Simulator, faults};
use clap::Args;
use serde_json::json;

use super::fail;

#[derive(Args)]
pub struct Arguments {
    /// The port to listen on, on 127.0.0.1; 0 for any free one.
    #[arg(long)]
    port: u16,
    /// A fleet to simulate instead of the default one (docs/fleet.md shows the format).
    #[arg(long, value_name = "FILE")]
    fleet: Option<PathBuf>,
    /// Decides everything that is made up; keys and certificates are new each time.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Faults to begin with: the JSON that PUT /simulator/faults takes.
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Refuse a request for a token that names no client id, as a user-assigned identity does.
    #[arg(long)]
    user_assigned: bool,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let options = match options(&arguments) {
        Ok(options) => options,
        Err(message) => return fail(&message),
    };
    let simulator = match Simulator::start(options).await {
        Ok(simulator) => simulator,
        Err(error) => return fail(&error.to_string()),
    };
    say!("{}", json!({"listening": simulator.url()}));
    if let Err(error) = tokio::signal::ctrl_c().await {
        return fail(&format!("cannot wait for Ctrl-C: {error}"));
    }
    simulator.stop().await;
    ExitCode::SUCCESS
}

fn options(arguments: &Arguments) -> Result<Options, String> {
    let fleet = read_fleet(arguments.fleet.as_ref())?;
    let mut options =
        Options { port: Some(arguments.port), user_assigned: arguments.user_assigned, ..Options::default() };
    options.seed = arguments.seed.or(fleet.seed).unwrap_or(options.seed);
    options.fleet = fleet;
    if let Some(path) = &arguments.faults {
        let text = read(path)?;
        options.faults = faults::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(options)
}

/// The fleet in a file, or the default one.
pub fn read_fleet(path: Option<&PathBuf>) -> Result<Fleet, String> {
    let Some(path) = path else { return Ok(Fleet::default_fleet()) };
    Fleet::from_toml(&read(path)?)
        .map_err(|error| format!("the fleet {} cannot be used:\n{error}", path.display()))
}

/// The text of a file that an argument names.
pub fn read(path: &PathBuf) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}
