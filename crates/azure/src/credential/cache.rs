//! Keeps a token per scope, asks for the next one before the old one ends, and uses the old one when that fails.
//!
//! Each scope has a lock of its own. Only the one caller that asks for a token holds it across an await. Callers that
//! find a valid token never wait; callers that find none wait for that one answer, and share it if it is an error.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ambient::Clock;
use async_trait::async_trait;
use time::{Duration, OffsetDateTime};

use super::{AccessToken, TokenSource};
use crate::error::Error;

/// How long before its end the cache replaces a token; half of its life if that is shorter. `azure_identity` uses the
/// same.
const REFRESH_BEFORE: Duration = Duration::minutes(5);
/// How long the cache waits after a failed replacement while the old token is valid.
const PAUSE_AFTER_FAILURE: Duration = Duration::seconds(30);

/// A cache of tokens over another source.
pub struct CachedTokens<S> {
    source: S,
    clock: Clock,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
}

#[derive(Default)]
struct Slot {
    state: Mutex<SlotState>,
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct SlotState {
    token: Option<AccessToken>,
    replace_at: Option<OffsetDateTime>,
    rounds: u64,
    failure: Option<Error>,
}

enum Found {
    Fresh(AccessToken),
    Aging(AccessToken),
    Nothing,
}

impl<S: TokenSource> CachedTokens<S> {
    /// An empty cache, which tells by `clock` when a token ends.
    #[must_use]
    pub fn new(source: S, clock: Clock) -> Self {
        Self { source, clock, slots: Mutex::default() }
    }

    fn slot(&self, scope: &str) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(scope) {
            return slot.clone();
        }
        slots.entry(scope.to_owned()).or_default().clone()
    }

    async fn ask(&self, slot: &Slot, scope: &str) -> Result<AccessToken, Error> {
        let answer = self.source.token(scope).await;
        let now = self.clock.now();
        let mut state = slot.state();
        state.rounds += 1;
        match &answer {
            Ok(token) => {
                let life = (token.expires_on() - now).max(Duration::ZERO);
                state.replace_at = Some(token.expires_on() - REFRESH_BEFORE.min(life / 2));
                state.token = Some(token.clone());
                state.failure = None;
            }
            Err(error) => {
                tracing::debug!(scope, error.kind = error.metric_label(), "no token");
                state.replace_at = Some(now + PAUSE_AFTER_FAILURE);
                state.failure = Some(error.clone());
            }
        }
        answer
    }
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SlotState {
    fn find(&self, now: OffsetDateTime) -> Found {
        match &self.token {
            Some(token) if token.expires_on() <= now => Found::Nothing,
            Some(token) if self.replace_at.is_some_and(|at| at <= now) => Found::Aging(token.clone()),
            Some(token) => Found::Fresh(token.clone()),
            None => Found::Nothing,
        }
    }
}

#[async_trait]
impl<S: TokenSource> TokenSource for CachedTokens<S> {
    async fn token(&self, scope: &str) -> Result<AccessToken, Error> {
        let slot = self.slot(scope);
        let (found, rounds) = {
            let state = slot.state();
            (state.find(self.clock.now()), state.rounds)
        };
        match found {
            Found::Fresh(token) => return Ok(token),
            Found::Aging(token) => {
                let Ok(_asking) = slot.asking.try_lock() else { return Ok(token) };
                return Ok(self.ask(&slot, scope).await.unwrap_or(token));
            }
            Found::Nothing => {}
        }
        let _asking = slot.asking.lock().await;
        {
            let state = slot.state();
            if let Found::Fresh(token) | Found::Aging(token) = state.find(self.clock.now()) {
                return Ok(token);
            }
            if let (true, Some(failure)) = (state.rounds != rounds, &state.failure) {
                return Err(failure.clone());
            }
        }
        self.ask(&slot, scope).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;
    use crate::error::{ErrorKind, Sent};

    /// Gives numbered tokens of a set life, or fails; waits for a permit before each answer.
    struct Source {
        asked: AtomicUsize,
        life: Mutex<Option<Duration>>,
        gate: Semaphore,
    }

    impl Source {
        fn new(life: Option<Duration>) -> Arc<Self> {
            Arc::new(Self { asked: AtomicUsize::new(0), life: Mutex::new(life), gate: Semaphore::new(1_000) })
        }

        fn set(&self, life: Option<Duration>) {
            *self.life.lock().unwrap() = life;
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }
    }

    #[async_trait]
    impl TokenSource for Arc<Source> {
        async fn token(&self, scope: &str) -> Result<AccessToken, Error> {
            let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            self.gate.acquire().await.unwrap().forget();
            let life = *self.life.lock().unwrap();
            match life {
                Some(life) => {
                    Ok(AccessToken::new(format!("{scope}-{number}"), OffsetDateTime::now_utc() + life))
                }
                None => Err(Error::new(ErrorKind::Unavailable, Sent::No, "token", "down")),
            }
        }
    }

    fn make_due(cache: &CachedTokens<Arc<Source>>, scope: &str) {
        cache.slot(scope).state().replace_at = Some(OffsetDateTime::now_utc() - Duration::SECOND);
    }

    #[tokio::test]
    async fn a_token_is_kept_per_scope() {
        let source = Source::new(Some(Duration::HOUR));
        let cache = CachedTokens::new(source.clone(), Clock::of_system());
        for _ in 0..3 {
            assert_eq!(cache.token("a").await.unwrap().secret(), "a-1");
            assert_eq!(cache.token("b").await.unwrap().secret(), "b-2");
        }
        assert_eq!(source.asked(), 2);
    }

    #[tokio::test]
    async fn a_token_is_replaced_before_it_ends() {
        let source = Source::new(Some(Duration::HOUR));
        let cache = CachedTokens::new(source.clone(), Clock::of_system());
        cache.token("a").await.unwrap();
        let due = cache.slot("a").state().replace_at.unwrap() - OffsetDateTime::now_utc();
        assert!(due > Duration::minutes(54) && due < Duration::minutes(56), "{due}");
        make_due(&cache, "a");
        assert_eq!(cache.token("a").await.unwrap().secret(), "a-2");
    }

    #[tokio::test]
    async fn a_token_with_a_short_life_is_kept_for_half_of_it() {
        let source = Source::new(Some(Duration::seconds(60)));
        let cache = CachedTokens::new(source.clone(), Clock::of_system());
        cache.token("a").await.unwrap();
        cache.token("a").await.unwrap();
        assert_eq!(source.asked(), 1);
    }

    #[tokio::test]
    async fn the_old_token_serves_while_it_is_valid_and_replacing_it_fails() {
        let source = Source::new(Some(Duration::HOUR));
        let cache = CachedTokens::new(source.clone(), Clock::of_system());
        cache.token("a").await.unwrap();
        make_due(&cache, "a");
        source.set(None);
        assert_eq!(cache.token("a").await.unwrap().secret(), "a-1");
        assert_eq!(cache.token("a").await.unwrap().secret(), "a-1");
        assert_eq!(source.asked(), 2, "a failed replacement is left alone for a while");
    }

    #[tokio::test]
    async fn an_expired_token_is_not_given() {
        let source = Source::new(Some(Duration::ZERO));
        let cache = CachedTokens::new(source.clone(), Clock::of_system());
        cache.token("a").await.unwrap();
        source.set(None);
        assert_eq!(cache.token("a").await.unwrap_err().kind(), ErrorKind::Unavailable);
        source.set(Some(Duration::HOUR));
        assert_eq!(cache.token("a").await.unwrap().secret(), "a-3", "a failure is not kept once it is over");
    }

    #[tokio::test]
    async fn callers_that_wait_share_one_answer_also_when_it_is_an_error() {
        for life in [Some(Duration::HOUR), None] {
            let source = Source::new(life);
            source.gate.forget_permits(1_000);
            let cache = Arc::new(CachedTokens::new(source.clone(), Clock::of_system()));
            let callers: Vec<_> = (0..8)
                .map(|_| {
                    let cache = cache.clone();
                    tokio::spawn(async move { cache.token("a").await.is_ok() })
                })
                .collect();
            while source.asked() == 0 {
                tokio::task::yield_now().await;
            }
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            source.gate.add_permits(1_000);
            for caller in callers {
                assert_eq!(caller.await.unwrap(), life.is_some());
            }
            assert_eq!(source.asked(), 1);
        }
    }
}
