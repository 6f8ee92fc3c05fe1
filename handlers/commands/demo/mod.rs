//! `demo`: the whole story on one machine, without Azure. It checks every step itself.

mod devices;
mod operator;
mod scene;
mod story;

use std::process::ExitCode;
use std::time::Instant;

use clap::Args;

use super::fail;
use super::local_world::{LocalOptions, LocalWorld, WorldArguments};

#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    world: WorldArguments,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let since = Instant::now();
    let world = LocalWorld::start(LocalOptions { world: arguments.world, ..LocalOptions::default() });
    let world = match world.await {
        Ok(world) => world,
        Err(message) => return fail(&message),
    };
    let told = story::tell(&world).await;
    let explanation = told.is_err().then(|| world.explanation());
    world.stop().await;
    match told {
        Ok(()) => {
            anstream::println!(
                "\n\u{1b}[32mEvery step was checked and holds\u{1b}[0m ({:.1} s).",
                since.elapsed().as_secs_f64()
            );
            ExitCode::SUCCESS
        }
        Err(message) => fail(&format!("the demo stopped: {message}{}", explanation.unwrap_or_default())),
    }
}
