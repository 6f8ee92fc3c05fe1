//! `dev`: the same world, kept running, with the status page.

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::Duration;

use certificate_management::configuration::Configuration;
use clap::Args;

use super::fail;
use super::local_world::{LocalOptions, LocalWorld, Schedules, WorldArguments};

/// Reconcile and report once a minute, so that a person sees what was changed.
const SCHEDULES: Schedules = Schedules { reconcile: "30 * * * * *", report: "0 * * * * *" };

/// How often the configuration is looked at.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

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
        never = heed_edits(&world) => match never {},
    };
    world.stop().await;
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(&why),
    }
}

/// Starts the handler again when its configuration was edited, so that it goes by what the file says. One that cannot be used is told,
/// and the handler goes on with the one before.
async fn heed_edits(world: &LocalWorld) -> Infallible {
    // What cannot be read now, such as between the two steps of an editor that writes a new file, is read the next time.
    let read = || std::fs::read_to_string(&world.configured).ok();
    let mut used = read();
    loop {
        tokio::time::sleep(BETWEEN_LOOKS).await;
        let Some(text) = read().filter(|text| Some(text) != used.as_ref()) else { continue };
        let file = world.configured.display();
        match Configuration::parse(&text) {
            Ok(_) => {
                say!("{file} was edited: the handler starts again with it.");
                world.host.kill_handler().await;
            }
            Err(error) => complain!(
                "{file} was edited and cannot be used, so the handler goes on with the one before:\n{error}"
            ),
        }
        used = Some(text);
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
    say!("\nReady. Edits of the configuration count once they are saved. Ctrl-C ends it.");
}

fn example(world: &LocalWorld) -> String {
    world.configuration.namespaces.first().map(|namespace| namespace.id.to_string()).unwrap_or_default()
}
