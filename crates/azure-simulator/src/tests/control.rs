//! The control surface.

use serde_json::json;

use super::*;

async fn refused(cloud: &Caller, path: &str, body: &Value) -> String {
    let answer = cloud.post(path, body).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path} {body}");
    answer.json::<Value>().await.unwrap()["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_clock_starts_at_real_time_and_is_pushed_forward_only() {
    let cloud = Caller::start().await;
    let read = |body: &Value| {
        let now = OffsetDateTime::parse(
            body["now"].as_str().unwrap(),
            &time::format_description::well_known::Rfc3339,
        );
        now.unwrap() - OffsetDateTime::now_utc()
    };
    assert!(read(&cloud.json("/simulator/clock").await).abs() < time::Duration::minutes(1));
    let pushed: Value =
        cloud.post("/simulator/clock", &json!({"advanceSeconds": 3600.5})).await.json().await.unwrap();
    assert!((read(&pushed) - time::Duration::hours(1)).abs() < time::Duration::minutes(1));
    for wrong in [
        json!({"advanceSeconds": -1}),
        json!({"advanceSeconds": "1"}),
        json!({"advanceSeconds": 1e300}),
        json!({}),
    ] {
        assert!(refused(&cloud, "/simulator/clock", &wrong).await.contains("advanceSeconds"));
    }
    assert!(
        refused(&cloud, "/simulator/clock", &json!({"advanceSecond": 1})).await.contains("advanceSecond ")
    );
    let not_json = cloud.bare(Method::POST, "/simulator/clock").body("NaN").send().await.unwrap();
    assert_eq!(not_json.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_rotated_policy_shows_a_new_subject() {
    let cloud = Caller::start().await;
    let state = cloud.json("/simulator/state").await;
    let policy = state["namespaces"][0]["policies"][0].as_str().unwrap();
    let path = format!("{policy}?api-version=2026-03-01-preview");
    let subject = |body: &Value| {
        body["properties"]["certificate"]["certificateAuthorityConfiguration"]["subject"].clone()
    };
    let before = subject(&cloud.json(&path).await);
    let rotated = cloud.post("/simulator/rotate", &json!({"policyId": policy})).await;
    assert_eq!(rotated.status(), StatusCode::OK);
    let after = subject(&cloud.json(&path).await);
    assert!(before.is_string() && after.is_string() && before != after, "{before} {after}");

    let unknown = cloud.post("/simulator/rotate", &json!({"policyId": format!("{policy}-none")})).await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    assert!(refused(&cloud, "/simulator/rotate", &json!({"policyId": 1})).await.contains("policyId"));
    assert!(refused(&cloud, "/simulator/rotate", &json!({"policy": "a"})).await.contains("policy"));
}

#[tokio::test]
async fn published_events_reach_the_subscription_as_event_grid_posts_them() {
    let cloud = Caller::start().await;
    let grid = cloud.simulator.event_grid();
    // The events of the fleet's start do not concern this test.
    while let Some(delivery) = grid.next(Duration::ZERO).await {
        grid.settle(delivery.id, true).await;
    }
    let event = json!({"id": "1", "eventType": "Policysync.EnrollmentGroup.Created", "subject": "line-a",
        "eventTime": "2026-11-23T05:00:00Z", "dataVersion": "1", "data": {"enrollmentGroupId": "line-a"}});
    let published = cloud.post("/simulator/events", &event).await;
    assert_eq!(published.json::<Value>().await.unwrap(), json!({"published": 1}));
    let delivery = grid.next(Duration::from_secs(5)).await.unwrap();
    assert_eq!(delivery.body, json!([event]));
    grid.settle(delivery.id, true).await;

    let cloud_event = json!({"specversion": "1.0", "id": "2", "source": "/contoso", "type": "T", "data": {}});
    let topic = "/eventgrid/contoso/api/events";
    let with_key = cloud.bare(Method::POST, topic).header("aeg-sas-key", "a2V5").json(&cloud_event);
    assert_eq!(with_key.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(grid.next(Duration::from_secs(5)).await.unwrap().body, cloud_event);

    assert!(refused(&cloud, "/simulator/events", &json!({"id": "1"})).await.contains("eventType"));
    let alone = cloud.post(topic, &event).await;
    assert_eq!(alone.status(), StatusCode::BAD_REQUEST, "the Event Grid schema is sent as a list");
}

#[tokio::test]
async fn what_does_not_exist_is_answered_with_what_does() {
    let cloud = Caller::start().await;
    for path in ["/simulator", "/simulator/", "/simulator/nothing", "/simulator/log/more"] {
        let answer = cloud.get(path).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        let body: Value = answer.json().await.unwrap();
        assert!(body["exists"]["GET /simulator/state"].is_string(), "{body}");
    }
}

#[tokio::test]
async fn a_path_of_no_service_says_which_services_there_are() {
    let cloud = Caller::start().await;
    let answer = cloud.get("/servicebusses").await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let message = answer.json::<Value>().await.unwrap()["error"]["message"].to_string();
    assert!(message.contains("/servicebus/{queue}"), "{message}");
}

#[tokio::test]
async fn the_control_surface_is_never_made_to_fail() {
    let cloud = Caller::start().await;
    cloud.install(&json!({"faults": [{"path": "*", "close": true}]})).await;
    assert_eq!(cloud.get("/simulator/state").await.status(), StatusCode::OK);
    assert_eq!(cloud.json("/simulator/log").await, json!([]));
}

#[tokio::test]
async fn queues_are_those_that_were_asked_for() {
    let cloud = Caller::with(Options { queues: vec!["mine".into()], ..Options::default() }).await;
    let queues = cloud.json("/simulator/queues").await;
    assert_eq!(queues, json!({"mine": {"active": 0, "scheduled": 0, "deadLettered": 0, "locked": 0}}));
}
