//! Firing timers (`functions-host-protocol.md` §1.7).

use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use crate::app::{Function, TimerTrigger};
use crate::clock::HostClock;
use crate::engine::Engine;
use crate::invoker::Work;
use crate::trigger::timer::{ScheduleStatus, timer};

/// Fires a timer for as long as the host runs: one run at a time, and a failure never stops the schedule. `ahead`: by how much
/// the clock was ahead when the host started.
pub async fn run(engine: Arc<Engine>, function: Arc<Function>, trigger: TimerTrigger, mut ahead: Duration) {
    let clock = engine.clock();
    let start = OffsetDateTime::now_utc().saturating_add(ahead);
    let past_due = engine.status(&function, start).is_some_and(|status| status.next < start);
    if past_due || trigger.run_on_startup {
        let next = trigger.schedule.next(start, engine.zone()).unwrap_or(start);
        fire(&engine, &function, &trigger, Times { due: start, next }, past_due).await;
    }
    let mut from = OffsetDateTime::now_utc().saturating_add(ahead);
    while let Some(due) = trigger.schedule.next(from, engine.zone()) {
        let was_late;
        (was_late, ahead) = reach(clock, due, ahead).await;
        // Without a monitor a host that did not run knows of no time that it left out.
        if !was_late || engine.status(&function, due).is_some() {
            fire(&engine, &function, &trigger, Times { due, next: due }, was_late).await;
        }
        // Times that passed while the function ran are left out, but for those that a push of the clock passed over.
        from = OffsetDateTime::now_utc().saturating_add(ahead).max(due);
    }
}

/// The time that a run is for, and the time that the status of a first run calls the next one.
struct Times {
    due: OffsetDateTime,
    next: OffsetDateTime,
}

/// Runs the function once. Its status moves on whether it succeeds or not.
async fn fire(
    engine: &Engine,
    function: &Function,
    trigger: &TimerTrigger,
    Times { due, next }: Times,
    past_due: bool,
) {
    let now = engine.clock().now();
    let mut status = engine.status(function, now);
    if let Some(status) = status.as_mut().filter(|status| status.last.is_none()) {
        // The status of a timer that never ran names the time that is being served, not the one after it.
        status.next = next;
    }
    let adjusts = trigger.schedule.adjusts_for_summer_time();
    engine
        .invoker
        .run(function, Work::Envelope(timer(function, adjusts, status, past_due, engine.zone())))
        .await;
    let ran = now.max(due);
    if let (Some(_), Some(next)) = (status, trigger.schedule.next(ran, engine.zone())) {
        engine.remember(&function.name, ScheduleStatus { last: Some(ran), next, stored_utc: false });
    }
}

/// Waits for a time of the clock, in steps, so that a clock that is set or a machine that sleeps is noticed. Whether the clock
/// was pushed past it, and by how much it is ahead then; `known`: by how much it was ahead when the wait began to count.
async fn reach(clock: &HostClock, due: OffsetDateTime, mut known: Duration) -> (bool, Duration) {
    const STEP: std::time::Duration = std::time::Duration::from_secs(60);
    loop {
        let ahead = clock.ahead();
        let was_pushed = ahead != known;
        known = ahead;
        let left = due - OffsetDateTime::now_utc().saturating_add(known);
        match std::time::Duration::try_from(left) {
            Ok(left) if !left.is_zero() => tokio::select! {
                biased;
                () = clock.pushed(known) => {}
                () = tokio::time::sleep(left.min(STEP)) => {}
            },
            _ => return (was_pushed, known),
        }
    }
}
