//! `dev`: the same world, kept running, with the status page.

use std::process::ExitCode;

use clap::Args;

use super::fail;
use super::local_world::{LocalOptions, LocalWorld, Schedules, WorldArguments};

/// Reconcile and report once a minute, so that a person sees what was changed.
const SCHEDULES: Schedules = Schedules { reconcile: "30 * * * * *", report: "0 * * * * *" };

#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    world: WorldArguments,
    /// The port of the status page and of the other HTTP functions.
    #[arg(long, default_value_t = 7071)]
    port: u16,
    /// The port of the simulated Azure; any free one without it.
    #[arg(long)]
    simulator_port: Option<u16>,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let world = LocalWorld::start(LocalOptions {
        world: arguments.world,
        built_in: None,
        host_port: Some(arguments.port),
        simulator_port: arguments.simulator_port,
        schedules: SCHEDULES,
        print_events: true,
        one_clock: true,
        ..LocalOptions::default()
    });
    let world = match world.await {
        Ok(world) => world,
        Err(message) => return fail(&message),
    };
    match world.host.fire("report-policy-status", None).await {
        Ok(report) if report.succeeded() => {}
        Ok(report) => return fail(&format!("the first report failed: {}", report.error.unwrap_or_default())),
        Err(error) => return fail(&format!("the first report failed: {error}")),
    }
    announce(&world);
    let ended = tokio::select! {
        signal = tokio::signal::ctrl_c() => signal.map_err(|error| format!("cannot wait for Ctrl-C: {error}")),
        why = world.host.ended() => Err(why),
    };
    world.stop().await;
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(&why),
    }
}

fn announce(world: &LocalWorld) {
    say!("\nPoint other commands at this world:\n");
    for (name, value) in &world.settings {
        say!("export {name}='{value}'");
    }
    say!("\nAzure     {}", world.simulator.url());
    say!("Status    {}/api/policy-status", world.host.url());
    say!(
        "Submit    curl -X POST {}/api/sync-requests -d '{{\"namespaceId\":\"{}\"}}'",
        world.host.url(),
        example(world)
    );
    say!(
        "Clock     curl -X POST {}/simulator/clock -d '{{\"advanceSeconds\":86400}}' (Azure, the app and the timers; docs/simulator.md)",
        world.simulator.url()
    );
    say!("\nReady. Ctrl-C ends it.");
}

fn example(world: &LocalWorld) -> String {
    world.configuration.namespaces.first().map(|namespace| namespace.id.to_string()).unwrap_or_default()
}
