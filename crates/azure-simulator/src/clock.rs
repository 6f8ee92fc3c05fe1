//! The simulated clock: starts at the time of the machine, runs at its speed, and can be pushed forward.

use std::fmt;
use std::io;
use std::sync::Arc;

use time::{Duration, OffsetDateTime};
use tokio::sync::watch;
use trigger_sources::{ClockSource, Pending};

/// Is told by how much the clock is about to be ahead, before any part of the cloud sees it.
type Follower = Arc<dyn Fn(Duration) -> io::Result<()> + Send + Sync>;

/// A clock that every part of one simulated cloud shares.
#[derive(Clone)]
pub struct Clock {
    machine: Arc<dyn Fn() -> OffsetDateTime + Send + Sync>,
    ahead: Arc<watch::Sender<Duration>>,
    follower: Option<Follower>,
}

impl Default for Clock {
    /// On the clock of the operating system.
    fn default() -> Self {
        Self::over(OffsetDateTime::now_utc)
    }
}

impl Clock {
    /// A clock for which `machine` is the time of the machine, on which its callers run.
    pub fn over(machine: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        Self { machine: Arc::new(machine), ahead: Arc::default(), follower: None }
    }

    /// A clock that the callers of the cloud go by too. `follower` is told by how much it is ahead of the machine before it is
    /// pushed there, and must have told them when it returns. An error leaves the clock where it is.
    pub fn followed(follower: impl Fn(Duration) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self { follower: Some(Arc::new(follower)), ..Self::default() }
    }

    /// The simulated time, UTC.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        (self.machine)() + self.advanced()
    }

    /// By how much the clock is ahead of the machine.
    #[must_use]
    pub fn advanced(&self) -> Duration {
        *self.ahead.borrow()
    }

    /// By how much the clock is ahead of that of the callers: nothing where they go by it.
    #[must_use]
    pub fn ahead_of_callers(&self) -> Duration {
        if self.follower.is_some() { Duration::ZERO } else { self.advanced() }
    }

    /// The time by the clock of the callers, UTC.
    #[must_use]
    pub fn callers_now(&self) -> OffsetDateTime {
        self.now() - self.ahead_of_callers()
    }

    /// Pushes the clock forward. A negative step is ignored: what has happened stays in the past.
    ///
    /// # Errors
    /// When those who follow the clock could not be told; then it is where it was.
    pub fn push(&self, step: Duration) -> io::Result<()> {
        let mut told = Ok(());
        self.ahead.send_if_modified(|ahead| {
            let next = ahead.saturating_add(step.max(Duration::ZERO));
            told = self.follower.as_ref().map_or(Ok(()), |tell| tell(next));
            if told.is_ok() {
                *ahead = next;
            }
            told.is_ok()
        });
        told
    }

    /// Pushes a clock that has no followers, as [`Clock::push`]; with followers, a failure is only logged.
    pub fn advance(&self, step: Duration) {
        if let Err(error) = self.push(step) {
            tracing::error!(%error, "the clock stays where it is: those who follow it could not be told");
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Clock");
        shown.field("advanced", &self.advanced()).field("followed", &self.follower.is_some()).finish()
    }
}

impl ClockSource for Clock {
    fn ahead(&self) -> Duration {
        self.advanced()
    }

    fn pushed(&self, known: Duration) -> Pending<'_, ()> {
        let mut ahead = self.ahead.subscribe();
        Box::pin(async move {
            // It fails when the sender is gone, and we hold it.
            let _ = ahead.wait_for(|ahead| *ahead != known).await;
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_clock_goes_by_the_machine_that_it_was_given() {
        let clock = Clock::over(|| OffsetDateTime::UNIX_EPOCH);
        clock.advance(Duration::HOUR);
        assert_eq!(clock.now(), OffsetDateTime::UNIX_EPOCH + Duration::HOUR);
        assert_eq!(clock.callers_now(), OffsetDateTime::UNIX_EPOCH);
    }

    #[test]
    fn an_advanced_clock_is_ahead_and_never_goes_back() {
        let clock = Clock::default();
        let shared = clock.clone();
        clock.advance(Duration::hours(5));
        shared.advance(Duration::hours(-9));
        let ahead = shared.now() - OffsetDateTime::now_utc();
        assert!((ahead - Duration::hours(5)).abs() < Duration::minutes(1), "{ahead}");
        assert_eq!(clock.ahead_of_callers(), Duration::hours(5));
    }

    #[test]
    fn those_who_follow_are_told_first_and_a_clock_that_could_not_tell_them_stays() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&told);
        let clock = Clock::followed(move |ahead| {
            let mut told = seen.lock().unwrap();
            told.push(ahead);
            if told.len() == 2 { Err(io::Error::other("the disk is full")) } else { Ok(()) }
        });
        clock.push(Duration::days(1)).unwrap();
        assert_eq!(clock.push(Duration::days(2)).unwrap_err().to_string(), "the disk is full");
        assert_eq!((clock.advanced(), clock.ahead_of_callers()), (Duration::days(1), Duration::ZERO));
        clock.push(Duration::days(2)).unwrap();
        assert_eq!(clock.advanced(), Duration::days(3));
        assert_eq!(*told.lock().unwrap(), [1, 3, 3].map(Duration::days));
    }

    #[tokio::test]
    async fn who_waits_for_a_push_misses_none() {
        let clock = Clock::default();
        let (known, shared) = (clock.ahead(), clock.clone());
        // Pushed before the wait begins, and while it lasts.
        clock.advance(Duration::SECOND);
        clock.pushed(known).await;
        let known = clock.ahead();
        let waiting = tokio::spawn(async move { shared.pushed(known).await });
        tokio::task::yield_now().await;
        clock.advance(Duration::SECOND);
        waiting.await.unwrap();
    }
}
