//! What the memory of writes keeps from being sent again, and for how long: a service that takes a write and keeps another value, or
//! refuses it each time, gets it a bounded number of times, whatever the clocks say.

use proptest::prelude::*;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-29 12:00 UTC);
/// As `reconcile-assignments` is deployed.
const PERIOD: Duration = Duration::minutes(15);

fn short_lived() -> Resource {
    Resource::Policy { name: "short-lived".to_owned(), authority: None }
}

fn to(from: u32, to: u32) -> Write {
    Write::LeafValidity { from, to }
}

fn step(write: Write) -> Step {
    Step { resource: short_lived(), action: Action::Write(write) }
}

fn last(write: Write, at: OffsetDateTime, stage: Stage) -> LastWrite {
    LastWrite { target: short_lived(), write, at, stage, error: Some("400".to_owned()) }
}

/// What becomes of a step after a write of that stage so long ago.
fn heeded(step: &Step, write: &Write, stage: Stage, ago: Duration) -> Action {
    let mut memory = Memory::default();
    memory.remember(last(write.clone(), NOW - ago, stage));
    memory.heed(vec![step.clone()], NOW).remove(0).action
}

#[test]
fn each_stage_holds_a_write_back_for_its_time() {
    let not_kept = |ago| Action::Refuse { because: Hindrance::NotKept { at: NOW - ago } };
    let refused = Action::Refuse { because: Hindrance::Service { error: "400".to_owned() } };
    let under_way = Action::Wait { on: Waiting::LastWrite };
    let (minute, second) = (Duration::MINUTE, Duration::SECOND);
    let (write, again) = (to(30, 10), step(to(30, 10)));
    for (stage, ago, expected) in [
        (Stage::Planned, second, under_way.clone()),
        (Stage::Planned, minute * 5, again.action.clone()),
        (Stage::Accepted, minute * 3, under_way.clone()),
        (Stage::Accepted, -minute, under_way.clone()),
        (Stage::Accepted, PERIOD, not_kept(PERIOD)),
        (Stage::Accepted, ACCEPTED_HOLDS - second, not_kept(ACCEPTED_HOLDS - second)),
        (Stage::Accepted, ACCEPTED_HOLDS, again.action.clone()),
        (Stage::Refused, PERIOD, refused.clone()),
        (Stage::Refused, REFUSAL_HOLDS, again.action.clone()),
        (Stage::PutOff, -second, refused.clone()),
        (Stage::PutOff, PERIOD, again.action.clone()),
        // A clock that is years ahead keeps nothing from being written.
        (Stage::Planned, -ACCEPTED_HOLDS * 400, again.action.clone()),
        (Stage::Accepted, -ACCEPTED_HOLDS * 400, again.action.clone()),
        (Stage::Refused, -ACCEPTED_HOLDS * 400, again.action.clone()),
    ] {
        assert_eq!(heeded(&again, &write, stage, ago), expected, "{stage:?} {ago}");
    }
}

#[test]
fn another_write_is_sent_at_once_and_the_same_value_from_a_third_one_is_not() {
    let corrected = step(to(30, 20));
    assert_eq!(heeded(&corrected, &to(30, 400), Stage::Refused, PERIOD), corrected.action);
    let from_a_third = step(to(25, 10));
    assert!(matches!(heeded(&from_a_third, &to(30, 10), Stage::Accepted, PERIOD), Action::Refuse { .. }));
    let of_another = Step { resource: Resource::Credential, ..from_a_third };
    assert_eq!(heeded(&of_another, &to(30, 10), Stage::Accepted, PERIOD), of_another.action);
}

#[test]
fn a_completion_is_that_of_its_own_write_and_old_writes_are_forgotten() {
    let mut memory = Memory::default();
    let first = last(to(30, 10), NOW, Stage::Planned);
    memory.remember(first.clone());
    let second = last(to(30, 10), NOW + PERIOD, Stage::Planned);
    memory.remember(second.clone());
    memory.complete(&first, Stage::Refused, None);
    let mut expected = Memory::default();
    expected.remember(second.clone());
    assert_eq!(memory, expected, "one that came late changes nothing");
    memory.complete(&second, Stage::Accepted, None);
    assert_ne!(memory, expected);
    let other = LastWrite {
        target: Resource::Credential,
        ..last(to(1, 2), NOW + ACCEPTED_HOLDS * 2, Stage::Planned)
    };
    memory.remember(other.clone());
    let mut expected = Memory::default();
    expected.remember(other);
    assert_eq!(memory, expected);
}

/// What a service does with the writes of one resource.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// It takes each and shows a value of its own afterwards, one after the other.
    Takes([u32; 3]),
    Refuses,
    /// The answers are lost, and nothing is done.
    Loses,
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        [11_u32..60, 11..60, 11..60].prop_map(Answer::Takes),
        Just(Answer::Refuses),
        Just(Answer::Loses),
    ]
}

proptest! {
    /// However a service answers, and however far two clocks are apart, runs send the same write no more often than the rules
    /// say; and they never turn a step into a write.
    #[test]
    fn a_service_that_never_keeps_a_write_gets_it_a_bounded_number_of_times(
        answer in answer(),
        days in 1_i64..4,
        jitter in prop::collection::vec(-120_i64..120, 64),
    ) {
        let mut memory = Memory::default();
        let mut sent = 0;
        let mut shown = 30;
        let runs = Duration::days(days).whole_seconds() / PERIOD.whole_seconds();
        for (run, jitter) in (0..runs).zip(jitter.iter().cycle()) {
            let now = NOW + PERIOD * i32::try_from(run).unwrap() + Duration::seconds(*jitter);
            let planned = vec![step(to(shown, 10))];
            let heeded = memory.heed(planned.clone(), now);
            prop_assert!(heeded[0].write().is_none() || heeded == planned);
            if heeded[0].write().is_none() {
                continue;
            }
            let write = last(to(shown, 10), now, Stage::Planned);
            memory.remember(write.clone());
            sent += 1;
            match answer {
                Answer::Takes(values) => {
                    memory.complete(&write, Stage::Accepted, None);
                    shown = values[usize::try_from(sent).unwrap() % values.len()];
                }
                Answer::Refuses => memory.complete(&write, Stage::Refused, None),
                Answer::Loses => {}
            }
        }
        let most = match answer {
            Answer::Takes(_) => days + 1,
            Answer::Refuses => days * 24 + 1,
            // An answer that was lost says nothing: the resource says it, and the next run asks again.
            Answer::Loses => runs,
        };
        prop_assert!(sent <= most, "{sent} of {most}: {answer:?}");
        prop_assert!(sent >= days.min(most), "{answer:?}: {sent}, and it is tried again some day");
    }
}

#[test]
fn no_memory_and_no_foresight_makes_a_write_that_the_plan_does_not_have() {
    let configuration = file(SECOND_GENERATION);
    let steps = plan(&configuration, &empty());
    let memory = Memory::default();
    assert_eq!(memory.heed(steps.clone(), NOW), steps);
    // Every kind of write there is, by its name: none revokes, rotates, deletes or activates. A new kind has to be added here.
    let named = |write: &Write| match write {
        Write::Credential { .. } => "credential",
        Write::Authority { .. } => "authority",
        Write::CredentialPolicy { .. } => "credentialPolicy",
        Write::CertificatePolicy { .. } => "certificatePolicy",
        Write::LeafValidity { .. } => "leafValidity",
    };
    for step in foresee(&configuration, &empty()).iter().chain(&foresee(&file(FIRST_GENERATION), &empty())) {
        let Some(write) = step.write() else { continue };
        assert_eq!(serde_json::to_value(write).unwrap()["write"], named(write));
        let text = serde_json::to_string(step).unwrap();
        assert_eq!(serde_json::from_str::<Step>(&text).unwrap(), *step, "a plan is read as it was saved");
    }
}
