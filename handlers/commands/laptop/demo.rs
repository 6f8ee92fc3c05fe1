//! `demo`: the whole story on one machine, without Azure. It checks every step itself.

mod devices;
mod endings;
mod migration;
mod operator;
mod own_root;
mod pushed;
mod scene;
mod steps;
mod story;
mod worlds;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;

use self::worlds::{Generation, Tale};
use super::fail;
use super::local_world::{LocalOptions, LocalWorld, WorldArguments};

#[derive(Args)]
pub struct Arguments {
    /// The generation of the service whose story is told.
    #[arg(long, value_enum, default_value_t, conflicts_with_all = ["fleet", "config"])]
    generation: Generation,
    /// Another story, with a fleet of its own.
    #[arg(long, value_enum, conflicts_with_all = ["fleet", "config", "generation"])]
    story: Option<Tale>,
    #[command(flatten)]
    world: WorldArguments,
    /// Run the app from this package (`cargo xtask package`) instead of the one that is compiled in.
    #[arg(long, value_name = "ZIP")]
    package: Option<PathBuf>,
}

pub async fn run(arguments: Arguments) -> ExitCode {
    let since = Instant::now();
    if let Some(package) = &arguments.package {
        say!("The app is {}, unpacked and run as it is.", package.display());
    }
    let built_in = match arguments.story {
        Some(tale) => Some(tale.built_in()),
        None => arguments.generation.built_in(),
    };
    let (world, package) = (arguments.world, arguments.package);
    let world = LocalWorld::start(LocalOptions { world, built_in, package, ..LocalOptions::default() });
    let world = match world.await {
        Ok(world) => world,
        Err(message) => return fail(&message),
    };
    let told = match (arguments.story, arguments.generation) {
        (Some(Tale::OwnRoot), _) => own_root::tell(&world).await,
        (None, Generation::A) => story::tell(&world).await,
        (None, Generation::B) => pushed::tell(&world).await,
        (None, Generation::Migrating) => migration::tell(&world).await,
    };
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
