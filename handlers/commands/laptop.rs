//! Commands that run on one machine without Azure: the stand-ins for Azure and for the Functions host, alone, or
//! together with the app as a world. Only builds with the feature `simulator` have them; no build that ships does.

mod console;
mod demo;
mod dev;
mod host;
pub mod local_world;
mod simulator;
mod staging;
mod unpacking;

use std::path::PathBuf;
use std::process::ExitCode;

use ambient::rehearsal;

use clap::Subcommand;

use super::terminal::fail;

/// The variable that names the file of a clock which `dev` lets a person push.
const CLOCK: &str = "POLICYSYNC_CLOCK";

/// Lets this process go by the clock of the world that it was pointed at, if that has one of its own.
///
/// # Errors A text for a person.
pub fn follow_clock() -> Result<(), String> {
    let Some(file) = std::env::var_os(CLOCK).filter(|file| !file.is_empty()).map(PathBuf::from) else {
        return Ok(());
    };
    let shown = file.display().to_string();
    rehearsal::follow(file).map_err(|error| {
        format!("{CLOCK}: {shown} is no clock of a world that `policysync dev` runs ({error}); unset it, or start `dev` and take its exports")
    })
}

/// The commands of this room.
#[derive(Subcommand)]
pub enum Command {
    /// Show the whole story on this machine, without Azure.
    Demo(demo::Arguments),
    /// Keep the same world running, with the status page.
    Dev(dev::Arguments),
    /// Run the stand-in for the Azure Functions host alone, over any folder and any custom handler.
    Host(host::Arguments),
    /// Run the simulated Azure alone.
    Simulator(simulator::Arguments),
}

/// Runs the command.
pub async fn run(command: Command) -> ExitCode {
    match command {
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Dev(arguments) => dev::run(arguments).await,
        Command::Host(arguments) => host::run(arguments).await,
        Command::Simulator(arguments) => simulator::run(arguments).await,
    }
}
