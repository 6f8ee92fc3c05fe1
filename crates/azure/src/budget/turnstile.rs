//! The queue before one bucket: calls go in the order in which they came, and a call whose turn would come too late
//! does not wait for it.
//!
//! Only the first call of the queue has a timer that counts, set for the instant at which the bucket lets it through;
//! the turnstile wakes each other call when it becomes the first. Nothing polls. The mutex is held for arithmetic
//! alone, never while waiting; dropping the future of a call gives its place in the queue back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::bucket::{Bucket, Shape};

/// A bucket and the calls that wait for it.
#[derive(Debug)]
pub(super) struct Turnstile {
    state: Mutex<TurnstileState>,
}

#[derive(Debug)]
struct TurnstileState {
    bucket: Bucket,
    waiting: VecDeque<Waiter>,
    next_ticket: u64,
    throttled_total: u64,
    put_off_total: u64,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    wake: Arc<Notify>,
}

/// The state of a bucket, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) capacity: u32,
    pub(super) left: u32,
    pub(super) waiting: usize,
    pub(super) throttled_total: u64,
    pub(super) put_off_total: u64,
}

impl Turnstile {
    pub(super) fn new(shape: Shape) -> Self {
        let bucket = Bucket::full(shape, Instant::now());
        let state = TurnstileState {
            bucket,
            waiting: VecDeque::new(),
            next_ticket: 0,
            throttled_total: 0,
            put_off_total: 0,
        };
        Self { state: Mutex::new(state) }
    }

    /// Waits for a turn and draws a token. When the turn would come after `latest`, says at once how far away it is.
    pub(super) async fn pass(&self, latest: Instant) -> Result<(), Duration> {
        let Some(place) = self.enter() else { return Ok(()) };
        loop {
            match place.advance(latest) {
                Step::Go => return Ok(()),
                Step::TooLate(wait) => return Err(wait),
                // After the wait, woken or not, the loop looks at the bucket again.
                Step::Wait(until) => _ = timeout_at(until, place.wake.notified()).await,
            }
        }
    }

    /// Takes over an answer: a 429, and how many calls are left.
    pub(super) fn learn(&self, throttled: Option<Option<Duration>>, remaining: Option<u32>) {
        let mut state = self.lock();
        let now = Instant::now();
        if let Some(remaining) = remaining {
            state.bucket.told_remaining(now, remaining);
        }
        if let Some(retry_after) = throttled {
            state.bucket.told_throttled(now, retry_after);
            state.throttled_total += 1;
            // Calls whose turn has moved too far leave now instead of waiting in vain.
            state.waiting.iter().for_each(|waiter| waiter.wake.notify_one());
        }
    }

    pub(super) fn reading(&self) -> Reading {
        let state = self.lock();
        Reading {
            capacity: state.bucket.capacity(),
            left: state.bucket.left(Instant::now()),
            waiting: state.waiting.len(),
            throttled_total: state.throttled_total,
            put_off_total: state.put_off_total,
        }
    }

    /// Draws at once where no call waits, else takes the last place.
    fn enter(&self) -> Option<Place<'_>> {
        let mut state = self.lock();
        if state.waiting.is_empty() && state.bucket.draw(Instant::now()) {
            return None;
        }
        let (ticket, wake) = (state.next_ticket, Arc::new(Notify::new()));
        state.next_ticket += 1;
        state.waiting.push_back(Waiter { ticket, wake: wake.clone() });
        Some(Place { turnstile: self, ticket, wake })
    }

    fn lock(&self) -> MutexGuard<'_, TurnstileState> {
        // Every change under the lock is complete in itself, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Step {
    Go,
    TooLate(Duration),
    Wait(Instant),
}

/// A place in the queue. Dropping it gives it up, and wakes the next one if it was the first.
struct Place<'t> {
    turnstile: &'t Turnstile,
    ticket: u64,
    wake: Arc<Notify>,
}

impl Place<'_> {
    fn advance(&self, latest: Instant) -> Step {
        let mut state = self.turnstile.lock();
        let now = Instant::now();
        // Tickets rise along the queue.
        let ahead = state.waiting.partition_point(|waiter| waiter.ticket < self.ticket);
        if ahead == 0 && state.bucket.draw(now) {
            return Step::Go;
        }
        let ready = state.bucket.ready_at(now, ahead + 1);
        if ready > latest || now >= latest {
            state.put_off_total += 1;
            return Step::TooLate(ready.saturating_duration_since(now));
        }
        Step::Wait(if ahead == 0 { ready } else { latest })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.turnstile.lock();
        let index = state.waiting.partition_point(|waiter| waiter.ticket < self.ticket);
        state.waiting.remove(index);
        if index == 0
            && let Some(first) = state.waiting.front()
        {
            first.wake.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use tokio::task::JoinHandle;
    use tokio::time::sleep;

    use super::*;

    const READS: Shape = Shape { capacity: 250, refill_per_second: 25 };
    const USABLE: usize = 200;
    const TURN: Duration = Duration::from_millis(40);
    const HOUR: Duration = Duration::from_secs(3600);

    /// A turnstile whose usable burst is drawn already.
    async fn emptied() -> Arc<Turnstile> {
        let turnstile = Arc::new(Turnstile::new(READS));
        for _ in 0..USABLE {
            turnstile.pass(Instant::now()).await.unwrap();
        }
        turnstile
    }

    /// Starts to pass, and gives how long after `start` that ended. Returns once it is in the queue.
    async fn passing(
        turnstile: &Arc<Turnstile>,
        start: Instant,
        patience: Duration,
    ) -> JoinHandle<(Duration, Result<(), Duration>)> {
        let turnstile = turnstile.clone();
        let task = tokio::spawn(async move {
            let result = turnstile.pass(Instant::now() + patience).await;
            (start.elapsed(), result)
        });
        tokio::task::yield_now().await;
        task
    }

    #[tokio::test(start_paused = true)]
    async fn the_burst_goes_at_once_and_then_calls_go_at_the_refill() {
        let (turnstile, start) = (Arc::new(Turnstile::new(READS)), Instant::now());
        let mut tasks = Vec::new();
        for _ in 0..USABLE + 50 {
            tasks.push(passing(&turnstile, start, HOUR).await);
        }
        assert_eq!((turnstile.reading().waiting, turnstile.reading().left), (50, 50));
        for (number, task) in tasks.into_iter().enumerate() {
            let turns = u32::try_from((number + 1).saturating_sub(USABLE)).unwrap();
            assert_eq!(task.await.unwrap(), (TURN * turns, Ok(())), "call {number}");
        }
        assert_eq!((turnstile.reading().waiting, turnstile.reading().left), (0, 50));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_is_there_belongs_to_the_first_even_before_its_timer_has_run() {
        let turnstile = emptied().await;
        let latest = Instant::now() + HOUR;
        let (first, second) = (turnstile.enter().unwrap(), turnstile.enter().unwrap());
        tokio::time::advance(TURN * 2).await;
        let third = turnstile.enter().unwrap();
        assert!(matches!(third.advance(latest), Step::Wait(_)));
        assert!(matches!(second.advance(latest), Step::Wait(_)));
        assert!(matches!(first.advance(latest), Step::Go));
        drop(first);
        assert!(matches!(second.advance(latest), Step::Go));
        drop(second);
        assert!(matches!(third.advance(latest), Step::Wait(until) if until == Instant::now() + TURN));
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_leaves_the_turn_to_the_next() {
        for given_up in [0, 1] {
            let turnstile = emptied().await;
            let start = Instant::now();
            let mut tasks = Vec::new();
            for _ in 0..3 {
                tasks.push(passing(&turnstile, start, HOUR).await);
            }
            sleep(TURN / 2).await;
            let cancelled = tasks.remove(given_up);
            cancelled.abort();
            assert!(cancelled.await.unwrap_err().is_cancelled());
            assert_eq!(turnstile.reading().waiting, 2);
            for (task, turn) in tasks.into_iter().zip(1..) {
                assert_eq!(task.await.unwrap(), (TURN * turn, Ok(())));
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_whose_turn_would_come_too_late_is_told_at_once_and_takes_no_turn() {
        let turnstile = emptied().await;
        let start = Instant::now();
        let first = passing(&turnstile, start, HOUR).await;
        assert_eq!(turnstile.pass(start + TURN).await, Err(TURN * 2));
        assert_eq!(start.elapsed(), Duration::ZERO);
        let second = passing(&turnstile, start, TURN * 2).await;
        assert_eq!(first.await.unwrap(), (TURN, Ok(())));
        assert_eq!(second.await.unwrap(), (TURN * 2, Ok(())));
        assert_eq!(turnstile.reading().put_off_total, 1);
    }

    /// Tokens that are there belong to the calls ahead, even when those have not drawn them yet.
    #[tokio::test(start_paused = true)]
    async fn a_call_whose_time_is_up_leaves_though_there_are_tokens_for_those_ahead_and_for_it() {
        let turnstile = emptied().await;
        let (_first, second) = (turnstile.enter().unwrap(), turnstile.enter().unwrap());
        tokio::time::advance(TURN * 2).await;
        assert!(matches!(second.advance(Instant::now()), Step::TooLate(Duration::ZERO)));
        assert_eq!(turnstile.reading().put_off_total, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttle_sends_away_those_who_cannot_wait_and_holds_the_others_back() {
        let turnstile = emptied().await;
        let start = Instant::now();
        let patient = passing(&turnstile, start, HOUR).await;
        let impatient = passing(&turnstile, start, Duration::from_secs(5)).await;
        let closed = Duration::from_secs(10);
        turnstile.learn(Some(Some(closed)), Some(0));
        let (left_at, result) = impatient.await.unwrap();
        assert_eq!(left_at, Duration::ZERO, "it does not wait in vain");
        assert!(result.unwrap_err() > closed);
        let (passed_at, result) = patient.await.unwrap();
        assert_eq!(result, Ok(()));
        // After an answer that nothing is left, the reserve has to fill up before the first turn: 50 tokens take two
        // seconds.
        assert_eq!(passed_at, closed + Duration::from_secs(2) + TURN);
        assert_eq!(turnstile.reading().throttled_total, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn told_less_it_goes_slower() {
        let turnstile = Arc::new(Turnstile::new(READS));
        turnstile.learn(None, Some(60));
        let start = Instant::now();
        for _ in 0..20 {
            turnstile.pass(start + HOUR).await.unwrap();
        }
        assert_eq!(start.elapsed(), TURN * 10, "ten of the twenty were there");
    }

    /// What a call of the random run does.
    #[derive(Debug, Clone)]
    struct Visit {
        after: Duration,
        patience: Duration,
        gives_up_after: Option<Duration>,
    }

    fn visit() -> impl Strategy<Value = Visit> {
        let ms = |range| Strategy::prop_map(range, Duration::from_millis);
        (ms(0_u64..60), ms(0_u64..3_000), proptest::option::weighted(0.3, ms(0_u64..400)))
            .prop_map(|(after, patience, gives_up_after)| Visit { after, patience, gives_up_after })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn in_any_crowd_turns_keep_their_order_and_the_refill_and_no_call_is_forgotten(visits in vec(visit(), 1..60)) {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let (start, passed, reading) = runtime.block_on(async {
                let (turnstile, start) = (emptied().await, Instant::now());
                let passed = Arc::new(Mutex::new(Vec::new()));
                let mut tasks = Vec::new();
                for (number, visit) in visits.into_iter().enumerate() {
                    sleep(visit.after).await;
                    let (turnstile, passed) = (turnstile.clone(), passed.clone());
                    tasks.push(tokio::spawn(async move {
                        let latest = Instant::now() + visit.patience;
                        let pass = async {
                            if turnstile.pass(latest).await.is_ok() {
                                passed.lock().unwrap().push((number, Instant::now()));
                                // The clock of timers has steps of a millisecond.
                                assert!(Instant::now() <= latest + Duration::from_millis(1));
                            }
                        };
                        match visit.gives_up_after {
                            Some(time) => _ = tokio::time::timeout(time, pass).await,
                            None => pass.await,
                        }
                    }));
                    tokio::task::yield_now().await;
                }
                for task in tasks {
                    task.await.unwrap();
                }
                let passed = passed.lock().unwrap().clone();
                (start, passed, turnstile.reading())
            });
            prop_assert_eq!(reading.waiting, 0);
            for pair in passed.windows(2) {
                prop_assert!(pair[0].0 < pair[1].0, "first come, first served");
            }
            for ((_, at), turn) in passed.iter().zip(1..) {
                prop_assert!(*at - start >= TURN * turn, "no turn comes before its token");
            }
        }
    }
}
