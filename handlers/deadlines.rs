//! How long the work of one batch may take. Each deadline lies within the next, so that the batch has time to put back
//! what does not fit, and the host cuts no invocation off.

use std::time::Duration;

use tokio::time::Instant;

/// Deadlines of one batch. Except for [`Deadlines::hub`] they count from its beginning.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// How long one hub may take, so that hubs that hang leave time for the others.
    pub hub: Duration,
    /// How long the observations may take. Hubs that have not answered by then are unreadable.
    pub observed: Duration,
    /// Until when a POST may begin. From here to [`Deadlines::done`] the service has time to answer and the driver to
    /// record the answer, however long the observation took: a claim that is cut off costs minutes.
    pub post: Duration,
    /// How long the work on the namespaces may take. The locks of a batch are not renewed (`messaging-and-state.md` §2), so
    /// the rest of the minute is for what did not get done.
    pub done: Duration,
    /// How long putting back and parking may take.
    pub settled: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            hub: Duration::from_secs(10),
            observed: Duration::from_secs(28),
            post: Duration::from_secs(34),
            done: Duration::from_secs(43),
            settled: Duration::from_secs(52),
        }
    }
}

/// The instant in the middle between now and `until`.
pub(super) fn halfway(until: Instant) -> Instant {
    let now = Instant::now();
    now + until.saturating_duration_since(now) / 2
}

#[cfg(test)]
mod tests {
    use certificate_management::sync::pause::POST_TAKES;

    use super::*;

    /// How long a queue holds a message for its receiver (`infra/modules/queue.bicep`).
    const LOCK: Duration = Duration::from_secs(60);

    #[test]
    fn each_deadline_leaves_time_for_what_comes_after_it() {
        let Deadlines { hub, observed, post, done, settled } = Deadlines::default();
        assert!(hub * 2 < observed, "two rounds of hubs that hang, and the reads before them");
        assert!(
            post - observed >= Duration::from_secs(5),
            "the records of 1,500 requests are read in between"
        );
        assert!(
            done - post >= Duration::from_secs(8),
            "a POST is answered, recorded, and its follow-up sent"
        );
        assert!(settled - done >= Duration::from_secs(8), "what is left is put back");
        assert!(LOCK - settled >= Duration::from_secs(5), "the host and the network");
        assert!(done < POST_TAKES, "no POST is under way longer than a claim is believed");
    }
}
