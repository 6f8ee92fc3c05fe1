//! The commands of the one binary.

#[cfg(feature = "simulator")]
mod console;
#[cfg(feature = "simulator")]
mod demo;
#[cfg(feature = "simulator")]
mod dev;
#[cfg(feature = "simulator")]
mod host;
#[cfg(feature = "simulator")]
pub mod local_world;
mod serve;
#[cfg(feature = "simulator")]
mod simulator;
#[cfg(feature = "simulator")]
mod staging;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Wrong usage: 2, which clap would use, means critical for `status`.
const USAGE: u8 = 64;

#[derive(Parser)]
#[command(
    name = "policysync",
    version,
    about = "Keeps Azure IoT certificate policies assigned, synced and proven."
)]
#[command(arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the functions: the custom handler that the Azure Functions host starts.
    Serve,
    /// Show the whole story on this machine, without Azure.
    #[cfg(feature = "simulator")]
    Demo(demo::Arguments),
    /// Keep the same world running, with the status page.
    #[cfg(feature = "simulator")]
    Dev(dev::Arguments),
    /// Run the stand-in for the Azure Functions host alone, over any folder and any custom handler.
    #[cfg(feature = "simulator")]
    Host(host::Arguments),
    /// Run the simulated Azure alone.
    #[cfg(feature = "simulator")]
    Simulator(simulator::Arguments),
}

/// Runs the command that the command line names.
#[must_use]
pub fn main() -> ExitCode {
    let command_line = match CommandLine::try_parse() {
        Ok(command_line) => command_line,
        Err(error) => {
            // Nothing is left to tell when even this cannot be printed.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("the runtime could not be started: {error}")),
    };
    runtime.block_on(async {
        match command_line.command {
            Command::Serve => serve::run().await,
            #[cfg(feature = "simulator")]
            Command::Demo(arguments) => demo::run(arguments).await,
            #[cfg(feature = "simulator")]
            Command::Dev(arguments) => dev::run(arguments).await,
            #[cfg(feature = "simulator")]
            Command::Host(arguments) => host::run(arguments).await,
            #[cfg(feature = "simulator")]
            Command::Simulator(arguments) => simulator::run(arguments).await,
        }
    })
}

/// Tells a person what went wrong, on stderr.
fn fail(message: &str) -> ExitCode {
    eprintln!("policysync: {message}");
    ExitCode::FAILURE
}
