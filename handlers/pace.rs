//! How fast a walk through the namespaces goes.

use std::time::Duration;

/// How fast a walk goes, and when it stops.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How many namespaces of one subscription are visited at once: enough to use up its budget, 25 reads a second
    /// (`azure-wire-facts.md` §7), where each of their dozen reads takes a third of a second.
    pub at_once: usize,
    /// How many are visited at once in all subscriptions, which bounds what the walk holds of them in memory.
    pub in_all: usize,
    /// How long the groups of one DPS may take, so that a DPS that hangs leaves time for the others.
    pub service: Duration,
    /// How long each of the two parts of a visit may take: the DPS with their groups, and then the namespace with its hubs.
    /// So DPS that hang leave the namespace its time.
    pub visit: Duration,
    /// Over how long the walk spreads the visits to the namespaces of a subscription whose budget they need a large part of. It
    /// ends before the walk begins no more visits, so that one that is a little late has its turn.
    pub over: Duration,
    /// How long after its beginning the walk still begins a visit. The last visit, and what the caller does after the walk,
    /// have to fit into the time of its invocation as well.
    pub begins: Duration,
}

impl Default for Pace {
    /// The pace of a function that a timer wakes, within `functionTimeout` (`host.json`). A thousand namespaces of ten hubs in one
    /// subscription are 13,000 reads, and its budget lets them through in under nine minutes.
    fn default() -> Self {
        Self {
            at_once: 4,
            in_all: 16,
            service: Duration::from_secs(20),
            visit: Duration::from_secs(40),
            over: Duration::from_secs(9 * 60),
            begins: Duration::from_secs(10 * 60),
        }
    }
}

impl Pace {
    /// The pace of a command, which has all the time that a person gives it, and a person who waits.
    #[must_use]
    pub fn of_a_command() -> Self {
        Self { begins: Duration::from_secs(24 * 60 * 60), ..Self::default() }.without_a_pause()
    }

    /// The same as fast as the budget lets it, for what an event or a person waits for.
    #[must_use]
    pub fn without_a_pause(self) -> Self {
        Self { over: Duration::ZERO, ..self }
    }
}
