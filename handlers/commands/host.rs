//! `host`: the stand-in for the Azure Functions host alone.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use simulator::functions_host::{Host, HostEvent, HostOptions};
use tokio::sync::mpsc;

use super::fail;

#[derive(Args)]
pub struct Arguments {
    /// The app: a folder with a host.json and one folder per function.
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
    /// The port for HTTP functions and /admin.
    #[arg(long, default_value_t = 7071)]
    port: u16,
    /// Nothing fires by itself; fire functions with POST /admin/functions/{name}.
    #[arg(long)]
    manual: bool,
    /// What is printed on stdout: lines for a person, or one JSON object per event.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Table,
    Json,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let (sender, events) = mpsc::unbounded_channel();
    let options = HostOptions {
        root: arguments.root,
        port: Some(arguments.port),
        manual: arguments.manual,
        events: Some(sender),
        ..HostOptions::default()
    };
    let printer = tokio::spawn(print(events, arguments.output));
    let host = match Host::start(options).await {
        Ok(host) => host,
        Err(error) => return fail(&error.to_string()),
    };
    let ended = tokio::select! {
        signal = tokio::signal::ctrl_c() => signal.map_err(|error| format!("cannot wait for Ctrl-C: {error}")),
        why = host.ended() => Err(why),
    };
    host.stop().await;
    drop(printer.await);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(&why),
    }
}

async fn print(mut events: mpsc::UnboundedReceiver<HostEvent>, output: Output) {
    while let Some(event) = events.recv().await {
        match output {
            Output::Table => anstream::println!("{event}"),
            Output::Json => println!("{}", serde_json::to_string(&event).unwrap_or_default()),
        }
    }
}
