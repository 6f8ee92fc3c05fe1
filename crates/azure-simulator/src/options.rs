//! What a simulated Azure starts with.

use super::clock::Clock;
use super::faults::Fault;
use super::fleet::Fleet;
use super::service_bus::Settings;
use super::service_bus::queues::DEFAULT_QUEUES;
use super::throttle::Limits;

/// The options of a simulated Azure.
#[derive(Debug)]
pub struct Options {
    /// Port on 127.0.0.1; a free one when absent or 0.
    pub port: Option<u16>,
    /// The resources at the start.
    pub fleet: Fleet,
    /// Names and chances come from it; the same seed makes the same world.
    pub seed: u64,
    /// The faults at the start.
    pub faults: Vec<Fault>,
    /// The managed identity endpoint refuses a request that names no identity.
    pub user_assigned: bool,
    /// The budgets of callers.
    pub limits: Limits,
    /// Names of the Service Bus queues.
    pub queues: Vec<String>,
    /// Properties of those queues.
    pub queue_settings: Settings,
    /// The clock; [`Clock::followed`] makes one that callers go by too, and [`Clock::over`] one over another machine's time.
    pub clock: Clock,
}

impl Default for Options {
    /// The default fleet on a free port, with nothing going wrong.
    fn default() -> Self {
        Self {
            port: None,
            fleet: Fleet::default_fleet(),
            seed: 1,
            faults: Vec::new(),
            user_assigned: false,
            limits: Limits::default(),
            queues: DEFAULT_QUEUES.map(str::to_owned).to_vec(),
            // As in the deployed request queue.
            queue_settings: Settings { dead_letters_expired: true, ..Settings::default() },
            clock: Clock::default(),
        }
    }
}
