//! Limits the calls of a caller: the token buckets of ARM and the operations per minute of a DPS.
//!
//! Numbers are those of `azure-wire-facts.md` §7. Buckets fill by the simulated clock, so a test that has emptied one
//! need not wait for it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::Method;
use time::{Duration, OffsetDateTime};

/// The size of a bucket and how fast it fills.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Requests that a full bucket holds.
    pub burst: f64,
    /// Requests that flow in per second.
    pub per_second: f64,
}

/// The budgets of a caller.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// ARM reads per principal and subscription.
    pub reads: Rate,
    /// ARM writes, actions included, per principal and subscription.
    pub writes: Rate,
    /// ARM deletes per principal and subscription.
    pub deletes: Rate,
    /// Service operations per Device Provisioning Service.
    pub provisioning: Rate,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reads: Rate { burst: 250.0, per_second: 25.0 },
            writes: Rate { burst: 200.0, per_second: 10.0 },
            deletes: Rate { burst: 200.0, per_second: 10.0 },
            provisioning: Rate { burst: 1000.0, per_second: 1000.0 / 60.0 },
        }
    }
}

/// The kinds of operation that ARM counts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// GET, HEAD.
    Read,
    /// PUT, PATCH and the actions, which are POST.
    Write,
    /// DELETE.
    Delete,
}

impl Operation {
    /// How ARM counts a request with this method.
    #[must_use]
    pub fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD | Method::OPTIONS => Self::Read,
            Method::DELETE => Self::Delete,
            _ => Self::Write,
        }
    }

    /// The header that says how many operations of this kind are left.
    #[must_use]
    pub fn header(self) -> &'static str {
        match self {
            Self::Read => "x-ms-ratelimit-remaining-subscription-reads",
            Self::Write => "x-ms-ratelimit-remaining-subscription-writes",
            Self::Delete => "x-ms-ratelimit-remaining-subscription-deletes",
        }
    }
}

/// The answer to a request for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Go on; so many are left.
    Allowed {
        /// Whole requests left in the bucket.
        remaining: u64,
    },
    /// Come back later.
    Refused {
        /// Whole seconds until the next request would pass: 1 or more.
        retry_after: u64,
    },
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    rate: Rate,
    tokens: f64,
    filled_at: OffsetDateTime,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn full(rate: Rate, now: OffsetDateTime) -> Self {
        Self { rate, tokens: rate.burst, filled_at: now }
    }

    /// Takes one token if there is one.
    pub fn take(&mut self, now: OffsetDateTime) -> Taken {
        let elapsed = (now - self.filled_at).max(Duration::ZERO).as_seconds_f64();
        self.tokens = self.rate.per_second.mul_add(elapsed, self.tokens).min(self.rate.burst);
        self.filled_at = self.filled_at.max(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Taken::Allowed { remaining: whole(self.tokens.floor()) };
        }
        Taken::Refused { retry_after: whole(((1.0 - self.tokens) / self.rate.per_second).ceil()).max(1) }
    }
}

/// A bucket that never fills asks for an hour.
fn whole(number: f64) -> u64 {
    if !number.is_finite() {
        return 3600;
    }
    number.max(0.0) as u64
}

/// The buckets of all callers so far.
#[derive(Debug)]
pub struct Throttle {
    limits: Limits,
    resource_manager: Mutex<HashMap<(String, String, Operation), Bucket>>,
    provisioning: Mutex<HashMap<String, Bucket>>,
}

impl Throttle {
    /// Full buckets, before the first call.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, resource_manager: Mutex::default(), provisioning: Mutex::default() }
    }

    /// One ARM operation of `principal` on `subscription` (in any case).
    pub fn resource_manager(
        &self,
        principal: &str,
        subscription: &str,
        operation: Operation,
        now: OffsetDateTime,
    ) -> Taken {
        let rate = match operation {
            Operation::Read => self.limits.reads,
            Operation::Write => self.limits.writes,
            Operation::Delete => self.limits.deletes,
        };
        let key = (principal.to_owned(), subscription.to_ascii_lowercase(), operation);
        let mut buckets = self.resource_manager.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.entry(key).or_insert_with(|| Bucket::full(rate, now)).take(now)
    }

    /// One service operation on the Device Provisioning Service `name` (in any case).
    pub fn provisioning(&self, name: &str, now: OffsetDateTime) -> Taken {
        let mut buckets = self.provisioning.lock().unwrap_or_else(PoisonError::into_inner);
        buckets
            .entry(name.to_ascii_lowercase())
            .or_insert_with(|| Bucket::full(self.limits.provisioning, now))
            .take(now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    #[test]
    fn an_empty_bucket_names_the_wait_and_passes_after_it() {
        let mut bucket = Bucket::full(Rate { burst: 2.0, per_second: 0.25 }, START);
        assert_eq!(bucket.take(START), Taken::Allowed { remaining: 1 });
        assert_eq!(bucket.take(START), Taken::Allowed { remaining: 0 });
        assert_eq!(bucket.take(START), Taken::Refused { retry_after: 4 });
        assert_eq!(bucket.take(START + Duration::seconds(4)), Taken::Allowed { remaining: 0 });
    }

    #[test]
    fn the_wait_is_never_shorter_than_a_second() {
        let mut bucket = Bucket::full(Rate { burst: 1.0, per_second: 25.0 }, START);
        bucket.take(START);
        assert_eq!(bucket.take(START), Taken::Refused { retry_after: 1 });
    }

    #[test]
    fn principals_subscriptions_and_kinds_are_counted_apart() {
        let one = Rate { burst: 1.0, per_second: 0.1 };
        let throttle = Throttle::new(Limits { reads: one, writes: one, deletes: one, provisioning: one });
        let take = |principal, subscription, operation| {
            matches!(
                throttle.resource_manager(principal, subscription, operation, START),
                Taken::Allowed { .. }
            )
        };
        assert!(take("a", "S1", Operation::Read));
        assert!(!take("a", "s1", Operation::Read));
        assert!(take("b", "s1", Operation::Read));
        assert!(take("a", "s2", Operation::Read));
        assert!(take("a", "s1", Operation::Write));
        assert!(take("a", "s1", Operation::Delete));
    }

    proptest! {
        #[test]
        fn no_bucket_lets_more_through_than_its_burst_and_its_flow(
            steps in proptest::collection::vec(0u64..5_000, 1..400),
            burst in 1u32..50,
            per_second in 1u32..30,
        ) {
            let rate = Rate { burst: f64::from(burst), per_second: f64::from(per_second) };
            let mut bucket = Bucket::full(rate, START);
            let mut now = START;
            let mut passed = 0u64;
            for step in steps {
                now += Duration::milliseconds(i64::try_from(step).unwrap());
                match bucket.take(now) {
                    Taken::Allowed { remaining } => {
                        passed += 1;
                        prop_assert!(remaining < u64::from(burst));
                    }
                    Taken::Refused { retry_after } => {
                        let mut later = bucket;
                        let then = now + Duration::seconds(i64::try_from(retry_after).unwrap());
                        let allowed = matches!(later.take(then), Taken::Allowed { .. });
                        prop_assert!(allowed, "the named wait was too short");
                    }
                }
            }
            let most = rate.burst + rate.per_second * (now - START).as_seconds_f64();
            let passed = passed as f64;
            prop_assert!(passed <= most + 1e-6, "{passed} of {most}");
        }
    }
}
