//! The simulated world: what exists, and how it changes with time.
//!
//! One short lock guards all of it and is never held across an await. Long-running operations need no task of their
//! own: whoever looks at the world first brings it up to the simulated time ([`World::lock`]), so an outcome is a
//! matter of the clock and never of who asked.

mod build;
pub(crate) mod certificate_authority;
pub(crate) mod credential;
mod device_endpoints;
pub(crate) mod enrollment;
pub(crate) mod hub;
pub(crate) mod link;
pub mod names;
pub(crate) mod namespace;
pub(crate) mod operation;
mod push;
mod rotate;
mod settle;
mod shown;
pub(crate) mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::arm_error::ArmError;
use super::clock::Clock;
use super::feeds::Feeds;
use super::fleet::{Fleet, FleetError};
use super::pki::{Authority, PkiError};
use crate::permissions::Permissions;
use device_endpoints::DeviceEndpoints;
use state::State;

/// Why a world could not be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WorldError {
    /// The fleet does not hold together.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// A certificate could not be made.
    #[error(transparent)]
    Pki(#[from] PkiError),
}

/// A simulated Azure: namespaces, hubs, provisioning services, and the feeds that tell about their changes.
pub struct World {
    clock: Clock,
    feeds: Arc<Feeds>,
    base_url: Mutex<String>,
    state: Mutex<State>,
    server_authority: Authority,
    endpoints: Mutex<DeviceEndpoints>,
    permissions: Arc<Permissions>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not its state: that holds group keys.
        f.debug_struct("World").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl World {
    /// Makes the world of a fleet. `seed` drives made-up names, ids and group keys, never certificates.
    ///
    /// # Errors
    /// When the fleet does not hold together, or a certificate could not be made.
    pub fn new(fleet: Fleet, clock: Clock, seed: u64) -> Result<Arc<Self>, WorldError> {
        fleet.validate()?;
        let now = clock.now();
        let feeds = Arc::new(Feeds::new(clock.clone()));
        let state = State::build(fleet, seed, now, Arc::clone(&feeds))?;
        let server_authority = Authority::root(
            "Simulated device endpoints",
            now - time::Duration::days(1),
            now + time::Duration::days(30 * 365),
        )?;
        let world = Arc::new(Self {
            clock,
            feeds,
            base_url: Mutex::new("http://127.0.0.1".to_owned()),
            state: Mutex::new(state),
            server_authority,
            endpoints: Mutex::new(DeviceEndpoints::default()),
            permissions: Arc::default(),
        });
        let weak = Arc::downgrade(&world);
        world.feeds.before_each_look(move || {
            if let Some(world) = weak.upgrade() {
                drop(world.lock());
            }
        });
        Ok(world)
    }

    /// Tells where the simulator listens, e.g. `http://127.0.0.1:7000`. Used in `Location`, `nextLink` and the
    /// addresses of provisioning services.
    pub fn set_base_url(&self, base_url: String) {
        *self.base_url.lock().unwrap_or_else(PoisonError::into_inner) =
            base_url.trim_end_matches('/').to_owned();
    }

    /// Where the simulator listens, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.base_url.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where the simulator listens, without the scheme: `127.0.0.1:7000`.
    ///
    /// Azure shows host names in the resource of a provisioning service. A simulated one is at a path, so its
    /// `serviceOperationsHostName` reads `127.0.0.1:7000/dps/{name}` and a client adds its scheme before it.
    #[must_use]
    pub fn address(&self) -> String {
        let base_url = self.base_url();
        base_url.split_once("://").map_or(base_url.clone(), |(_, rest)| rest.to_owned())
    }

    /// The clock that everything here goes by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The feeds that a Functions host's triggers receive from.
    #[must_use]
    pub fn feeds(&self) -> &Arc<Feeds> {
        &self.feeds
    }

    /// What callers may do.
    #[must_use]
    pub fn permissions(&self) -> &Arc<Permissions> {
        &self.permissions
    }

    /// The world as of now. Operations that are due have had their effect.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.settle(self.clock.now());
        state
    }

    /// The authority that signs the server certificates of device endpoints.
    pub(crate) fn server_authority(&self) -> &Authority {
        &self.server_authority
    }

    /// A renewal of an issuing CA that the service does on its own: a new one with a new subject, valid at least a
    /// second longer. No event is documented for it, so none is sent; it shows only in its resource
    /// (`azure-wire-facts.md` §8). Where the signer is the customer's own, there is a new signing request instead.
    ///
    /// `id` is the ARM id of a credential policy, whose hubs stay untouched; or of a certificate authority or its
    /// policy, whose hubs get the new one by the push of the service.
    ///
    /// # Errors
    /// 404 when there is no such thing, 409 when it has no issuing CA yet or is a root.
    pub fn rotate(&self, id: &str) -> Result<(), ArmError> {
        let now = self.clock.now();
        self.lock().rotate(id, now)
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
