//! The simulated cloud behind its doors: the world under its lock, the clock, the feeds, and the permissions of
//! callers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::clock::Clock;
use super::feeds::Feeds;
use super::permissions::Permissions;
use super::world::{ActionError, World};

/// The state that every service of the simulator works on.
///
/// One short lock guards the world and is never held across an await. Long-running operations need no task of their
/// own: the first look at the world brings it up to the simulated time ([`Cloud::lock`]), so an outcome depends on the
/// clock and never on the caller.
pub struct Cloud {
    clock: Clock,
    feeds: Arc<Feeds>,
    base_url: Mutex<String>,
    world: Mutex<World>,
    permissions: Arc<Permissions>,
}

impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not its world: that holds group keys.
        f.debug_struct("Cloud").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl Cloud {
    /// A cloud of this world, which tells `feeds` of its changes.
    pub(crate) fn new(world: World, feeds: Arc<Feeds>, clock: Clock) -> Arc<Self> {
        let cloud = Arc::new(Self {
            clock,
            feeds,
            base_url: Mutex::new("http://127.0.0.1".to_owned()),
            world: Mutex::new(world),
            permissions: Arc::default(),
        });
        let weak = Arc::downgrade(&cloud);
        cloud.feeds.before_each_look(move || {
            if let Some(cloud) = weak.upgrade() {
                drop(cloud.lock());
            }
        });
        cloud
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

    /// The clock of the whole cloud.
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
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.settle(self.clock.now());
        world
    }

    /// A renewal of an issuing CA that the service does on its own: a new one with a new subject, valid at least a
    /// second longer. No event is documented for it, so none is sent; it shows only in its resource
    /// (`azure-wire-facts.md` §8). Where the signer is the customer's own, there is a new signing request instead.
    ///
    /// `id` is the ARM id of a credential policy, whose hubs stay untouched; or of a certificate authority or its
    /// policy, whose hubs get the new one by the push of the service.
    ///
    /// # Errors
    /// When there is no such thing, when it has no issuing CA yet, or when it is a root.
    pub fn rotate(&self, id: &str) -> Result<(), ActionError> {
        let now = self.clock.now();
        self.lock().rotate(id, now)
    }

    /// A renewal as the service does it before a certificate ends (`ca-lifecycle-facts.md` §1.8), begun now. Of a
    /// certificate authority, hubs then trust the old certificate beside the new one until it ends.
    ///
    /// # Errors
    /// As [`Cloud::rotate`].
    pub fn renew(&self, id: &str) -> Result<(), ActionError> {
        let now = self.clock.now();
        self.lock().renew_by_service(id, now)
    }
}
