//! The end of `functionTimeout`, and kills.

use std::time::Duration;

use super::app::{TestApp, is_gone, next, next_invocation};
use crate::{HandlerAction, HostEvent, Outcome};

const BUS: &str = r#"{"type":"serviceBusTrigger","name":"m","queueName":"q"}"#;

#[tokio::test]
async fn a_timeout_kills_the_handler_after_two_seconds_of_grace_and_its_neighbours_fail() {
    let app = TestApp::new();
    app.host_json(r#""functionTimeout":"00:00:01""#);
    for name in ["hang", "empty", "job"] {
        app.function(name, BUS);
    }
    let (host, mut events) = app.start("").await;
    let host = host.unwrap();
    let first = host.handler_pid().unwrap();
    let started = std::time::Instant::now();
    let neighbour = async {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        host.fire("hang", None).await.unwrap()
    };
    let (empty, neighbour) = tokio::join!(host.fire("empty", None), neighbour);
    let empty = empty.unwrap();
    assert_eq!(empty.outcome, Outcome::TimedOut);
    let took = empty.duration;
    assert!(took >= Duration::from_secs(3) && took < Duration::from_secs(5), "{took:?}");
    let words = empty.error.unwrap();
    assert!(words.contains("Timeout value of 00:00:01 was exceeded by function: Functions.empty"), "{words}");
    assert!(words.contains("has no body"), "{words}");
    assert_eq!(neighbour.outcome, Outcome::Failed);
    assert!(started.elapsed() < Duration::from_secs(6));
    assert!(is_gone(first).await);
    let killed = next(&mut events, |event| match event {
        HostEvent::Handler { action: HandlerAction::Killed, pid, code } => Some((pid, code)),
        _ => None,
    });
    assert_eq!(killed.await, (first, Some(137)));
    // Invocations wait for the new process.
    assert!(host.fire("job", None).await.unwrap().succeeded());
    assert_ne!(host.handler_pid(), Some(first));
    host.stop().await;
}

#[tokio::test]
async fn kills_by_hand_are_not_counted() {
    let app = TestApp::new();
    app.function("job", BUS);
    let (host, mut events) = app.start("").await;
    let host = host.unwrap();
    for _ in 0..4 {
        host.kill_handler().await;
        assert!(host.fire("job", None).await.unwrap().succeeded());
        next_invocation(&mut events).await;
    }
    host.stop().await;
}

#[tokio::test]
async fn exits_are_counted_as_the_host_counts_them() {
    let app = TestApp::new();
    for name in ["exit-200", "exit-3", "job"] {
        app.function(name, BUS);
    }
    let (host, _events) = app.start("").await;
    let host = host.unwrap();
    for name in ["exit-3", "exit-200", "exit-3"] {
        assert_eq!(host.fire(name, None).await.unwrap().outcome, Outcome::Failed);
        assert!(host.fire("job", None).await.unwrap().succeeded(), "after {name}");
    }
    assert_eq!(host.fire("exit-3", None).await.unwrap().outcome, Outcome::Failed);
    let why = host.ended().await;
    assert!(why.contains("exit code 3") && why.contains("third error"), "{why}");
    let report = host.fire("job", None).await.unwrap();
    assert!(report.error.unwrap().contains("third error"));
    host.stop().await;
}

#[tokio::test]
async fn after_exit_code_zero_no_handler_comes_back() {
    let app = TestApp::new();
    app.function("exit-0", BUS);
    app.function("job", BUS);
    let (host, _events) = app.start("").await;
    let host = host.unwrap();
    assert_eq!(host.fire("exit-0", None).await.unwrap().outcome, Outcome::Failed);
    let report = host.fire("job", None).await.unwrap();
    assert!(report.error.unwrap().contains("exit code 0"));
    host.stop().await;
}
