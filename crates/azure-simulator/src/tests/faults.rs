//! Faults of every kind.

use std::time::Instant;

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_fault_answers_in_the_shape_of_the_service_whose_path_it_is() {
    let cloud = Caller::start().await;
    let (namespace, groups) = (cloud.namespace().await, cloud.groups().await);
    cloud.install(&json!({"faults": [{"path": "*", "status": 429, "retryAfter": 3}]})).await;

    let arm = cloud.get(&namespace).await;
    assert_eq!(arm.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(header(&arm, "retry-after").unwrap(), "3");
    assert!(header(&arm, "x-ms-request-id").is_some());
    assert_eq!(arm.json::<Value>().await.unwrap()["error"]["code"], "TooManyRequests");

    let dps = cloud.post(&groups, &json!({"query": "SELECT *"})).await;
    assert_eq!(header(&dps, "x-ms-error-code").unwrap(), "429001");
    let body: Value = dps.json().await.unwrap();
    assert_eq!(body["errorCode"], 429_001);
    assert!(body["trackingId"].is_string() && body["timestampUtc"].is_string());

    let bus =
        cloud.request(Method::POST, "/servicebus/sync-requests/messages").body("{}").send().await.unwrap();
    assert!(bus.text().await.unwrap().starts_with("<Error><Code>429</Code>"));

    let identity: Value = cloud.get("/identity").await.json().await.unwrap();
    assert_eq!(identity["statusCode"], 429);
    assert_eq!(cloud.json("/simulator/queues").await["sync-requests"]["active"], 0, "nothing was sent");
}

#[tokio::test]
async fn a_fault_strikes_as_often_as_it_says_where_it_says() {
    let cloud = Caller::start().await;
    let namespace = cloud.namespace().await;
    let fault = json!({"faults": [{"method": "GET", "path": "/subscriptions/*/namespaces/*", "status": 503,
        "times": 2, "body": {"mine": true}}]});
    cloud.install(&fault).await;
    let first = cloud.get(&namespace).await;
    assert_eq!(first.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(first.json::<Value>().await.unwrap(), json!({"mine": true}));
    let shown = cloud.json("/simulator/faults").await;
    assert_eq!(shown["faults"][0]["remaining"], 1);
    assert_eq!(cloud.get(&namespace).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(cloud.get(&namespace).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn removed_faults_strike_no_more() {
    let cloud = Caller::start().await;
    let namespace = cloud.namespace().await;
    cloud.install(&json!({"faults": [{"path": "*", "status": 500}]})).await;
    assert_eq!(cloud.get(&namespace).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let removed = cloud.request(Method::DELETE, "/simulator/faults").send().await.unwrap();
    assert_eq!(removed.json::<Value>().await.unwrap(), json!({"faults": []}));
    assert_eq!(cloud.get(&namespace).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_closed_connection_carries_no_answer_and_no_work_was_done() {
    let cloud = Caller::start().await;
    cloud.install(&json!({"faults": [{"path": "/servicebus/*", "close": true, "times": 1}]})).await;
    let send = || cloud.request(Method::POST, "/servicebus/sync-requests/messages").body("{}").send();
    let error = send().await.unwrap_err();
    assert!(!error.is_timeout() && error.status().is_none(), "{error}");
    assert_eq!(cloud.json("/simulator/queues").await["sync-requests"]["active"], 0);
    let log = cloud.json("/simulator/log").await;
    assert_eq!((&log[0]["status"], log[0].get("lost")), (&Value::Null, None));
    assert_eq!(send().await.unwrap().status(), StatusCode::CREATED);
}

#[tokio::test]
async fn an_answer_can_be_lost_after_the_work_was_done() {
    let cloud = Caller::start().await;
    let faults = json!({"faults": [
        {"path": "/servicebus/*", "afterwards": true, "close": true, "times": 1},
        {"path": "/servicebus/*", "afterwards": true, "status": 500, "times": 1},
    ]});
    cloud.install(&faults).await;
    let send = || cloud.request(Method::POST, "/servicebus/sync-requests/messages").body("{}").send();
    assert!(send().await.is_err());
    assert_eq!(send().await.unwrap().status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(cloud.json("/simulator/queues").await["sync-requests"]["active"], 2);
    let log = cloud.json("/simulator/log").await;
    assert_eq!((&log[0]["status"], &log[0]["lost"]), (&Value::Null, &json!(true)));
    assert_eq!((&log[1]["status"], &log[1]["lost"]), (&json!(500), &json!(true)));
}

#[tokio::test]
async fn a_delay_comes_before_the_answer_of_the_service() {
    let cloud = Caller::start().await;
    let namespace = cloud.namespace().await;
    cloud.install(&json!({"faults": [{"path": "/subscriptions/*", "delaySeconds": 0.3, "times": 1}]})).await;
    let started = Instant::now();
    assert_eq!(cloud.get(&namespace).await.status(), StatusCode::OK);
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_fault_document_with_a_mistake_is_refused_whole_and_the_mistake_is_named() {
    let cloud = Caller::start().await;
    cloud.install(&json!({"faults": [{"path": "/kept", "status": 500}]})).await;
    let wrong =
        json!({"faults": [{"path": "*", "status": 500}, {"path": "*", "status": 500, "retyAfter": 1}]});
    let refused = cloud.request(Method::PUT, "/simulator/faults").json(&wrong).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let message = refused.json::<Value>().await.unwrap()["error"]["message"].to_string();
    assert!(message.contains("faults[1].retyAfter"), "{message}");
    assert_eq!(cloud.json("/simulator/faults").await["faults"][0]["path"], "/kept");
}

#[tokio::test]
async fn faults_can_be_there_from_the_start() {
    let faults = crate::faults::parse(r#"{"faults":[{"path":"/identity","status":500}]}"#).unwrap();
    let cloud = Caller::with(Options { faults, ..Options::default() }).await;
    assert_eq!(cloud.get("/identity").await.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn an_answer_can_carry_unknown_members_and_values() {
    let cloud = Caller::start().await;
    let namespace = cloud.namespace().await;
    let before = cloud.json(&namespace).await;
    let list = namespace.rsplit_once("/namespaces/").unwrap().0.to_owned()
        + "/namespaces?api-version=2026-03-01-preview";
    cloud
        .install(&json!({"faults": [{"method": "GET", "path": "*/namespaces*",
            "merge": {"properties": {"provisioningState": "Quantum", "orbit": {"height": 7}}}}]}))
        .await;
    let one = cloud.json(&namespace).await;
    assert_eq!(one["properties"]["provisioningState"], "Quantum");
    assert_eq!(one["properties"]["orbit"]["height"], 7);
    assert_eq!(one["properties"]["uuid"], before["properties"]["uuid"], "the rest is the service's own");
    assert_eq!(cloud.json(&list).await["value"][0]["properties"]["orbit"]["height"], 7);
}
