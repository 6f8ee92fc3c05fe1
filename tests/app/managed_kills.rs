//! A run that is killed between any two of its calls, before a call or after it and before its answer, ends in the same place as
//! one that is not, with each resource written once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use azure::http::transport::{Incoming, Outgoing, Transport, TransportFailure};
use azure::{ErrorKind, Sent};
use futures::StreamExt;
use tokio::sync::Notify;

use crate::declared::empty;
use crate::in_process::InProcess;
use crate::managed::{generations, is_done, managed, next_period, of, period, report, writes};

/// How many kills each generation gets; `cargo xtask full` asks for 50.
const KILLS: &str = "POLICYSYNC_MANAGED_KILLS";
const FEW: i64 = 4;
/// Most periods until everything is as declared.
const PERIODS: usize = 12;

/// Passes calls on until one of them, at which the process dies: that call never returns, and no later one leaves.
struct Guillotine {
    client: reqwest::Client,
    /// How many calls are passed on before that.
    left: AtomicI64,
    /// Whether the last call reaches the service.
    is_sent: bool,
    dead: Notify,
}

impl Guillotine {
    fn after(calls: i64, is_sent: bool) -> Arc<Self> {
        let client = azure::http::shared_client().unwrap();
        Arc::new(Self { client, left: AtomicI64::new(calls), is_sent, dead: Notify::new() })
    }

    async fn pass_on(&self, request: Outgoing) -> Result<Incoming, TransportFailure> {
        let failure = |error: reqwest::Error| TransportFailure {
            kind: ErrorKind::Unavailable,
            sent: Sent::Maybe,
            message: error.to_string(),
        };
        let Outgoing { method, url, headers, body } = request;
        let sent = self.client.request(method, url).headers(headers).body(body).send().await;
        let response = sent.map_err(failure)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(failure)?;
        let length = Some(body.len() as u64);
        Ok(Incoming { status, headers, length, body: futures::stream::iter([Ok(body)]).boxed() })
    }
}

#[async_trait]
impl Transport for Guillotine {
    async fn send(&self, request: Outgoing) -> Result<Incoming, TransportFailure> {
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left > 0 {
            return self.pass_on(request).await;
        }
        if left == 0 {
            if self.is_sent {
                drop(self.pass_on(request).await);
            }
            self.dead.notify_one();
        }
        std::future::pending().await
    }
}

/// Plays periods until everything is as declared, with one kill; answers the writes, sorted.
async fn played(
    (generation, declared, policy): (&str, &str, &str),
    guillotine: &Arc<Guillotine>,
) -> Vec<String> {
    let mut app = of(empty(generation), &managed("enforce", declared, policy)).await;
    let transport: Arc<dyn Transport> = guillotine.clone();
    app.restart_over(transport);
    let mut periods = 0;
    loop {
        let is_killed = tokio::select! {
            () = period(&app) => false,
            () = guillotine.dead.notified() => true,
        };
        if is_killed {
            app.restart(&[]);
        } else if is_done(&report(&app).await) {
            break;
        }
        periods += 1;
        assert!(periods < PERIODS, "{generation}: {:#?}", report(&app).await);
        next_period(&app);
    }
    // What comes then is no part of the way that is killed.
    app.restart(&[]);
    still(&app).await
}

/// The writes, once another period has added none.
async fn still(app: &InProcess) -> Vec<String> {
    let mut written = writes(app);
    next_period(app);
    period(app).await;
    assert_eq!(writes(app), written, "the same again");
    written.sort();
    written
}

#[tokio::test]
async fn a_run_that_is_killed_between_any_two_calls_ends_in_the_same_place_with_each_resource_written_once() {
    let kills = std::env::var(KILLS).map_or(FEW, |kills| kills.parse().unwrap());
    for (generation, declared, policy, mut expected) in generations() {
        let whole = Guillotine::after(i64::MAX, false);
        let undisturbed = played((generation, declared, policy), &whole).await;
        let calls = i64::MAX - whole.left.load(Ordering::SeqCst);
        expected.push("PUT /dps/contoso-plants-dps/enrollmentGroups/line-1");
        expected.sort_unstable();
        assert_eq!(undisturbed, expected, "{generation}");
        assert!(calls > 30, "{generation}: {calls} calls");
        for kill in 0..kills {
            // The first kill is at the first call and the last one near the last.
            let (at, is_sent) = (kill * calls / kills, kill % 2 == 1);
            let guillotine = Guillotine::after(at, is_sent);
            let written = played((generation, declared, policy), &guillotine).await;
            assert!(guillotine.left.load(Ordering::SeqCst) < 0, "{generation}: no kill at {at} of {calls}");
            assert_eq!(written, expected, "{generation}: killed at call {at}, which was sent: {is_sent}");
        }
    }
}
