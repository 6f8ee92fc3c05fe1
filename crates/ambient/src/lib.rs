//! What a process otherwise takes out of the air: the time, and randomness.
//!
//! A run can be repeated only when both come from outside of it. So the time is asked of the one [`Clock`], and each id and
//! each share of a pause is drawn from the one [`Randomness`], which travel together as [`Ambient`]: in production they are
//! those of the operating system, in a test or a simulation a clock that the test moves and the sequence of a seed.
//!
//! They have a crate of their own, the lowest of all, since three need them and none of those may know another for their
//! sake: `azure` for the ids of calls and the pauses before repeating them, `state` for the ids of writes and the pauses after
//! lost races, and the app for requests, runs, syncs and events. The domain, `certificate-management`, takes neither: it
//! is told the time and each id, and stays pure.
//!
//! A test (`xtask/tests/source`) finds code of the app that tells the time, draws or makes an id in another way. Not from here
//! come the pauses of the record store's own library, the order in which `tokio` polls, and the times that
//! telemetry is stamped with. Deadlines are measured by `tokio::time::Instant`, which a test can move too.
#![warn(missing_docs)]

mod clock;
mod randomness;
#[cfg(feature = "rehearsal")]
pub mod rehearsal;

use time::OffsetDateTime;
use ulid::Ulid;

pub use clock::Clock;
pub use randomness::Randomness;

/// The time and randomness. Cheap to clone; clones are the same clock and the same sequence.
#[derive(Debug, Clone)]
pub struct Ambient {
    /// Tells the time.
    pub clock: Clock,
    /// Draws numbers.
    pub randomness: Randomness,
}

impl Ambient {
    /// What production goes by: the clock of the operating system, and a sequence that no other process has.
    ///
    /// # Panics
    /// As [`Randomness::of_system`].
    #[must_use]
    pub fn of_system() -> Self {
        Self { clock: Clock::of_system(), randomness: Randomness::of_system() }
    }

    /// The time, UTC.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// A ULID of now.
    #[must_use]
    pub fn ulid(&self) -> Ulid {
        self.randomness.ulid(self.now())
    }
}
