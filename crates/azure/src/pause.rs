//! Limits how long a service can make this process wait.

use std::time::Duration;

/// The longest pause that this process grants a service, in `Retry-After` of a refusal, of a running operation, or of
/// one that has begun.
///
/// Resource Manager fills its buckets every second and a provisioning service counts by the minute
/// (`azure-wire-facts.md` §7), so an honest throttle is over within minutes. A longer pause is a fault of the service
/// or of a proxy, and one answer must not keep this process from a subscription for a day. Asking too early costs one
/// more refusal every five minutes.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Cuts a pause to [`LONGEST_PAUSE`]. After that it can be added to any time of a clock.
pub(crate) fn believed(asked: Duration) -> Duration {
    asked.min(LONGEST_PAUSE)
}
