//! How far one run of a walk through the fleet came, and how long a whole walk takes at that pace.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What a run saw. A run begins where the one before it stopped, so that several of them are a whole walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WalkRun {
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Namespaces that had their turn.
    pub namespaces: usize,
    /// Namespaces of the configuration.
    pub namespaces_in_all: usize,
    /// DPS whose groups were listed.
    pub provisioning_services: usize,
    /// DPS of all namespaces, as far as it is known.
    pub provisioning_services_in_all: usize,
    /// How long the run took, in seconds.
    pub seconds: u64,
    /// How long after the beginning of a run the next one begins, in seconds.
    pub period_seconds: u64,
}

impl WalkRun {
    /// How many runs like this one a whole walk takes, at least one; `None` when no namespace had its turn. What comes before its
    /// time, since it has changed, makes more of it.
    #[must_use]
    pub fn runs(&self) -> Option<u64> {
        let runs = match (self.namespaces, self.namespaces_in_all) {
            (_, 0) => 1,
            (0, _) => return None,
            (had, all) => all.div_ceil(had).max(1),
        };
        u64::try_from(runs).ok()
    }

    /// Whether it was a whole walk.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.runs() == Some(1)
    }

    /// How long a whole walk takes, in seconds; `None` when no namespace had its turn.
    #[must_use]
    pub fn whole_seconds(&self) -> Option<u64> {
        match self.runs()? {
            1 => Some(self.seconds),
            runs => Some(runs.saturating_mul(self.period_seconds.max(self.seconds))),
        }
    }
}

/// A sentence without its end.
impl fmt::Display for WalkRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            namespaces, namespaces_in_all, provisioning_services, provisioning_services_in_all, ..
        } = self;
        write!(
            f,
            "this run saw {provisioning_services} of {provisioning_services_in_all} DPS, in {namespaces} of {namespaces_in_all} \
             namespaces, in {}; ",
            Span(self.seconds)
        )?;
        match (self.runs(), self.whole_seconds()) {
            (Some(1), _) => write!(f, "that is a whole walk"),
            (Some(runs), Some(seconds)) => {
                write!(f, "a whole walk takes about {runs} runs, {}", Span(seconds))
            }
            _ => write!(f, "at this pace there is no whole walk"),
        }
    }
}

/// A time in the unit that a person would use.
struct Span(u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.0 {
            seconds @ 0..120 => (seconds, "second"),
            seconds @ 120..7_200 => (seconds.div_ceil(60), "minute"),
            seconds => (seconds.div_ceil(3_600), "hour"),
        };
        write!(f, "{number} {unit}{}", if number == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A run at the first second of 1970, each quarter of an hour.
    pub(crate) fn run(namespaces: usize, in_all: usize, seconds: u64) -> WalkRun {
        WalkRun {
            at: OffsetDateTime::UNIX_EPOCH,
            namespaces,
            namespaces_in_all: in_all,
            provisioning_services: namespaces / 5,
            provisioning_services_in_all: in_all / 5,
            seconds,
            period_seconds: 900,
        }
    }

    #[test]
    fn a_run_says_what_it_saw_and_how_long_the_whole_takes() {
        for (run, expected) in [
            (
                run(1_000, 1_000, 176),
                "this run saw 200 of 200 DPS, in 1000 of 1000 namespaces, in 3 minutes; that is a whole walk",
            ),
            (
                run(400, 1_000, 601),
                "this run saw 80 of 200 DPS, in 400 of 1000 namespaces, in 11 minutes; a whole walk takes about 3 runs, 45 minutes",
            ),
            // One that takes longer than its period is followed by the next at once.
            (
                run(10, 1_000, 1_000),
                "this run saw 2 of 200 DPS, in 10 of 1000 namespaces, in 17 minutes; a whole walk takes about 100 runs, 28 hours",
            ),
            (
                run(0, 3, 1),
                "this run saw 0 of 0 DPS, in 0 of 3 namespaces, in 1 second; at this pace there is no whole walk",
            ),
            (
                run(0, 0, 0),
                "this run saw 0 of 0 DPS, in 0 of 0 namespaces, in 0 seconds; that is a whole walk",
            ),
        ] {
            assert_eq!(run.to_string(), expected);
        }
    }

    #[test]
    fn a_run_is_whole_when_every_namespace_had_its_turn() {
        let wholes = [(0, 0, true), (0, 1, false), (1, 1, true), (999, 1_000, false), (1_000, 1_000, true)];
        for (had, all, whole) in wholes {
            assert_eq!(run(had, all, 5).is_whole(), whole, "{had} of {all}");
        }
        assert_eq!(run(1_000, 1_000, 176).whole_seconds(), Some(176));
        assert_eq!(run(usize::MAX, 1, u64::MAX).whole_seconds(), Some(u64::MAX));
        assert_eq!(run(1, usize::MAX, u64::MAX).whole_seconds(), Some(u64::MAX), "and nothing overflows");
    }
}
