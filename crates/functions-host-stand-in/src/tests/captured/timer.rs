//! Timers.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;
use uuid::Uuid;

use super::{Capture, Seen, first_attempt, function};
use crate::answer::{Answer, Verdict, judge, retry_context};
use crate::app::Function;
use crate::newtonsoft::Token;
use crate::trigger::timer::{ScheduleStatus, timer};
use crate::zone::Zone;

fn tick(name: &str) -> Function {
    function(name, r#""type":"timerTrigger","name":"timer","schedule":"0 * * * * *""#)
}

fn ran(last: OffsetDateTime, next: OffsetDateTime, stored_utc: bool) -> Option<ScheduleStatus> {
    Some(ScheduleStatus { last: Some(last), next, stored_utc })
}

/// Late by hours; its status was stored with `Z` or with an offset.
fn missed(stored_utc: bool) -> Option<ScheduleStatus> {
    ran(datetime!(2026-11-23 07:00:00.0012345 UTC), datetime!(2026-11-23 08:00 UTC), stored_utc)
}

fn check_with(
    case: &str,
    name: &str,
    status: Option<ScheduleStatus>,
    past_due: bool,
    retry: Option<Token>,
    zone: &Zone,
) {
    let function = tick(name);
    let payload = timer(&function, true, status, past_due, zone);
    Capture::load(case).check(&function, &payload, retry, zone);
}

fn check(case: &str, name: &str, status: Option<ScheduleStatus>, past_due: bool) {
    check_with(case, name, status, past_due, None, &Zone::Utc);
}

#[test]
fn timer_cron_1m_first_run() {
    let status = ScheduleStatus::first(datetime!(2026-11-23 09:51 UTC));
    check("timer.cron.1m.first-run", "tick-fail", Some(status), false);
}

#[test]
fn timer_cron_1m_normal() {
    let status = ran(datetime!(2026-11-23 09:51:00.0025791 UTC), datetime!(2026-11-23 09:52 UTC), false);
    check("timer.cron.1m.normal", "tick-fail", status, false);
}

#[test]
fn timer_cron_5s_default_use_monitor() {
    check("timer.cron.5s.default-useMonitor", "tick", None, false);
}

#[test]
fn timer_cron_use_monitor_false() {
    check("timer.cron.useMonitor-false", "tick-minnomon", None, false);
}

#[test]
fn timer_pastdue() {
    check("timer.pastdue", "tick-past", missed(false), true);
}

#[test]
fn timer_pastdue_stored_z() {
    check("timer.pastdue.storedZ", "tick-pastz", missed(true), true);
}

#[test]
fn timer_tz_berlin_first_run() {
    let status = ScheduleStatus::first(datetime!(2026-11-24 02:00 UTC));
    let berlin = "Europe/Berlin".parse().unwrap();
    check_with("timer.tz-berlin.first-run", "tick-startup", Some(status), false, None, &berlin);
}

fn retried() -> Option<ScheduleStatus> {
    Some(ScheduleStatus::first(datetime!(2027-01-01 03:00 UTC)))
}

#[test]
fn timer_retry_fixed_delay_attempt0() {
    let case = "timer.retry.fixedDelay.attempt0";
    check_with(case, "tick-retry", retried(), false, first_attempt(), &Zone::Utc);
}

/// Names, order and values of all members, but of a stack trace only that it is one.
fn without_stacks(value: &Value) -> Value {
    let Value::Object(members) = value else { return value.clone() };
    let members = members.iter().map(|(name, value)| {
        let stack =
            name.starts_with("StackTrace") && value.as_str().is_some_and(|it| it.starts_with("   at "));
        (name.clone(), if stack { json!("   at ...") } else { without_stacks(value) })
    });
    Value::Object(members.collect())
}

/// The second attempt gets the reason of the first failure, with stack traces of the real host's own frames. The
/// stand-in does not copy those, so the test compares everything else. (The recording's text is itself shorter than its
/// chunks: 3,615 bytes of 3,882.)
#[test]
fn timer_retry_fixed_delay_attempt1() {
    let capture = Capture::load("timer.retry.fixedDelay.attempt1");
    let function = tick("tick-retry");
    // The handler's answer to the first attempt.
    let answer = Answer { status: 500, reason: "X".to_owned(), ..Answer::default() };
    let Verdict::Failed(failure) = judge(&answer, &function, &Zone::Utc) else { panic!("500 is a failure") };
    let id = Uuid::parse_str(capture.header("X-Azure-Functions-InvocationId").unwrap()).unwrap();
    let retry = retry_context("tick-retry", id, 1, Some(2), Some(&failure));
    let payload = timer(&function, true, retried(), false, &Zone::Utc);
    let body = capture.body_of(&function, &payload, Some(retry), &Zone::Utc);
    let seen = Seen::of(&capture.request(&function, body));

    assert_eq!(seen.line, capture.file["requestLine"].as_str().unwrap());
    assert_eq!(seen.headers(&capture), capture.file["headers"]);
    let ours = without_stacks(&serde_json::from_str(&seen.body).unwrap());
    // As text, since values are equal whatever the order of their members.
    assert_eq!(ours.to_string(), without_stacks(capture.body()).to_string());
    let sizes = seen.framing["chunks"].as_array().unwrap();
    let recorded = capture.file["framing"]["chunks"].as_array().unwrap();
    assert_eq!((sizes.len(), &sizes[..3]), (recorded.len(), &recorded[..3]));
}
