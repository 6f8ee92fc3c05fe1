//! The outcome of a sync request when a service does something wrong.

use policysync::commands::laptop::local_world::DEFAULT_CONFIGURATION;
use serde_json::{Value, json};

use crate::world::World;

/// A world in which one namespace has been rotated, with faults installed; a request for it, once it is final.
struct Story {
    world: World,
    outcome: Value,
}

impl Story {
    async fn of(faults: Value) -> Self {
        Self::in_world(World::default().await, faults).await
    }

    async fn in_world(world: World, faults: Value) -> Self {
        let namespace = world.namespace("contoso-logistics").await;
        world.rotate(namespace["policies"][0].as_str().unwrap()).await;
        let installed =
            world.client.put(world.azure("/simulator/faults")).json(&json!({"faults": faults})).send().await;
        assert!(installed.unwrap().status().is_success());
        let id = world.submit(json!({"namespaceId": namespace["id"]})).await;
        let outcome = world.outcome(&id).await;
        Self { world, outcome }
    }

    /// The statuses that each POST of a sync was answered with; `null` for an answer that never came.
    async fn posts(&self) -> Vec<Value> {
        let log = self.world.get(&self.world.azure("/simulator/log")).await;
        let is_post = |entry: &&Value| entry["path"].as_str().unwrap().ends_with("/synchronize");
        log.as_array().unwrap().iter().filter(is_post).map(|entry| entry["status"].clone()).collect()
    }

    async fn ends(self, outcome: &str, reason: Option<&str>) {
        let ended = (self.outcome["outcome"].as_str(), self.outcome["reason"].as_str());
        assert_eq!(ended, (Some(outcome), reason), "{}", self.outcome);
        self.world.stop().await;
    }
}

#[tokio::test]
async fn a_conflict_is_the_sync_of_another_client_and_is_waited_for() {
    let story =
        Story::of(json!([{"method": "POST", "path": "*/synchronize", "status": 409, "times": 1}])).await;
    assert_eq!(story.posts().await, [json!(409), json!(202)]);
    story.ends("trusted", None).await;
}

#[tokio::test]
async fn a_throttled_sync_is_put_off_and_never_a_failed_request() {
    let faults =
        json!([{"method": "POST", "path": "*/synchronize", "status": 429, "retryAfter": 1, "times": 6}]);
    let story = Story::of(faults).await;
    assert_eq!(story.posts().await.last(), Some(&json!(202)));
    story.ends("trusted", None).await;
}

#[tokio::test]
async fn a_lost_answer_counts_as_started_and_its_evidence_ends_it_without_a_second_post() {
    let faults =
        json!([{"method": "POST", "path": "*/synchronize", "close": true, "afterwards": true, "times": 1}]);
    let story = Story::of(faults).await;
    assert_eq!(story.posts().await.len(), 1);
    story.ends("trusted", None).await;
}

#[tokio::test]
async fn an_identity_without_the_right_ends_the_request_with_the_reason() {
    let story = Story::of(json!([{"method": "POST", "path": "*/synchronize", "status": 403}])).await;
    assert_eq!(story.posts().await, [json!(403)]);
    story.ends("failed", Some("not-permitted")).await;
}

#[tokio::test]
async fn an_operation_that_is_forgotten_or_may_not_be_read_is_no_failure() {
    for status in [404, 403] {
        let story =
            Story::of(json!([{"method": "GET", "path": "*/operationStatuses/*", "status": status}])).await;
        assert_eq!(story.posts().await.len(), 1);
        story.ends("trusted", None).await;
    }
}

#[tokio::test]
async fn an_operation_that_answers_200_and_says_failed_has_failed() {
    // The real sync takes an hour here, so that no hub can show anything.
    let world = World::with_fleet(|fleet| fleet.synchronize_seconds = 3600).await;
    let body = json!({"status": "Failed", "error": {"code": "HubUnreachable", "message": "no route"}});
    let faults = json!([{"method": "GET", "path": "*/operationStatuses/*", "status": 200, "body": body}]);
    let story = Story::in_world(world, faults).await;
    let detail = story.outcome["detail"].as_str().unwrap();
    assert!(detail.contains("HubUnreachable") && detail.contains("no route"), "{detail}");
    story.ends("failed", Some("sync-failed")).await;
}

#[tokio::test]
async fn a_token_that_is_refused_in_the_middle_costs_only_time() {
    let story = Story::of(json!([
        {"method": "GET", "path": "*/namespaces/contoso-logistics", "status": 401, "times": 1},
        {"method": "POST", "path": "*/synchronize", "status": 401, "times": 1},
        {"method": "GET", "path": "*/operationStatuses/*", "status": 401, "times": 1}
    ]))
    .await;
    assert_eq!(story.posts().await, [json!(401), json!(202)]);
    story.ends("trusted", None).await;
}

/// The default rules, with a deadline for evidence that a test can wait for.
fn impatient() -> String {
    DEFAULT_CONFIGURATION.replace("mode = \"enforce\"", "mode = \"enforce\"\nevidence_deadline_seconds = 8")
}

#[tokio::test]
async fn an_operation_that_succeeded_without_any_trace_on_the_hub_ends_unverified() {
    let world = World::configured(&impatient()).await;
    let stale = world.namespace("contoso-logistics").await;
    // From now on the hub shows the same certificates, whatever the sync does.
    let hub = stale["hubs"][0].as_str().unwrap();
    let url = world.azure(&format!("{hub}/certificates?api-version=2025-08-01-preview"));
    let shown: Value =
        world.client.get(url).bearer_auth("operator").send().await.unwrap().json().await.unwrap();
    let path = format!("{hub}/certificates");
    let story =
        Story::in_world(world, json!([{"method": "GET", "path": path, "status": 200, "body": shown}])).await;
    let hubs = story.outcome["hubs"].as_array().unwrap();
    let outcomes: Vec<_> = hubs.iter().map(|hub| hub["outcome"].as_str().unwrap()).collect();
    assert!(
        outcomes.contains(&"unverified") && outcomes.contains(&"trusted"),
        "each hub has its own: {hubs:?}"
    );
    assert_eq!(story.posts().await.len(), 1, "a sync that left no trace is not sent again by itself");
    story.ends("unverified", Some("evidence-missing")).await;
}

#[tokio::test]
async fn a_hub_that_is_unlinked_meanwhile_is_told() {
    let world = World::with_fleet(|fleet| fleet.synchronize_seconds = 4).await;
    let namespace = world.namespace("contoso-logistics").await;
    world.rotate(namespace["policies"][0].as_str().unwrap()).await;
    let id = world.submit(json!({"namespaceId": namespace["id"]})).await;
    let url = world.app(&format!("/api/sync-requests/{id}"));
    world
        .until("it is syncing", async || (world.get(&url).await["outcome"] == "syncing").then_some(()))
        .await;
    let faults =
        json!({"faults": [{"method": "GET", "path": "*/IotHubs", "status": 200, "body": {"value": []}}]});
    world.client.put(world.azure("/simulator/faults")).json(&faults).send().await.unwrap();
    let outcome = world.outcome(&id).await;
    assert_eq!(
        (outcome["outcome"].as_str(), outcome["reason"].as_str()),
        (Some("refused"), Some("hub-gone")),
        "{outcome}"
    );
    world.stop().await;
}

#[tokio::test]
async fn services_that_fail_for_a_moment_cost_only_time() {
    let story = Story::of(json!([
        {"method": "GET", "path": "*/policies", "status": 503, "retryAfter": 1, "times": 2},
        {"method": "GET", "path": "*/IotHubs", "close": true, "times": 2},
        {"method": "GET", "path": "*/certificates", "status": 500, "times": 2},
        {"method": "POST", "path": "/servicebus/*", "status": 500, "times": 1}
    ]))
    .await;
    story.ends("trusted", None).await;
}

#[tokio::test]
async fn a_revoked_policy_leads_by_its_event_to_a_sync_without_a_request() {
    let world = World::with_fleet(|fleet| fleet.revoke_pushes_to_hubs = false).await;
    let namespace = world.namespace("contoso-plants").await;
    let policy = namespace["policies"].as_array().unwrap()[0].as_str().unwrap();
    let url = world.azure(&format!("{policy}/revokeIssuer?api-version=2026-03-01-preview"));
    let answer = world.client.post(url).bearer_auth("operator").send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    // Only the event can lead to the sync: no timer fires in this world.
    world
        .until("the namespace was synced", async || {
            let synced = world.writes().await.iter().any(|write| write.ends_with("/synchronize"));
            synced.then_some(())
        })
        .await;
    world
        .until("every hub trusts again", async || {
            let report = world.report().await;
            let trust = report["namespaces"][0]["trust"].as_array().unwrap();
            trust.iter().all(|pair| pair["trust"] == "trusted").then_some(())
        })
        .await;
    world.stop().await;
}
