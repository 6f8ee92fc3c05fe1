//! What every instance of a play shares, and what a call knows of the invocation that it is made within.

use std::sync::Arc;
use std::time::Duration;

use crate::configured::Configured;
use crate::engine::Time;
use crate::network::Network;
use crate::records::Records;
use crate::seed::Seed;
use crate::world::World;

/// What an instance finds when it starts.
#[derive(Clone)]
pub struct Surroundings {
    /// The world.
    pub world: Arc<World>,
    /// The time.
    pub time: Time,
    /// How the app is configured.
    pub configured: Configured,
    /// The way to Azure.
    pub network: Network,
    /// The records.
    pub records: Records,
    /// Where its randomness comes from.
    pub seed: Seed,
}

tokio::task_local! {
    /// When the invocation began within which a call is made, since the beginning of the play. The app goes on in no other task.
    pub static BEGAN: Duration;
}
