//! The commands of the one binary: `serve`, and two rooms of others.

#[macro_use]
mod terminal;

// The one place that leaves the whole room out of a build.
#[cfg_attr(not(feature = "simulator"), path = "commands/no_laptop.rs")]
pub mod laptop;
mod operator;
#[cfg(test)]
mod options;
mod serve;
mod table;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::terminal::{USAGE, fail};

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
    #[command(flatten)]
    Operator(operator::Command),
    #[command(flatten)]
    Laptop(laptop::Command),
}

/// Runs the command that the command line names.
#[must_use]
pub fn main() -> ExitCode {
    let command_line = match CommandLine::try_parse() {
        Ok(command_line) => command_line,
        Err(error) => {
            if error.use_stderr() {
                // The error quotes the arguments, which may hold a name that others chose.
                terminal::complain(error.render());
                return ExitCode::from(USAGE);
            }
            // There is no other place for the error when stdout and stderr fail.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("the runtime could not be started: {error}")),
    };
    runtime.block_on(async {
        match command_line.command {
            Command::Serve => serve::run().await,
            Command::Operator(command) => operator::run(command).await,
            Command::Laptop(command) => laptop::run(command).await,
        }
    })
}
