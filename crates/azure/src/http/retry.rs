//! Whether to send a call again, and after what pause. Pure, so that every rule is a line in a test.

use std::time::Duration;

use ambient::Clock;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::dates;
use crate::error::{ErrorKind, Sent};
use crate::pause;

/// How often and how patiently calls are repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first one counted.
    pub max_attempts: u32,
    /// Pause before the second attempt; it doubles with each further one. Half of it is random.
    pub first_pause: Duration,
    /// Longest pause of our own choosing.
    pub longest_pause: Duration,
    /// Longest `Retry-After` that a call waits for; the caller schedules a longer one.
    pub longest_retry_after: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            first_pause: Duration::from_millis(300),
            longest_pause: Duration::from_secs(5),
            longest_retry_after: Duration::from_secs(20),
        }
    }
}

/// How one attempt ended.
pub(super) enum Outcome {
    Answered { status: u16, retry_after: Option<Duration> },
    Failed { kind: ErrorKind, sent: Sent },
}

impl Outcome {
    /// Whether a write that ended like this may have been done all the same.
    pub(super) fn may_have_taken_effect(&self) -> bool {
        match *self {
            Self::Answered { status: 503, retry_after } => retry_after.is_none(),
            Self::Answered { status, .. } => status == 408 || status >= 500,
            Self::Failed { sent, .. } => sent != Sent::No,
        }
    }
}

impl RetryPolicy {
    /// The pause before the next attempt; `None` when this was the last one.
    ///
    /// The client sends a call that is not repeatable again only when the service provably did not process it: it never
    /// left, or the service turned it away with 429, or with 503 and `Retry-After`. `jitter` is in 0..=1.
    pub(super) fn pause(
        &self,
        attempt: u32,
        outcome: &Outcome,
        repeatable: bool,
        remaining: Duration,
        jitter: f64,
    ) -> Option<Duration> {
        let (again, asked) = match *outcome {
            Outcome::Answered { status: 429, retry_after } => (true, retry_after),
            Outcome::Answered { status: 503, retry_after } => {
                (repeatable || retry_after.is_some(), retry_after)
            }
            Outcome::Answered { status: 408 | 500 | 502 | 504, retry_after } => (repeatable, retry_after),
            Outcome::Answered { .. } => (false, None),
            Outcome::Failed { kind: ErrorKind::Unavailable, sent: Sent::No } => (true, None),
            Outcome::Failed { kind: ErrorKind::Unavailable | ErrorKind::Timeout, .. } => (repeatable, None),
            Outcome::Failed { .. } => (false, None),
        };
        if !again
            || attempt >= self.max_attempts
            || asked.is_some_and(|asked| asked > self.longest_retry_after)
        {
            return None;
        }
        let doubled = self.first_pause.saturating_mul(1 << (attempt - 1).min(16)).min(self.longest_pause);
        let own = doubled.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0));
        // Every client that got the same `Retry-After` comes back at the same time, so a random share is added.
        let pause =
            asked.map_or(own, |asked| asked.saturating_add(self.first_pause.mul_f64(jitter.clamp(0.0, 1.0))));
        (pause < remaining).then_some(pause)
    }
}

/// `Retry-After` in seconds or as a date, at most [`crate::LONGEST_PAUSE`]. A date is read against the answer's own
/// `Date`, since clocks differ; against ours only where the answer has none. More seconds than a number holds count as a very
/// long pause.
pub(super) fn retry_after(headers: &HeaderMap, clock: &Clock) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(pause::believed(Duration::from_secs(text.parse().unwrap_or(u64::MAX))));
    }
    let until = dates::parse(text)?;
    let now =
        headers.get(DATE).and_then(|date| dates::parse(date.to_str().ok()?)).unwrap_or_else(|| clock.now());
    Some(pause::believed(Duration::try_from(until - now).unwrap_or(Duration::ZERO)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    use super::*;
    use crate::pause::LONGEST_PAUSE;

    const MINUTE: Duration = Duration::from_secs(60);

    fn pause(outcome: Outcome, repeatable: bool) -> Option<Duration> {
        RetryPolicy::default().pause(1, &outcome, repeatable, MINUTE, 0.5)
    }

    fn answered(status: u16, retry_after: Option<u64>) -> Outcome {
        Outcome::Answered { status, retry_after: retry_after.map(Duration::from_secs) }
    }

    #[test]
    fn a_read_is_repeated_for_the_transient_statuses_only() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(pause(answered(status, None), true).is_some(), "{status}");
        }
        for status in [200, 301, 400, 401, 403, 404, 409, 410, 412, 413, 501] {
            assert!(pause(answered(status, Some(1)), true).is_none(), "{status}");
        }
    }

    #[test]
    fn a_write_is_repeated_only_when_it_was_provably_not_processed() {
        assert!(pause(answered(429, None), false).is_some());
        assert!(pause(answered(503, Some(1)), false).is_some());
        assert!(pause(Outcome::Failed { kind: ErrorKind::Unavailable, sent: Sent::No }, false).is_some());
        for status in [408, 500, 502, 503, 504] {
            assert!(pause(answered(status, None), false).is_none(), "{status}");
        }
        for kind in [ErrorKind::Unavailable, ErrorKind::Timeout] {
            assert!(pause(Outcome::Failed { kind, sent: Sent::Maybe }, false).is_none());
            assert!(pause(Outcome::Failed { kind, sent: Sent::Maybe }, true).is_some());
        }
        assert!(pause(Outcome::Failed { kind: ErrorKind::TooLarge, sent: Sent::Yes }, true).is_none());
    }

    #[test]
    fn a_retry_after_beyond_the_cap_or_the_deadline_is_not_waited_for() {
        let policy = RetryPolicy::default();
        assert!(pause(answered(429, Some(20)), true).is_some());
        assert!(pause(answered(429, Some(21)), true).is_none());
        assert!(policy.pause(1, &answered(429, Some(9)), true, Duration::from_secs(8), 0.0).is_none());
    }

    /// What `Retry-After` says where our own clock shows 2000.
    fn asked(headers: &HeaderMap) -> Option<Duration> {
        retry_after(headers, &Clock::of(|| time::macros::datetime!(2000-01-01 0:00 UTC)))
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date_against_the_answers_own_clock() {
        let mut headers = HeaderMap::new();
        assert_eq!(asked(&headers), None);
        headers.insert(RETRY_AFTER, HeaderValue::from_static("17"));
        assert_eq!(asked(&headers), Some(Duration::from_secs(17)));
        headers.insert(DATE, HeaderValue::from_static("Mon, 23 Nov 2043 10:00:00 GMT"));
        headers.insert(RETRY_AFTER, HeaderValue::from_static("Mon, 23 Nov 2043 10:00:09 GMT"));
        assert_eq!(asked(&headers), Some(Duration::from_secs(9)));
        headers.insert(RETRY_AFTER, HeaderValue::from_static("Mon, 23 Nov 2043 09:00:00 GMT"));
        assert_eq!(asked(&headers), Some(Duration::ZERO));
        headers.remove(DATE);
        headers.insert(RETRY_AFTER, HeaderValue::from_static("Sat, 01 Jan 2000 00:00:03 GMT"));
        assert_eq!(asked(&headers), Some(Duration::from_secs(3)), "without a date of its own");
        headers.insert(RETRY_AFTER, HeaderValue::from_static("soon"));
        assert_eq!(asked(&headers), None);
    }

    #[test]
    fn no_service_is_believed_for_longer_than_the_longest_pause() {
        for text in [
            "301",
            "86400",
            "900000000000",
            "18446744073709551615",
            "99999999999999999999999999",
            "Fri, 31 Dec 9999 23:59:59 GMT",
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
            assert_eq!(asked(&headers), Some(LONGEST_PAUSE), "{text}");
        }
        let mut headers = HeaderMap::new();
        for not_a_time in ["-1", "+", "", "1e9", "NaN", "0x10", "5 minutes"] {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(not_a_time));
            assert_eq!(asked(&headers), None, "{not_a_time}");
        }
    }

    #[test]
    fn a_policy_that_waits_for_anything_does_not_overflow() {
        let policy = RetryPolicy { longest_retry_after: Duration::MAX, ..RetryPolicy::default() };
        let outcome = Outcome::Answered { status: 429, retry_after: Some(Duration::MAX) };
        assert_eq!(policy.pause(1, &outcome, true, MINUTE, 1.0), None);
    }

    proptest! {
        #[test]
        fn a_pause_is_never_shorter_than_asked_for_and_never_passes_the_deadline(
            attempt in 1_u32..40, asked in proptest::option::of(0_u64..100), remaining in 0_u64..60, jitter in 0.0..=1.0,
        ) {
            let policy = RetryPolicy::default();
            let remaining = Duration::from_secs(remaining);
            if let Some(pause) = policy.pause(attempt, &answered(503, asked), true, remaining, jitter) {
                prop_assert!(attempt < policy.max_attempts);
                prop_assert!(pause < remaining);
                match asked {
                    Some(asked) => prop_assert!(pause >= Duration::from_secs(asked)),
                    None => prop_assert!(pause <= policy.longest_pause && pause >= policy.first_pause / 2),
                }
            }
        }
    }
}
