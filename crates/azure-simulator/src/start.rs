//! The simulated cloud of a fleet at its start.

use std::sync::Arc;

use super::clock::Clock;
use super::cloud::Cloud;
use super::feeds::Feeds;
use super::fleet::Fleet;
use super::provisioning;
use super::world::{World, WorldError};

/// Makes the cloud of a fleet. `seed` drives made-up names, ids and group keys, never certificates.
///
/// # Errors
/// When the fleet does not hold together, or a certificate could not be made.
pub(crate) fn cloud(fleet: Fleet, clock: Clock, seed: u64) -> Result<Arc<Cloud>, WorldError> {
    let now = clock.now();
    let feeds = Arc::new(Feeds::new(clock.clone()));
    let mut world = World::build(fleet, seed, now, feeds.clone())?;
    provisioning::start::write_groups(&mut world, now)?;
    Ok(Cloud::new(world, feeds, clock))
}
