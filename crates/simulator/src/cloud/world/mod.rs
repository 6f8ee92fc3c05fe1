//! The simulated world: what exists, and how it changes with time.
//!
//! One short lock guards all of it and is never held across an await. Long-running operations need no task of their
//! own: whoever looks at the world first brings it up to the simulated time ([`World::lock`]), so an outcome is a
//! matter of the clock and never of who asked.

mod build;
mod device_endpoints;
pub(crate) mod enrollment;
pub(crate) mod hub;
pub mod names;
pub(crate) mod namespace;
pub(crate) mod operation;
mod settle;
pub(crate) mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::arm_error::ArmError;
use super::clock::Clock;
use super::feeds::Feeds;
use super::fleet::{Fleet, FleetError};
use super::pki::{Authority, PkiError};
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

    /// What `GET /simulator/state` shows (`design.md` §6), with what a device needs to connect.
    #[must_use]
    pub fn state(&self) -> Value {
        let state = self.lock();
        let endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        let namespaces: Vec<Value> = state
            .namespaces
            .iter()
            .map(|namespace| {
                let policies: Vec<String> =
                    namespace.policies().map(|policy| namespace.policy_id(&policy.name)).collect();
                let hubs: Vec<&str> = state.linked_hubs(&namespace.id).map(|hub| hub.id.as_str()).collect();
                let services: Vec<&str> = state
                    .services
                    .iter()
                    .filter(|service| service.is_linked_to(&namespace.id))
                    .map(|service| service.name.as_str())
                    .collect();
                json!({"id": namespace.id, "provisioningServices": services, "hubs": hubs, "policies": policies})
            })
            .collect();
        let hubs: Vec<Value> = state
            .hubs
            .iter()
            .map(|hub| {
                let endpoint = endpoints.address(&hub.id).map(|address| address.to_string());
                json!({"id": hub.id, "hostName": hub.host_name(), "deviceEndpoint": endpoint})
            })
            .collect();
        let scopes: serde_json::Map<String, Value> = state
            .services
            .iter()
            .map(|service| (service.name.clone(), service.id_scope.clone().into()))
            .collect();
        json!({
            "namespaces": namespaces,
            "hubs": hubs,
            "deviceServerCertificateAuthority": self.server_authority.pem(),
            "idScopes": scopes,
        })
    }

    /// A renewal of a policy's issuing CA that the service does on its own: a new issuing CA with a new subject, valid
    /// at least a second longer, hubs untouched. No event is documented for it, so none is sent; it shows only in the
    /// policy (`azure-wire-facts.md` §8). A policy with the customer's own root gets a new signing request instead.
    ///
    /// # Errors
    /// 404 when there is no such policy, 409 when it has no issuing CA yet.
    pub fn rotate(&self, policy_id: &str) -> Result<(), ArmError> {
        let now = self.clock.now();
        self.lock().renew_policy(policy_id, now)
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
