//! The promises of one queue.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn queue() -> Queue {
    Queue::new(Settings::default())
}

fn message(id: Option<&str>) -> NewMessage {
    let mut message = NewMessage { body: Bytes::from_static(b"{}"), ..NewMessage::default() };
    message.properties.message_id = id.map(str::to_owned);
    message
}

fn scheduled(id: &str, due: OffsetDateTime) -> NewMessage {
    NewMessage { scheduled_for: Some(due), ..message(Some(id)) }
}

fn ids(locked: &[Locked]) -> Vec<&str> {
    locked.iter().map(|locked| locked.message.message_id.as_str()).collect()
}

#[test]
fn a_locked_message_reaches_no_other_receiver_until_its_lock_runs_out() {
    let mut queue = queue();
    queue.send(message(Some("a")), START);
    let first = queue.lock(Half::Main, 5, START);
    assert_eq!(first[0].message.delivery_count, 1);
    assert!(queue.lock(Half::Main, 5, START + Duration::seconds(59)).is_empty());
    assert_eq!(queue.next_change(), Some(START + Duration::seconds(60)));
    let second = queue.lock(Half::Main, 5, START + Duration::seconds(60));
    assert_eq!(second[0].message.delivery_count, 2);
    assert!(
        !queue.complete(Half::Main, &first[0].token, START + Duration::seconds(61)),
        "the first lock is lost"
    );
    assert!(queue.complete(Half::Main, &second[0].token, START + Duration::seconds(61)));
}

#[test]
fn a_renewed_lock_lasts_another_lock_duration() {
    let mut queue = queue();
    queue.send(message(Some("a")), START);
    let token = queue.lock(Half::Main, 1, START)[0].token.clone();
    assert!(queue.renew(Half::Main, &token, START + Duration::seconds(50)).is_some());
    assert!(queue.complete(Half::Main, &token, START + Duration::seconds(109)));
    assert!(queue.renew(Half::Main, &token, START + Duration::seconds(109)).is_none());
}

#[test]
fn an_abandoned_message_keeps_its_place() {
    let mut queue = queue();
    for id in ["a", "b"] {
        queue.send(message(Some(id)), START);
    }
    let locked = queue.lock(Half::Main, 1, START);
    assert!(queue.abandon(Half::Main, &locked[0].token, START));
    assert_eq!(ids(&queue.lock(Half::Main, 2, START)), ["a", "b"]);
}

#[test]
fn after_its_last_delivery_a_message_is_a_dead_letter_with_the_reason() {
    let mut queue = queue();
    queue.send(message(Some("poison")), START);
    for delivery in 1..=10 {
        let locked = queue.lock(Half::Main, 1, START);
        assert_eq!(locked[0].message.delivery_count, delivery);
        queue.abandon(Half::Main, &locked[0].token, START);
    }
    assert!(queue.lock(Half::Main, 1, START).is_empty());
    let long_after = START + Duration::days(400);
    let dead = queue.lock(Half::DeadLetters, 1, long_after);
    assert_eq!(
        dead[0].message.content.application_properties["DeadLetterReason"],
        "MaxDeliveryCountExceeded"
    );
    assert!(queue.abandon(Half::DeadLetters, &dead[0].token, long_after));
    assert_eq!(queue.counts(long_after).dead_lettered, 1, "a dead letter stays one");
}

#[test]
fn a_message_that_lived_too_long_is_a_dead_letter_where_the_queue_says_so() {
    let mut queue = Queue::new(Settings { dead_letters_expired: true, ..Settings::default() });
    let mut short = NewMessage { time_to_live: Some(Duration::seconds(10)), ..message(Some("short")) };
    let forged = |name: &str| (name.to_owned(), Value::String("forged".to_owned()));
    short.application_properties =
        [forged("deadletterreason"), forged("DEADLETTERERRORDESCRIPTION"), forged("kind")]
            .into_iter()
            .collect();
    queue.send(short, START);
    queue.send(message(Some("default")), START);
    let token = queue.lock(Half::Main, 1, START)[0].token.clone();
    let after = START + Duration::seconds(11);
    assert_eq!(queue.counts(after).dead_lettered, 0, "nothing expires under a lock");
    assert!(queue.abandon(Half::Main, &token, after));
    let counts = queue.counts(after);
    assert_eq!((counts.active, counts.dead_lettered), (1, 1));
    let dead = queue.lock(Half::DeadLetters, 9, after).remove(0);
    let properties = &dead.message.content.application_properties;
    let mut named: Vec<(&str, &str)> =
        properties.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default())).collect();
    named.sort_unstable();
    assert_eq!(
        named,
        [
            ("DeadLetterErrorDescription", "The message expired and was dead lettered."),
            ("DeadLetterReason", "TTLExpiredException"),
            ("kind", "forged"),
        ]
    );
    assert!(queue.complete(Half::DeadLetters, &dead.token, after));
    assert_eq!(queue.counts(after).dead_lettered, 0);
}

#[test]
fn a_dead_letter_can_be_looked_at_any_number_of_times() {
    let mut queue = Queue::new(Settings { max_delivery_count: 2, ..Settings::default() });
    queue.send(message(Some("poison")), START);
    let mut now = START;
    for _ in 0..2 {
        queue.lock(Half::Main, 1, now);
        now += Duration::minutes(1);
    }
    for delivery in 3..50 {
        let dead = queue.lock(Half::DeadLetters, 9, now);
        assert_eq!((dead.len(), dead[0].message.delivery_count), (1, delivery));
        match delivery % 2 {
            0 => assert!(queue.abandon(Half::DeadLetters, &dead[0].token, now)),
            _ => now += Duration::minutes(1),
        }
    }
    assert_eq!(queue.counts(now).dead_lettered, 1);
}

#[test]
fn a_second_message_with_the_same_id_is_dropped_within_the_window_only() {
    let mut queue = queue();
    assert!(queue.send(message(Some("a")), START));
    let token = queue.lock(Half::Main, 1, START)[0].token.clone();
    queue.complete(Half::Main, &token, START);
    assert!(!queue.send(message(Some("a")), START + Duration::seconds(599)), "completed ones count too");
    assert!(queue.send(message(Some("a")), START + Duration::seconds(600)));
    assert!(queue.send(message(None), START) && queue.send(message(None), START), "no id, no duplicate");
}

#[test]
fn a_scheduled_message_counts_for_duplicate_detection() {
    let mut queue = queue();
    assert!(queue.send(scheduled("a", START + Duration::minutes(5)), START));
    assert!(!queue.send(message(Some("a")), START));
}

#[test]
fn a_scheduled_message_comes_when_it_is_due_and_is_enqueued_at_that_time() {
    let mut queue = queue();
    let due = START + Duration::minutes(5);
    queue.send(scheduled("later", due), START);
    queue.send(message(Some("now")), START);
    assert_eq!(ids(&queue.lock(Half::Main, 9, due - Duration::nanoseconds(1))), ["now"]);
    assert_eq!(
        queue.next_change(),
        Some(START + Duration::minutes(6) - Duration::nanoseconds(1)).min(Some(due))
    );
    let locked = queue.lock(Half::Main, 9, due + Duration::hours(1));
    assert_eq!(ids(&locked[..1]), ["now"], "its lock ran out and it stands before");
    assert_eq!(locked[1].message.enqueued_time, due);
    assert!(locked[1].message.sequence_number > locked[0].message.sequence_number);
}

#[test]
fn a_message_past_its_time_to_live_is_dropped() {
    let mut queue = queue();
    queue.send(NewMessage { time_to_live: Some(Duration::seconds(10)), ..message(Some("short")) }, START);
    queue.send(message(Some("default")), START);
    assert_eq!(ids(&queue.lock(Half::Main, 9, START + Duration::seconds(10))), ["default"]);
    let mut queue = self::queue();
    queue.send(NewMessage { time_to_live: Some(Duration::days(9_000)), ..message(None) }, START);
    assert_eq!(queue.counts(START + Duration::days(14)).active, 0, "no longer than the queue allows");
}

#[derive(Debug, Clone)]
enum Step {
    Send { id: Option<u8>, in_seconds: u8 },
    Lock { most: u8 },
    Complete,
    Abandon,
    Wait { seconds: u8 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (proptest::option::of(0u8..6), prop_oneof![Just(0u8), any::<u8>()])
            .prop_map(|(id, in_seconds)| Step::Send { id, in_seconds }),
        (1u8..4).prop_map(|most| Step::Lock { most }),
        Just(Step::Complete),
        Just(Step::Abandon),
        any::<u8>().prop_map(|seconds| Step::Wait { seconds }),
    ];
    proptest::collection::vec(step, 0..120)
}

proptest! {
    #[test]
    fn no_message_is_lost_or_doubled_or_held_twice(steps in steps()) {
        let mut queue = Queue::new(Settings { max_delivery_count: 3, ..Settings::default() });
        let mut now = START;
        let (mut taken_in, mut completed) = (0usize, 0usize);
        let mut held: Vec<Locked> = Vec::new();
        for step in steps {
            match step {
                Step::Send { id, in_seconds } => {
                    let due = now + Duration::seconds(i64::from(in_seconds));
                    let id = id.map(|id| id.to_string());
                    let sent = NewMessage { scheduled_for: Some(due), ..message(id.as_deref()) };
                    taken_in += usize::from(queue.send(sent, now));
                }
                Step::Lock { most } => {
                    held.retain(|locked| locked.until > now);
                    for locked in queue.lock(Half::Main, usize::from(most), now) {
                        prop_assert!(locked.message.delivery_count <= 3);
                        let twice = held.iter().any(|other| {
                            other.message.sequence_number == locked.message.sequence_number
                        });
                        prop_assert!(!twice, "two receivers hold one message");
                        held.push(locked);
                    }
                }
                Step::Complete => if let Some(locked) = held.pop() {
                    let done = queue.complete(Half::Main, &locked.token, now);
                    prop_assert_eq!(done, locked.until > now);
                    completed += usize::from(done);
                },
                Step::Abandon => if let Some(locked) = held.pop() {
                    prop_assert_eq!(queue.abandon(Half::Main, &locked.token, now), locked.until > now);
                },
                Step::Wait { seconds } => now += Duration::seconds(i64::from(seconds)),
            }
            let counts = queue.counts(now);
            let there = counts.active + counts.locked + counts.scheduled + counts.dead_lettered;
            prop_assert_eq!(there + completed, taken_in);
        }
    }
}
