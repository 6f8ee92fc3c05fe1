//! The port, authorization, throttling, the log and the headers of every answer.

use serde_json::json;
use time::format_description::well_known::Rfc2822;

use super::*;
use crate::StartError;
use crate::throttle::{Limits, Rate};

fn two(per_second: f64) -> Rate {
    Rate { burst: 2.0, per_second }
}

#[tokio::test]
async fn a_taken_port_is_one_clear_error() {
    let cloud = Caller::start().await;
    let port: u16 = cloud.simulator.url().rsplit(':').next().unwrap().parse().unwrap();
    let error = Simulator::start(Options { port: Some(port), ..Options::default() }).await.unwrap_err();
    assert!(matches!(error, StartError::PortTaken { port: taken } if taken == port));
    assert!(error.to_string().contains("another port"), "{error}");
}

#[tokio::test]
async fn a_stopped_simulator_gives_its_port_back_and_ends_its_connections() {
    let cloud = Caller::start().await;
    let Caller { simulator, client } = cloud;
    let url = format!("{}/simulator/clock", simulator.url());
    let waiting = client
        .post(format!("{}/servicebus/sync-requests/messages/head?timeout=25", simulator.url()))
        .header("authorization", signature(60))
        .send();
    let stop = async {
        until(|| !simulator.log().entries().is_empty()).await;
        simulator.stop().await;
    };
    let (waited, ()) = tokio::join!(waiting, stop);
    assert!(waited.is_err_and(|error| !error.is_timeout()));
    assert!(client.get(&url).send().await.unwrap_err().is_connect());
}

#[tokio::test]
async fn a_dropped_simulator_stops_too() {
    let cloud = Caller::start().await;
    let url = format!("{}/simulator/clock", cloud.simulator.url());
    let client = client();
    drop(cloud);
    // The server ends when its task is next scheduled, which is before a connection of ours can be served by it.
    assert!(client.get(&url).send().await.is_err());
}

#[tokio::test]
async fn every_answer_is_dated_by_the_simulated_clock() {
    let cloud = Caller::start().await;
    cloud.simulator.advance(time::Duration::days(30));
    let namespace = cloud.namespace().await;
    for path in [namespace.as_str(), "/identity", "/nowhere", "/simulator/state", "/servicebus/a/messages"] {
        let answer = cloud.get(path).await;
        let date = OffsetDateTime::parse(&header(&answer, "date").unwrap(), &Rfc2822).unwrap();
        let ahead = date - OffsetDateTime::now_utc();
        assert!((ahead - time::Duration::days(30)).abs() < time::Duration::minutes(1), "{path}: {ahead}");
    }
}

#[tokio::test]
async fn arm_answers_carry_request_ids_and_what_is_left() {
    let cloud = Caller::start().await;
    let namespace = cloud.namespace().await;
    let answer = cloud.get(&namespace).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(header(&answer, "x-ms-request-id").is_some());
    assert_eq!(header(&answer, "x-ms-ratelimit-remaining-subscription-reads").unwrap(), "249");
    let named =
        cloud.request(Method::DELETE, "/subscriptions/none").header("x-ms-correlation-request-id", "mine");
    let answer = named.send().await.unwrap();
    assert_eq!(header(&answer, "x-ms-correlation-request-id").unwrap(), "mine");
    assert_eq!(header(&answer, "x-ms-ratelimit-remaining-subscription-deletes").unwrap(), "199");
    assert!(header(&answer, "x-ms-ratelimit-remaining-subscription-reads").is_none());
    let outside = cloud.get("/identity").await;
    assert!(header(&outside, "x-ms-request-id").is_none());
}

#[tokio::test]
async fn an_empty_arm_bucket_refuses_names_the_wait_and_fills_by_the_clock() {
    let limits = Limits { reads: two(0.1), ..Limits::default() };
    let cloud = Caller::with(Options { limits, ..Options::default() }).await;
    let namespace = cloud.namespace().await;
    for left in ["1", "0"] {
        let answer = cloud.get(&namespace).await;
        assert_eq!(header(&answer, "x-ms-ratelimit-remaining-subscription-reads").unwrap(), left);
    }
    let refused = cloud.get(&namespace).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: i64 = header(&refused, "retry-after").unwrap().parse().unwrap();
    assert!((9..=10).contains(&wait), "{wait}");
    assert_eq!(header(&refused, "x-ms-ratelimit-remaining-subscription-reads").unwrap(), "0");
    assert_eq!(refused.json::<Value>().await.unwrap()["error"]["code"], "SubscriptionRequestsThrottled");

    let other =
        cloud.bare(Method::GET, &namespace).header("authorization", "Bearer contoso").send().await.unwrap();
    assert_eq!(other.status(), StatusCode::OK, "another principal has a bucket of its own");
    cloud.simulator.advance(time::Duration::seconds(wait));
    assert_eq!(cloud.get(&namespace).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_provisioning_service_takes_so_many_operations_a_minute() {
    let limits = Limits { provisioning: two(1.0 / 30.0), ..Limits::default() };
    let cloud = Caller::with(Options { limits, ..Options::default() }).await;
    let groups = cloud.groups().await;
    let query = json!({"query": "SELECT *"});
    for _ in 0..2 {
        assert_eq!(cloud.post(&groups, &query).await.status(), StatusCode::OK);
    }
    let refused = cloud.post(&groups, &query).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: i64 = header(&refused, "retry-after").unwrap().parse().unwrap();
    assert!((29..=30).contains(&wait), "{wait}");
    assert_eq!(refused.json::<Value>().await.unwrap()["errorCode"], 429_001);
    cloud.simulator.advance(time::Duration::seconds(30));
    assert_eq!(cloud.post(&groups, &query).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn no_caller_enters_without_credentials() {
    let cloud = Caller::start().await;
    let (namespace, groups) = (cloud.namespace().await, cloud.groups().await);
    let arm = cloud.bare(Method::GET, &namespace).send().await.unwrap();
    assert_eq!(arm.status(), StatusCode::UNAUTHORIZED);
    assert!(header(&arm, "www-authenticate").unwrap().starts_with("Bearer"));
    assert_eq!(arm.json::<Value>().await.unwrap()["error"]["code"], "AuthenticationFailed");

    let dps = cloud.bare(Method::POST, &groups).json(&json!({"query": "SELECT *"})).send().await.unwrap();
    assert_eq!(dps.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(dps.json::<Value>().await.unwrap()["errorCode"], 401_002);

    let bus = cloud.bare(Method::POST, "/servicebus/sync-requests/messages").body("{}").send().await.unwrap();
    assert_eq!(bus.status(), StatusCode::UNAUTHORIZED);
    assert!(bus.text().await.unwrap().starts_with("<Error><Code>401</Code><Detail>MissingToken"));

    let grid =
        cloud.bare(Method::POST, "/eventgrid/contoso/api/events").json(&json!([])).send().await.unwrap();
    assert_eq!(grid.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_signature_opens_dps_and_service_bus_until_its_real_time_is_over() {
    let cloud = Caller::start().await;
    cloud.simulator.advance(time::Duration::days(1));
    let groups = cloud.groups().await;
    let query = async |credentials: String| {
        let request = cloud.bare(Method::POST, &groups).header("authorization", credentials);
        request.json(&json!({"query": "SELECT *"})).send().await.unwrap().status()
    };
    assert_eq!(query(signature(60)).await, StatusCode::OK, "the clock that was pushed does not count");
    assert_eq!(query(signature(-1)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(query("SharedAccessSignature sr=a&se=9999999999".into()).await, StatusCode::UNAUTHORIZED);

    let namespace = cloud.namespace().await;
    let arm =
        cloud.bare(Method::GET, &namespace).header("authorization", signature(60)).send().await.unwrap();
    assert_eq!(arm.status(), StatusCode::UNAUTHORIZED, "ARM knows no signatures");
}

#[tokio::test]
async fn the_log_shows_every_request_but_our_own_in_order_and_no_secret() {
    let cloud = Caller::start().await;
    let namespace = cloud.namespace().await;
    cloud.get(&namespace).await;
    cloud.request(Method::POST, "/servicebus/sync-requests/messages").body("body-text").send().await.unwrap();
    cloud.get("/nowhere").await;
    let answer = cloud.get("/simulator/log").await;
    assert_eq!(header(&answer, "x-simulator-dropped").unwrap(), "0");
    let text = answer.text().await.unwrap();
    assert!(!text.contains("fabrikam") && !text.contains("sig=") && !text.contains("body-text"), "{text}");
    let log: Value = serde_json::from_str(&text).unwrap();
    let (path, query) = namespace.split_once('?').unwrap();
    let shown: Vec<Value> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            assert!(entry["at"].as_str().unwrap().ends_with('Z'));
            json!([entry["method"], entry["path"], entry["query"], entry["status"]])
        })
        .collect();
    let expected = [
        json!(["GET", path, query, 200]),
        json!(["POST", "/servicebus/sync-requests/messages", "", 201]),
        json!(["GET", "/nowhere", "", 404]),
    ];
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn paths_of_azure_are_read_in_any_case() {
    let cloud = Caller::start().await;
    let namespace = cloud.namespace().await.replacen("/subscriptions/", "/Subscriptions/", 1);
    assert_eq!(cloud.get(&namespace).await.status(), StatusCode::OK);
}
