//! Syncs: batched per namespace, at most one in flight, proven per hub.
//!
//! - [`records`]: what is remembered of requests and of the one sync in flight per namespace.
//! - [`submission`]: putting a request on the queue.
//! - [`batch`]: a batch of messages, grouped by namespace.
//! - [`join`]: a request joins the sync of its namespace.
//! - [`look`]: one look at a namespace with a sync: plan what has gathered, or look for the evidence.
//! - [`lease`]: a look is taken before it is done.
//! - [`start`]: claim, POST, record.
//! - [`settle`]: judge the requests, end the sync, schedule the next look.
//! - [`automatic`]: requests that nobody made.
//!
//! A request only joins; it reads nothing of Azure. A moment later one look observes the namespace once for all that
//! have joined. So hundreds of requests cost two observations per namespace: one to plan, one for the evidence.
//!
//! A sync takes minutes and the process can be killed at any instant, so nothing here waits: start, record, send
//! a scheduled follow-up, answer. `ARCHITECTURE.md` says what the next run finds after each kill.

pub mod automatic;
pub mod batch;
pub mod join;
pub mod lease;
pub mod look;
pub mod records;
pub mod settle;
pub mod start;
pub mod submission;

use time::Duration;

/// How old a claim without an operation is before its POST is sent again: longer than any call's own deadline.
pub const CLAIM_DEADLINE: Duration = Duration::minutes(2);
/// How long requests gather before the first look.
pub const FIRST_LOOK: Duration = Duration::seconds(1);
/// Pause between a POST and the look for its evidence when the service names none.
pub const AFTER_POST: Duration = Duration::seconds(5);
/// Longest pause between two looks.
pub const LONGEST_PAUSE: Duration = Duration::minutes(2);

/// The pause before look number `attempt`, from 1: it doubles from two seconds up to [`LONGEST_PAUSE`], and spreads
/// by a share that the name of the sync decides, so that many syncs do not look in step.
#[must_use]
pub fn pause_before(attempt: u32, name: &str) -> Duration {
    let doubled = Duration::seconds(2).saturating_mul(1 << attempt.saturating_sub(1).min(10));
    let share =
        f64::from(name.bytes().fold(7u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte))) / 1024.0;
    doubled.min(LONGEST_PAUSE) * (1.0 + share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let pauses: Vec<Duration> = (1..40).map(|attempt| pause_before(attempt, "a")).collect();
        assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(pauses[0] >= Duration::seconds(2) && pauses[0] <= Duration::seconds(3));
        assert!(*pauses.last().unwrap() <= LONGEST_PAUSE * 1.25);
        assert_ne!(pause_before(3, "a"), pause_before(3, "b"));
    }
}
