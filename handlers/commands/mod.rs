//! The commands of the one binary.

#[macro_use]
mod terminal;

mod announce;
mod apply;
mod assign;
mod check;
#[cfg(feature = "simulator")]
mod console;
#[cfg(feature = "simulator")]
mod demo;
#[cfg(feature = "simulator")]
mod dev;
mod explain;
mod group;
#[cfg(feature = "simulator")]
mod host;
#[cfg(feature = "simulator")]
pub mod local_world;
mod parked;
mod plan;
mod reader;
mod serve;
#[cfg(feature = "simulator")]
mod simulator;
#[cfg(feature = "simulator")]
mod staging;
mod status;
mod submit;
mod table;
#[cfg(feature = "simulator")]
mod unpacking;

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
    /// Submit a sync request, and wait for its outcome where asked to.
    Submit(submit::Arguments),
    /// Messages that no function could handle: show them, send them again, or throw them away.
    Parked(parked::Arguments),
    /// Show every rule that is tried for an enrollment group, why it does or does not match, and what the plan would do.
    Explain(explain::Arguments),
    /// Show which enrollment groups would be given which policy, and why; save it for `apply`.
    Plan(plan::Arguments),
    /// Perform a saved plan, exactly, as the person who runs it.
    Apply(apply::Arguments),
    /// Give the policy of an existing enrollment group to others, or take a run's assignments back.
    Assign(assign::Arguments),
    /// Create an enrollment group with its policy in one write.
    Group(group::Arguments),
    /// Publish that an enrollment group was created, so that the app looks at it at once.
    Announce(announce::Arguments),
    /// Look at everything now and print what needs a person, with an exit code for pipelines.
    Status(status::Arguments),
    /// Check the configuration, its rules, and what can be read in Azure, before deployment.
    Check(check::Arguments),
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
            if error.use_stderr() {
                // It quotes what was given, which may be a name that others chose.
                terminal::complain(error.render());
                return ExitCode::from(USAGE);
            }
            // Nothing is left to tell when even this cannot be printed.
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
            Command::Submit(arguments) => submit::run(arguments).await,
            Command::Parked(arguments) => parked::run(arguments).await,
            Command::Explain(arguments) => explain::run(arguments).await,
            Command::Plan(arguments) => plan::run(arguments).await,
            Command::Apply(arguments) => apply::run(arguments).await,
            Command::Assign(arguments) => assign::run(arguments).await,
            Command::Group(arguments) => group::run(arguments).await,
            Command::Announce(arguments) => announce::run(arguments).await,
            Command::Status(arguments) => status::run(arguments).await,
            Command::Check(arguments) => check::run(arguments).await,
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
    complain!("{message}");
    ExitCode::FAILURE
}
