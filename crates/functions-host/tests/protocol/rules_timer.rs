//! Rules 14, 28 and 29.

use functions_host::TimerTrigger;
use serde_json::{Value, json};

use super::fixture;
use super::served::{TIMER, invocation};

fn timer(data: Value) -> TimerTrigger {
    invocation(&TIMER, &json!({"Data": {"timer": data}})).timer("timer").expect("a timer")
}

#[test]
fn rule_14_a_timer_may_have_no_status_and_a_retry_context() {
    for status in [json!(null), json!("null"), json!(7), json!([])] {
        let timer = timer(json!({"ScheduleStatus": status, "IsPastDue": "True"}));
        assert_eq!((timer.schedule_status, timer.is_past_due), (None, true), "{status}");
    }
    assert!(!timer(json!({})).is_past_due, "nothing is said, so nothing is late");
    let twice = json!(json!(json!({"IsPastDue": true}).to_string()).to_string());
    assert!(timer(twice).is_past_due, "an object inside a string inside a string");
    let unreadable = timer(json!({"ScheduleStatus": {"Last": "11/23/2026 05:21:41", "Next": 5}}));
    let status = unreadable.schedule_status.clone().expect("a status");
    assert_eq!((status.last, status.next, unreadable.is_first_run()), (None, None, false));
}

#[test]
fn rule_28_a_first_run_is_told_by_the_parsed_year() {
    let first_run = |last: &str| timer(json!({"ScheduleStatus": {"Last": last}})).is_first_run();
    for last in [
        "0001-01-01T00:00:00",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:00",
        "0001-01-01T00:54:00+00:54",
        "0001-01-01T00:00:00+00:54",
        "0001-01-01T09:18:59.0000000+09:18",
        "0001-01-01T00:00:00-04:56",
    ] {
        assert!(first_run(last), "{last}");
    }
    for last in ["0002-01-01T00:00:00Z", "2026-11-23T09:51:00+00:00", "0001-01-01", ""] {
        assert!(!first_run(last), "{last}");
    }
}

#[tokio::test]
async fn rule_29_a_timer_may_fire_before_its_next_time() {
    let recorded = fixture::read("timer.cron.1m.normal");
    let now =
        functions_host::parse_time(recorded["body"]["Metadata"]["sys"]["UtcNow"].as_str().expect("a time"));
    let trigger = TIMER.trigger;
    let delivered =
        fixture::deliver("timer.cron.1m.normal", trigger, |invocation| invocation.timer("timer")).await;
    let timer = delivered.value.expect("decoded although it is early");
    assert!(timer.schedule_status.expect("a status").next > now, "the recorded run came before its time");
    assert!(!timer.is_past_due);
}
