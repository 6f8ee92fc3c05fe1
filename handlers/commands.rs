//! The commands of the one binary: `serve`, and three rooms of others.

#[macro_use]
mod terminal;

#[cfg(feature = "operator")]
mod bar;
mod exit_codes;
#[cfg(all(test, feature = "operator"))]
mod golden;
// Each of these rooms is left out of the package of the function app, as a whole and here alone.
#[cfg_attr(not(feature = "simulator"), path = "commands/no_laptop.rs")]
pub mod laptop;
#[cfg(feature = "operator")]
mod moment;
#[cfg_attr(not(feature = "operator"), path = "commands/no_operator.rs")]
pub mod operator;
#[cfg(test)]
mod options;
#[cfg(feature = "operator")]
mod screen;
mod serve;
#[cfg_attr(not(feature = "setup"), path = "commands/no_setup.rs")]
mod setup;
#[cfg(feature = "operator")]
mod table;
#[cfg(feature = "operator")]
mod terminal_size;
#[cfg(feature = "operator")]
mod tone;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

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
    Setup(setup::Command),
    #[command(flatten)]
    Laptop(laptop::Command),
}

/// The whole command line, with the exit codes of each command in its help.
#[must_use]
pub fn command() -> clap::Command {
    exit_codes::told_by(CommandLine::command())
}

fn parsed() -> Result<CommandLine, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    CommandLine::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Runs the command that the command line names.
#[must_use]
pub fn main() -> ExitCode {
    terminal::expect(std::env::args_os());
    terminal::end(run())
}

fn run() -> ExitCode {
    let command_line = match parsed() {
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
    if let Err(message) = laptop::follow_clock() {
        terminal::complain(message);
        return ExitCode::from(USAGE);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("the runtime could not be started: {error}")),
    };
    runtime.block_on(async {
        match command_line.command {
            Command::Serve => serve::run().await,
            Command::Operator(command) => operator::run(command).await,
            Command::Setup(command) => setup::run(command).await,
            Command::Laptop(command) => laptop::run(command).await,
        }
    })
}
