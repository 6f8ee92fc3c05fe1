//! What other clients of the same identity find in the bucket of a subscription while a fleet is read: a walk that needs a large
//! part of the budget is spread over its time, a smaller one is over soon, and the reserve is there in both.

use std::time::Duration;

use policysync::reporting;
use policysync::walk::Pace;
use tokio::time::Instant;

use crate::simulated_time::{SimulatedTime, Size};

/// The bucket of reads of one subscription (`azure-wire-facts.md` §7), and the fifth of it that is left to people.
const BURST: f64 = 250.0;
const PER_SECOND: f64 = 25.0;
const RESERVE: f64 = 50.0;

fn one_subscription(namespaces: usize) -> Size {
    Size { subscriptions: 1, namespaces, hubs: 10, services: 0 }
}

/// One report: how long it took, and when each read came.
async fn report(namespaces: usize, pace: Pace) -> (Duration, Vec<Duration>) {
    let app = SimulatedTime::at(one_subscription(namespaces), pace);
    let since = Instant::now();
    let done = reporting::run(&app.application).await.unwrap();
    assert_eq!((done.namespaces, done.not_visited), (namespaces, 0), "{:?}", done.failures);
    let took = since.elapsed();
    (took, app.azure.reads().into_values().next().unwrap())
}

/// The least that is ever left in the bucket.
fn fewest_left(reads: &[Duration]) -> f64 {
    let (mut left, mut fewest, mut before) = (BURST, BURST, Duration::ZERO);
    for at in reads {
        left = PER_SECOND.mul_add((*at - before).as_secs_f64(), left).min(BURST) - 1.0;
        (fewest, before) = (fewest.min(left), *at);
    }
    fewest
}

fn busiest_minute(reads: &[Duration]) -> usize {
    let minute = Duration::from_secs(60);
    let from = |first: usize| reads[first..].iter().take_while(|at| **at - reads[first] < minute).count();
    (0..reads.len()).map(from).max().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_small_fleet_is_read_as_soon_as_without_a_pause() {
    for namespaces in [1, 10, 100] {
        let (spread, _) = report(namespaces, Pace::default()).await;
        let (at_once, reads) = report(namespaces, Pace::default().without_a_pause()).await;
        assert_eq!(spread, at_once, "{namespaces} namespaces");
        assert!(fewest_left(&reads) >= RESERVE);
    }
    assert!(report(10, Pace::default()).await.0 < Duration::from_secs(5), "ten namespaces");
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_needs_a_large_part_of_the_budget_is_read_over_the_time_of_the_walk() {
    let (took, reads) = report(500, Pace::default()).await;
    let (at_once, burst) = report(500, Pace::default().without_a_pause()).await;
    assert!(took > Duration::from_secs(8 * 60) && took < Duration::from_secs(10 * 60), "{took:?}");
    let evenly = reads.len() / 9;
    assert!(busiest_minute(&reads) < evenly * 5 / 4, "{} of {}", busiest_minute(&reads), reads.len());
    // Without the spread the bucket is at its reserve for as long as the walk lasts.
    assert!(busiest_minute(&burst) > 1_600 && at_once < Duration::from_secs(5 * 60), "{at_once:?}");
    assert!((fewest_left(&burst) - RESERVE).abs() < 2.0, "{}", fewest_left(&burst));
    assert!(fewest_left(&reads) > 140.0, "others find most of the bucket: {}", fewest_left(&reads));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_namespaces_in_one_subscription_fit_into_one_run_and_leave_the_reserve() {
    let (took, reads) = report(1_000, Pace::default()).await;
    let floor = (reads.len() as f64 - (BURST - RESERVE)) / PER_SECOND;
    assert!(took.as_secs_f64() < floor * 1.15, "{took:?} of {floor} s");
    assert!(fewest_left(&reads) >= RESERVE, "{}", fewest_left(&reads));
}
