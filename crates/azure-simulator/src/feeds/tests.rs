use super::*;
use serde_json::json;
use trigger_sources::{EventGridSource, EventHubSource};

const NOT_LONG: Duration = Duration::from_millis(1);

#[tokio::test]
async fn a_refused_post_comes_again_after_a_backoff_of_simulated_time() {
    let clock = Clock::default();
    let feeds = Feeds::new(clock.clone());
    feeds.publish(json!({"specversion": "1.0", "id": "a"}));
    let first = feeds.next(NOT_LONG).await.unwrap();
    assert!(feeds.next(NOT_LONG).await.is_none(), "it is being delivered");
    feeds.settle(first.id, false).await;
    assert!(feeds.next(NOT_LONG).await.is_none(), "the backoff is not over");
    clock.advance(time::Duration::seconds(11));
    let again = feeds.next(NOT_LONG).await.unwrap();
    assert_eq!(again, first);
    feeds.settle(again.id, true).await;
    clock.advance(time::Duration::days(2));
    assert!(feeds.next(NOT_LONG).await.is_none());
}

#[tokio::test]
async fn a_post_that_is_never_accepted_is_given_up() {
    let clock = Clock::default();
    let feeds = Feeds::new(clock.clone());
    feeds.publish(json!({"id": "a", "eventType": "x"}));
    let mut attempts = 0;
    while let Some(delivery) = feeds.next(NOT_LONG).await {
        attempts += 1;
        assert_eq!(
            delivery.body,
            json!([{"id": "a", "eventType": "x"}]),
            "Event Grid schema goes as an array of one"
        );
        feeds.settle(delivery.id, false).await;
        clock.advance(time::Duration::days(1));
    }
    assert_eq!(attempts, 11);
}

#[tokio::test]
async fn events_arrive_when_they_are_due_and_can_be_read_again() {
    let clock = Clock::default();
    let feeds = Feeds::new(clock.clone());
    feeds.append("hub", "one".to_owned(), clock.now());
    feeds.append("HUB", "two".to_owned(), clock.now() + time::Duration::seconds(90));
    let bodies =
        |events: Vec<trigger_sources::HubEvent>| events.into_iter().map(|e| e.body).collect::<Vec<_>>();
    assert_eq!(bodies(feeds.receive("hub", -1, 10, NOT_LONG).await), ["one"]);
    clock.advance(time::Duration::seconds(91));
    let all = feeds.receive("hub", -1, 10, NOT_LONG).await;
    assert_eq!((all[1].sequence_number, all[1].offset), (1, 3));
    assert_eq!(bodies(all), ["one", "two"]);
    assert_eq!(bodies(feeds.receive("hub", 0, 10, NOT_LONG).await), ["two"]);
    assert!(feeds.receive("hub", 1, 10, NOT_LONG).await.is_empty());
}

#[tokio::test]
async fn a_waiting_receiver_is_woken() {
    let feeds = std::sync::Arc::new(Feeds::new(Clock::default()));
    let publisher = std::sync::Arc::clone(&feeds);
    let (found, ()) = tokio::join!(feeds.next(Duration::from_secs(20)), async move {
        publisher.publish(json!({"specversion": "1.0"}));
    });
    assert!(found.is_some());
}
