//! Decides when the host gives a handler up (`functions-host-protocol.md` §3.4).

use std::time::{Duration, Instant};

/// Errors further apart than this do not add up.
const WINDOW: Duration = Duration::from_secs(30 * 60);
/// At this many the host shuts down.
const MOST: u32 = 3;

/// Counts the errors of a handler.
#[derive(Debug, Default)]
pub struct Restarts {
    count: u32,
    last: Option<Instant>,
}

/// The consequence of an exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// The process is never started again, and the host goes on without it.
    Never,
    /// It is started again at once.
    Again,
    /// The host shuts down.
    ShutDown,
}

impl Restarts {
    /// What follows from an exit with `code` at `now`.
    pub fn exited(&mut self, code: i32, now: Instant) -> Consequence {
        match code {
            0 => Consequence::Never,
            200 => Consequence::Again,
            _ => self.error(now),
        }
    }

    /// What follows from an error at `now`.
    pub fn error(&mut self, now: Instant) -> Consequence {
        if self.last.is_some_and(|last| now.duration_since(last) > WINDOW) {
            self.count = 0;
        }
        self.last = Some(now);
        self.count += 1;
        if self.count < MOST { Consequence::Again } else { Consequence::ShutDown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_error_within_the_window_is_the_last() {
        let now = Instant::now();
        let minute = Duration::from_secs(60);
        let mut restarts = Restarts::default();
        assert_eq!(restarts.exited(1, now), Consequence::Again);
        assert_eq!(restarts.exited(137, now + 31 * minute), Consequence::Again);
        assert_eq!(restarts.exited(1, now + 60 * minute), Consequence::Again);
        assert_eq!(restarts.exited(1, now + 61 * minute), Consequence::ShutDown);
    }

    #[test]
    fn exit_codes_0_and_200_are_not_errors() {
        let now = Instant::now();
        let mut restarts = Restarts::default();
        for _ in 0..9 {
            assert_eq!(restarts.exited(200, now), Consequence::Again);
            assert_eq!(restarts.exited(0, now), Consequence::Never);
        }
    }
}
