//! Timers by a clock that is pushed ahead.

use std::sync::Arc;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;

use super::app::{TestApp, next_invocation};
use super::sources::start;
use crate::{HostEvent, Sources};
use trigger_sources::{ClockSource, Pending};

/// A clock that the test pushes.
struct Pushed(watch::Sender<time::Duration>);

impl Pushed {
    fn push(&self, step: time::Duration) {
        self.0.send_modify(|ahead| *ahead += step);
    }
}

impl ClockSource for Pushed {
    fn ahead(&self) -> time::Duration {
        *self.0.borrow()
    }

    fn pushed(&self, known: time::Duration) -> Pending<'_, ()> {
        let mut ahead = self.0.subscribe();
        Box::pin(async move {
            let _ = ahead.wait_for(|ahead| *ahead != known).await;
        })
    }
}

/// As after a time in which the host did not run: each timer fires once for all the times that were passed over, and says that
/// it is late; one without a monitor passes over them.
#[tokio::test]
async fn a_clock_that_is_pushed_past_a_timer_fires_it_once_and_late() {
    let app = TestApp::new();
    let timer =
        |more: &str| format!(r#"{{"type":"timerTrigger","name":"timer","schedule":"0 0 3 1 1 *"{more}}}"#);
    app.function("kept", &timer(""));
    app.function("forgotten", &timer(r#","useMonitor":false"#));
    let clock = Arc::new(Pushed(watch::Sender::new(time::Duration::ZERO)));
    let sources = Sources { clock: Some(clock.clone()), ..Sources::default() };
    let (host, mut events) = start(&app, sources).await;
    // Five years hold five of its times.
    for years in [5, 1] {
        let before = OffsetDateTime::now_utc() + clock.ahead();
        clock.push(time::Duration::days(366 * years));
        let report = next_invocation(&mut events).await;
        assert_eq!(report.function, "kept");
        let body: Value = serde_json::from_str(&report.logs[0]).unwrap();
        assert_eq!(body["Data"]["timer"]["IsPastDue"], json!(true));
        let now = body["Metadata"]["sys"]["UtcNow"].as_str().unwrap();
        let now = OffsetDateTime::parse(now, &Rfc3339).unwrap();
        assert!((now - before - time::Duration::days(366 * years)).abs() < time::Duration::MINUTE, "{now}");
        // The time that it is for is the first of those that were passed over.
        let next = body["Data"]["timer"]["ScheduleStatus"]["Next"].as_str().unwrap();
        let years = [before.year(), before.year() + 1];
        assert!(years.iter().any(|year| next.starts_with(&year.to_string())), "{next} after {before}");
    }
    // What was passed over comes neither again nor for the other one: the next to fire is what is fired by hand.
    host.fire("forgotten", None).await.unwrap();
    assert_eq!(next_invocation(&mut events).await.function, "forgotten");
    while let Ok(event) = events.try_recv() {
        assert!(!matches!(event, HostEvent::Invocation(_)), "a timer fired more than once: {event}");
    }
    host.stop().await;
}
