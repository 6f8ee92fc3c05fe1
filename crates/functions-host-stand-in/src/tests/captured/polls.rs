//! `GET /`: the host sends it to a handler that starts, and to a running one when a scale controller asks for its
//! health.

use super::Capture;
use crate::exchange;
use crate::tests::app::{TestApp, next_line};

fn check(case: &str) {
    let capture = Capture::load(case);
    capture.compare(&exchange::poll(capture.header("Host").unwrap()));
}

#[test]
fn ready_poll() {
    check("ready-poll");
}

#[test]
fn ping() {
    check("ping");
}

#[tokio::test]
async fn the_handler_is_polled_at_start_and_pinged_when_a_scale_controller_asks() {
    let app = TestApp::new();
    let (host, mut events) = app.start("polls").await;
    let host = host.unwrap();
    let first = next_line(&mut events, "poll").await;
    assert!(first.starts_with("GET / HTTP/1.1 [['Host', '127.0.0.1:"), "{first}");
    assert!(first.ends_with("']] 1") && !first.contains("],"), "{first}");
    let client = reqwest::Client::new();
    let ping = async |query: &str, agent: &str| {
        let url = format!("{}/admin/host/ping{query}", host.url());
        client.get(url).header("User-Agent", agent).send().await.unwrap().status().as_u16()
    };
    // Neither of the first two asks for health.
    assert_eq!(ping("", "curl").await, 200);
    assert_eq!(ping("?checkHealth=0", "ElasticScaleController/1.0").await, 200);
    assert_eq!(ping("", "HttpScaleManager").await, 200);
    assert_eq!(ping("?checkHealth=1", "curl").await, 200);
    for count in [2, 3] {
        let line = next_line(&mut events, "poll").await;
        assert_eq!(line, first.replace("]] 1", &format!("]] {count}")));
    }
    host.stop().await;
}
